import numpy as np
import pytest
import statsmodels.api as sm
from scipy.stats import norm, pearsonr

from kellgren import errors
from kellgren.statistics.bland_altman import LIMIT, bland_altman, limit, slope


def millimetres(n: int = 400) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Two measurements, patients with two knees that err alike."""
    rng = np.random.default_rng(0)
    patients = np.repeat(np.arange(n // 2), 2)
    truth = rng.uniform(2.0, 6.0, n)
    errors_ = rng.normal(0.3, 0.4, n // 2)[patients]
    return truth + errors_, truth + rng.normal(0.0, 0.1, n), patients.astype(np.str_)


def test_bias_and_limits_are_those_of_the_definition() -> None:
    first, second, patients = millimetres()
    found = bland_altman(first, second, patients, rng=np.random.default_rng(1))
    differences = first - second
    assert found.bias == pytest.approx(differences.mean())
    assert found.upper - found.bias == pytest.approx(LIMIT * differences.std(ddof=1))
    assert found.bias - found.lower == pytest.approx(LIMIT * differences.std(ddof=1))
    assert (found.n_patients, found.n_knees) == (200, 400)


def test_intervals_hold_the_truth_and_are_wider_than_those_of_independent_knees() -> None:
    first, second, patients = millimetres()
    found = bland_altman(first, second, patients, rng=np.random.default_rng(1))
    assert found.bias_interval.low < 0.3 < found.bias_interval.high
    knees = np.arange(len(first)).astype(np.str_)
    naive = bland_altman(first, second, knees, rng=np.random.default_rng(1))
    wide = found.bias_interval.high - found.bias_interval.low
    assert wide > 1.25 * (naive.bias_interval.high - naive.bias_interval.low)


def test_the_interval_of_independent_knees_is_the_normal_one() -> None:
    rng = np.random.default_rng(2)
    first, second = rng.normal(size=(2, 900))
    patients = np.arange(900).astype(np.str_)
    found = bland_altman(first, second, patients, rng=rng).bias_interval
    expected = 2 * norm.ppf(0.975) * (first - second).std(ddof=1) / 30.0
    assert found.high - found.low == pytest.approx(expected, rel=0.1)


def test_the_trend_is_tested_by_patient() -> None:
    first, second, patients = millimetres()
    found = bland_altman(first, second, patients, rng=np.random.default_rng(1), resamples=400)
    means, differences = (first + second) / 2.0, first - second
    fitted = sm.OLS(differences, sm.add_constant(means)).fit(
        cov_type="cluster", cov_kwds={"groups": patients.astype(np.int64)}, use_t=True
    )
    assert found.slope == pytest.approx(fitted.params[1])
    assert found.slope_p == pytest.approx(fitted.pvalues[1])
    assert found.slope_p != pytest.approx(pearsonr(means, differences).pvalue, rel=0.02)
    # The interval is the bootstrap's; the sandwich's is its neighbour.
    low, high = fitted.conf_int()[1]
    width = found.slope_interval.high - found.slope_interval.low
    assert width == pytest.approx(high - low, rel=0.15)


def test_a_slopes_weight_is_a_copy() -> None:
    rng = np.random.default_rng(5)
    means, differences = rng.normal(4.0, 1.0, 12), rng.normal(size=12)
    copies = rng.integers(0, 4, 12)
    expected = np.polyfit(np.repeat(means, copies), np.repeat(differences, copies), 1)[0]
    statistic = slope(means, differences)
    assert statistic(copies[np.newaxis].astype(np.float64))[0] == pytest.approx(expected)
    one = np.zeros((1, 12))
    one[0, 3] = 5.0
    assert np.isnan(statistic(one)[0])


def test_few_patients_have_no_trend() -> None:
    first, second, patients = millimetres(58)
    found = bland_altman(first, second, patients, rng=np.random.default_rng(1))
    assert found.n_patients == 29
    assert not np.isnan(found.slope)
    assert np.isnan([found.slope_p, found.slope_interval.low]).all()


def test_as_many_resamples_as_asked() -> None:
    first, second, patients = millimetres()
    few, many, same = (
        bland_altman(first, second, patients, rng=np.random.default_rng(1), resamples=resamples)
        for resamples in (50, 60, 50)
    )
    assert few.bias_interval == same.bias_interval
    assert few.bias_interval != many.bias_interval


def test_a_trend_is_seen() -> None:
    first, second, patients = millimetres()
    rng = np.random.default_rng(1)
    assert bland_altman(1.3 * first, second, patients, rng=rng).slope_p < 1e-3
    same = bland_altman(second + 1.0, second, patients, rng=rng)
    assert np.isnan([same.slope, same.slope_p]).all()
    assert (same.lower, same.upper) == pytest.approx((1.0, 1.0), abs=1e-6)


def test_a_weight_is_a_copy() -> None:
    differences = np.array([0.1, 0.5, -0.2, 0.7])
    weights = np.array([[2.0, 0.0, 1.0, 3.0]])
    copies = np.repeat(differences, [2, 0, 1, 3])
    expected = copies.mean() + LIMIT * copies.std(ddof=1)
    assert limit(differences, LIMIT)(weights)[0] == pytest.approx(expected)


@pytest.mark.parametrize("bad", [np.array([1.0, 2.0]), np.array([1.0, np.nan, 2.0, 3.0])])
def test_too_few_and_not_finite_are_named(bad: np.ndarray) -> None:
    patients = np.arange(len(bad)).astype(np.str_)
    with pytest.raises(errors.TableError):
        bland_altman(bad, bad, patients, rng=np.random.default_rng(0))
