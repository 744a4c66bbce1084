"""Analysis of variance beside SciPy, statsmodels, and examples that MATLAB and Pingouin publish."""

import math
from collections.abc import Callable

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray
from scipy import stats
from sklearn.datasets import load_iris
from statsmodels.regression.linear_model import OLS
from statsmodels.stats.oneway import confint_effectsize_oneway

from kellgren import errors
from kellgren.statistics.anova import (
    Anova,
    one_way,
    one_way_from_summary,
    repeated_measures,
    sphericity,
)

ROHANI = {
    "accuracy": ((0.741, 0.835), (0.0036, 0.0058)),
    "precision": ((0.715, 0.830), (0.032, 0.078)),
    "recall": ((0.710, 0.831), (0.0039, 0.0037)),
}
"""Means and standard deviations of ten runs each of MobileNet and ResNet (Rohani et al. 2025)."""

# The data set "rm_anova_wide" of Pingouin's documentation, whose incomplete rows are left out.
PINGOUIN = np.array(
    [
        [4.3, 5.3, 4.8, 6.3],
        [3.9, 2.3, 5.6, 4.3],
        [5.1, 4.2, 6.0, 6.3],
        [3.8, 3.6, 4.8, 6.8],
        [3.8, 5.4, 5.1, 6.3],
        [4.5, 3.0, 7.7, 5.8],
        [3.7, 7.1, 5.5, 4.8],
        [4.4, 4.7, 4.2, 5.5],
        [3.7, 3.0, 4.0, 7.1],
    ]
)


def groups(seed: int, sizes: tuple[int, ...] = (12, 9, 15)) -> list[NDArray[np.float64]]:
    rng = np.random.default_rng(seed)
    return [rng.normal(0.7 + 0.02 * place, 0.03, size) for place, size in enumerate(sizes)]


def table(seed: int, units: int = 10, conditions: int = 4) -> NDArray[np.float64]:
    """Units that differ, under conditions that do."""
    rng = np.random.default_rng(seed)
    return np.asarray(
        rng.normal(size=(units, conditions))
        + rng.normal(size=(units, 1))
        + 0.4 * np.arange(conditions)
    )


def test_one_way_is_scipys() -> None:
    values = groups(0)
    found = one_way(values)
    theirs = stats.f_oneway(*values)
    assert (found.f, found.p) == pytest.approx((theirs.statistic, theirs.pvalue))
    assert (found.between, found.within, found.n_units) == (2, 33, 36)
    levene, brown, shapiro = found.assumptions
    for check, other in (
        (levene, stats.levene(*values, center="mean")),
        (brown, stats.levene(*values)),
    ):
        assert (check.statistic, check.p) == pytest.approx((other.statistic, other.pvalue))
    residuals = np.concatenate([group - group.mean() for group in values])
    normal = stats.shapiro(residuals)
    assert (shapiro.statistic, shapiro.p) == pytest.approx((normal.statistic, normal.pvalue))
    assert found.ranks is not None
    kruskal = stats.kruskal(*values)
    assert (found.ranks.statistic, found.ranks.p) == pytest.approx(
        (kruskal.statistic, kruskal.pvalue)
    )
    assert found.ranks.effect == pytest.approx(kruskal.statistic / 35)


@pytest.mark.parametrize("seed", range(4))
def test_effects_are_those_of_statsmodels(seed: int) -> None:
    found = one_way(groups(seed))
    bounds = confint_effectsize_oneway(found.f, (found.between, found.within))
    # They search less closely.
    assert (found.low, found.high) == pytest.approx(tuple(bounds.eta2), abs=1e-4)
    assert found.eta_squared == found.partial_eta_squared
    # Each from F alone, as textbooks have them.
    f, k, n = found.f, found.between, found.n_units
    assert found.eta_squared == pytest.approx(k * f / (k * f + found.within))
    assert found.omega_squared == pytest.approx(k * (f - 1.0) / (k * (f - 1.0) + n))
    assert found.low <= found.eta_squared <= found.high


def test_an_effect_that_chance_explains_begins_at_nought() -> None:
    found = one_way([[1.0, 2.0, 3.0], [1.1, 2.0, 3.1]])
    assert found.p > 0.5
    assert found.low == 0.0
    assert found.omega_squared < 0.0


def test_an_interval_covers_a_known_effect() -> None:
    # Population eta squared: between 0.25, within 1.
    rng = np.random.default_rng(5)
    centres = np.array([-0.5, 0.5])
    held = 0
    for _ in range(200):
        found = one_way([rng.normal(centre, 1.0, 20) for centre in centres])
        held += found.low <= 0.25 / 1.25 <= found.high
    assert 0.91 <= held / 200 <= 0.99


def test_means_deviations_and_sizes_say_as_much_as_values() -> None:
    values = groups(6)
    known = one_way_from_summary(
        [group.mean() for group in values],
        [group.std(ddof=1) for group in values],
        [len(group) for group in values],
    )
    found = one_way(values)
    for name in ("f", "p", "eta_squared", "omega_squared", "low", "high"):
        assert getattr(known, name) == pytest.approx(getattr(found, name))
    assert known.assumptions == ()
    assert known.ranks is None


