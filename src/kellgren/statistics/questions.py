"""What is asked of a reader's answers: every metric, with its value and its resampled values.

Point estimates come from scikit-learn; `kellgren.statistics.weighted` gives the same numbers under
the many weightings of a bootstrap.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import partial

import numpy as np
from numpy.typing import NDArray

from kellgren.anatomy import KL, Task
from kellgren.statistics import agreement, calibration, discrimination, doubt, weighted
from kellgren.statistics import coverage as coverages
from kellgren.statistics.join import Joined
from kellgren.statistics.metrics import ALL

GROUPED = ((0, 1), (0, 1, 2), (1, 2, 3), (2, 3, 4), (3, 4))
"""Of the five KL grades, told apart from the others: no and doubtful osteoarthritis, and so on."""


@dataclass(frozen=True, slots=True)
class Question:
    """One metric before it has an interval.

    Parameters
    ----------
    point
        The point estimate, where there is a knee.
    statistic
        The same under many weightings.
    cut
        The lowest grade that counts as positive.
    group
        As in `Metric`.
    members
        (n,) knees that the value rests on; all if None.
    """

    metric: str
    point: Callable[[], float]
    statistic: weighted.Statistic
    cut: int | None = None
    group: str = ALL
    members: NDArray[np.bool_] | None = None


def cut_of(task: Task) -> int | None:
    """The lowest grade that counts as disease; None for a task without order.

    From KL 2 and, for any other finding, from 1: where Tiulpin and Saarakkala (2020) draw their
    curves.
    """
    if task.kind == "nominal":
        return None
    return 2 if task.name == KL.name else 1


def questions(
    both: Joined, sets: NDArray[np.bool_] | None, operating_points: Mapping[int, float]
) -> Iterator[Question]:
    """Everything that can be asked of these answers.

    Parameters
    ----------
    sets
        (n, classes) of the knees of ``both``; None where there are none.
    operating_points
        Cut → the probability from which a knee is called positive, fixed elsewhere.
    """
    yield from _of_grades(both)
    if both.task.ordinal:
        yield from _of_distance(both)
    if both.probabilities is not None:
        yield from _of_cuts(both, both.probabilities, operating_points)
        yield from _of_groups(both, both.probabilities)
        yield from _of_doubt(both, both.probabilities)
    if sets is not None:
        yield from _of_sets(both.truth, sets)


def _of_grades(both: Joined) -> Iterator[Question]:
    truth, predicted = both.truth, both.predicted
    classes = len(both.task.classes)
    correct = truth == predicted
    yield Question("accuracy", lambda: agreement.accuracy(truth, predicted), weighted.mean(correct))
    yield Question(
        "balanced_accuracy",
        lambda: agreement.balanced_accuracy(truth, predicted),
        weighted.balanced_accuracy(truth, predicted, classes=classes),
    )
    averages: tuple[agreement.Average, ...] = ("macro", "weighted")
    for average in averages:
        statistics = weighted.precision_recall_f1(
            truth, predicted, classes=classes, average=average
        )
        for place, name in enumerate(("precision", "recall", "f1")):
            yield Question(
                f"{average}_{name}",
                partial(_part, place, truth, predicted, average),
                statistics[place],
            )
    yield Question(
        "matthews_correlation",
        lambda: agreement.matthews_correlation(truth, predicted),
        weighted.matthews_correlation(truth, predicted, classes=classes),
    )
    yield Question(
        "unweighted_kappa",
        lambda: agreement.cohen_kappa(truth, predicted, classes=classes, weights="unweighted"),
        weighted.cohen_kappa(truth, predicted, classes=classes, weights="unweighted"),
    )
    for grade in range(classes):
        members = truth == grade
        yield Question(
            "recall",
            partial(agreement.recall, truth, predicted, grade=grade),
            weighted.mean(correct, among=members),
            group=f"grade={grade}",
            members=members,
        )


def _part(
    place: int,
    truth: NDArray[np.int64],
    predicted: NDArray[np.int64],
    average: agreement.Average,
) -> float:
    return agreement.precision_recall_f1(truth, predicted, average=average)[place]


def _of_distance(both: Joined) -> Iterator[Question]:
    truth, predicted = both.truth, both.predicted
    classes = len(both.task.classes)
    distance = np.abs(truth - predicted)
    yield Question(
        "quadratic_kappa",
        lambda: agreement.quadratic_kappa(truth, predicted, classes=classes),
        weighted.cohen_kappa(truth, predicted, classes=classes, weights="quadratic"),
    )
    yield Question(
        "linear_kappa",
        lambda: agreement.cohen_kappa(truth, predicted, classes=classes, weights="linear"),
        weighted.cohen_kappa(truth, predicted, classes=classes, weights="linear"),
    )
    yield Question(
        "mean_absolute_error",
        lambda: agreement.mean_absolute_error(truth, predicted),
        weighted.mean(distance),
    )
    yield Question(
        "mean_squared_error",
        lambda: agreement.mean_squared_error(truth, predicted),
        weighted.mean(distance**2),
    )
    yield Question("adjacent", lambda: float((distance == 1).mean()), weighted.mean(distance == 1))
    if classes > 2:
        yield Question(
            "extreme", lambda: float((distance >= 2).mean()), weighted.mean(distance >= 2)
        )


def _of_ranks(
    positive: NDArray[np.bool_],
    scores: NDArray[np.float64],
    *,
    cut: int | None = None,
    group: str = ALL,
) -> Iterator[Question]:
    """How well scores (n,) order knees that are positive before the others."""
    yield Question(
        "auc",
        partial(discrimination.area_under_roc, positive, scores),
        weighted.auc(positive, scores),
        cut=cut,
        group=group,
    )
    yield Question(
        "average_precision",
        partial(discrimination.average_precision, positive, scores),
        weighted.average_precision(positive, scores),
        cut=cut,
        group=group,
    )


def _of_cuts(
    both: Joined, probabilities: NDArray[np.float64], operating_points: Mapping[int, float]
) -> Iterator[Question]:
    """ROC, precision and recall at every cut of an ordinal task; an operating point where fixed."""
    if cut_of(both.task) is None:
        return
    for cut in range(1, len(both.task.classes)):
        positive = both.truth >= cut
        scores = discrimination.probability_of_cut(probabilities, cut)
        yield from _of_ranks(positive, scores, cut=cut)
        if cut in operating_points:
            threshold = operating_points[cut]
            for metric in ("sensitivity", "specificity", "youden"):
                yield Question(
                    metric,
                    partial(_operate, metric, positive, scores, threshold),
                    _operating(metric, positive, scores >= threshold),
                    cut=cut,
                )


def _operate(
    metric: str, positive: NDArray[np.bool_], scores: NDArray[np.float64], threshold: float
) -> float:
    return float(getattr(discrimination.operate(positive, scores, threshold), metric))


def _operating(
    metric: str, positive: NDArray[np.bool_], called: NDArray[np.bool_]
) -> weighted.Statistic:
    sensitivity = weighted.mean(called, among=positive)
    specificity = weighted.mean(~called, among=~positive)
    match metric:
        case "sensitivity":
            return sensitivity
        case "specificity":
            return specificity
    return lambda weights: sensitivity(weights) + specificity(weights) - 1.0


def _of_groups(both: Joined, probabilities: NDArray[np.float64]) -> Iterator[Question]:
    """Each class against the rest, and for KL the groups that the field tells apart."""
    classes = len(both.task.classes)
    if classes < 3:
        return
    grouped: Sequence[tuple[int, ...]] = [(one,) for one in range(classes)]
    if both.task.name == KL.name:
        grouped = [*grouped, *GROUPED]
    for group in grouped:
        positive = np.isin(both.truth, group)
        scores = discrimination.probability_of_group(probabilities, group)
        first, last = group[0], group[-1]
        name = f"grades={first}" if first == last else f"grades={first}-{last}"
        yield from _of_ranks(positive, scores, group=name)


def _of_doubt(both: Joined, probabilities: NDArray[np.float64]) -> Iterator[Question]:
    truth = both.truth
    confidence, correct = both.confidence(probabilities), both.predicted == truth
    yield Question(
        "expected_calibration_error",
        lambda: calibration.expected_calibration_error(confidence, correct),
        weighted.expected_calibration_error(confidence, correct),
    )
    wrong = (~correct).astype(np.float64)
    yield Question(
        "aurc",
        lambda: doubt.risk_coverage(confidence, wrong).area,
        weighted.area_under_risk_coverage(confidence, wrong),
    )
    losses = calibration.log_losses(truth, probabilities)
    yield Question("negative_log_likelihood", lambda: float(losses.mean()), weighted.mean(losses))
    squares = calibration.brier_scores(truth, probabilities)
    yield Question("brier_score", lambda: float(squares.mean()), weighted.mean(squares))
    if both.task.ordinal:
        ranked = doubt.ranked_probability_scores(truth, probabilities)
        yield Question(
            "ranked_probability_score", lambda: float(ranked.mean()), weighted.mean(ranked)
        )


def _of_sets(truth: NDArray[np.int64], sets: NDArray[np.bool_]) -> Iterator[Question]:
    for grade in (None, *range(sets.shape[1])):
        members = None if grade is None else truth == grade
        group = ALL if grade is None else f"grade={grade}"
        yield Question(
            "set_coverage",
            partial(coverages.set_coverage, truth, sets, grade=grade),
            weighted.mean(coverages.covered(truth, sets), among=members),
            group=group,
            members=members,
        )
        yield Question(
            "mean_set_size",
            partial(coverages.mean_set_size, truth, sets, grade=grade),
            weighted.mean(coverages.sizes(sets), among=members),
            group=group,
            members=members,
        )
