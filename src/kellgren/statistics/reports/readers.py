"""The report of ``kellgren agree``: readers of the same knees, a model among them or not."""

from collections.abc import Iterator, Sequence

import numpy as np
from numpy.typing import NDArray

from kellgren.anatomy import Task
from kellgren.datasets.table import Row
from kellgren.statistics.bootstrap import RESAMPLES, stratified_words
from kellgren.statistics.document import Document, Picture, Section, Table
from kellgren.statistics.figures import Estimate, confusion_figure, forest_figure
from kellgren.statistics.metrics import Metric
from kellgren.statistics.panel import Panel, panel
from kellgren.statistics.readers import EVERYONE, Agreement, compare_readers
from kellgren.statistics.reports.confusion import confusion_table
from kellgren.statistics.reports.units import counted, unit_warnings
from kellgren.statistics.reports.writing import Writer, number, table_of
from kellgren.statistics.units import without_patient


def report_agreement(
    rows: Sequence[Row],
    writer: Writer,
    *,
    task: Task,
    readers: Sequence[str] | None,
    rng: np.random.Generator,
    resamples: int = RESAMPLES,
    stratified: bool = False,
) -> Document:
    """Compare the readers of a table and write the report.

    Parameters
    ----------
    stratified
        By the truth's grade where it is one of the readers, else by that which most of them gave.

    Raises
    ------
    TableError, DuplicateRows
        As `panel`.
    """
    compared = panel(rows, task=task, readers=readers)
    found = compare_readers(compared, rng=rng, resamples=resamples, stratified=stratified)
    who = _who(compared, stratified=stratified)
    sections = (who, *_together(found, writer), *_pairs(found, writer))
    warnings = unit_warnings([(task.title, compared.units)], table="the readings")
    document = Document(f"Agreement on {task.title}", sections, warnings)
    writer.finish(document, [*found.metrics, *_counts(found)])
    return document


def _counts(found: Agreement) -> Iterator[Metric]:
    """Rows of all, and of each pair: who gave what together, and how many grades apart."""
    unknown = sum(count for _, count in without_patient(found.panel.units))
    yield _count(found.panel, EVERYONE, "n_without_patient", EVERYONE, unknown)
    for (first, second), confusion in found.confusions.items():
        counts = [
            ("confusion", f"grade={grade},theirs={theirs}", int(count))
            for (grade, theirs), count in np.ndenumerate(confusion)
        ]
        if found.panel.task.ordinal:
            counts += [
                ("n_apart", f"distance={distance}", count)
                for distance, count in enumerate(_apart(confusion))
            ]
        for metric, group, count in counts:
            yield _count(found.panel, first, metric, f"against={second},{group}", count)


def _count(panel_: Panel, reader: str, metric: str, group: str, value: int) -> Metric:
    return Metric.without_interval(
        task=panel_.task.name,
        reader=reader,
        metric=metric,
        group=group,
        value=value,
        n_patients=len(np.unique(panel_.patients)),
        n_knees=len(panel_.patients),
    )


def _apart(confusion: NDArray[np.int64]) -> list[int]:
    """How many knees two readers put so many grades apart."""
    distance = np.abs(np.subtract.outer(*(np.arange(size) for size in confusion.shape)))
    return [int(confusion[distance == d].sum()) for d in range(len(confusion))]


def _who(panel_: Panel, *, stratified: bool) -> Section:
    rows = tuple(
        (name, str(len(panel_.patients)), str(panel_.left_out[name]), str(panel_.unusable[name]))
        for name in panel_.readers
    )
    words = [_compared(panel_)]
    if stratified:
        most = "grade that most readers gave (of several the lowest)"
        words.append(stratified_words("true grade" if panel_.has_truth else most))
    head = ("Reader", "Compared", "Graded by him, not by all", "Without a grade")
    return Section("Who read what", tuple(words), (Table(head, rows),))


def _compared(panel_: Panel) -> str:
    return (
        f"{counted(panel_.patients, panel_.units)} were graded by all {len(panel_.readers)} "
        "readers; only these are compared. Patients are resampled, with all their knees."
    )


def _together(found: Agreement, writer: Writer) -> list[Section]:
    rows = [one for one in found.metrics if not one.group.startswith("against=")]
    models = [one for one in found.metrics if one.group == "against=people"]
    tables = [table_of(rows)] if rows else []
    tables += [
        table_of([m for m in models if m.reader == name], caption=f"{name} as one more reader")
        for name in dict.fromkeys(one.reader for one in models)
    ]
    pairs = [one for one in found.metrics if one.metric == "quadratic_kappa"]
    pictures: tuple[Picture, ...] = ()
    if len(pairs) > 1:
        estimates = [
            Estimate(f"{m.reader}, {m.group.removeprefix('against=')}", m.value, m.low, m.high)
            for m in pairs
        ]
        figure = forest_figure(estimates, task=found.panel.task, label="Quadratic kappa")
        pictures = (writer.draw(figure, "kappas", "Quadratic kappa of each pair of readers"),)
    if not tables and not pictures:
        return []
    return [Section("All together", (), tuple(tables), pictures)]


def _pairs(found: Agreement, writer: Writer) -> list[Section]:
    sections = []
    classes = found.panel.task.classes
    for (first, second), confusion in found.confusions.items():
        rows = [m for m in found.metrics if (m.reader, m.group) == (first, f"against={second}")]
        counts = _apart(confusion)
        off = Table(
            ("Grades apart", *(str(d) for d in range(len(classes)))),
            (
                ("Knees", *(str(count) for count in counts)),
                ("Share", *(number(count / confusion.sum()) for count in counts)),
            ),
        )
        figure = confusion_figure(confusion, task=found.panel.task, reader=second, rows=first)
        picture = writer.draw(figure, f"{first}-{second}", f"Rows {first}, columns {second}")
        together = confusion_table(
            confusion,
            classes,
            corner=f"{first} \\ {second}",
            caption=f"Knees by what both gave, and their share of the grade of {first}",
        )
        tables = [table_of(rows), together]
        if found.panel.task.ordinal:
            tables.append(off)
        sections.append(Section(f"{first} and {second}", (), tuple(tables), (picture,)))
    return sections
