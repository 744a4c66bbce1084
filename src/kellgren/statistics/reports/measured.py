"""Every number about one reader and one task, before any of it is on a page."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from kellgren import errors
from kellgren.anatomy import Task
from kellgren.datasets.table import Row
from kellgren.statistics.bootstrap import FEWEST, Unit
from kellgren.statistics.headlines import headline_metrics
from kellgren.statistics.join import Joined, join
from kellgren.statistics.losses import losses
from kellgren.statistics.metrics import Metric
from kellgren.statistics.reports.external import External
from kellgren.statistics.reports.settings import Settings
from kellgren.statistics.subgroups import subgroups
from kellgren.statistics.summary import Summary, summarise

NAIVE = "all, as if knees were independent"
"""The group of numbers whose intervals draw knees, to show how far off those would be."""


@dataclass(frozen=True, slots=True, eq=False)
class Measured:
    """What is known of one reader's answers to one task.

    Parameters
    ----------
    both
        The knees compared, and the count of all others.
    summary
        Every number over all of them.
    naive
        The headlines with the intervals that independent knees would have; none of few patients.
    subgroups
        The headlines of every subgroup that is large enough.
    left_out
        Which subgroups are not shown, and why.
    operating_points
        Cut → the probability that calls a knee positive.
    coverage
        What the reader's sets promise; None without sets.
    by_name
        How many of the answers compared were matched to the truth by file name.
    settings
        As `measure` took them.
    external
        What is lost from the internal cohort; None without one.
    """

    both: Joined
    summary: Summary
    naive: tuple[Metric, ...]
    subgroups: tuple[Metric, ...]
    left_out: tuple[str, ...]
    operating_points: Mapping[int, float]
    coverage: float | None
    by_name: int
    settings: Settings
    external: External | None

    @property
    def task(self) -> Task:
        """What was asked."""
        return self.both.task

    @property
    def metrics(self) -> tuple[Metric, ...]:
        """Every row for ``metrics.json``."""
        lost = self.external.metrics if self.external else ()
        return (*self.summary.metrics, *self.naive, *self.subgroups, *lost)

    def figure_name(self, kind: str) -> str:
        """What a figure of this reader and task is called."""
        return f"{kind}-{self.task.name}-{self.both.reader}"


def measure(
    truth: Sequence[Row], answers: Sequence[Row], *, task: Task, settings: Settings
) -> Measured:
    """Compare one reader's answers to one task with the truth.

    Raises
    ------
    TableError, DuplicateRows
        As `join`, or the internal cohort has nothing by this reader.
    """
    labels = [row for row in truth if row.task == task.name]
    both = join(labels, answers, task=task)
    key = (answers[0].reader, task.name)
    points, promised = settings.operating_points.get(key, {}), settings.coverage.get(key)
    rows = _labels_of(both, labels, answers)
    groups, left_out = _subgroups(both, rows, settings)
    return Measured(
        both=both,
        summary=summarise(
            labels,
            answers,
            task=task,
            rng=settings.rng(),
            sets=settings.sets.get(key),
            coverage=promised,
            operating_points=points,
            resamples=settings.resamples,
            stratified=settings.stratified,
        ),
        naive=_naive(both, settings),
        subgroups=groups,
        left_out=left_out,
        operating_points=points,
        coverage=promised,
        by_name=_by_name(both, answers, settings),
        settings=settings,
        external=_external(both, rows, settings),
    )


def _labels_of(both: Joined, labels: Sequence[Row], answers: Sequence[Row]) -> list[Row]:
    """The truth's row of each knee compared, with its covariates."""
    rows = {row.key: row for row in labels if row.task == both.task.name}
    return [rows[answers[index].key] for index in both.answered.tolist()]


def _by_name(both: Joined, answers: Sequence[Row], settings: Settings) -> int:
    keys = [answers[index].key for index in both.answered.tolist()]
    return sum((both.reader, key) in settings.by_name for key in keys)


def _naive(both: Joined, settings: Settings) -> tuple[Metric, ...]:
    if len(np.unique(both.patients)) < FEWEST:
        return ()
    return _headlines(both, NAIVE, settings, unit="knee")


def _headlines(
    both: Joined, group: str, settings: Settings, *, unit: Unit = "patient"
) -> tuple[Metric, ...]:
    return headline_metrics(
        both,
        rng=settings.rng(),
        resamples=settings.resamples,
        stratified=settings.stratified,
        group=group,
        unit=unit,
    )


def _subgroups(
    both: Joined, rows: Sequence[Row], settings: Settings
) -> tuple[tuple[Metric, ...], tuple[str, ...]]:
    groups, left_out = subgroups(rows)
    metrics = tuple(
        metric
        for group in groups
        for metric in _headlines(both.part(group.members), group.name, settings)
    )
    return metrics, left_out


def _external(both: Joined, rows: Sequence[Row], settings: Settings) -> External | None:
    if settings.internal is None or not len(both.truth):
        return None
    labels, answers = settings.internal
    own = [row for row in answers if row.reader == both.reader]
    internal = join(labels, own, task=both.task)
    if not len(internal.truth):
        raise errors.TableError(
            f"The internal answers have none of {both.reader!r} about a labelled knee. "
            "Give what the same reader said there."
        )
    shared = set(internal.patients) & set(both.patients)
    if shared:
        raise errors.TableError(
            f"{len(shared)} patients are in both cohorts. What is internal cannot be external too."
        )
    found, left_out = losses(
        internal,
        both,
        rows=(_labels_of(internal, labels, own), rows),
        rng=settings.rng(),
        resamples=settings.resamples,
    )
    by_name = _by_name(internal, own, settings)
    return External(internal, both, found, left_out, by_name, settings.resamples)
