import warnings

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray
from sklearn.metrics import balanced_accuracy_score

from kellgren.statistics import agreement

TRUTH = np.array([0, 0, 0, 1, 1, 4, 4, 4])
GIVEN = np.array([0, 0, 2, 1, 0, 4, 3, 4])
PAIRS = st.lists(st.tuples(st.integers(0, 4), st.integers(0, 4)), min_size=1, max_size=40)


def test_confusion_has_true_rows_and_a_place_for_every_grade() -> None:
    counts = agreement.confusion_matrix(TRUTH, GIVEN, classes=5)
    assert counts.tolist() == [
        [2, 0, 1, 0, 0],
        [1, 1, 0, 0, 0],
        [0, 0, 0, 0, 0],
        [0, 0, 0, 0, 0],
        [0, 0, 0, 1, 2],
    ]


def test_shares_and_distances_by_hand() -> None:
    assert agreement.accuracy(TRUTH, GIVEN) == pytest.approx(5 / 8)
    assert agreement.recall(TRUTH, GIVEN, grade=0) == pytest.approx(2 / 3)
    assert agreement.recall(TRUTH, GIVEN, grade=1) == pytest.approx(1 / 2)
    assert agreement.balanced_accuracy(TRUTH, GIVEN) == pytest.approx((2 / 3 + 1 / 2 + 2 / 3) / 3)
    assert agreement.mean_absolute_error(TRUTH, GIVEN) == pytest.approx((2 + 1 + 1) / 8)
    assert agreement.mean_squared_error(TRUTH, GIVEN) == pytest.approx((4 + 1 + 1) / 8)


def test_recall_of_an_absent_grade_is_undefined() -> None:
    # Grade 2 was given once, grade 3 never was true.
    assert np.isnan(agreement.recall(TRUTH, GIVEN, grade=2))
    assert np.isnan(agreement.recall(TRUTH, GIVEN, grade=3))


@given(PAIRS)
@settings(deadline=None)
def test_balanced_accuracy_is_scikit_learns(pairs: list[tuple[int, int]]) -> None:
    truth, predicted = np.array(pairs).T
    with warnings.catch_warnings():
        # It warns of grades that only the prediction has, and leaves them out all the same.
        warnings.simplefilter("ignore", UserWarning)
        expected = balanced_accuracy_score(truth, predicted)
    assert agreement.balanced_accuracy(truth, predicted) == pytest.approx(expected)


def kappa_by_hand(truth: NDArray[np.int64], predicted: NDArray[np.int64]) -> float:
    """From Cohen's definition: every pair of knees is what independence would have given."""
    observed = ((truth - predicted) ** 2).mean()
    expected = ((truth[:, None] - predicted[None, :]) ** 2).mean()
    return float(1.0 - observed / expected)


@given(PAIRS.filter(lambda pairs: len({grade for pair in pairs for grade in pair}) > 1))
@settings(deadline=None)
def test_kappa_is_cohens(pairs: list[tuple[int, int]]) -> None:
    truth, predicted = np.array(pairs).T
    assert agreement.quadratic_kappa(truth, predicted, classes=5) == pytest.approx(
        kappa_by_hand(truth, predicted), abs=1e-12
    )


@pytest.mark.parametrize("grade", [0, 3])
def test_kappa_of_one_grade_throughout_is_undefined_without_a_warning(grade: int) -> None:
    same = np.full(4, grade)
    assert np.isnan(agreement.quadratic_kappa(same, same, classes=5))


def test_kappa_of_two_constant_readers_who_disagree_is_nought() -> None:
    assert agreement.quadratic_kappa(np.zeros(4, int), np.full(4, 2), classes=5) == 0.0
