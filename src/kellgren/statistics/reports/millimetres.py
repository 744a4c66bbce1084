"""The report of ``kellgren agree --millimetres``: measurements of the same knees by readers."""

import math
from collections.abc import Iterator, Sequence
from itertools import combinations

import numpy as np

from kellgren import errors
from kellgren.datasets.table import COVARIATE, Row
from kellgren.statistics.bland_altman import BlandAltman, bland_altman
from kellgren.statistics.bootstrap import RESAMPLES
from kellgren.statistics.document import Document, Picture, Section, Table
from kellgren.statistics.figures import bland_altman_figure
from kellgren.statistics.metrics import P_OF_TEST, Metric
from kellgren.statistics.reports.writing import Writer, interval, number, p_value

_TREND = "difference_per_mm"


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
    sections: list[Section] = []
    metrics: list[Metric] = []
    for first, second in combinations(measured, 2):
        common = sorted(measured[first].keys() & measured[second].keys())
        found = bland_altman(
            np.array([measured[first][key][0] for key in common]),
            np.array([measured[second][key][0] for key in common]),
            np.array([measured[first][key][1] for key in common], dtype=np.str_),
            rng=rng,
            resamples=resamples,
        )
        figure = bland_altman_figure(found, first=first, second=second)
        words = f"Difference against mean, {first} minus {second}"
        picture = writer.draw(figure, f"bland-altman-{first}-{second}", words)
        sections.append(_section(first, second, found, picture, resamples))
        metrics += _metrics(first, second, found, column, resamples)
    document = Document(f"Agreement on {column} (mm)", tuple(sections))
    writer.finish(document, metrics)
    return document


def _measured(
    rows: Sequence[Row], column: str, readers: Sequence[str] | None
) -> dict[str, dict[tuple[str, ...], tuple[float, str]]]:
    """Reader → knee → its millimetres and whom it belongs to."""
    found: dict[str, dict[tuple[str, ...], tuple[float, str]]] = {}
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
        if mine.get(row.key[:-1], (value,))[0] != value:
            raise errors.DuplicateRows(
                f"Reader {row.reader!r} has two unlike measurements {column} of patient "
                f"{row.patient!r}, picture {row.picture!r}, {row.laterality}. Keep one."
            )
        mine[row.key[:-1]] = (value, row.resampled_by)
    ghosts = [name for name in readers or () if name not in found]
    if len(found) < 2 or ghosts:
        raise errors.TableError(
            f"Two readers or more must have measured {COVARIATE}{column}; the table has: "
            f"{', '.join(sorted(found)) or 'none'}."
        )
    return dict(sorted(found.items()))


def _section(
    first: str, second: str, found: BlandAltman, picture: Picture, resamples: int
) -> Section:
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
        f"{found.n_knees} knees of {found.n_patients} patients; intervals by {resamples} resamples "
        "of these, with all their knees."
    )
    trend = (
        f"That the difference does not change with the mean: p {p_value(found.slope_p)}, by "
        "cluster-robust t of patients. Where it does, one pair of limits does not serve all sizes."
    )
    tables = (Table(("", "Value", "95 % interval"), rows),)
    return Section(f"{first} and {second}", (said, trend), tables, (picture,))


def _metrics(
    first: str, second: str, found: BlandAltman, column: str, resamples: int
) -> Iterator[Metric]:
    group = f"against={second}"
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
