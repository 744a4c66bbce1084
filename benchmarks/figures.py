"""A measured figure, what was asked of it, and whether that is met."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Literal


@dataclass(frozen=True, slots=True)
class Target:
    """What was asked.

    Parameters
    ----------
    kind, limit
        The bound.
    goal
        What was hoped for beyond it.
    unless
        Why this run cannot judge it, such as a processor without AMX; empty if it can.
    """

    kind: Literal["at least", "at most"]
    limit: float
    goal: float | None = None
    unless: str = ""

    def reached(self, value: float, bound: float) -> bool:
        """Whether a value is on the good side of a bound."""
        return value >= bound if self.kind == "at least" else value <= bound

    def judge(self, value: float) -> str:
        """Yes, no, or why neither."""
        if self.unless:
            return f"not judged: {self.unless}"
        if not self.reached(value, self.limit):
            return "NO"
        if self.goal is not None:
            return "yes, and the goal" if self.reached(value, self.goal) else "yes, not the goal"
        return "yes"


@dataclass(frozen=True, slots=True)
class Figure:
    """One line of the last table.

    Parameters
    ----------
    form
        How the value and its bounds are written, such as ``{:.2f} s``.
    note
        What else is known of the value, such as its range.
    """

    name: str
    value: float
    form: str
    target: Target | None = None
    note: str = ""

    def row(self) -> tuple[str, str, str, str]:
        """Name, measured, asked, met."""
        measured = self.form.format(self.value) + (f" ({self.note})" if self.note else "")
        if self.target is None:
            return self.name, measured, "", ""
        sign = "≥" if self.target.kind == "at least" else "≤"
        asked = f"{sign} {self.form.format(self.target.limit)}"
        if self.target.goal is not None:
            asked += f", goal {self.form.format(self.target.goal)}"
        return self.name, measured, asked, self.target.judge(self.value)


def table(head: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """Columns as wide as they need to be; the first to the left, numbers as they come."""
    lines = [list(head), *map(list, rows)]
    widths = [max(len(line[column]) for line in lines) for column in range(len(head))]
    return "\n".join(
        "  ".join(cell.ljust(width) for cell, width in zip(line, widths, strict=True)).rstrip()
        for line in lines
    )
