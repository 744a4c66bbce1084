"""How well one reader answers one task, as one table of numbers with intervals."""

from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import partial

import numpy as np
from numpy.typing import NDArray

from kellgren.anatomy import KL, Task
from kellgren.datasets.table import Row
from kellgren.statistics import (
    agreement,
    bootstrap,
    calibration,
    discrimination,
    weighted,
)
from kellgren.statistics import coverage as coverages
from kellgren.statistics.join import Joined, join
from kellgren.statistics.metrics import ALL, Metric, Status

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

    def metric(self, name: str, *, group: str = ALL) -> Metric:
        """Return the row of a metric; KeyError where the task or reader has none."""
        for row in self.metrics:
            if (row.metric, row.group) == (name, group):
                return row
        raise KeyError(f"{name}, {group}")


@dataclass(frozen=True, slots=True)
class _Question:
    """One metric before it has an interval."""

    metric: str
    point: Callable[[], float]
    """The point estimate, where there is a knee."""
    statistic: weighted.Statistic
    cut: int | None = None
    grade: int | None = None


def summarise(
    truth: Sequence[Row],
    predictions: Sequence[Row],
    *,
    task: Task,
    rng: np.random.Generator,
    sets: NDArray[np.bool_] | None = None,
    coverage: float | None = None,
    resamples: int = bootstrap.RESAMPLES,
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
    resamples
        Of patients (`Row.resampled_by`).

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
    questions = tuple(_questions(both, None if sets is None else sets[both.answered]))
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
            *_with_intervals(both, questions, rng, resamples),
        ),
    )


def cut_of(task: Task) -> int | None:
    """The lowest grade that counts as disease; None for a task without order.

    From KL 2 and, for any other finding, from 1: where Tiulpin and Saarakkala (2020) draw their
    curves.
    """
    if task.kind == "nominal":
        return None
    return 2 if task.name == KL.name else 1


def _questions(both: Joined, sets: NDArray[np.bool_] | None) -> Iterator[_Question]:
    truth, predicted = both.truth, both.predicted
    classes = len(both.task.classes)
    correct = truth == predicted
    yield _Question(
        "accuracy", lambda: agreement.accuracy(truth, predicted), weighted.mean(correct)
    )
    yield _Question(
        "balanced_accuracy",
        lambda: agreement.balanced_accuracy(truth, predicted),
        weighted.balanced_accuracy(truth, predicted, classes=classes),
    )
    if both.task.ordinal:
        yield from _of_distance(truth, predicted, classes)
    for grade in range(classes):
        yield _Question(
            "recall",
            partial(agreement.recall, truth, predicted, grade=grade),
            weighted.mean(correct, among=truth == grade),
            grade=grade,
        )
    if both.probabilities is not None:
        yield from _of_probabilities(both, both.probabilities)
    if sets is not None:
        yield from _of_sets(truth, sets)


def _of_distance(
    truth: NDArray[np.int64], predicted: NDArray[np.int64], classes: int
) -> Iterator[_Question]:
    distance = np.abs(truth - predicted)
    yield _Question(
        "quadratic_kappa",
        lambda: agreement.quadratic_kappa(truth, predicted, classes=classes),
        weighted.quadratic_kappa(truth, predicted, classes=classes),
    )
    yield _Question(
        "mean_absolute_error",
        lambda: agreement.mean_absolute_error(truth, predicted),
        weighted.mean(distance),
    )
    yield _Question(
        "mean_squared_error",
        lambda: agreement.mean_squared_error(truth, predicted),
        weighted.mean(distance**2),
    )


