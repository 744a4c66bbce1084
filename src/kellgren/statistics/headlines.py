"""The few numbers that are asked of every part, cohort and pair of readers."""

from collections.abc import Iterator

import numpy as np

from kellgren.statistics import bootstrap, discrimination, weighted
from kellgren.statistics.join import Joined
from kellgren.statistics.metrics import ALL, Metric
from kellgren.statistics.questions import cut_of


def headlines(both: Joined) -> Iterator[tuple[str, weighted.Statistic]]:
    """Quadratic kappa, accuracy, balanced accuracy, mean absolute error, AUC: what there is."""
    truth, given, classes = both.truth, both.predicted, len(both.task.classes)
    if both.task.ordinal:
        yield "quadratic_kappa", weighted.quadratic_kappa(truth, given, classes=classes)
    yield "accuracy", weighted.mean(truth == given)
    yield "balanced_accuracy", weighted.balanced_accuracy(truth, given, classes=classes)
    if both.task.ordinal:
        yield "mean_absolute_error", weighted.mean(np.abs(truth - given))
    cut = cut_of(both.task)
    if cut is not None and both.probabilities is not None:
        scores = discrimination.probability_of_cut(both.probabilities, cut)
        yield "auc", weighted.auc(truth >= cut, scores)


def headline_metrics(
    both: Joined,
    *,
    rng: np.random.Generator,
    resamples: int,
    group: str = ALL,
    unit: bootstrap.Unit = "patient",
    stratified: bool = False,
) -> tuple[Metric, ...]:
    """Every headline with its interval.

    Parameters
    ----------
    unit
        Knees only to show how far off the interval would be.
    stratified
        By the true grade, as the ``strata`` of `bootstrap.replicates`.
    """
    asked = dict(headlines(both))
    n_patients = len(np.unique(both.patients))
    found = tuple(bootstrap.Interval(float("nan"), float("nan"), resamples) for _ in asked)
    if n_patients >= bootstrap.FEWEST:
        values = bootstrap.replicates(
            list(asked.values()),
            both.patients,
            rng=rng,
            resamples=resamples,
            strata=both.truth if stratified else None,
            unit=unit,
        )
        found = bootstrap.intervals(values)
    once = np.ones((1, len(both.truth)))
    return tuple(
        Metric.with_interval(
            task=both.task.name,
            reader=both.reader,
            metric=name,
            cut=cut_of(both.task) if name == "auc" else None,
            group=group,
            value=float(statistic(once)[0]),
            interval=interval,
            resamples=resamples,
            unit=unit,
            stratified=stratified,
            n_patients=n_patients,
            n_knees=len(both.truth),
        )
        for (name, statistic), interval in zip(asked.items(), found, strict=True)
    )
