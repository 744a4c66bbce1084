"""How well one reader answers one task, as one table of numbers with intervals."""

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from kellgren.anatomy import Task
from kellgren.datasets.table import Row
from kellgren.statistics import agreement, bootstrap, calibration
from kellgren.statistics.join import Joined, join
from kellgren.statistics.metrics import ALL, Metric
from kellgren.statistics.questions import Question, cut_of, questions
from kellgren.statistics.units import without_patient

_NAN = float("nan")


@dataclass(frozen=True, slots=True, eq=False)
class Summary:
    """The answer to "how good is it?", for tables and figures.

    Parameters
    ----------
    task, reader
        What was answered, and by whom.
    confusion
        (classes, classes) counts, rows true.
    bins
        Confidence against accuracy; empty for a reader without probabilities.
    metrics
        The rows of ``metrics.json``.
    """

    task: Task
    reader: str
    confusion: NDArray[np.int64]
    bins: tuple[calibration.ReliabilityBin, ...]
    metrics: tuple[Metric, ...]

    def metric(self, name: str, *, group: str = ALL, cut: int | None = None) -> Metric:
        """Return the row of a metric; KeyError where the task or reader has none.

        Of metrics with a cut, ``cut`` None is that of disease, see `cut_of`.
        """
        for row in self.metrics:
            wanted = cut_of(self.task) if cut is None and row.cut is not None else cut
            if (row.metric, row.group, row.cut) == (name, group, wanted):
                return row
        raise KeyError(f"{name}, {group}, {cut}")


def summarise(
    truth: Sequence[Row],
    predictions: Sequence[Row],
    *,
    task: Task,
    rng: np.random.Generator,
    sets: NDArray[np.bool_] | None = None,
    coverage: float | None = None,
    operating_points: Mapping[int, float] | None = None,
    resamples: int = bootstrap.RESAMPLES,
    stratified: bool = False,
) -> Summary:
    """Compare a reader with the truth.

    Knees without an answer, and refused ones, are counted and left out of every other number.

    Parameters
    ----------
    truth, predictions
        As `join` takes them.
    task
        Ordinal tasks have kappa, errors and an AUC, multilabel ones an AUC, nominal ones neither.
    rng
        For the resamples.
    sets
        (len(predictions), classes), true for members of the set of each row; ignored for rows of
        other tasks.
    coverage
        What the sets promise, to stand beside what they do.
    operating_points
        Cut → the probability from which a knee is called positive, fixed on other knees.
    resamples
        Of patients (`Row.resampled_by`).
    stratified
        By the true grade, as the ``strata`` of `bootstrap.replicates`.

    Raises
    ------
    DuplicateRows, TableError
        As `join`.
    """
    both = join(truth, predictions, task=task)
    if sets is not None and sets.shape != (len(predictions), len(task.classes)):
        raise ValueError(
            f"The sets have the shape {sets.shape}; {len(predictions)} predictions of "
            f"{len(task.classes)} classes need one row each."
        )
    chosen = None if sets is None else sets[both.answered]
    asked = tuple(questions(both, chosen, operating_points or {}))
    confusion = np.zeros((len(task.classes), len(task.classes)), dtype=np.int64)
    if len(both.truth):
        confusion = agreement.confusion_matrix(
            both.truth, both.predicted, classes=len(task.classes)
        )
    return Summary(
        task=task,
        reader=both.reader,
        confusion=confusion,
        bins=_bins(both),
        metrics=(
            *_counts(both, confusion, coverage),
            *_with_intervals(both, asked, rng, resamples=resamples, stratified=stratified),
        ),
    )


def _with_intervals(
    both: Joined,
    asked: Sequence[Question],
    rng: np.random.Generator,
    *,
    resamples: int,
    stratified: bool,
) -> Iterator[Metric]:
    unknown = bootstrap.Interval(_NAN, _NAN, resamples)
    found = tuple(unknown for _ in asked)
    if len(np.unique(both.patients)) >= bootstrap.FEWEST:
        values = bootstrap.replicates(
            [question.statistic for question in asked],
            both.patients,
            rng=rng,
            resamples=resamples,
            strata=both.truth if stratified else None,
        )
        found = bootstrap.intervals(values)
    for question, interval in zip(asked, found, strict=True):
        members = both.patients
        if question.members is not None:
            members = members[question.members]
        yield Metric.with_interval(
            task=both.task.name,
            reader=both.reader,
            metric=question.metric,
            cut=question.cut,
            group=question.group,
            value=question.point() if len(members) else _NAN,
            interval=interval if len(np.unique(members)) >= bootstrap.FEWEST else unknown,
            resamples=resamples,
            stratified=stratified,
            n_patients=len(np.unique(members)),
            n_knees=len(members),
        )


def _counts(both: Joined, confusion: NDArray[np.int64], coverage: float | None) -> Iterator[Metric]:
    def row(metric: str, value: float, *, group: str = ALL, method: str = "count") -> Metric:
        return Metric.without_interval(
            task=both.task.name,
            reader=both.reader,
            metric=metric,
            group=group,
            value=value,
            method=method,
            n_patients=len(np.unique(both.patients)),
            n_knees=len(both.truth),
        )

    yield row("n", len(both.truth))
    yield row("n_patients", len(np.unique(both.patients)))
    yield row("n_missing", both.missing)
    yield row("n_refused", len(both.refused))
    for code, count in sorted(Counter(both.refused).items()):
        yield row("n_refused", count, group=f"status={code}")
    yield row("n_unlabelled", both.unlabelled)
    yield row("n_unmatched", both.unmatched)
    unknown = dict(without_patient(both.units))
    yield row("n_without_patient", sum(unknown.values()))
    for unit, count in unknown.items():
        yield row("n_without_patient", count, group=f"unit={unit}")
    if both.probabilities is not None:
        yield row("n_not_likeliest", both.not_likeliest)
    counts = _by_distance(both)
    for distance, count in enumerate(counts):
        yield row("n_errors", count, group=f"distance={distance}")
    if len(counts) > 2:
        yield row("n_extreme", sum(counts[2:]))
    for grade, counts in enumerate(confusion.tolist()):
        for predicted, count in enumerate(counts):
            yield row("confusion", count, group=f"grade={grade},predicted={predicted}")
    if coverage is not None:
        yield row("set_coverage_promised", coverage, method="given")


def _by_distance(both: Joined) -> list[int]:
    """How many answers lie so many grades off; none for a task without an order."""
    if not both.task.ordinal:
        return []
    classes = len(both.task.classes)
    counts: list[int] = agreement.errors_by_distance(
        both.truth, both.predicted, classes=classes
    ).tolist()
    return counts


def _bins(both: Joined) -> tuple[calibration.ReliabilityBin, ...]:
    if both.probabilities is None:
        return ()
    confidence = both.confidence(both.probabilities)
    return calibration.reliability_bins(confidence, both.predicted == both.truth)
