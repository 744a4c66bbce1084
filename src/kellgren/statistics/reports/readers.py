"""The report of ``kellgren agree``: readers of the same knees, a model among them or not."""

from collections.abc import Sequence

import numpy as np

from kellgren.anatomy import Task
from kellgren.datasets.table import Row
from kellgren.statistics.bootstrap import RESAMPLES
from kellgren.statistics.document import Document, Picture, Section, Table
from kellgren.statistics.figures import Estimate, confusion_figure, forest_figure
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
    writer.finish(document, found.metrics)
    return document


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
        distance = np.abs(np.subtract.outer(np.arange(len(classes)), np.arange(len(classes))))
        counts = [int(confusion[distance == d].sum()) for d in range(len(classes))]
        off = Table(
            ("Grades apart", *(str(d) for d in range(len(classes)))),
            (
                ("Knees", *(str(count) for count in counts)),
                ("Share", *(number(count / confusion.sum()) for count in counts)),
            ),
        )
        figure = confusion_figure(confusion, task=found.panel.task, reader=second, rows=first)
        picture = writer.draw(figure, f"{first}-{second}", f"Rows {first}, columns {second}")
        tables = (table_of(rows), off) if found.panel.task.ordinal else (table_of(rows),)
        sections.append(Section(f"{first} and {second}", (), tables, (picture,)))
    return sections
