import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats

from kellgren import errors
from kellgren.statistics.resampled import corrected_resampled_t

DIFFERENCES = np.random.default_rng(0).normal(0.01, 0.02, 10)


def test_with_hardly_a_test_set_it_is_students() -> None:
    found = corrected_resampled_t(DIFFERENCES, train_patients=10**15, test_patients=1)
    theirs = stats.ttest_1samp(DIFFERENCES, 0.0)
    assert (found.t, found.p) == pytest.approx((theirs.statistic, theirs.pvalue))
    interval = theirs.confidence_interval(0.95)
    assert (found.low, found.high) == pytest.approx((interval.low, interval.high))
    assert (found.freedom, found.n_splits, found.status) == (9, 10, "ok")


def test_the_correction_is_the_ratio_of_test_to_training_size() -> None:
    # Nadeau and Bengio 2003: σ²/J becomes (1/J + n2/n1) σ².
    plain = stats.ttest_1samp(DIFFERENCES, 0.0)
    found = corrected_resampled_t(DIFFERENCES, train_patients=700, test_patients=150)
    assert found.t == pytest.approx(plain.statistic / math.sqrt(1.0 + 10 * 150 / 700))
    assert found.p == pytest.approx(2.0 * stats.t.sf(abs(found.t), 9))
    assert found.p > plain.pvalue
    assert found.low < plain.confidence_interval().low


def test_where_nothing_differs_the_usual_test_finds_too_much() -> None:
    rng = np.random.default_rng(1)
    usual, corrected = [], []
    for _ in range(300):
        # The metric of a split is the mean of its test set; all splits share one cohort.
        cohort = rng.normal(size=100)
        means = [cohort[rng.permutation(100)[:20]].mean() for _ in range(20)]
        usual.append(stats.ttest_1samp(means, 0.0).pvalue < 0.05)
        found = corrected_resampled_t(means, train_patients=80, test_patients=20)
        corrected.append(found.p < 0.05)
    assert np.mean(usual) > 0.2
    assert np.mean(corrected) < 0.1


@given(st.lists(st.floats(-1.0, 1.0), min_size=2, max_size=12), st.integers(0, 2**32 - 1))
@settings(deadline=None)
def test_the_order_of_splits_changes_nothing(values: list[float], seed: int) -> None:
    shuffled = np.random.default_rng(seed).permutation(values)
    once, again = (
        corrected_resampled_t(each, train_patients=9, test_patients=1)
        for each in (values, shuffled)
    )
    assert again.status == once.status
    assert (again.estimate, again.p) == pytest.approx((once.estimate, once.p), nan_ok=True)


def test_a_method_against_itself() -> None:
    found = corrected_resampled_t(np.zeros(10), train_patients=9, test_patients=1)
    assert (found.estimate, found.p, found.status) == (0.0, 1.0, "never_differ")
    assert math.isnan(found.low)


@pytest.mark.parametrize(
    ("values", "status"), [([0.1], "too_few"), ([], "too_few"), ([0.1] * 5, "zero_variance")]
)
def test_what_cannot_be_tested_says_so(values: list[float], status: str) -> None:
    found = corrected_resampled_t(values, train_patients=9, test_patients=1)
    assert found.status == status
    assert np.isnan([found.t, found.p, found.low, found.high]).all()


def test_bad_input_is_refused() -> None:
    with pytest.raises(errors.TableError, match="split 1"):
        corrected_resampled_t([0.1, math.nan], train_patients=9, test_patients=1)
    with pytest.raises(ValueError, match="patients in both"):
        corrected_resampled_t([0.1, 0.2], train_patients=9, test_patients=0)
