"""Numbers beside one another: the same one twice, a bound, an interval, a quotient, multiples."""

from collections.abc import Sequence
from fractions import Fraction
from itertools import combinations
from typing import Literal

from kellgren.statistics.claims.rounding import Interval, Printed
from kellgren.statistics.claims.verdict import Outcome, Reading, Row, row, unknown

Bound = Literal["at_least", "at_most", "more_than", "less_than"]


def check_same(values: Sequence[Printed], *, name: str = "") -> Row:
    """Compare places where one number is printed; all must be roundings of one value.

    The number with the most digits counts as printed, the others as recomputed. Numbers with the
    same digits must be equal: rounding does not go both ways.
    """
    finest = min(values, key=lambda value: value.unit)
    low = max(value.interval.low for value in values)
    high = min(value.interval.high for value in values)
    different = any(a.unit == b.unit and a.value != b.value for a, b in combinations(values, 2))
    outcome = Outcome.CONTRADICTS
    if not different and all(finest.value in value.interval for value in values):
        outcome = Outcome.FOLLOWS
    elif not different and low <= high:
        outcome = Outcome.CONSISTENT
    others = ", ".join(value.text for value in values if value is not finest)
    return Row(name, finest.text, f"{others} elsewhere", outcome)


def check_bound(value: Printed, limit: Printed, *, relation: Bound, name: str = "") -> Row:
    """Compare a value with a bound that the text gives, taken as exact."""
    exact = Printed(limit.text, limit.value, Fraction(0))
    return row(exact, value.interval, face=value.value, name=name, relation=relation)


def check_intervals(
    rows: Sequence[tuple[str, Printed, Printed, Printed]],
) -> tuple[Reading, ...]:
    """Look whether estimates lie in their own intervals.

    Where both ends of one are at most 1 and its estimate is above, a second reading takes those
    ends for shares and that estimate for a percentage.

    Parameters
    ----------
    rows
        Name, estimate, and the two ends.
    """
    as_printed = tuple(_inside(*each) for each in rows)
    if not any(_ends_are_shares(*each[1:]) for each in rows):
        return (Reading("", as_printed),)
    mended = tuple(
        _inside(name, value.as_share() if _ends_are_shares(value, low, high) else value, low, high)
        for name, value, low, high in rows
    )
    name = "the ends are shares, not per cent"
    return Reading("the ends in per cent", as_printed), Reading(name, mended)


def check_quotient(
    dividend: Printed, divisor: Printed, quotient: Printed, *, name: str = ""
) -> Row:
    """Compare a quotient, such as millimetres per pixel; the divisor is not nought."""
    found = dividend.interval / divisor.interval
    return row(quotient, found, face=dividend.value / divisor.value, name=name)


def check_multiple(
    value: Printed, of: Printed, *, at_most: Printed | None = None, name: str = ""
) -> Row:
    """Look whether one number is a whole multiple of another, as iterations are of an epoch.

    Numbers that were rounded must leave less than one step to rounding, or nothing can be checked.
    """
    steps = value.interval / of.interval
    face = value.value / of.value
    if steps.width >= 1:
        return unknown(
            "rounding leaves room for more than one multiple", name=name, published=value.text
        )
    inside = steps.whole()
    outcome = Outcome.CONTRADICTS
    if inside:
        outcome = Outcome.FOLLOWS if face.denominator == 1 else Outcome.CONSISTENT
    whole, rest = divmod(value.value, of.value)
    note = f"{int(whole):,} of {of.text}"
    note += f" and {float(rest):,g} over" if rest else ""
    if at_most is not None and value.interval.low > at_most.interval.high:
        outcome, note = Outcome.CONTRADICTS, f"more than {at_most.text}"
    return Row(name, value.text, note, outcome)


def _ends_are_shares(estimate: Printed, low: Printed, high: Printed) -> bool:
    return max(low.value, high.value) <= 1 < estimate.value


def _inside(name: str, estimate: Printed, low: Printed, high: Printed) -> Row:
    within = Interval(*sorted((low.value, high.value)))
    reach = Interval.around(*low.interval.ends, *high.interval.ends)
    outcome = Outcome.CONTRADICTS
    if estimate.value in within:
        outcome = Outcome.FOLLOWS
    elif estimate.interval.meets(reach):
        outcome = Outcome.CONSISTENT
    return Row(name, estimate.text, f"{low.text} to {high.text}", outcome)
