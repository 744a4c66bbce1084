"""The report of ``kellgren agree``: readers of the same knees, a model among them or not."""

from collections.abc import Iterator, Sequence

import numpy as np
from numpy.typing import NDArray

from kellgren.anatomy import Task
from kellgren.datasets.table import Row
from kellgren.statistics.bootstrap import RESAMPLES
from kellgren.statistics.document import Document, Picture, Section, Table
from kellgren.statistics.figures import Estimate, confusion_figure, forest_figure
from kellgren.statistics.metrics import Metric
from kellgren.statistics.panel import panel
from kellgren.statistics.readers import Agreement, compare_readers
from kellgren.statistics.reports.writing import Writer, number, table_of


def report_agreement(
    rows: Sequence[Row],
    writer: Writer,
    *,
    task: Task,
    readers: Sequence[str] | None,
    rng: np.random.Generator,
    resamples: int = RESAMPLES,
) -> Document:
    """Compare the readers of a table and write the report.

    Raises
    ------
    TableError, DuplicateRows
        As `panel`.
    """
    found = compare_readers(panel(rows, task=task, readers=readers), rng=rng, resamples=resamples)
    sections = [_who(found), *_together(found, writer), *_pairs(found, writer)]
    document = Document(f"Agreement on {task.title}", tuple(sections))
    writer.finish(document, [*found.metrics, *_counts(found)])
    return document


def _counts(found: Agreement) -> Iterator[Metric]:
    """Rows of each pair: who gave what together, and how many lie so many grades apart."""
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
            yield Metric.without_interval(
                task=found.panel.task.name,
                reader=first,
                metric=metric,
                group=f"against={second},{group}",
                value=count,
                n_patients=len(np.unique(found.panel.patients)),
                n_knees=len(found.panel.patients),
            )


def _apart(confusion: NDArray[np.int64]) -> list[int]:
    """How many knees two readers put so many grades apart."""
    distance = np.abs(np.subtract.outer(*(np.arange(size) for size in confusion.shape)))
    return [int(confusion[distance == d].sum()) for d in range(len(confusion))]


def _who(found: Agreement) -> Section:
    panel_ = found.panel
    rows = tuple(
        (name, str(len(panel_.patients)), str(panel_.left_out[name]), str(panel_.unusable[name]))
        for name in panel_.readers
    )
    words = (
        f"{len(panel_.patients)} knees of {len(np.unique(panel_.patients))} patients were graded "
        f"by all {len(panel_.readers)} readers; only these are compared. Patients are resampled, "
        "with all their knees."
    )
    head = ("Reader", "Compared", "Graded by him, not by all", "Without a grade")
    return Section("Who read what", (words,), (Table(head, rows),))


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
        tables = [table_of(rows), _confusion(confusion, classes, first, second)]
        if found.panel.task.ordinal:
            tables.append(off)
        sections.append(Section(f"{first} and {second}", (), tuple(tables), (picture,)))
    return sections


def _confusion(
    confusion: NDArray[np.int64], classes: Sequence[str], first: str, second: str
) -> Table:
    rows = tuple(
        (label, *(str(count) for count in counts))
        for label, counts in zip(classes, confusion.tolist(), strict=True)
    )
    head = (f"{first} \\ {second}", *classes)
    return Table(head, rows, f"Knees by what both gave: rows {first}, columns {second}")
