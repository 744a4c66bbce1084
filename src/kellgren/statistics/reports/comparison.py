"""The report of ``kellgren compare``: two readers of the same knees against one truth."""

from collections.abc import Iterator, Sequence
from dataclasses import replace

import numpy as np

from kellgren import errors
from kellgren.anatomy import Task
from kellgren.datasets.table import Row
from kellgren.statistics import weighted
from kellgren.statistics.bootstrap import RESAMPLES
from kellgren.statistics.comparison import (
    Difference,
    McNemar,
    clustered_mcnemar,
    compare,
    mcnemar,
)
from kellgren.statistics.document import Document, Section, Table
from kellgren.statistics.figures import Estimate, forest_figure
from kellgren.statistics.headlines import headlines
from kellgren.statistics.join import Joined, join
from kellgren.statistics.metrics import Metric
from kellgren.statistics.multiplicity import holm
from kellgren.statistics.questions import cut_of
from kellgren.statistics.reports.writing import TITLES, Writer, interval, number


def report_comparison(
    truth: Sequence[Row],
    first: Sequence[Row],
    second: Sequence[Row],
    writer: Writer,
    *,
    tasks: Sequence[Task],
    rng: np.random.Generator,
    resamples: int = RESAMPLES,
) -> Document:
    """Compare two readers' answers, each of one reader a task, and write the report.

    Only knees that the truth labels and both readers graded are compared.

    Raises
    ------
    TableError, DuplicateRows
        As `join`, or there is no such knee.
    """
    sections: list[Section] = []
    metrics: list[Metric] = []
    for task in tasks:
        pair = common(truth, first, second, task)
        asked = dict(_pooled(*pair))
        found = compare(list(asked.values()), pair[0].patients, rng=rng, resamples=resamples)
        named = dict(zip(asked, found, strict=True))
        sections.append(_section(pair, named, writer))
        sections.append(_mcnemar(pair))
        metrics += [_metric(pair, name, each) for name, each in named.items()]
    document = Document("Two readers against the truth", tuple(sections))
    writer.finish(document, metrics)
    return document


def common(
    truth: Sequence[Row], first: Sequence[Row], second: Sequence[Row], task: Task
) -> tuple[Joined, Joined]:
    """Both readers' answers about the knees that both graded, in one order.

    Raises
    ------
    TableError
        There are none.
    """
    graded = [
        {row.key for row in rows if row.task == task.name and row.status == "ok"}
        for rows in (first, second)
    ]
    both = graded[0] & graded[1]
    labels = [row for row in truth if row.task == task.name and row.key in both]
    pair = (
        join(labels, [row for row in first if row.key in both], task=task),
        join(labels, [row for row in second if row.key in both], task=task),
    )
    if not len(pair[0].truth):
        raise errors.TableError(
            f"No knee that the truth labels for {task.name!r} was graded by both. Rows are joined "
            "on patient, exam, image, laterality and task: see that all tables spell them alike."
        )
    return pair


def _pooled(first: Joined, second: Joined) -> Iterator[tuple[str, weighted.Statistic]]:
    """Each metric of 2n rows: the first reader's knees, then the second's."""
    probabilities = None
    if first.probabilities is not None and second.probabilities is not None:
        probabilities = np.concatenate([first.probabilities, second.probabilities])
    truth = np.tile(first.truth, 2)
    given = np.concatenate([first.predicted, second.predicted])
    yield from headlines(replace(first, truth=truth, predicted=given, probabilities=probabilities))
    classes = len(first.task.classes)
    yield (
        "macro_f1",
        weighted.precision_recall_f1(truth, given, classes=classes, average="macro")[2],
    )


def _section(pair: tuple[Joined, Joined], named: dict[str, Difference], writer: Writer) -> Section:
    first, second = pair
    any_ = next(iter(named.values()))
    adjusted = holm([each.p for each in named.values()]).p
    rows = tuple(
        (
            TITLES[name],
            number(each.first),
            number(each.second),
            f"{each.estimate:+.3f}",
            interval(each.low, each.high),
            _p(each.p),
            _p(float(p)),
        )
        for (name, each), p in zip(named.items(), adjusted, strict=True)
    )
    head = ("", "First", "Second", "Difference", "95 % interval", "p", "p, Holm")
    estimates = [
        Estimate(TITLES[name], each.estimate, each.low, each.high) for name, each in named.items()
    ]
    figure = forest_figure(estimates, task=first.task, label="First minus second", reference=0.0)
    picture = writer.draw(figure, f"differences-{first.task.name}", "Differences with intervals")
    who = (
        f"First: {first.reader}. Second: {second.reader}. {any_.n_knees} knees of "
        f"{any_.n_patients} patients that both graded."
    )
    how = f"{any_.method[:1].upper()}{any_.method[1:]}. Holm's p is for asking all at once."
    return Section(first.task.title, (who, how), (Table(head, rows),), (picture,))


def _mcnemar(pair: tuple[Joined, Joined]) -> Section:
    first, second = (each.predicted == each.truth for each in pair)
    patients = pair[0].patients
    found = (
        clustered_mcnemar(first, second, patients),
        mcnemar(first, second, patients, variant="mid-p"),
    )
    rows = tuple(_row(each) for each in found)
    head = ("", "Only first right", "Only second right", "Difference", "95 % interval", "p")
    words = "The plain test takes knees for independent, and is here for comparison with others."
    return Section("Right answers, by McNemar", (words,), (Table(head, rows),))


def _row(found: McNemar) -> tuple[str, ...]:
    return (
        found.method,
        str(found.first_only),
        str(found.second_only),
        f"{found.estimate:+.3f}",
        interval(found.low, found.high),
        _p(found.p),
    )


def _metric(pair: tuple[Joined, Joined], name: str, found: Difference) -> Metric:
    first, second = pair
    return Metric(
        task=first.task.name,
        reader=first.reader,
        metric=f"{name}_difference",
        cut=cut_of(first.task) if name == "auc" else None,
        group=f"minus={second.reader}",
        value=found.estimate,
        low=found.low,
        high=found.high,
        method=f"{found.method}; p {_p(found.p)}",
        n_patients=found.n_patients,
        n_knees=found.n_knees,
        status=found.status,
    )


def _p(value: float) -> str:
    if np.isnan(value):
        return "not estimable"
    return "< 0.0001" if value < 1e-4 else f"{value:.4f}"
