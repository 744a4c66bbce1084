"""What is asked of two cohorts: the headlines as they are and with one mix, by grade, by group."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from kellgren.datasets.table import Row
from kellgren.statistics import weighted
from kellgren.statistics.bootstrap import RESAMPLES
from kellgren.statistics.external import Drop, OnBoth, among, drops, standardised
from kellgren.statistics.headlines import headlines
from kellgren.statistics.join import Joined
from kellgren.statistics.metrics import ALL, Metric
from kellgren.statistics.questions import cut_of
from kellgren.statistics.subgroups import FEW, LEAST, common_subgroups

ALIKE = "all, internal mix of grades"
"""The group of the external knees as if their grades were as common as the internal ones."""


@dataclass(frozen=True, slots=True)
class Loss:
    """What one metric loses from the internal cohort to the external one.

    Parameters
    ----------
    metric, cut, group
        As in `Metric`; the group is `ALL`, `ALIKE`, ``grade=2`` (truth) or such as ``sex=F``.
    internal_knees, external_knees, internal_patients, external_patients
        What it rests on.
    drop
        The values and what lies between them.
    """

    metric: str
    cut: int | None
    group: str
    internal_knees: int
    external_knees: int
    internal_patients: int
    external_patients: int
    drop: Drop

    def metrics(self, both: Joined, *, resamples: int) -> Iterator[Metric]:
        """The rows for ``metrics.json``: both values, what is lost in points, and in per cent.

        ``both`` is the external cohort, which all rows but ``_internal`` count.
        """
        drop = self.drop
        inside = (self.internal_patients, self.internal_knees)
        outside = (self.external_patients, self.external_knees)
        for end, value, interval, (n_patients, n_knees) in (
            ("internal", drop.internal, drop.internal_interval, inside),
            ("external", drop.external, drop.external_interval, outside),
            ("drop", drop.points, drop.points_interval, outside),
            ("drop_percent", drop.percent, drop.percent_interval, outside),
        ):
            yield Metric.with_interval(
                task=both.task.name,
                reader=both.reader,
                metric=f"{self.metric}_{end}",
                cut=self.cut,
                group=self.group,
                value=value,
                interval=interval,
                resamples=resamples,
                n_patients=n_patients,
                n_knees=n_knees,
            )


@dataclass(frozen=True, slots=True, eq=False)
class _Asked:
    metric: str
    group: str
    pair: OnBoth


def losses(
    internal: Joined,
    external: Joined,
    *,
    rows: tuple[Sequence[Row], Sequence[Row]],
    rng: np.random.Generator,
    resamples: int = RESAMPLES,
) -> tuple[tuple[Loss, ...], tuple[str, ...]]:
    """Everything that is lost from one cohort to another.

    Parameters
    ----------
    internal, external
        At least one knee each, and no patient in both.
    rows
        The truth's row of each internal and of each external knee.

    Returns
    -------
    losses, left_out
        And the grades and groups that are not shown, with the reason.
    """
    groups, odd = common_subgroups(*rows)
    grades, few = _of_grades(internal, external)
    every = np.ones(len(internal.truth) + len(external.truth), dtype=np.bool_)
    asked = [
        *_headlines(internal, external, ALL, every),
        *_alike(internal, external),
        *grades,
        *(each for one in groups for each in _headlines(internal, external, one.name, one.members)),
    ]
    found = drops(
        [one.pair for one in asked],
        internal_patients=internal.patients,
        external_patients=external.patients,
        rng=rng,
        resamples=resamples,
    )
    return (
        tuple(_loss(*each, internal, external) for each in zip(asked, found, strict=True)),
        (*few, *odd),
    )


def _headlines(
    internal: Joined, external: Joined, group: str, members: NDArray[np.bool_]
) -> Iterator[_Asked]:
    inside, outside = _sides(members, internal)
    there = dict(headlines(external.part(outside[len(internal.truth) :])))
    for name, statistic in headlines(internal.part(inside[: len(internal.truth)])):
        if name in there:
            pair = OnBoth(among(statistic, inside), among(there[name], outside), members)
            yield _Asked(name, group, pair)


def _alike(internal: Joined, external: Joined) -> Iterator[_Asked]:
    every = np.ones(len(internal.truth) + len(external.truth), dtype=np.bool_)
    inside, _ = _sides(every, internal)
    classes = len(internal.task.classes)
    there = dict(headlines(external))
    for name, statistic in headlines(internal):
        if name in there:
            alike = standardised(there[name], external.truth, internal.truth, classes=classes)
            yield _Asked(name, ALIKE, OnBoth(among(statistic, inside), alike, every))


def _of_grades(internal: Joined, external: Joined) -> tuple[list[_Asked], list[str]]:
    """Recall of each grade, which the mix of grades does not touch."""
    truth = np.concatenate([internal.truth, external.truth])
    right = truth == np.concatenate([internal.predicted, external.predicted])
    asked, few = [], []
    for grade, label in enumerate(internal.task.classes):
        inside, outside = _sides(truth == grade, internal)
        counts = int(inside.sum()), int(outside.sum())
        if min(counts) >= LEAST:
            one, other = (weighted.mean(right, among=side) for side in (inside, outside))
            asked.append(_Asked("recall", f"grade={grade}", OnBoth(one, other, truth == grade)))
        elif max(counts):
            few.append(f"recall of {label}: {FEW}")
    return asked, few


def _sides(
    members: NDArray[np.bool_], internal: Joined
) -> tuple[NDArray[np.bool_], NDArray[np.bool_]]:
    """Of the knees (m + n,) marked the internal ones, and the external ones."""
    inside = np.arange(len(members)) < len(internal.truth)
    return members & inside, members & ~inside


def _loss(one: _Asked, found: Drop, internal: Joined, external: Joined) -> Loss:
    inside, outside = _sides(one.pair.members, internal)
    ours = internal.patients[inside[: len(internal.truth)]]
    theirs = external.patients[outside[len(internal.truth) :]]
    return Loss(
        metric=one.metric,
        cut=cut_of(internal.task) if one.metric == "auc" else None,
        group=one.group,
        internal_knees=int(inside.sum()),
        external_knees=int(outside.sum()),
        internal_patients=len(np.unique(ours)),
        external_patients=len(np.unique(theirs)),
        drop=found,
    )
