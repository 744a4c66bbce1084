"""What is lost from one cohort to another: a section of the report of answers."""

from collections.abc import Iterator

import numpy as np

from kellgren import errors
from kellgren.statistics import weighted
from kellgren.statistics.document import Section, Table
from kellgren.statistics.external import Drop, drop, standardised
from kellgren.statistics.headlines import headlines
from kellgren.statistics.join import Joined
from kellgren.statistics.metrics import Metric
from kellgren.statistics.reports.writing import TITLES, interval, number


def external_section(
    internal: Joined, external: Joined, *, seed: int, resamples: int
) -> tuple[Section, tuple[Metric, ...]]:
    """Internal against external, as it is and with the internal mix of true grades.

    Raises
    ------
    TableError
        A patient is in both.
    """
    shared = set(internal.patients) & set(external.patients)
    if shared:
        raise errors.TableError(
            f"{len(shared)} patients are in both cohorts. What is internal cannot be external too."
        )
    rows, metrics = [], []
    inside, outside = (dict(_asked(both)) for both in (internal, external))
    for name, statistic in inside.items():
        if name not in outside:
            continue
        plain, alike = (
            drop(
                statistic,
                other,
                internal_patients=internal.patients,
                external_patients=external.patients,
                rng=np.random.default_rng(seed),
                resamples=resamples,
            )
            for other in (outside[name], _alike(outside[name], internal, external))
        )
        rows.append((_title(name, internal), *_cells(plain), *_cells(alike)[1:3]))
        metrics += [
            _metric(external, f"{name}_drop", plain, "points", resamples),
            _metric(external, f"{name}_drop", alike, "points, internal mix of grades", resamples),
        ]
    head = (
        *("", "Internal", "External", "Lost, points", "95 % interval", "Lost, per cent"),
        *("External, internal mix", "Lost, points"),
    )
    words = (
        f"Internal: {len(internal.truth)} knees of {len(np.unique(internal.patients))} patients; "
        f"external: {len(external.truth)} of {len(np.unique(external.patients))}. Points are "
        "internal minus external; per cent are of the internal value, and no points. The internal "
        "mix weights external knees until their true grades are as common as inside: what is still "
        "lost is not the mix of grades."
    )
    return Section("External validation", (words,), (Table(head, tuple(rows)),)), tuple(metrics)


def _asked(both: Joined) -> Iterator[tuple[str, weighted.Statistic]]:
    yield from headlines(both)
    truth, given, classes = both.truth, both.predicted, len(both.task.classes)
    for grade in range(classes):
        if (truth == grade).any():
            yield f"recall_{grade}", weighted.mean(truth == given, among=truth == grade)


def _alike(statistic: weighted.Statistic, internal: Joined, external: Joined) -> weighted.Statistic:
    classes = len(internal.task.classes)
    return standardised(statistic, external.truth, internal.truth, classes=classes)


def _title(name: str, both: Joined) -> str:
    if name.startswith("recall_"):
        return f"Recall of {both.task.classes[int(name.removeprefix('recall_'))]}"
    return TITLES[name]


def _cells(found: Drop) -> tuple[str, str, str, str, str]:
    points = found.points_interval
    return (
        number(found.internal),
        number(found.external),
        number(found.points),
        interval(points.low, points.high),
        number(found.percent),
    )


def _metric(external: Joined, name: str, found: Drop, group: str, resamples: int) -> Metric:
    return Metric.with_interval(
        task=external.task.name,
        reader=external.reader,
        metric=name,
        group=group,
        value=found.points,
        interval=found.points_interval,
        resamples=resamples,
        n_patients=len(np.unique(external.patients)),
        n_knees=len(external.truth),
    )
