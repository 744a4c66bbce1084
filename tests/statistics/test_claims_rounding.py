"""What a printed number may have been, and what the arithmetic of such numbers can give."""

from collections.abc import Callable
from decimal import ROUND_DOWN, ROUND_HALF_EVEN, ROUND_HALF_UP, Decimal
from fractions import Fraction

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from kellgren.statistics.claims.rounding import Interval, Printed
from kellgren.statistics.claims.wording import number, span

FRACTIONS = st.builds(Fraction, st.integers(-300, 300), st.integers(1, 12))
DECIMALS = st.integers(-(10**9), 10**9).map(lambda millionths: Decimal(millionths).scaleb(-6))
PLACES = st.integers(-2, 5)

quickly = settings(deadline=None, max_examples=50)


def _member(one: Fraction, other: Fraction, tenths: int) -> tuple[Interval, Fraction]:
    interval = Interval.around(one, other)
    return interval, interval.low + Fraction(tenths, 10) * interval.width


MEMBERS = st.builds(_member, FRACTIONS, FRACTIONS, st.integers(0, 10))
"""Intervals, each with a number in it."""


@pytest.mark.parametrize("rounding", [ROUND_HALF_EVEN, ROUND_HALF_UP])
@given(exact=DECIMALS, places=PLACES)
@quickly
def test_what_is_rounded_lies_in_the_interval_of_what_is_printed(
    rounding: str, exact: Decimal, places: int
) -> None:
    printed = Printed.rounded(exact.quantize(Decimal(1).scaleb(-places), rounding))
    assert Fraction(exact) in printed.interval
    assert printed.interval.width == Fraction(10) ** -places


@given(exact=DECIMALS, places=PLACES)
@quickly
def test_the_next_number_of_as_many_digits_is_printed_otherwise(
    exact: Decimal, places: int
) -> None:
    printed = Printed.rounded(exact.quantize(Decimal(1).scaleb(-places)))
    assert printed.value + printed.unit not in printed.interval
    assert printed.value - printed.unit not in printed.interval


@given(exact=DECIMALS, places=PLACES)
@quickly
def test_what_is_cut_off_is_recognised(exact: Decimal, places: int) -> None:
    printed = Printed.rounded(exact.quantize(Decimal(1).scaleb(-places), ROUND_DOWN))
    assert printed.cut_from(Fraction(exact))
    assert not printed.cut_from(printed.value + printed.unit)
    assert not printed.cut_from(printed.value - printed.unit)


@pytest.mark.parametrize(
    ("text", "low", "high"),
    [
        ("0.830", "0.8295", "0.8305"),
        ("0.83", "0.825", "0.835"),
        ("83", "82.5", "83.5"),
        ("143e2", "14250", "14350"),
        ("4.36e-03", "0.004355", "0.004365"),
        ("-0.4", "-0.45", "-0.35"),
    ],
)
def test_digits_say_how_far_a_number_was_rounded(text: str, low: str, high: str) -> None:
    assert Printed.rounded(text).interval == Interval(Fraction(low), Fraction(high))


def test_counts_are_exact() -> None:
    assert Printed.exact(5700).interval == Interval.of(5700)
    assert Printed.exact(5700).text == "5,700"


@pytest.mark.parametrize("text", ["nan", "inf", "1e400", "1e999999999"])
def test_what_no_paper_prints_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="no number that a paper prints"):
        Printed.rounded(text)


def test_percentages_become_shares() -> None:
    assert Printed.rounded("66.71").as_share().interval == Interval(
        Fraction("0.66705"), Fraction("0.66715")
    )
    assert Printed.rounded("0.66").as_share() == Printed.rounded("0.66")


@given(MEMBERS, MEMBERS)
@quickly
def test_arithmetic_holds_every_result(
    first: tuple[Interval, Fraction], second: tuple[Interval, Fraction]
) -> None:
    (a, x), (b, y) = first, second
    assert x + y in a + b
    assert x - y in a - b
    assert x * y in a * b
    assert x * x in a.square()
    assert abs(x) in a.size()


@given(MEMBERS, MEMBERS)
@quickly
def test_quotients_hold_every_result_or_are_refused(
    first: tuple[Interval, Fraction], second: tuple[Interval, Fraction]
) -> None:
    (a, x), (b, y) = first, second
    if 0 in b:
        with pytest.raises(ZeroDivisionError):
            a / b
    else:
        assert x / y in a / b


@pytest.mark.parametrize("operation", [lambda a, b: a + b, lambda a, b: a - b, lambda a, b: a * b])
@given(st.tuples(FRACTIONS, FRACTIONS), st.tuples(FRACTIONS, FRACTIONS))
@quickly
def test_no_result_is_wider_than_its_ends(
    operation: Callable[..., Interval],
    first: tuple[Fraction, Fraction],
    second: tuple[Fraction, Fraction],
) -> None:
    a, b = Interval.around(*first), Interval.around(*second)
    corners = [operation(Interval.of(x), Interval.of(y)).low for x in first for y in second]
    assert operation(a, b) == Interval.around(*corners)


@given(MEMBERS, MEMBERS)
@quickly
def test_intervals_meet_where_a_number_lies_in_both(
    first: tuple[Interval, Fraction], second: tuple[Interval, Fraction]
) -> None:
    (a, x), (b, _) = first, second
    assert a.meets(b) == b.meets(a)
    assert a.within(b) <= a.meets(b)
    assert a.meets(b) or x not in b


def test_whole_numbers_of_an_interval() -> None:
    assert list(Interval(Fraction("1.5"), Fraction(4)).whole()) == [2, 3, 4]
    assert list(Interval(Fraction("1.2"), Fraction("1.8")).whole()) == []


def test_an_interval_has_a_direction() -> None:
    with pytest.raises(ValueError, match="cannot go from 2 down to 1"):
        Interval(Fraction(2), Fraction(1))


@pytest.mark.parametrize(
    ("value", "unit", "text"),
    [
        (Fraction(5695), 0, "5,695"),
        (Fraction(14300, 300), 0, "47.67"),
        (Fraction("0.878"), Fraction(1, 100), "0.878"),
        (Fraction(611, 57), 1, "10.7"),
        (Fraction("1.07e-19"), Fraction(1, 10**5), "1.07e-19"),
        (Fraction(0), Fraction(1, 100), "0.000"),
    ],
)
def test_values_have_the_digits_that_a_comparison_needs(
    value: Fraction, unit: Fraction | int, text: str
) -> None:
    assert number(value, unit=Fraction(unit)) == text


def test_a_range_is_shown_where_rounding_leaves_one() -> None:
    unit = Fraction(1, 100)
    interval = Interval(Fraction("0.873"), Fraction("0.883"))
    assert span(interval, face=Fraction("0.878"), unit=unit) == "0.878 [0.873, 0.883]"
    assert span(interval, face=None, unit=unit) == "0.873 to 0.883"
    assert span(Interval.of(Fraction("0.5")), face=Fraction("0.5"), unit=unit) == "0.500"
