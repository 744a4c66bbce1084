import numpy as np
import pytest

from kellgren.statistics.coverage import covered, mean_set_size, set_coverage, sizes

TRUTH = np.array([0, 0, 1, 2])
SETS = np.array(
    [[True, True, False], [False, True, False], [True, True, True], [False, True, True]]
)


def test_coverage_and_size_by_hand() -> None:
    assert covered(TRUTH, SETS).tolist() == [True, False, True, True]
    assert sizes(SETS).tolist() == [2, 1, 3, 2]
    assert set_coverage(TRUTH, SETS) == 0.75
    assert mean_set_size(TRUTH, SETS) == 2.0


def test_both_of_one_true_grade() -> None:
    assert set_coverage(TRUTH, SETS, grade=0) == 0.5
    assert mean_set_size(TRUTH, SETS, grade=0) == 1.5


def test_grades_together_make_the_whole() -> None:
    shares = np.bincount(TRUTH) / len(TRUTH)
    parts = [set_coverage(TRUTH, SETS, grade=grade) for grade in range(3)]
    assert shares @ parts == pytest.approx(set_coverage(TRUTH, SETS))


def test_without_knees_both_are_undefined() -> None:
    assert np.isnan(set_coverage(TRUTH, SETS[:, :3], grade=5))
    assert np.isnan(mean_set_size(TRUTH[:0], SETS[:0]))