@pytest.mark.parametrize(
    ("metric", "f", "p"),
    [("accuracy", 1896, 1e-19), ("precision", 18.6, 4e-4), ("recall", 5066, 2e-23)],
)
def test_what_follows_from_the_table_of_rohani2025(metric: str, f: float, p: float) -> None:
    means, deviations = ROHANI[metric]
    found = one_way_from_summary(means, deviations, (10, 10))
    assert found.f == pytest.approx(f, rel=5e-3)
    assert f"{found.p:.0e}" == f"{p:.0e}"
    # Of two groups it is the square of Student's t.
    theirs = stats.ttest_ind_from_stats(means[0], deviations[0], 10, means[1], deviations[1], 10)
    assert (found.f, found.p) == pytest.approx((theirs.statistic**2, theirs.pvalue))
    assert 0.0 < found.low < found.eta_squared < found.high < 1.0


def test_repeated_measures_are_a_regression_on_units_and_conditions() -> None:
    values = table(7)
    units, conditions = np.repeat(np.eye(10), 4, axis=0), np.tile(np.eye(4), (10, 1))
    without = OLS(values.ravel(), units).fit()
    both = OLS(values.ravel(), np.concatenate([units, conditions[:, 1:]], axis=1)).fit()
    f, p, between = both.compare_f_test(without)
    found = repeated_measures(values)
    assert (found.f, found.p, found.between) == pytest.approx((f, p, between))
    assert found.within == both.df_resid
    assert found.ranks is not None
    friedman = stats.friedmanchisquare(*values.T)
    assert (found.ranks.statistic, found.ranks.p) == pytest.approx(
        (friedman.statistic, friedman.pvalue)
    )


def test_the_published_example_of_pingouin() -> None:
    # rm_anova(detailed=True, correction=True), sphericity, epsilon and friedman of version 0.7.
    found = repeated_measures(PINGOUIN)
    assert found.sphericity is not None
    assert found.ranks is not None
    assert (found.f, found.p) == pytest.approx((5.200652, 0.006557), abs=5e-7)
    assert found.eta_squared == pytest.approx(0.346392, abs=5e-7)
    of = found.sphericity
    assert (of.greenhouse_geisser, of.greenhouse_geisser_p) == pytest.approx(
        (0.694329, 0.016699), abs=5e-7
    )
    assert of.huynh_feldt == pytest.approx(0.943432, abs=5e-7)
    assert (of.mauchly.statistic, of.chi2) == pytest.approx((0.306784, 7.943060), abs=5e-7)
    # Theirs has a second term of the approximation.
    assert of.mauchly.p == pytest.approx(0.163365, abs=5e-3)
    assert (found.ranks.statistic, found.ranks.p) == pytest.approx((11.533333, 0.009165), abs=5e-7)
    assert found.ranks.effect == pytest.approx(0.42716, abs=5e-6)


def test_the_published_example_of_matlab() -> None:
    # fitrm(t, "meas1-meas4~species") of fisheriris: epsilon and mauchly in its documentation.
    data = load_iris()
    species = [data.data[data.target == kind] for kind in range(3)]
    residuals = np.concatenate([each - each.mean(axis=0) for each in species])
    found = sphericity(residuals.T @ residuals / 147, freedom=147, f=6873.3)
    assert found.greenhouse_geisser == pytest.approx(0.75179, abs=5e-6)
    assert found.huynh_feldt == pytest.approx(0.76409, abs=5e-6)
    assert found.mauchly.statistic == pytest.approx(0.55814, abs=5e-6)
    assert found.chi2 == pytest.approx(84.976, abs=5e-4)
    assert found.mauchly.p == pytest.approx(7.6149e-17, rel=5e-5)


def test_of_two_conditions_it_is_the_paired_t_test() -> None:
    values = table(8, units=12, conditions=2)
    found = repeated_measures(values)
    theirs = stats.ttest_rel(*values.T)
    assert (found.f, found.p) == pytest.approx((theirs.statistic**2, theirs.pvalue))
    assert found.sphericity is not None
    assert found.sphericity.mauchly.status == "always_met"
    assert found.sphericity.greenhouse_geisser_p == pytest.approx(found.p)
    assert found.ranks is not None
    signed = stats.wilcoxon(*values.T)
    assert (found.ranks.statistic, found.ranks.p) == pytest.approx(
        (signed.statistic, signed.pvalue)
    )
    # The second condition is the higher one.
    assert found.ranks.effect < 0.0
    turned = repeated_measures(values[:, ::-1]).ranks
    assert turned is not None
    assert turned.effect == pytest.approx(-found.ranks.effect)


