import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray
from scipy.optimize import minimize
from scipy.special import log_softmax
from scipy.special import softmax as scipy_softmax

from kellgren.grading.calibration import (
    BIAS_SD,
    HIGHEST,
    LOWEST,
    Calibration,
    fit_calibration,
    softmax,
)


def knees(seed: int, n: int = 200) -> tuple[NDArray[np.float64], NDArray[np.int64]]:
    """Logits with a signal and a bias, so that the best temperature lies inside its range."""
    rng = np.random.default_rng(seed)
    grades = rng.integers(0, 5, n)
    logits = rng.normal(size=(n, 5))
    logits[np.arange(n), grades] += 1.0
    logits[:, 0] += 0.7
    return logits, grades


@given(
    st.lists(
        st.lists(st.floats(-1e6, 1e6), min_size=3, max_size=3),
        min_size=1,
        max_size=5,
    )
)
@settings(deadline=None)
def test_softmax_is_scipys_and_sums_to_one(rows: list[list[float]]) -> None:
    probabilities = softmax(rows)
    np.testing.assert_allclose(probabilities, scipy_softmax(np.array(rows), axis=1), atol=1e-15)
    np.testing.assert_allclose(probabilities.sum(axis=1), 1.0)


def test_softmax_takes_any_leading_shape() -> None:
    logits = np.random.default_rng(0).normal(size=(2, 3, 5))
    np.testing.assert_array_equal(softmax(logits)[1], softmax(logits[1]))


def test_a_temperature_alone_keeps_the_most_probable_class_and_softens() -> None:
    logits, _ = knees(1)
    soft = Calibration(2.5)(logits)
    np.testing.assert_array_equal(soft.argmax(axis=1), logits.argmax(axis=1))
    assert (soft.max(axis=1) < softmax(logits).max(axis=1)).all()


def test_a_bias_multiplies_the_odds() -> None:
    plain, biased = Calibration(2.0)([[0.3, 0.1]]), Calibration(2.0, (0.0, 1.0))([[0.3, 0.1]])
    assert biased[0, 1] / biased[0, 0] == pytest.approx(np.e * plain[0, 1] / plain[0, 0])


@pytest.mark.parametrize("temperature", [0.0, -1.0, float("nan")])
def test_a_temperature_is_above_zero(temperature: float) -> None:
    with pytest.raises(ValueError, match="above zero"):
        Calibration(temperature)


@given(st.integers(0, 2**32 - 1))
@settings(deadline=None, max_examples=15)
def test_the_fit_is_the_minimum_that_scipy_finds(seed: int) -> None:
    logits, grades = knees(seed)

    def loss(parameters: NDArray[np.float64]) -> float:
        likelihoods = log_softmax(logits * parameters[0] + parameters[1:], axis=1)
        prior = (parameters[1:] ** 2).sum() / (2.0 * BIAS_SD**2)
        return float(prior - likelihoods[np.arange(len(grades)), grades].sum())

    found = minimize(loss, np.array([1.0, 0, 0, 0, 0, 0]), method="BFGS", options={"gtol": 1e-6})
    fitted = fit_calibration(logits, grades)
    assert fitted.temperature == pytest.approx(1.0 / found.x[0], rel=1e-3)
    np.testing.assert_allclose(fitted.bias, found.x[1:] - found.x[1:].mean(), atol=2e-3)


def test_a_bias_that_was_put_in_is_taken_out() -> None:
    rng = np.random.default_rng(5)
    logits = rng.normal(size=(20_000, 3))
    shares = Calibration(0.5, (0.8, 0.0, -0.8))(logits)
    grades = (rng.random((len(logits), 1)) > shares.cumsum(axis=1)).sum(axis=1)
    found = fit_calibration(logits, grades)
    assert found.temperature == pytest.approx(0.5, abs=0.02)
    np.testing.assert_allclose(found.bias, (0.8, 0.0, -0.8), atol=0.06)


@pytest.mark.parametrize("factor", [0.5, 3.0])
def test_louder_logits_need_as_much_more_heat(factor: float) -> None:
    logits, grades = knees(3)
    once, louder = fit_calibration(logits, grades), fit_calibration(factor * logits, grades)
    assert louder.temperature == pytest.approx(factor * once.temperature, rel=1e-5)
    np.testing.assert_allclose(louder.bias, once.bias, atol=1e-5)


def test_without_an_error_the_coldest_is_the_best() -> None:
    assert fit_calibration(np.eye(5), np.arange(5)).temperature == pytest.approx(LOWEST)


def test_of_nothing_but_errors_the_hottest_is_the_best() -> None:
    assert fit_calibration(-np.eye(5), np.arange(5)).temperature == pytest.approx(HIGHEST)


def test_a_class_that_nobody_has_keeps_a_finite_bias() -> None:
    logits, grades = knees(7)
    found = fit_calibration(logits[grades < 4], grades[grades < 4])
    assert found.bias[4] == min(found.bias)
    assert found.bias[4] > -10.0


@pytest.mark.parametrize(
    ("logits", "grades", "says"),
    [
        (np.zeros((3, 5)), np.zeros(2, int), "belong"),
        (np.zeros(5), np.zeros(5, int), "belong"),
        (np.zeros((0, 5)), np.zeros(0, int), "belong"),
        (np.full((2, 5), np.nan), np.zeros(2, int), "finite"),
        (np.zeros((2, 5)), np.zeros(2), "indices"),
        (np.zeros((2, 5)), np.array([0, 5]), "classes 0 to 4"),
        (np.zeros((2, 5)), np.array([-1, 4]), "classes 0 to 4"),
    ],
)
def test_what_does_not_fit_is_refused(
    logits: NDArray[np.float64], grades: NDArray[np.int64], says: str
) -> None:
    with pytest.raises(ValueError, match=says):
        fit_calibration(logits, grades)
