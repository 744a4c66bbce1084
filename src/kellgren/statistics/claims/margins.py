"""Whether any confusion matrix has the printed true grades, kappa, errors and accuracies at once.

With the true grades known, each of these measures is a ratio of two linear functions of the
matrix. The least and the greatest that one of them can be, while the others are as printed, is
then a linear program after the transformation of Charnes and Cooper. Cells may be fractions of
knees, so that what is outside is impossible, while what is inside need not be possible.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction
from typing import Literal, get_args

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import linprog

from kellgren.statistics.claims.rounding import Interval, Printed
from kellgren.statistics.claims.verdict import Outcome, Reading, Row, row, unknown

Measure = Literal[
    "accuracy",
    "balanced_accuracy",
    "mean_absolute_error",
    "mean_squared_error",
    "kappa",
    "linear_kappa",
    "quadratic_kappa",
]
"""What is linear, or a ratio of linear functions, where the true grades are known."""

MEASURES: tuple[Measure, ...] = get_args(Measure)
SHARES: frozenset[Measure] = frozenset({"accuracy", "balanced_accuracy"})
"""Measures that papers also print in per cent."""

_TOLERANCE = Fraction(1, 10**6)
"""Added on both sides; chosen: ten times that to which HiGHS, the solver, keeps its constraints."""

_INFEASIBLE = 2
"""SciPy's status of a linear program without solution."""


@dataclass(frozen=True, slots=True, eq=False)
class _Ratio:
    """A measure: one linear function of the cells (classes, classes) over another."""

    over: NDArray[np.float64]
    under: NDArray[np.float64]


def check_margins(
    truth: Sequence[int],
    printed: Mapping[Measure, Printed],
    *,
    claimed: Measure,
    row_percent: Sequence[Sequence[Printed]] | None = None,
    equal_margins: bool = False,
) -> tuple[Reading, ...]:
    """Compare one measure with what the true grades and the other measures leave possible.

    Parameters
    ----------
    truth
        How many knees have each grade; at least two grades occur.
    printed
        The measures, with ``claimed`` among them. Accuracies may be percentages.
    row_percent
        The matrix, where it is printed as percentages of its rows.
    equal_margins
        Adds a stretched reading: each grade is given as often as it is true.
    """
    published = _plain(claimed, printed[claimed])
    others = {m: _plain(m, p).interval for m, p in printed.items() if m != claimed}
    cells = None if row_percent is None else _bounds(row_percent)

    def judged(*, equal: bool) -> tuple[Row, ...]:
        try:
            found = possible(truth, others, of=claimed, cells=cells, equal_margins=equal)
        except ArithmeticError as error:
            return (unknown(f"the solver gave up: {error}", published=published.text),)
        if found is None:
            reason = "the other numbers already exclude one another"
            return (Row("", published.text, "none", Outcome.CONTRADICTS, reason),)
        return (row(published, found),)

    if not equal_margins:
        return (Reading("", judged(equal=False)),)
    name = "each grade given as often as it is true"
    return (
        Reading("grades given in any number", judged(equal=False)),
        Reading(name, judged(equal=True), stretched=True),
    )


def possible(
    truth: Sequence[int],
    given: Mapping[Measure, Interval],
    *,
    of: Measure,
    cells: tuple[NDArray[np.float64], NDArray[np.float64]] | None = None,
    equal_margins: bool = False,
) -> Interval | None:
    """Return the range of a measure over all matrices with these true grades and other measures.

    Parameters
    ----------
    truth, equal_margins
        As for `check_margins`.
    given
        Where the other measures lie.
    of
        The measure whose range is asked.
    cells
        Least and greatest share of its row for each cell, both (classes, classes).

    Returns
    -------
    Interval or None
        None where there is no such matrix.

    Raises
    ------
    ArithmeticError
        The solver came to no end, which says nothing of the numbers.
    """
    rows = np.asarray(truth, dtype=np.float64) / sum(truth)
    n = len(rows)
    wanted = _ratio(of, rows)
    # Unknowns: each cell, and last the scale by which the denominator becomes one.
    below = []
    for measure, interval in given.items():
        ratio = _ratio(measure, rows)
        below.append(_line(ratio.over - float(interval.high) * ratio.under))
        below.append(_line(float(interval.low) * ratio.under - ratio.over))
    for index in np.ndindex(n, n) if cells is not None else ():
        least, most = (float(bound[index] * rows[index[0]]) for bound in cells or ())
        below += [_line(-_unit(index, n), least), _line(_unit(index, n), -most)]
    equal = [_line(wanted.under)]
    for grade in range(n):
        equal.append(_line(_unit((grade, slice(None)), n), -rows[grade]))
        if equal_margins:
            equal.append(_line(_unit((slice(None), grade), n), -rows[grade]))
    ends = []
    for sign in (1.0, -1.0):
        solved = linprog(
            sign * _line(wanted.over),
            A_ub=np.stack(below) if below else None,
            b_ub=np.zeros(len(below)) if below else None,
            A_eq=np.stack(equal),
            b_eq=np.array([1.0, *[0.0] * (len(equal) - 1)]),
            bounds=(0.0, None),
            method="highs",
        )
        if solved.status == _INFEASIBLE:
            return None
        if not solved.success:
            raise ArithmeticError(solved.message)
        ends.append(Fraction(sign * float(solved.fun)))
    return Interval(min(ends) - _TOLERANCE, max(ends) + _TOLERANCE)


def _ratio(measure: Measure, rows: NDArray[np.float64]) -> _Ratio:
    """A measure of shares of all knees (classes, classes) whose rows add up to ``rows``."""
    n = len(rows)
    true, given = np.indices((n, n))
    one = np.ones((n, n))
    diagonal = np.eye(n)
    if measure == "accuracy":
        return _Ratio(diagonal, one)
    if measure == "balanced_accuracy":
        present = rows > 0.0
        weights = np.divide(1.0, rows * present.sum(), out=np.zeros(n), where=present)
        return _Ratio(diagonal * weights[:, None], one)
    if measure == "mean_absolute_error":
        return _Ratio(np.abs(true - given).astype(np.float64), one)
    if measure == "mean_squared_error":
        return _Ratio(((true - given) ** 2).astype(np.float64), one)
    distances = {
        "kappa": one - diagonal,
        "linear_kappa": np.abs(true - given).astype(np.float64),
        "quadratic_kappa": ((true - given) ** 2).astype(np.float64),
    }[measure]
    # What independent grades would be apart is linear in how often each grade was given.
    expected = np.broadcast_to(rows @ distances, (n, n))
    return _Ratio(expected - distances, expected)


def _line(cells: NDArray[np.float64], scale: float = 0.0) -> NDArray[np.float64]:
    return np.append(np.ravel(cells), scale)


def _unit(index: tuple[int | slice, int | slice], n: int) -> NDArray[np.float64]:
    cells = np.zeros((n, n))
    cells[index] = 1.0
    return cells


def _plain(measure: Measure, printed: Printed) -> Printed:
    return printed.as_share() if measure in SHARES else printed


def _bounds(
    percent: Sequence[Sequence[Printed]],
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    intervals = [[cell.interval for cell in line] for line in percent]
    least, most = (
        np.array([[float(getattr(cell, end)) / 100 for cell in line] for line in intervals])
        for end in ("low", "high")
    )
    return np.maximum(least, 0.0), most
