"""How far readers agree: each with each, all together, and a model as one more of them."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import combinations

import numpy as np
from numpy.typing import NDArray

from kellgren.anatomy import Task
from kellgren.datasets.table import TRUTH
from kellgren.statistics import agreement, bootstrap, weighted
from kellgren.statistics.icc import icc_statistic
from kellgren.statistics.metrics import Metric
from kellgren.statistics.panel import Panel

MODEL = "model:"
"""How the name of a reader that is none begins."""

EVERYONE = "all readers"
PEOPLE = "people"


@dataclass(frozen=True, slots=True, eq=False)
class Agreement:
    """What is known of a panel.

    Parameters
    ----------
    metrics
        The rows of ``metrics.json``. Of a pair, ``reader`` is the first and ``group`` is
        ``against=`` the second.
    confusions
        (first, second) → counts (classes, classes), rows of the first.
    """

    panel: Panel
    metrics: tuple[Metric, ...]
    confusions: dict[tuple[str, str], NDArray[np.int64]]

    def metric(self, name: str, reader: str, group: str) -> Metric:
        """Return one row; KeyError where there is none."""
        for row in self.metrics:
            if (row.metric, row.reader, row.group) == (name, reader, group):
                return row
        raise KeyError(f"{name}, {reader}, {group}")


@dataclass(frozen=True, slots=True)
class _Question:
    metric: str
    reader: str
    group: str
    statistic: weighted.Statistic


def compare_readers(
    panel: Panel,
    *,
    rng: np.random.Generator,
    resamples: int = bootstrap.RESAMPLES,
    stratified: bool = False,
) -> Agreement:
    """Agreement of every pair, and of all, with intervals by resampling patients.

    Of pairs: per cent agreement (``accuracy``), share within one grade (``adjacent_or_same``), the
    three kappas, mean absolute and squared distance. Of all: both intraclass correlations and
    the mean quadratic kappa of pairs (Light 1971, doi:10.1037/h0031643). Where models are among
    them, each model's mean quadratic kappa with the people, and how far it lies above that of the
    people with each other.

    Parameters
    ----------
    stratified
        By `Panel.strata`.
    """
    questions = tuple(_questions(panel))
    ones = np.ones((1, len(panel.patients)))
    points = [float(question.statistic(ones)[0]) for question in questions]
    n_patients = len(np.unique(panel.patients))
    found = [bootstrap.Interval(float("nan"), float("nan"), resamples)] * len(questions)
    if n_patients >= bootstrap.FEWEST:
        statistics = [question.statistic for question in questions]
        values = bootstrap.replicates(
            statistics,
            panel.patients,
            rng=rng,
            resamples=resamples,
            strata=panel.strata if stratified else None,
        )
        found = list(bootstrap.intervals(values))
    rows = [
        Metric.with_interval(
            task=panel.task.name,
            reader=question.reader,
            metric=question.metric,
            group=question.group,
            value=value,
            interval=interval,
            resamples=resamples,
            stratified=stratified,
            n_patients=n_patients,
            n_knees=len(panel.patients),
        )
        for question, value, interval in zip(questions, points, found, strict=True)
    ]
    classes = len(panel.task.classes)
    confusions = {
        (panel.readers[i], panel.readers[j]): agreement.confusion_matrix(
            panel.grades[:, i], panel.grades[:, j], classes=classes
        )
        for i, j in combinations(range(len(panel.readers)), 2)
    }
    return Agreement(panel, tuple(rows), confusions)


def _questions(panel: Panel) -> Iterator[_Question]:
    names, grades, task = panel.readers, panel.grades, panel.task
    kappas: dict[tuple[int, int], weighted.Statistic] = {}
    for i, j in combinations(range(len(names)), 2):
        first, second = grades[:, i], grades[:, j]
        group = f"against={names[j]}"
        for metric, statistic in _of_pair(first, second, task):
            yield _Question(metric, names[i], group, statistic)
            if metric == "quadratic_kappa":
                kappas[i, j] = statistic
    if not task.ordinal:
        return
    ratings = grades.astype(np.float64)
    yield _Question("icc_2_1", EVERYONE, EVERYONE, icc_statistic(ratings, form="2,1"))
    yield _Question("icc_3_1", EVERYONE, EVERYONE, icc_statistic(ratings, form="3,1"))
    if len(names) > 2:
        everyone = mean_of(list(kappas.values()))
        yield _Question("mean_quadratic_kappa", EVERYONE, EVERYONE, everyone)
    # a truth is no person, even where one reader's grades were taken for it
    people = [i for i, name in enumerate(names) if not name.startswith(MODEL) and name != TRUTH]
    models = [i for i, name in enumerate(names) if name.startswith(MODEL)]
    among = [kappa for (i, j), kappa in kappas.items() if i in people and j in people]
    for model in models:
        with_people = [k for pair, k in kappas.items() if model in pair and set(pair) & set(people)]
        if len(with_people) > 1:
            own = mean_of(with_people)
            group = f"against={PEOPLE}"
            yield _Question("mean_quadratic_kappa", names[model], group, own)
            above = difference(own, mean_of(among))
            yield _Question("mean_quadratic_kappa_above_theirs", names[model], group, above)


def _of_pair(
    first: NDArray[np.int64], second: NDArray[np.int64], task: Task
) -> Iterator[tuple[str, weighted.Statistic]]:
    classes, distance = len(task.classes), np.abs(first - second)
    yield "accuracy", weighted.mean(distance == 0)
    schemes: tuple[agreement.Weights, ...] = ("unweighted", "linear", "quadratic")
    for weights in schemes if task.ordinal else schemes[:1]:
        kappa = weighted.cohen_kappa(first, second, classes=classes, weights=weights)
        yield f"{weights}_kappa", kappa
    if task.ordinal:
        yield "adjacent_or_same", weighted.mean(distance <= 1)
        yield "mean_absolute_error", weighted.mean(distance)
        yield "mean_squared_error", weighted.mean(distance**2)


def mean_of(statistics: Sequence[weighted.Statistic]) -> weighted.Statistic:
    """The mean of statistics of the same knees."""

    def statistic(weights: NDArray[np.float64]) -> NDArray[np.float64]:
        return np.asarray(np.mean([each(weights) for each in statistics], axis=0))

    return statistic


def difference(first: weighted.Statistic, second: weighted.Statistic) -> weighted.Statistic:
    """First minus second, of the same knees."""
    return lambda weights: first(weights) - second(weights)
