"""Sums, percentages, means and changes: against brute force, NumPy, and cases worked elsewhere."""

from fractions import Fraction
from itertools import product

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from kellgren.statistics.claims.changes import Unit, check_change
from kellgren.statistics.claims.counts import CountedShare, nearest_pair
from kellgren.statistics.claims.means import check_mean, check_spread
from kellgren.statistics.claims.rounding import Printed
from kellgren.statistics.claims.shares import check_share, check_whole_count
from kellgren.statistics.claims.sums import check_sum
from kellgren.statistics.claims.verdict import Outcome

F, C, N, X = Outcome.FOLLOWS, Outcome.CONSISTENT, Outcome.NOT_CHECKABLE, Outcome.CONTRADICTS
P = Printed.rounded


def counts(*numbers: int) -> list[Printed]:
    return [Printed.exact(number) for number in numbers]


def test_a_sum_of_counts() -> None:
    assert check_sum(counts(3, 4), Printed.exact(7)).outcome is F
    assert check_sum(counts(3, 4), Printed.exact(8)).outcome is X
    assert check_sum(counts(3, 4), Printed.exact(8), relation="at_most").outcome is F
    assert check_sum(counts(3, 4), Printed.exact(8), relation="at_least").outcome is X
    assert check_sum(counts(3, 4), Printed.exact(6), relation="at_least").outcome is F
    assert check_sum(counts(3, 4), Printed.exact(11), times=[1, 2]).outcome is F


def test_a_sum_of_rounded_shares() -> None:
    # Thirds are printed 33.3 and make 99.9.
    third = P("33.3")
    assert check_sum([third] * 3, P("100.0")).outcome is C
    assert check_sum([third] * 3, P("99.9")).outcome is F
    assert check_sum([third] * 3, P("100.2")).outcome is X


@given(st.integers(1, 3000), st.data(), st.integers(0, 2))
@settings(deadline=None, max_examples=50)
def test_a_percentage_follows_from_its_count(of: int, data: st.DataObject, places: int) -> None:
    count = data.draw(st.integers(0, of))
    printed = f"{100 * count / of:.{places}f}"
    assert check_share(count, of, P(printed)).outcome is F
    # One and a half steps away no rounding leads there, nor does cutting off.
    other = f"{float(printed) + 2 * 10**-places:.{places}f}"
    assert check_share(count, of, P(other)).outcome is X


def test_a_percentage_that_was_cut_off_contradicts_and_is_explained() -> None:
    found = check_share(5695, 5700, P("99"))
    assert found.outcome is X
    assert "cut off" in found.note


@pytest.mark.parametrize(
    ("printed", "of", "outcome"),
    [
        # https://cran.r-project.org/package=scrutiny, vignette "GRIM".
        ("5.27", 43, X),
        # Twenty rolls of a die in Wikipedia's article on the test.
        ("3.48", 20, X),
        ("3.45", 20, C),
        ("3.50", 20, C),
        # A tie: 1.125 is printed as either.
        ("1.12", 8, C),
        ("1.13", 8, C),
        ("1.14", 100, N),
    ],
)
def test_means_of_whole_numbers(printed: str, of: int, outcome: Outcome) -> None:
    assert check_whole_count(P(printed), of, percent=False).outcome is outcome


@given(st.integers(1, 400), st.integers(0, 1000), st.integers(0, 1))
@settings(deadline=None, max_examples=50)
def test_whole_counts_are_those_that_trying_all_finds(of: int, tenths: int, places: int) -> None:
    printed = P(f"{tenths / 10:.{places}f}")
    found = check_whole_count(printed, of)
    shares = [Fraction(100 * count, of) for count in range(of + 1)]
    hits = [share for share in shares if share in printed.interval]
    if printed.unit * of >= 100:
        assert found.outcome is N
    elif hits:
        assert found.outcome is C
        assert found.recomputed.count(f" of {of:,} ") == len(hits)
    else:
        assert found.outcome is X
        assert ("cut off" in found.note) == any(printed.cut_from(share) for share in shares)


def test_the_counts_on_both_sides_are_shown() -> None:
    found = check_whole_count(P("96"), 20)
    assert found.recomputed == "19 of 20 (95), 20 of 20 (100)"


