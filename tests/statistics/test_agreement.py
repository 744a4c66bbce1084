import warnings

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray
from sklearn.metrics import balanced_accuracy_score
from statsmodels.stats.inter_rater import cohens_kappa

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


@given(PAIRS.filter(lambda pairs: len({grade for pair in pairs for grade in pair}) > 1))
@settings(deadline=None)
def test_kappas_are_statsmodels(pairs: list[tuple[int, int]]) -> None:
    truth, predicted = np.array(pairs).T
    table = agreement.confusion_matrix(truth, predicted, classes=5)
    schemes: dict[agreement.Weights, str | None] = {
        "unweighted": None,
        "linear": "linear",
        "quadratic": "quadratic",
    }
    for weights, theirs in schemes.items():
        expected = cohens_kappa(table, wt=theirs, return_results=False)
        found = agreement.cohen_kappa(truth, predicted, classes=5, weights=weights)
        assert found == pytest.approx(expected, abs=1e-12)


def test_kappa_of_cohens_own_example() -> None:
    """Cohen (1960), table 1: two judges, three categories, 200 cases; kappa 0.492."""
    table = np.array([[88, 14, 18], [10, 40, 10], [2, 6, 12]])
    truth, predicted = np.repeat(
        [(i, j) for i in range(3) for j in range(3)], table.ravel(), axis=0
    ).T
    found = agreement.cohen_kappa(truth, predicted, classes=3, weights="unweighted")
    assert found == pytest.approx(0.492, abs=5e-4)


def test_precision_recall_and_f1_by_hand() -> None:
    # Grades 0, 1, 2, 3, 4: precision 2/3, 1, 0, 0, 1; recall 2/3, 1/2, –, –, 2/3.
    precision, recall, f1 = agreement.precision_recall_f1(TRUTH, GIVEN, average="weighted")
    assert precision == pytest.approx((3 * 2 / 3 + 2 * 1 + 3 * 1) / 8)
    assert recall == pytest.approx(5 / 8)
    assert f1 == pytest.approx((3 * 2 / 3 + 2 * 2 / 3 + 3 * 0.8) / 8)
    assert agreement.precision_recall_f1(TRUTH, GIVEN, average="macro")[2] == pytest.approx(
        (2 / 3 + 2 / 3 + 0.8) / 5
    )


@given(PAIRS)
@settings(deadline=None)
def test_the_correlation_of_two_grades_is_pearsons(pairs: list[tuple[int, int]]) -> None:
    truth, predicted = (np.array(pairs) > 1).astype(np.int64).T
    found = agreement.matthews_correlation(truth, predicted)
    if min(len(np.unique(truth)), len(np.unique(predicted))) < 2:
        assert np.isnan(found)
    else:
        assert found == pytest.approx(np.corrcoef(truth, predicted)[0, 1], abs=1e-12)


def test_errors_are_counted_by_distance() -> None:
    assert agreement.errors_by_distance(TRUTH, GIVEN, classes=5).tolist() == [5, 2, 1, 0, 0]
