"""How well probabilities tell grades apart: a section of the report of answers."""

from collections.abc import Iterator, Sequence
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from kellgren.anatomy import Task
from kellgren.statistics import discrimination
from kellgren.statistics.document import Picture, Section, Table
from kellgren.statistics.figures import precision_recall_figure, roc_figure
from kellgren.statistics.questions import cut_of
from kellgren.statistics.reports.measured import Measured
from kellgren.statistics.reports.writing import (
    TITLES,
    Writer,
    from_cut,
    table_of,
    with_interval,
)

_GIVEN = (
    "At operating points given by hand. Points chosen on these knees would flatter; where they "
    "come from is not known here"
)


def discrimination_section(
    found: Measured, writer: Writer, probabilities: NDArray[np.float64]
) -> Section:
    """Areas under curves at every cut and of every group, operating points, and the curves."""
    cuts = range(1, len(found.task.classes)) if cut_of(found.task) is not None else range(0)
    tables = (*_of_cuts(found, cuts), *_at_points(found), *_of_groups(found))
    return Section("Telling apart", (), tables, _curves(found, writer, probabilities, cuts))


def _of_cuts(found: Measured, cuts: Sequence[int]) -> Iterator[Table]:
    rows = tuple(
        (
            from_cut(found.task, cut),
            *(
                with_interval(m)
                for name in ("auc", "average_precision")
                for m in (found.summary.metric(name, cut=cut),)
            ),
        )
        for cut in cuts
    )
    if rows:
        yield Table(("", "AUC", "Average precision"), rows)


def _at_points(found: Measured) -> Iterator[Table]:
    rows = [
        replace(
            m,
            metric=f"{TITLES[name]}, {from_cut(found.task, m.cut)} "
            f"from {found.operating_points[m.cut]:.3f}",
        )
        for name in ("sensitivity", "specificity", "youden")
        for m in found.summary.metrics
        if m.metric == name and m.cut is not None
    ]
    if rows:
        given = found.settings.points_given
        yield table_of(rows, caption=_GIVEN if given else "At operating points fixed beforehand")


def _of_groups(found: Measured) -> Iterator[Table]:
    summary = found.summary
    rows = tuple(
        (
            m.group.removeprefix("grades="),
            with_interval(m),
            with_interval(summary.metric("average_precision", group=m.group)),
        )
        for m in summary.metrics
        if m.metric == "auc" and m.group.startswith("grades=")
    )
    if rows:
        yield Table(("Grades", "AUC", "Average precision"), rows, "These against all others")


def _curves(
    found: Measured, writer: Writer, probabilities: NDArray[np.float64], cuts: Sequence[int]
) -> tuple[Picture, ...]:
    roc, precise, prevalences = [], [], []
    for cut in cuts:
        scores = discrimination.probability_of_cut(probabilities, cut)
        positive = found.both.truth >= cut
        curve = discrimination.roc_curve(positive, scores)
        if curve is not None:
            roc.append((_short(found.task, cut), curve))
        other = discrimination.precision_recall_curve(positive, scores)
        if other is not None:
            precise.append((_short(found.task, cut), other))
            prevalences.append(float(positive.mean()))
    pictures = []
    if roc:
        figure = roc_figure(roc, task=found.task)
        pictures.append(writer.draw(figure, found.figure_name("roc"), "ROC curves of every cut"))
    if precise:
        figure = precision_recall_figure(precise, task=found.task, prevalences=prevalences)
        words = "Precision and recall of every cut; thin lines are chance"
        pictures.append(writer.draw(figure, found.figure_name("precision-recall"), words))
    return tuple(pictures)


def _short(task: Task, cut: int) -> str:
    """A cut below a title that already names the task."""
    return f"grade ≥ {task.classes[cut]}" if task.ordinal else task.classes[cut]
