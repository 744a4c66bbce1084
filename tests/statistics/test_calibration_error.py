import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray
from sklearn.metrics import brier_score_loss, log_loss

from kellgren.statistics.calibration import (
    BINS,
    SMALLEST,
    brier_scores,
    expected_calibration_error,
    log_losses,
    reliability_bins,
)


def sample(seed: int, classes: int = 5) -> tuple[NDArray[np.int64], NDArray[np.float64]]:
    rng = np.random.default_rng(seed)
    return rng.integers(0, classes, 50), rng.dirichlet(np.ones(classes), 50)


def test_calibration_error_by_hand() -> None:
    confidence = np.array([0.3, 0.34, 0.9, 0.95, 0.99])
    correct = np.array([True, False, True, True, False])
    # Bins of a third: two knees in (0, 1/3] and (1/3, 2/3], three in (2/3, 1].
    expected = (abs(1 - 0.3) + abs(0 - 0.34) + 3 * abs(2 / 3 - (0.9 + 0.95 + 0.99) / 3)) / 5
    assert expected_calibration_error(confidence, correct, bins=3) == pytest.approx(expected)


def test_bins_are_closed_above_and_hold_every_knee() -> None:
    confidence = np.array([0.0, 0.25, 0.250001, 0.5, 1.0])
    bins = reliability_bins(confidence, np.ones(5, bool), bins=4)
    assert [b.n for b in bins] == [2, 2, 0, 1]
    assert [(b.low, b.high) for b in bins] == [(0.0, 0.25), (0.25, 0.5), (0.5, 0.75), (0.75, 1.0)]
    assert np.isnan(bins[2].confidence)
    assert np.isnan(bins[2].accuracy)
    assert bins[1].confidence == pytest.approx(0.3750005)


def test_there_are_fifteen_bins_over_the_whole_scale() -> None:
    bins = reliability_bins(np.array([0.5]), np.array([True]))
    assert (len(bins), bins[0].low, bins[-1].high) == (BINS, 0.0, 1.0)
    assert BINS == 15


@given(st.integers(0, 2**32 - 1))
@settings(deadline=None, max_examples=30)
def test_likelihood_is_scikit_learns(seed: int) -> None:
    truth, probabilities = sample(seed)
    expected = log_loss(truth, probabilities, labels=np.arange(5))
    assert log_losses(truth, probabilities).mean() == pytest.approx(expected)


def test_a_probability_that_was_rounded_to_nothing_costs_a_finite_amount() -> None:
    losses = log_losses(np.array([1]), np.array([[1.0, 0.0]]))
    assert losses == pytest.approx([-np.log(SMALLEST)])


@given(st.integers(0, 2**32 - 1))
@settings(deadline=None, max_examples=30)
def test_brier_is_twice_scikit_learns_for_two_classes(seed: int) -> None:
    truth, probabilities = sample(seed, classes=2)
    expected = 2.0 * brier_score_loss(truth, probabilities[:, 1], pos_label=1)
    assert brier_scores(truth, probabilities).mean() == pytest.approx(expected)


def test_brier_by_hand() -> None:
    scores = brier_scores(np.array([1, 0]), np.array([[0.2, 0.5, 0.3], [1.0, 0.0, 0.0]]))
    assert scores == pytest.approx([0.04 + 0.25 + 0.09, 0.0])