@given(st.lists(st.tuples(st.integers(0, 100), st.integers(0, 50)), min_size=1, max_size=8))
@settings(deadline=None, max_examples=50)
def test_a_mean_is_numpys(pairs: list[tuple[int, int]]) -> None:
    values, weights = zip(*pairs, strict=True)
    printed = [P(f"{value / 100:.2f}") for value in values]
    mean = P(f"{np.mean(values) / 100:.4f}")
    assert check_mean(printed, mean).outcome is F
    if sum(weights):
        weighted = P(f"{np.average(values, weights=weights) / 100:.4f}")
        assert check_mean(printed, weighted, weights=weights).outcome is F


def test_a_mean_within_rounding() -> None:
    assert check_mean([P("0.88"), P("0.87")], P("0.88")).outcome is F  # 0.875, a tie
    assert check_mean([P("0.87"), P("0.87")], P("0.88")).outcome is C
    assert check_mean([P("0.86"), P("0.86")], P("0.88")).outcome is X


@pytest.mark.parametrize("n", [2, 3, 5])
def test_no_values_of_the_scale_spread_further(n: int) -> None:
    levels = (0.0, 0.25, 0.5, 1.0)
    for values in product(levels, repeat=n):
        mean, sd = P(f"{np.mean(values):.6f}"), P(f"{np.std(values, ddof=1):.6f}")
        found = check_spread(mean, sd, n, lowest=Fraction(0), highest=Fraction(1))
        assert found.outcome in {F, C}


def test_a_spread_that_no_values_have() -> None:
    # Half of the values nought and half one: 0.5 * sqrt(10 / 9) = 0.527.
    def outcome(mean: str, sd: str) -> Outcome:
        zero, one = Fraction(0), Fraction(1)
        return check_spread(P(mean), P(sd), 10, lowest=zero, highest=one).outcome

    assert outcome("0.500", "0.527") is F
    assert outcome("0.500", "0.530") is X
    assert outcome("0.99", "0.11") is C
    assert outcome("0.99", "0.20") is X


def outcomes(
    before: str, after: str, change: str, unit: Unit, counted: tuple[int, int] | None = None
) -> dict[str, Outcome]:
    readings = check_change(P(before), P(after), P(change), unit=unit, counts=counted)
    return {reading.name: reading.outcome for reading in readings}


def test_a_change_is_tried_in_both_units_the_papers_first() -> None:
    points, relative = "percentage points", "per cent of the former"
    assert outcomes("0.50", "0.40", "10", "per cent") == {relative: X, points: F}
    assert outcomes("50.0", "40.0", "20", "per cent") == {relative: F, points: X}
    assert list(outcomes("50", "40", "20", "per cent")) == [relative, points]
    assert list(outcomes("50", "40", "20", "points")) == [points, relative]
    assert outcomes("0.726", "0.685", "4.04", "points")[points] is C


def test_a_change_between_whole_counts() -> None:
    # Thirds and quarters printed without decimals: 33 and 25 are 8.33 points apart.
    name = "points between whole counts of 3 and 4"
    assert outcomes("33", "25", "8.3", "points", (3, 4))[name] is C
    assert outcomes("33", "25", "8.0", "points", (3, 4))[name] is X
    assert outcomes("33", "25", "8.0", "points", (3, 4))["percentage points"] is F
    assert outcomes("33", "26", "7", "points", (3, 4))[name] is X  # no quarter is printed 26


@given(
    st.integers(1, 40),
    st.integers(1, 40),
    st.data(),
    st.sampled_from([-1, 1]),
    st.fractions(min_value=-1, max_value=2, max_denominator=50),
)
@settings(deadline=None, max_examples=50)
def test_the_nearest_pair_is_that_which_trying_all_finds(
    n: int, m: int, data: st.DataObject, sign: int, target: Fraction
) -> None:
    shares = [data.draw(st.integers(0, of)) / of for of in (n, m)]
    first, second = (
        CountedShare(P(f"{share:.1f}"), of) for share, of in zip(shares, (n, m), strict=True)
    )
    found = nearest_pair(first, second, sign=sign, target=target)
    assert found is not None
    distances = [
        abs(Fraction(b, m) + sign * Fraction(a, n) - target)
        for a in range(n + 1)
        for b in range(m + 1)
        if Fraction(a, n) in first.share.interval and Fraction(b, m) in second.share.interval
    ]
    assert abs(found.value - target) == min(distances)
