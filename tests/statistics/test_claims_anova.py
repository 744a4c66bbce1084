"""F and p from means and spreads, against SciPy on the samples that they summarise."""

from collections.abc import Sequence

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray
from scipy import stats

from kellgren.statistics.claims.anova import Group, Printout, check_anova
from kellgren.statistics.claims.rounding import Printed
from kellgren.statistics.claims.verdict import Outcome, Row

F, C, N, X = Outcome.FOLLOWS, Outcome.CONSISTENT, Outcome.NOT_CHECKABLE, Outcome.CONTRADICTS
P = Printed.rounded

ONE_WAY = "one-way, ± a standard deviation"
BY_N = "one-way, ± a standard deviation that divides by n"
ERROR = "one-way, ± a standard error"
WELCH = "Welch's, for unequal variances"
REPEATED = "repeated measures, whatever the correlation of the runs"

Sample = NDArray[np.float64]


def samples(seed: int, sizes: Sequence[int]) -> list[Sample]:
    rng = np.random.default_rng(seed)
    return [rng.normal(rng.uniform(0, 2), rng.uniform(0.5, 2), n) for n in sizes]


def groups(drawn: Sequence[Sample], *, places: int, ddof: int = 1) -> list[Group]:
    return [
        Group(P(f"{x.mean():.{places}f}"), P(f"{x.std(ddof=ddof):.{places}f}"), len(x))
        for x in drawn
    ]


def rows(found: Sequence[Group], printed: Printout) -> dict[str, tuple[Row, ...]]:
    return {reading.name: reading.rows for reading in check_anova(found, printed)}


def printed(f: float, p: float) -> Printout:
    return Printout(f=P(f"{f:.6g}"), p=P(f"{p:.6e}"))


SEEDS = st.integers(0, 2**32 - 1)
SIZES = st.integers(3, 12)


@given(SEEDS, st.lists(SIZES, min_size=2, max_size=4))
@settings(deadline=None, max_examples=40)
def test_one_way_is_scipys(seed: int, sizes: list[int]) -> None:
    drawn = samples(seed, sizes)
    expected = printed(*stats.f_oneway(*drawn))
    for row in rows(groups(drawn, places=12), expected)[ONE_WAY]:
        assert row.outcome is F
    for row in rows(groups(drawn, places=12, ddof=0), expected)[BY_N]:
        assert row.outcome is F


@given(SEEDS, SIZES, SIZES)
@settings(deadline=None, max_examples=40)
def test_welch_is_scipys(seed: int, n: int, m: int) -> None:
    drawn = samples(seed, [n, m])
    expected = stats.ttest_ind(*drawn, equal_var=False)
    for row in rows(groups(drawn, places=12), printed(expected.statistic**2, expected.pvalue))[
        WELCH
    ]:
        assert row.outcome is F


@given(SEEDS, SIZES)
@settings(deadline=None, max_examples=40)
def test_a_paired_test_lies_within_what_correlations_allow(seed: int, n: int) -> None:
    drawn = samples(seed, [n, n])
    expected = stats.ttest_rel(*drawn)
    for row in rows(groups(drawn, places=6), printed(expected.statistic**2, expected.pvalue))[
        REPEATED
    ]:
        assert row.outcome is C


@given(SEEDS, st.lists(SIZES, min_size=2, max_size=3), st.integers(2, 4))
@settings(deadline=None, max_examples=40)
def test_a_true_p_value_is_never_contradicted_however_coarse_the_means(
    seed: int, sizes: list[int], places: int
) -> None:
    drawn = samples(seed, sizes)
    f, p = stats.f_oneway(*drawn)
    for row in rows(groups(drawn, places=places), printed(f, p))[ONE_WAY]:
        assert row.outcome is not X


@given(SEEDS, SIZES, SIZES)
@settings(deadline=None, max_examples=40)
def test_a_true_p_value_of_welch_is_never_contradicted(seed: int, n: int, m: int) -> None:
    drawn = samples(seed, [n, m])
    expected = stats.ttest_ind(*drawn, equal_var=False)
    for row in rows(groups(drawn, places=2), printed(expected.statistic**2, expected.pvalue))[
        WELCH
    ]:
        assert row.outcome is not X


def test_standard_errors_are_spreads_over_the_root_of_n() -> None:
    # With n = 16 a standard error of 0.25 is a standard deviation of 1.
    by_error = [Group(P("1.0"), P("0.25"), 16), Group(P("2.0"), P("0.25"), 16)]
    by_deviation = [Group(P("1.0"), P("1.00"), 16), Group(P("2.0"), P("1.00"), 16)]
    out = Printout(p=P("0.0083"))
    assert rows(by_error, out)[ERROR][0].recomputed.startswith("0.00826")
    assert rows(by_deviation, out)[ONE_WAY][0].recomputed.startswith("0.00826")
    assert stats.ttest_ind_from_stats(1, 1, 16, 2, 1, 16).pvalue == pytest.approx(0.00826, abs=1e-5)


def test_a_wrong_p_value_contradicts_in_every_reading() -> None:
    found = [Group(P("0.741"), P("0.0036"), 10), Group(P("0.835"), P("0.0058"), 10)]
    readings = check_anova(found, Printout(p=P("4.36e-03")))
    assert [reading.name for reading in readings] == [ONE_WAY, BY_N, ERROR, WELCH, REPEATED]
    assert {reading.outcome for reading in readings} == {X}
    assert rows(found, Printout(below=P("0.05")))[ONE_WAY][0].outcome is F


def test_spreads_that_print_alike_leave_paired_tests_without_bound() -> None:
    found = [Group(P("0.50"), P("0.01"), 10), Group(P("0.60"), P("0.01"), 10)]
    assert rows(found, Printout(p=P("1e-20")))[REPEATED][0].outcome is C
    assert rows(found, Printout(p=P("0.5")))[REPEATED][0].outcome is X


def test_groups_of_different_sizes_are_not_paired() -> None:
    found = [Group(P("0.50"), P("0.01"), 10), Group(P("0.51"), P("0.01"), 12)]
    assert REPEATED not in rows(found, Printout(p=P("0.05")))
    assert WELCH not in rows([*found, found[0]], Printout(p=P("0.05")))


def test_spreads_of_nought_cannot_be_checked() -> None:
    found = [Group(P("0.50"), P("0.00"), 10), Group(P("0.51"), P("0.00"), 10)]
    (row,) = rows(found, Printout(p=P("0.05")))[ONE_WAY]
    assert row.outcome is N
    assert "nought" in row.note
