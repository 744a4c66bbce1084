"""The report of ``kellgren agree --millimetres``: measurements of the same knees by readers."""

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import combinations

import numpy as np
from numpy.typing import NDArray

from kellgren import errors
from kellgren.datasets.table import COVARIATE, Row
from kellgren.statistics.bland_altman import BlandAltman, bland_altman
from kellgren.statistics.bootstrap import RESAMPLES
from kellgren.statistics.document import Document, Section, Table
from kellgren.statistics.figures import bland_altman_figure
from kellgren.statistics.metrics import P_OF_TEST, Metric
from kellgren.statistics.reports.units import counted, unit_warnings
from kellgren.statistics.reports.writing import Writer, interval, number, p_value
from kellgren.statistics.units import unit_of, without_patient

_TREND = "difference_per_mm"


@dataclass(frozen=True, slots=True)
class _Reading:
    """One reader's millimetres of a knee, whom that belongs to, and how this one is known."""

    mm: float
    patient: str
    unit: str


@dataclass(frozen=True, slots=True, eq=False)
class _Compared:
    """Two readers' knees."""

    first: str
    second: str
    found: BlandAltman
    patients: NDArray[np.str_]
    units: NDArray[np.str_]


def report_millimetres(
    rows: Sequence[Row],
    writer: Writer,
    *,
    column: str,
    readers: Sequence[str] | None,
    rng: np.random.Generator,
    resamples: int = RESAMPLES,
) -> Document:
    """Compare what readers measured, pair by pair, and write the report.

    Parameters
    ----------
    rows
        Each with a reader and the measurement in the covariate ``column``.
    resamples
        Of patients.

    Raises
    ------
    TableError
        Fewer than two readers, too few common knees, or a cell that is no number or below zero.
    DuplicateRows
        A reader has two unlike measurements of a knee.
    """
    measured = _measured(rows, column, readers)
    pairs = [
        _compare(measured, *names, rng=rng, resamples=resamples)
        for names in combinations(measured, 2)
    ]
    document = Document(
        f"Agreement on {column} (mm)",
        tuple(_section(pair, writer, resamples) for pair in pairs),
        unit_warnings(((column, pair.units) for pair in pairs), table="the readings"),
    )
    writer.finish(document, [row for pair in pairs for row in _metrics(pair, column, resamples)])
    return document


def _compare(
    measured: dict[str, dict[tuple[str, ...], _Reading]],
    first: str,
    second: str,
    *,
    rng: np.random.Generator,
    resamples: int,
) -> _Compared:
    common = sorted(measured[first].keys() & measured[second].keys())
    ones, others = ([measured[name][key] for key in common] for name in (first, second))
    patients = np.array([one.patient for one in ones], dtype=np.str_)
    found = bland_altman(
        np.array([one.mm for one in ones]),
        np.array([other.mm for other in others]),
        patients,
        rng=rng,
        resamples=resamples,
    )
    units = np.array([one.unit for one in ones], dtype=np.str_)
    return _Compared(first, second, found, patients, units)


def _measured(
    rows: Sequence[Row], column: str, readers: Sequence[str] | None
) -> dict[str, dict[tuple[str, ...], _Reading]]:
    """Reader → knee → what he measured."""
    found: dict[str, dict[tuple[str, ...], _Reading]] = {}
    for row in rows:
        text = row.covariates.get(column, "")
        if text == "" or (readers is not None and row.reader not in readers):
            continue
        try:
            value = float(text)
        except ValueError:
            value = math.nan
        if not math.isfinite(value):
            raise errors.TableError(
                f"Reader {row.reader!r}, patient {row.patient!r}, {row.laterality}: {COVARIATE}"
                f"{column} holds {text!r}, no finite number of millimetres."
            )
        if value < 0.0:
            raise errors.TableError(
                f"Reader {row.reader!r}, patient {row.patient!r}, {row.laterality}: {COVARIATE}"
                f"{column} holds {text!r}; nothing is narrower than 0 mm. Leave the cell empty "
                "where nothing was measured."
            )
        mine = found.setdefault(row.reader, {})
        # A measurement may stand on the row of every task.
        reading = _Reading(value, row.resampled_by, unit_of(row))
        if mine.get(row.key[:-1], reading).mm != value:
            raise errors.DuplicateRows(
                f"Reader {row.reader!r} has two unlike measurements {column} of patient "
                f"{row.patient!r}, picture {row.picture!r}, {row.laterality}. Keep one."
            )
        mine[row.key[:-1]] = reading
    ghosts = [name for name in readers or () if name not in found]
    if len(found) < 2 or ghosts:
        raise errors.TableError(
            f"Two readers or more must have measured {COVARIATE}{column}; the table has: "
            f"{', '.join(sorted(found)) or 'none'}."
        )
    return dict(sorted(found.items()))


def _section(pair: _Compared, writer: Writer, resamples: int) -> Section:
    first, second, found = pair.first, pair.second, pair.found
    figure = bland_altman_figure(found, first=first, second=second)
    words = f"Difference against mean, {first} minus {second}"
    picture = writer.draw(figure, f"bland-altman-{first}-{second}", words)
    rows = tuple(
        (name, number(value), interval(each.low, each.high))
        for name, value, each in (
            ("Mean difference (mm)", found.bias, found.bias_interval),
            ("Lower limit of agreement (mm)", found.lower, found.lower_interval),
            ("Upper limit of agreement (mm)", found.upper, found.upper_interval),
            ("Change of the difference for each mm of the mean", found.slope, found.slope_interval),
        )
    )
    said = (
        f"{counted(pair.patients, pair.units)}; intervals by {resamples} resamples of these, with "
        "all their knees."
    )
    trend = (
        f"That the difference does not change with the mean: p {p_value(found.slope_p)}, by "
        "cluster-robust t of patients. Where it does, one pair of limits does not serve all sizes."
    )
    tables = (Table(("", "Value", "95 % interval"), rows),)
    return Section(f"{first} and {second}", (said, trend), tables, (picture,))


def _metrics(pair: _Compared, column: str, resamples: int) -> Iterator[Metric]:
    first, found = pair.first, pair.found
    group = f"against={pair.second}"
    yield Metric.without_interval(
        task=column,
        reader=first,
        metric="n_without_patient",
        group=group,
        value=sum(count for _, count in without_patient(pair.units)),
        n_patients=found.n_patients,
        n_knees=found.n_knees,
    )
    for name, value, each in (
        ("mean_difference_mm", found.bias, found.bias_interval),
        ("lower_limit_mm", found.lower, found.lower_interval),
        ("upper_limit_mm", found.upper, found.upper_interval),
        (_TREND, found.slope, found.slope_interval),
    ):
        yield Metric.with_interval(
            task=column,
            reader=first,
            metric=name,
            group=group,
            value=value,
            interval=each,
            resamples=resamples,
            n_patients=found.n_patients,
            n_knees=found.n_knees,
        )
    yield Metric(
        task=column,
        reader=first,
        metric=f"{_TREND}{P_OF_TEST}",
        cut=None,
        group=group,
        value=found.slope_p,
        low=math.nan,
        high=math.nan,
        method="cluster-robust t of patients",
        n_patients=found.n_patients,
        n_knees=found.n_knees,
        status="undefined" if math.isnan(found.slope_p) else "ok",
    )