def _of_probabilities(both: Joined, probabilities: NDArray[np.float64]) -> Iterator[_Question]:
    truth = both.truth
    cut = cut_of(both.task)
    if cut is not None:
        yield _Question(
            "auc",
            partial(discrimination.auc, truth, probabilities, cut=cut),
            weighted.auc(truth >= cut, discrimination.probability_of_cut(probabilities, cut)),
            cut=cut,
        )
    confidence, correct = _confidence(both, probabilities)
    yield _Question(
        "expected_calibration_error",
        lambda: calibration.expected_calibration_error(confidence, correct),
        weighted.expected_calibration_error(confidence, correct),
    )
    losses = calibration.log_losses(truth, probabilities)
    yield _Question("negative_log_likelihood", lambda: float(losses.mean()), weighted.mean(losses))
    squares = calibration.brier_scores(truth, probabilities)
    yield _Question("brier_score", lambda: float(squares.mean()), weighted.mean(squares))


def _of_sets(truth: NDArray[np.int64], sets: NDArray[np.bool_]) -> Iterator[_Question]:
    for grade in (None, *range(sets.shape[1])):
        among = None if grade is None else truth == grade
        yield _Question(
            "set_coverage",
            partial(coverages.set_coverage, truth, sets, grade=grade),
            weighted.mean(coverages.covered(truth, sets), among=among),
            grade=grade,
        )
        yield _Question(
            "mean_set_size",
            partial(coverages.mean_set_size, truth, sets, grade=grade),
            weighted.mean(coverages.sizes(sets), among=among),
            grade=grade,
        )


def _with_intervals(
    both: Joined, questions: Sequence[_Question], rng: np.random.Generator, resamples: int
) -> Iterator[Metric]:
    method = f"percentile bootstrap, {resamples} resamples of patients, {100 * bootstrap.LEVEL:g} %"
    unknown = bootstrap.Interval(_NAN, _NAN, resamples)
    found = tuple(unknown for _ in questions)
    if len(np.unique(both.patients)) > 1:
        values = bootstrap.replicates(
            [question.statistic for question in questions],
            both.patients,
            rng=rng,
            resamples=resamples,
        )
        found = bootstrap.intervals(values)
    for question, interval in zip(questions, found, strict=True):
        members = both.patients
        if question.grade is not None:
            members = members[both.truth == question.grade]
        value = question.point() if len(members) else _NAN
        yield Metric(
            task=both.task.name,
            reader=both.reader,
            metric=question.metric,
            cut=question.cut,
            group=ALL if question.grade is None else f"grade={question.grade}",
            value=value,
            low=interval.low,
            high=interval.high,
            method=method,
            n_patients=len(np.unique(members)),
            n_knees=len(members),
            status=_status(value, interval, len(members)),
        )


def _status(value: float, interval: bootstrap.Interval, n_knees: int) -> Status:
    if np.isnan(value):
        return "undefined" if n_knees else "no_knees"
    if np.isnan(interval.low):
        return "no_interval"
    return "interval_partial" if interval.undefined else "ok"


def _counts(both: Joined, confusion: NDArray[np.int64], coverage: float | None) -> Iterator[Metric]:
    def row(metric: str, value: float, *, group: str = ALL, method: str = "count") -> Metric:
        return Metric(
            task=both.task.name,
            reader=both.reader,
            metric=metric,
            cut=None,
            group=group,
            value=value,
            low=_NAN,
            high=_NAN,
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
    for grade, counts in enumerate(confusion.tolist()):
        for predicted, count in enumerate(counts):
            yield row("confusion", count, group=f"grade={grade},predicted={predicted}")
    if coverage is not None:
        yield row("set_coverage_promised", coverage, method="given")


def _confidence(
    both: Joined, probabilities: NDArray[np.float64]
) -> tuple[NDArray[np.float64], NDArray[np.bool_]]:
    """Probability (n,) of the predicted grade, and whether it is right."""
    own = probabilities[np.arange(len(both.predicted)), both.predicted]
    return own, both.predicted == both.truth


def _bins(both: Joined) -> tuple[calibration.ReliabilityBin, ...]:
    if both.probabilities is None:
        return ()
    return calibration.reliability_bins(*_confidence(both, both.probabilities))
