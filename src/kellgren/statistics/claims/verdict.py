"""What a check says: rows that must all hold, readings of which one is enough, and the verdict."""

from dataclasses import dataclass
from enum import StrEnum
from fractions import Fraction
from typing import Literal

from kellgren.statistics.claims.rounding import Interval, Printed
from kellgren.statistics.claims.wording import number, span

Relation = Literal["equals", "at_least", "at_most", "more_than", "less_than"]
"""How what was recomputed should stand to what is printed."""

CUT = "its digits may have been cut off instead of rounded"
"""Said beside a contradiction where it explains it: whoever cuts off digits prints a wrong one."""


class Outcome(StrEnum):
    """What can be said of a claim, best first."""

    FOLLOWS = "follows"
    """The printed numbers, taken at their face, give it."""
    CONSISTENT = "consistent"
    """They give it within rounding only, or do not rule it out."""
    NOT_CHECKABLE = "not checkable"
    """What it would take is not printed, or the digits are too few."""
    CONTRADICTS = "contradicts"
    """No numbers that are printed so give it."""

    @property
    def rank(self) -> int:
        """Nought is best."""
        return list(Outcome).index(self)


@dataclass(frozen=True, slots=True)
class Row:
    """One number that is printed, and what the others make of it.

    Parameters
    ----------
    name
        Of the row in the paper's table; empty where there is but one.
    published, recomputed
        As text; empty for what cannot be checked.
    note
        The reason, where the numbers alone do not say it.
    """

    name: str
    published: str
    recomputed: str
    outcome: Outcome
    note: str = ""


@dataclass(frozen=True, slots=True)
class Reading:
    """One way in which the numbers can be meant.

    Parameters
    ----------
    name
        Empty where there is but one way.
    rows
        All must hold.
    stretched
        Nothing in the paper suggests this reading: it is shown, and saves no claim.
    """

    name: str
    rows: tuple[Row, ...]
    stretched: bool = False

    @property
    def outcome(self) -> Outcome:
        """That of its worst row."""
        return max((row.outcome for row in self.rows), key=lambda outcome: outcome.rank)


@dataclass(frozen=True, slots=True)
class Verdict:
    """One claim of a paper, checked.

    Parameters
    ----------
    paper
        Its short name.
    says
        The claim in a sentence.
    where, quote
        Where the numbers stand, and the paper's own words.
    readings
        The first is what the words say; one that holds is enough.
    note
        What a reader should know beside the numbers.
    """

    paper: str
    says: str
    where: str
    quote: str
    readings: tuple[Reading, ...]
    note: str = ""

    @property
    def outcome(self) -> Outcome:
        """That of the best reading which is not stretched.

        A claim contradicts only where every such reading does: one that cannot be checked could
        still hold.
        """
        plausible = [reading.outcome for reading in self.readings if not reading.stretched]
        return min(plausible, key=lambda outcome: outcome.rank)

    @property
    def as_printed(self) -> bool:
        """Whether the first reading, what the words say, is not contradicted."""
        return self.readings[0].outcome is not Outcome.CONTRADICTS


def row(
    published: Printed,
    recomputed: Interval,
    *,
    face: Fraction | None = None,
    name: str = "",
    relation: Relation = "equals",
    is_limit: bool = False,
    note: str = "",
) -> Row:
    """Judge one number.

    Parameters
    ----------
    published
        What the paper prints.
    recomputed
        Everything that the other numbers allow.
    face
        What they give when taken at their face; None where they give a range only.
    relation
        How ``recomputed`` should stand to ``published``.
    is_limit
        Where a relation is no equality: whether what was recomputed is the limit. Otherwise what is
        published is.
    """
    outcome, reason = _judge(published, recomputed, face=face, relation=relation)
    return Row(
        name=name,
        published=("" if is_limit else _WORDS[relation]) + published.text,
        recomputed=(_OPPOSITE[relation] if is_limit else "")
        + span(recomputed, face=face, unit=published.unit),
        outcome=outcome,
        note="; ".join(part for part in (note, reason) if part),
    )


def nearest_of(
    published: Printed, nearest: Fraction, *, face: Fraction, name: str = "", note: str = ""
) -> Row:
    """Judge a number of which only single values are possible, such as a difference of shares.

    Parameters
    ----------
    nearest
        Of all possible values the one that lies nearest to what is printed.
    face
        What the printed numbers give when taken at their face.
    """
    if nearest in published.interval:
        outcome = Outcome.FOLLOWS if face in published.interval else Outcome.CONSISTENT
    else:
        outcome = Outcome.CONTRADICTS
    return Row(name, published.text, number(nearest, unit=published.unit), outcome, note)


def unknown(reason: str, *, name: str = "", published: str = "") -> Row:
    """Return a row for what cannot be checked."""
    return Row(name, published, "", Outcome.NOT_CHECKABLE, reason)


_WORDS: dict[Relation, str] = {
    "equals": "",
    "at_least": "at least ",
    "at_most": "at most ",
    "more_than": "more than ",
    "less_than": "less than ",
}
_OPPOSITE: dict[Relation, str] = {
    "equals": "",
    "at_least": _WORDS["at_most"],
    "at_most": _WORDS["at_least"],
    "more_than": _WORDS["less_than"],
    "less_than": _WORDS["more_than"],
}


def _judge(
    published: Printed, recomputed: Interval, *, face: Fraction | None, relation: Relation
) -> tuple[Outcome, str]:
    allowed = published.interval
    if relation == "equals":
        if recomputed.within(allowed) or (face is not None and face in allowed):
            return Outcome.FOLLOWS, ""
        if recomputed.meets(allowed):
            return Outcome.CONSISTENT, ""
        # Of exact numbers only: nobody rounds some numbers and cuts off others.
        cut = recomputed.width == 0 and published.cut_from(recomputed.low)
        return Outcome.CONTRADICTS, CUT if cut else ""
    lowest, highest = recomputed.low - allowed.high, recomputed.high - allowed.low
    if relation in {"at_most", "less_than"}:
        lowest, highest = -highest, -lowest
    sign = 1 if relation in {"at_least", "more_than"} else -1
    strict = relation in {"more_than", "less_than"}
    if _above(lowest, strict=strict) or (
        face is not None and _above(sign * (face - published.value), strict=strict)
    ):
        return Outcome.FOLLOWS, ""
    return (Outcome.CONSISTENT if _above(highest, strict=strict) else Outcome.CONTRADICTS), ""


def _above(difference: Fraction, *, strict: bool) -> bool:
    return difference > 0 if strict else difference >= 0