def test_effects_of_repeated_measures_by_hand() -> None:
    values = table(9, units=6, conditions=3)
    grand = values.mean()
    effect = 6 * ((values.mean(axis=0) - grand) ** 2).sum()
    units = 3 * ((values.mean(axis=1) - grand) ** 2).sum()
    error = ((values - grand) ** 2).sum() - effect - units
    found = repeated_measures(values)
    assert found.eta_squared == pytest.approx(effect / (effect + units + error))
    assert found.partial_eta_squared == pytest.approx(effect / (effect + error))
    # omega_partial_ss_rm of the R package MOTE: dfm (MSm - MSe) / (SSm + SSe + SSs + MSs).
    wanted = 2 * (effect / 2 - error / 10) / (effect + error + units + units / 5)
    assert found.omega_squared == pytest.approx(wanted)


@pytest.mark.parametrize("conditions", [3, 4, 5])
def test_corrections_lie_between_their_bounds(conditions: int) -> None:
    for seed in range(10):
        found = repeated_measures(table(seed, units=12, conditions=conditions))
        assert found.sphericity is not None
        box, huynh = found.sphericity.greenhouse_geisser, found.sphericity.huynh_feldt
        assert 1.0 / (conditions - 1) <= box <= huynh <= 1.0
        assert found.sphericity.greenhouse_geisser_p >= found.p or found.f < 1.0


def alike(first: Anova, second: Anova) -> None:
    for name in ("f", "p", "eta_squared", "partial_eta_squared", "omega_squared", "low", "high"):
        pair = (getattr(first, name), getattr(second, name))
        assert pair[0] == pytest.approx(pair[1], rel=1e-6, abs=1e-9, nan_ok=True)
    assert (first.ranks is None) == (second.ranks is None)
    if first.ranks is not None and second.ranks is not None:
        assert first.ranks.p == pytest.approx(second.ranks.p)


@given(seed=st.integers(0, 2**32 - 1))
@settings(deadline=None, max_examples=15)
def test_order_and_scale_change_nothing(seed: int) -> None:
    rng = np.random.default_rng(seed)
    values = groups(seed)
    shuffled = [100.0 * rng.permutation(values[place]) - 3.0 for place in rng.permutation(3)]
    alike(one_way(values), one_way(shuffled))
    within = table(seed)
    moved = 100.0 * within[rng.permutation(10)][:, rng.permutation(4)] - 3.0
    alike(repeated_measures(within), repeated_measures(moved))


@pytest.mark.parametrize(
    ("found", "status"),
    [
        (one_way([[0.1, 0.2, 0.3]]), "too_few"),
        (one_way([]), "too_few"),
        (one_way([[0.1, 0.2], [0.3]]), "too_few"),
        (one_way([[0.1] * 3, [0.2] * 3]), "zero_variance"),
        (one_way([[0.7] * 3, [0.7] * 3]), "zero_variance"),
        (one_way_from_summary([0.7, 0.8], [0.0, 0.0], [10, 10]), "zero_variance"),
        (one_way_from_summary([0.7, 0.8], [0.1, 0.1], [10, 1]), "too_few"),
        (repeated_measures([[0.1, 0.2]]), "too_few"),
        (repeated_measures([[0.1], [0.2]]), "too_few"),
        (repeated_measures([[0.1, 0.2, 0.3], [0.2, 0.3, 0.4]]), "zero_variance"),
    ],
)
def test_what_cannot_be_tested_says_so(found: Anova, status: str) -> None:
    assert found.status == status
    assert np.isnan([found.f, found.p, found.eta_squared, found.omega_squared, found.low]).all()
    assert found.ranks is None


@pytest.mark.parametrize(
    "call",
    [
        lambda: one_way([[0.1, math.nan], [0.2, 0.3]]),
        lambda: repeated_measures([[0.1, 0.2], [0.3, math.inf]]),
        lambda: one_way_from_summary([0.1, math.nan], [0.1, 0.1], [3, 3]),
        lambda: one_way_from_summary([0.1, 0.2], [0.1, -0.1], [3, 3]),
        lambda: one_way_from_summary([0.1, 0.2], [0.1, 0.1], [3]),
    ],
)
def test_what_is_no_number_is_refused(call: Callable[[], Anova]) -> None:
    with pytest.raises(errors.TableError):
        call()


def test_checks_that_need_more_values_say_so() -> None:
    levene, brown, _ = one_way([[0.1, 0.2], [0.3, 0.5]]).assumptions
    assert (levene.status, brown.status) == ("too_few", "too_few")
    many = np.random.default_rng(10).normal(size=(2, 2501))
    assert one_way(list(many)).assumptions[2].status == "too_many"
    # Groups whose values are all equally far from their centre.
    flat = one_way([[0.0, 0.0, 1.0, 1.0], [0.0, 1.0, 0.0, 1.0]]).assumptions[0]
    assert (flat.status, math.isnan(flat.p)) == ("zero_variance", True)
    # Fewer units than conditions: covariances of contrasts have no determinant.
    few = repeated_measures(table(11, units=3, conditions=4)).sphericity
    assert few is not None
    assert few.mauchly.status == "too_few"
    two = repeated_measures(table(12, units=2, conditions=4)).sphericity
    assert two is not None
    assert math.isnan(two.huynh_feldt)
    assert math.isnan(two.huynh_feldt_p)
