"""From numbers to one of four words."""

from fractions import Fraction

import pytest

from kellgren.statistics.claims.rounding import Interval, Printed
from kellgren.statistics.claims.verdict import (
    Outcome,
    Reading,
    Relation,
    Row,
    Verdict,
    nearest_of,
    row,
    unknown,
)

F, C, N, X = Outcome.FOLLOWS, Outcome.CONSISTENT, Outcome.NOT_CHECKABLE, Outcome.CONTRADICTS
PRINTED = Printed.rounded("0.92")


def interval(low: str, high: str) -> Interval:
    return Interval(Fraction(low), Fraction(high))


def a_row(outcome: Outcome) -> Row:
    return Row("", "1", "2", outcome)


def a_verdict(*readings: Reading) -> Verdict:
    return Verdict("paper", "says", "where", "", readings)


@pytest.mark.parametrize(
    ("low", "high", "face", "outcome"),
    [
        ("0.90", "0.94", "0.92", F),  # at its face value
        ("0.918", "0.922", None, F),  # whatever the numbers were
        ("0.90", "0.94", "0.905", C),
        ("0.90", "0.94", None, C),
        ("0.90", "0.915", "0.905", C),  # a tie
        ("0.90", "0.914", "0.905", X),
        ("0.926", "0.94", None, X),
        ("0.926", "0.926", "0.926", X),
        ("0.931", "0.931", "0.931", X),
    ],
)
def test_equality(low: str, high: str, face: str | None, outcome: Outcome) -> None:
    found = row(PRINTED, interval(low, high), face=None if face is None else Fraction(face))
    assert found.outcome is outcome
    # With a range others were rounded, and nobody does both.
    assert ("cut off" in found.note) == (low == high == "0.926")


@pytest.mark.parametrize(
    ("relation", "low", "high", "face", "outcome"),
    [
        ("more_than", "0.865", "0.875", "0.87", C),
        ("more_than", "0.875", "0.885", "0.88", F),
        ("more_than", "0.855", "0.865", "0.86", X),
        ("more_than", "0.87", "0.87", "0.87", X),
        ("at_least", "0.87", "0.87", "0.87", F),
        ("less_than", "0.865", "0.875", "0.87", C),
        ("less_than", "0.855", "0.865", "0.86", F),
        ("less_than", "0.875", "0.885", "0.88", X),
        ("less_than", "0.87", "0.87", "0.87", X),
        ("at_most", "0.87", "0.87", "0.87", F),
        ("at_most", "0.88", "0.89", None, X),
    ],
)
def test_bounds(
    relation: Relation, low: str, high: str, face: str | None, outcome: Outcome
) -> None:
    limit = Printed("0.87", Fraction("0.87"), Fraction(0))
    face_value = None if face is None else Fraction(face)
    found = row(limit, interval(low, high), face=face_value, relation=relation)
    assert found.outcome is outcome
    assert found.published == f"{relation.replace('_', ' ')} 0.87"


def test_a_limit_that_was_recomputed_says_so() -> None:
    found = row(Printed.exact(5), Interval.of(7), relation="at_least", is_limit=True)
    assert (found.published, found.recomputed, found.outcome) == ("5", "at most 7", F)


@pytest.mark.parametrize(
    ("nearest", "face", "outcome"),
    [("0.92", "0.921", F), ("0.917", "0.93", C), ("0.93", "0.92", X)],
)
def test_the_nearest_of_single_values_decides(nearest: str, face: str, outcome: Outcome) -> None:
    assert nearest_of(PRINTED, Fraction(nearest), face=Fraction(face)).outcome is outcome


@pytest.mark.parametrize(
    ("rows", "outcome"), [((F, F), F), ((F, C), C), ((C, N), N), ((N, X, F), X)]
)
def test_all_rows_of_a_reading_must_hold(rows: tuple[Outcome, ...], outcome: Outcome) -> None:
    assert Reading("", tuple(map(a_row, rows))).outcome is outcome


@pytest.mark.parametrize(
    ("readings", "outcome"), [((X, F), F), ((X, C), C), ((X, N), N), ((N, C), C), ((X, X), X)]
)
def test_one_reading_is_enough(readings: tuple[Outcome, ...], outcome: Outcome) -> None:
    verdict = a_verdict(*(Reading("", (a_row(each),)) for each in readings))
    assert verdict.outcome is outcome
    assert verdict.as_printed is (readings[0] is not X)


def test_a_stretched_reading_saves_nothing() -> None:
    stretched = Reading("far", (a_row(F),), stretched=True)
    assert a_verdict(Reading("", (a_row(X),)), stretched).outcome is X


def test_what_cannot_be_checked_gives_its_reason() -> None:
    found = unknown("not printed")
    assert (found.outcome, found.note, found.recomputed) == (N, "not printed", "")
