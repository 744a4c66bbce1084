"""What is lost from one cohort to another: a section of the report of answers."""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass

import numpy as np

from kellgren.anatomy import Task
from kellgren.statistics.bootstrap import FEWEST
from kellgren.statistics.document import Picture, Section, Table
from kellgren.statistics.figures import Shift, external_figure
from kellgren.statistics.join import Joined
from kellgren.statistics.losses import ALIKE, Loss
from kellgren.statistics.metrics import ALL, Metric
from kellgren.statistics.reports.units import counted
from kellgren.statistics.reports.writing import TITLES, Writer, from_cut, interval, number
from kellgren.statistics.units import without_patient

_HEAD = (
    *("", "Internal", "External", "Lost, points", "95 % interval"),
    *("Lost, per cent", "95 % interval", "Knees"),
)


@dataclass(frozen=True, slots=True, eq=False)
class External:
    """A reader's answers on two cohorts.

    Parameters
    ----------
    internal, external
        The knees compared.
    losses
        What is lost between them.
    left_out
        Which grades and groups are not shown, and why.
    by_name
        How many of the internal answers were matched to the truth by file name.
    resamples
        Of the patients of both.
    """

    internal: Joined
    external: Joined
    losses: tuple[Loss, ...]
    left_out: tuple[str, ...]
    by_name: int
    resamples: int

    @property
    def metrics(self) -> tuple[Metric, ...]:
        """Every row for ``metrics.json``."""
        internal = self.internal
        unknown = Metric.without_interval(
            task=internal.task.name,
            reader=internal.reader,
            metric="n_without_patient_internal",
            value=sum(count for _, count in without_patient(internal.units)),
            n_patients=len(np.unique(internal.patients)),
            n_knees=len(internal.truth),
        )
        lost = (
            row
            for loss in self.losses
            for row in loss.metrics(self.external, resamples=self.resamples)
        )
        return (unknown, *lost)


def external_section(found: External, writer: Writer) -> Section:
    """Internal against external: as it is, with one mix of grades, by grade and by group."""
    words = (*_words(found), *(f"Not shown: {one}." for one in found.left_out))
    return Section("External validation", words, tuple(_tables(found)), (_picture(found, writer),))


def _picture(found: External, writer: Writer) -> Picture:
    """Every headline, and the recall of every grade, inside and outside."""
    task = found.internal.task
    alike = {loss.metric: loss.drop for loss in found.losses if loss.group == ALIKE}
    shifts = [
        Shift(_title(loss, task), loss.drop, alike.get(loss.metric), "_error" in loss.metric)
        for loss in found.losses
        if loss.group == ALL
    ]
    shifts += [Shift(_grade(loss, task), loss.drop) for loss in _of_grades(found)]
    name = f"external-{task.name}-{found.external.reader}"
    return writer.draw(
        external_figure(shifts, task=task),
        name,
        "Internal and external, and what is lost between them",
    )


def _of_grades(found: External) -> list[Loss]:
    return [loss for loss in found.losses if loss.metric == "recall"]


def _words(found: External) -> Iterator[str]:
    internal, external = found.internal, found.external
    yield (
        f"Internal: {counted(internal.patients, internal.units)}; external: "
        f"{counted(external.patients, external.units)}. Intervals by {found.resamples} resamples "
        f"of the patients of both, each cohort by itself; none where either has fewer than "
        f"{FEWEST}."
    )
    if found.by_name:
        yield f"{found.by_name} internal answers were matched to the truth by file name."
    yield (
        "Points are internal minus external on the metric's own scale: of an accuracy, 0.040 is "
        "four percentage points. Per cent are of the internal value, and no points. Above zero "
        "something is lost; of an error, below zero."
    )
    yield (
        "The internal mix weights external knees until their true grades are as common as inside: "
        "what is still lost is not the mix of grades. Every resample takes the mix of the internal "
        "patients drawn, as that mix is an estimate too. A recall is of one grade, so the mix of "
        "grades does not touch it."
    )


def _tables(found: External) -> Iterator[Table]:
    task = found.internal.task
    head = "quadratic_kappa" if task.ordinal else "accuracy"
    for group, caption in (
        (ALL, "As it is"),
        (ALIKE, "External knees with the internal mix of true grades"),
    ):
        losses = [loss for loss in found.losses if loss.group == group]
        yield _table(losses, lambda loss: _title(loss, task), caption)
    grades = _of_grades(found)
    if grades:
        yield _table(grades, lambda loss: _grade(loss, task), "Recall of each true grade")
    groups = [x for x in found.losses if x.metric == head and x.group not in {ALL, ALIKE}]
    if groups:
        yield _table(groups, lambda loss: loss.group, f"{TITLES[head]} by group")


def _title(loss: Loss, task: Task) -> str:
    name = TITLES[loss.metric]
    return name if loss.cut is None else f"{name}, {from_cut(task, loss.cut)}"


def _grade(loss: Loss, task: Task) -> str:
    return f"Recall of {task.classes[int(loss.group.removeprefix('grade='))]}"


def _table(losses: Iterable[Loss], named: Callable[[Loss], str], caption: str) -> Table:
    return Table(_HEAD, tuple((named(loss), *_cells(loss)) for loss in losses), caption)


def _cells(loss: Loss) -> tuple[str, ...]:
    drop = loss.drop
    some = drop.points_interval.undefined and not np.isnan(drop.points_interval.low)
    partial = "; not defined in some resamples, which are left out" if some else ""
    return (
        number(drop.internal),
        number(drop.external),
        number(drop.points),
        interval(drop.points_interval.low, drop.points_interval.high),
        number(drop.percent, decimals=1),
        interval(drop.percent_interval.low, drop.percent_interval.high, decimals=1),
        f"{loss.internal_knees} / {loss.external_knees}{partial}",
    )
