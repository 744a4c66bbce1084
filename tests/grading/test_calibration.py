import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray
from scipy.optimize import minimize_scalar
from scipy.special import log_softmax
from scipy.special import softmax as scipy_softmax

from kellgren.grading.calibration import HIGHEST, LOWEST, calibrated, fit_temperature, softmax


def knees(seed: int, n: int = 200) -> tuple[NDArray[np.float64], NDArray[np.int64]]:
    """Logits with a signal, so that the best temperature lies well inside its range."""
    rng = np.random.default_rng(seed)
    grades = rng.integers(0, 5, n)
    logits = rng.normal(size=(n, 5))
    logits[np.arange(n), grades] += 1.0
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


def test_calibration_keeps_the_most_probable_class_and_softens() -> None:
    logits, _ = knees(1)
    soft = calibrated(logits, 2.5)
    np.testing.assert_array_equal(soft.argmax(axis=1), logits.argmax(axis=1))
    assert (soft.max(axis=1) < softmax(logits).max(axis=1)).all()


@pytest.mark.parametrize("temperature", [0.0, -1.0, float("nan")])
def test_a_temperature_is_above_zero(temperature: float) -> None:
    with pytest.raises(ValueError, match="above zero"):
        calibrated([[0.0, 1.0]], temperature)


@given(st.integers(0, 2**32 - 1))
@settings(deadline=None, max_examples=15)
def test_temperature_is_the_minimum_that_scipy_finds(seed: int) -> None:
    logits, grades = knees(seed)

    def loss(log_temperature: float) -> float:
        likelihoods = log_softmax(logits / np.exp(log_temperature), axis=1)
        return float(-likelihoods[np.arange(len(grades)), grades].mean())

    found = minimize_scalar(
        loss, bounds=(np.log(LOWEST), np.log(HIGHEST)), method="bounded", options={"xatol": 1e-9}
    )
    assert fit_temperature(logits, grades) == pytest.approx(float(np.exp(found.x)), rel=1e-4)


@pytest.mark.parametrize("factor", [0.5, 3.0])
def test_louder_logits_need_as_much_more_heat(factor: float) -> None:
    logits, grades = knees(3)
    once = fit_temperature(logits, grades)
    assert fit_temperature(factor * logits, grades) == pytest.approx(factor * once, rel=1e-9)


def test_without_an_error_the_coldest_is_the_best() -> None:
    grades = np.arange(5)
    assert fit_temperature(np.eye(5), grades) == pytest.approx(LOWEST)


def test_of_nothing_but_errors_the_hottest_is_the_best() -> None:
    grades = np.arange(5)
    assert fit_temperature(-np.eye(5), grades) == pytest.approx(HIGHEST)


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
        fit_temperature(logits, grades)
