"""The report of ``kellgren compare``: two readers of the same knees against one truth."""

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import islice

import numpy as np

from kellgren.anatomy import Task
from kellgren.datasets.table import Row
from kellgren.statistics import weighted
from kellgren.statistics.bootstrap import RESAMPLES, stratified_words
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
from kellgren.statistics.join import Joined
from kellgren.statistics.metrics import ALL, Metric, Status
from kellgren.statistics.multiplicity import AdjustedP, Family
from kellgren.statistics.pairs import Pair, pair
from kellgren.statistics.questions import cut_of
from kellgren.statistics.reports.grades import likeliest_words
from kellgren.statistics.reports.selection import Selection
from kellgren.statistics.reports.tested import BOTH_WAYS, P_HEAD, p_cells, p_rows
from kellgren.statistics.reports.units import counted, unit_warnings
from kellgren.statistics.reports.writing import (
    NOT_ESTIMABLE,
    TITLES,
    Writer,
    interval,
    number,
)
from kellgren.statistics.units import without_patient

CHOOSING = (
    "Whoever keeps the better of the two by this page has selected on these knees: what it scores "
    "here is then no test of it. This page adds no look to the ledger, which counts each bundle as "
    "'kellgren evaluate' scores it."
)
"""Said of every comparison, whatever the ledger knows."""

NO_WIDTH = "the same in all resamples, which is no certainty"
"""Said of an interval whose ends are one."""

OWN = "value; the interval is that of the difference"
"""The method of a reader's own value, on the knees that both graded."""

_NAN = float("nan")


def report_comparison(
    truth: Sequence[Row],
    first: Sequence[Row],
    second: Sequence[Row],
    writer: Writer,
    *,
    tasks: Sequence[Task],
    looked: Selection,
    rng: np.random.Generator,
    resamples: int = RESAMPLES,
    stratified: bool = False,
    by_name: int = 0,
) -> Document:
    """Compare two readers' answers, each of one reader a task, and write the report.

    Only knees that the truth labels and both readers graded are compared; the others are counted.
    Tests are adjusted for all tests of all tasks.

    Parameters
    ----------
    looked
        How often the knees were looked at.
    stratified
        By the true grade, as the ``strata`` of `compare`.
    by_name
        How many answers were matched to the truth by file name.

    Raises
    ------
    TableError, DuplicateRows
        As `pair`.
    """
    found = [
        _compared(pair(truth, first, second, task=task), rng, resamples, stratified=stratified)
        for task in tasks
    ]
    family = Family.of([test.p for each in found for test in each.tests.values()])
    left = iter(family.tests)
    notes = [CHOOSING]
    if stratified:
        notes.append(stratified_words())
    if by_name:
        notes.append(f"{by_name} answers were matched to the truth by file name.")
    sections = [looked.section(*notes)]
    metrics: list[Metric] = []
    for each in found:
        adjusted = dict(zip(each.tests, islice(left, len(each.tests)), strict=True))
        sections += [
            _graded(each.pair),
            _differences(each, adjusted, family, writer),
            _right(each, adjusted),
        ]
        metrics += [*_counts(each.pair), *_metrics(each, adjusted, family)]
    units = ((each.pair.first.task.title, each.pair.first.units) for each in found)
    warnings = (*looked.warnings, *unit_warnings(units))
    document = Document("Two readers against the truth", tuple(sections), warnings)
    writer.finish(document, metrics)
    return document


@dataclass(frozen=True, slots=True, eq=False)
class _Compared:
    """All tests of one task, by the names that their differences have in ``metrics.json``."""

    pair: Pair
    differences: Mapping[str, Difference]
    right: Mapping[str, McNemar]

    @property
    def tests(self) -> Mapping[str, Difference | McNemar]:
        """All of them."""
        return {**self.differences, **self.right}


def _compared(
    both: Pair, rng: np.random.Generator, resamples: int, *, stratified: bool
) -> _Compared:
    asked = dict(_pooled(both.first, both.second))
    found = compare(
        list(asked.values()),
        both.first.patients,
        rng=rng,
        resamples=resamples,
        strata=both.first.truth if stratified else None,
    )
    first, second = (each.predicted == each.truth for each in (both.first, both.second))
    patients = both.first.patients
    return _Compared(
        both,
        {f"{name}_difference": each for name, each in zip(asked, found, strict=True)},
        {
            "mcnemar_clustered_difference": clustered_mcnemar(first, second, patients),
            "mcnemar_independent_difference": mcnemar(first, second, patients, variant="mid-p"),
        },
    )


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


def _graded(both: Pair) -> Section:
    head = ("", "Reader", "Graded", "Graded by this one only", "Refused or failed", "No answer")
    rows = tuple(
        (
            place,
            reader.reader,
            str(both.both + only),
            str(only),
            _codes(reader.refused),
            str(reader.missing),
        )
        for place, reader, only in (
            ("First", both.first, both.first_only),
            ("Second", both.second, both.second_only),
        )
    )
    words = (
        f"Of {both.labelled} labelled knees {both.both} were graded by both, {both.first_only} by "
        f"the first only, {both.second_only} by the second only, {both.neither} by neither. Only "
        "what both graded is compared: a reader is spared the knees that he or the other refused."
    )
    title = f"{both.first.task.title}: who graded what"
    said = [line for reader in (both.first, both.second) for line in likeliest_words(reader)]
    return Section(title, (words, *dict.fromkeys(said)), (Table(head, rows),))


def _codes(refused: Sequence[str]) -> str:
    counted = ", ".join(f"{code} {n}" for code, n in sorted(Counter(refused).items()))
    return f"{len(refused)} ({counted})" if counted else "0"


def _differences(
    each: _Compared, adjusted: Mapping[str, AdjustedP], family: Family, writer: Writer
) -> Section:
    first, second = each.pair.first, each.pair.second
    any_ = next(iter(each.differences.values()))
    named = {_title(name): (name, found) for name, found in each.differences.items()}
    rows = tuple(
        (
            title,
            number(found.first),
            number(found.second),
            _signed(found.estimate),
            _interval(found),
            *p_cells(found.p, adjusted[name]),
        )
        for title, (name, found) in named.items()
    )
    head = ("", "First", "Second", "Difference", "95 % interval", *P_HEAD)
    estimates = [
        Estimate(title, found.estimate, found.low, found.high, "_error" in name)
        for title, (name, found) in named.items()
    ]
    figure = forest_figure(
        estimates,
        task=first.task,
        label="First minus second",
        reference=0.0,
        ends=(f"{second.reader} higher", f"{first.reader} higher"),
    )
    picture = writer.draw(figure, f"differences-{first.task.name}", "Differences with intervals")
    who = f"First: {first.reader}. Second: {second.reader}. "
    who += f"{counted(first.patients, first.units)} that both graded."
    how = f"Intervals: {any_.method}. p: {any_.test}. {_family(family)}"
    words = (who, *_alike(first, second), how)
    return Section(first.task.title, words, (Table(head, rows),), (picture,))


def _alike(first: Joined, second: Joined) -> Iterator[str]:
    if (first.predicted == second.predicted).all():
        yield (
            "Both gave the same grade to every one of these knees. That other knees would not "
            "tell them apart does not follow from it."
        )


def _family(family: Family) -> str:
    none = f"; {family.not_estimable} more gave no p" if family.not_estimable else ""
    return (
        f"Holm's p and q are for asking all {family.n_tests} tests of this report at once, over "
        f"all its tasks{none}. {BOTH_WAYS}"
    )


def _right(each: _Compared, adjusted: Mapping[str, AdjustedP]) -> Section:
    rows = tuple(
        (
            found.method,
            str(found.first_only),
            str(found.second_only),
            _signed(found.estimate),
            _interval(found),
            *p_cells(found.p, adjusted[name]),
        )
        for name, found in each.right.items()
    )
    head = (
        *("", "Only first right", "Only second right", "Difference", "95 % interval"),
        *P_HEAD,
    )
    words = "The plain test takes knees for independent, and is here for comparison with others."
    title = f"{each.pair.first.task.title}: right answers, by McNemar"
    return Section(title, (words,), (Table(head, rows),))


def _counts(both: Pair) -> Iterator[Metric]:
    yield _metric(both, "n_labelled", both.labelled)
    yield _metric(both, "n_graded_by_both", both.both)
    yield _metric(both, "n_graded_by_first_only", both.first_only)
    yield _metric(both, "n_graded_by_second_only", both.second_only)
    yield _metric(both, "n_graded_by_neither", both.neither)
    for place, reader in (("first", both.first), ("second", both.second)):
        yield _metric(both, f"n_refused_by_{place}", len(reader.refused))
        yield _metric(both, f"n_missing_by_{place}", reader.missing)
        if reader.probabilities is not None:
            yield _metric(both, f"n_not_likeliest_by_{place}", reader.not_likeliest)
    unknown = sum(count for _, count in without_patient(both.first.units))
    yield _metric(both, "n_without_patient", unknown)


def _metrics(
    each: _Compared, adjusted: Mapping[str, AdjustedP], family: Family
) -> Iterator[Metric]:
    """Every difference, its p as it is and adjusted, and what McNemar's tests count."""
    for name, found in each.tests.items():
        if isinstance(found, Difference):
            status, test = found.status, found.test
        else:
            status, test = "no_interval" if np.isnan(found.low) else "ok", found.method
        yield _metric(
            each.pair,
            name,
            found.estimate,
            low=found.low,
            high=found.high,
            method=found.method,
            status=status,
        )
        over = f" over {family.n_tests} tests"
        for end, p, by in p_rows(found.p, adjusted[name], family=over):
            status = "undefined" if np.isnan(p) else "ok"
            yield _metric(each.pair, name + end, p, method=f"{test}{by}", status=status)
    yield from _own(each)
    any_ = next(iter(each.right.values()))
    yield _metric(each.pair, "n_first_only_right", any_.first_only)
    yield _metric(each.pair, "n_second_only_right", any_.second_only)


def _own(each: _Compared) -> Iterator[Metric]:
    """Each reader's own value of what is compared."""
    for name, found in each.differences.items():
        for place, reader, value in (
            ("first", each.pair.first, found.first),
            ("second", each.pair.second, found.second),
        ):
            metric = f"{name.removesuffix('_difference')}_of_{place}"
            status: Status = "undefined" if np.isnan(value) else "ok"
            row = _metric(each.pair, metric, value, method=OWN, status=status)
            yield replace(row, reader=reader.reader, group=ALL)


def _metric(
    both: Pair,
    name: str,
    value: float,
    *,
    low: float = _NAN,
    high: float = _NAN,
    method: str = "count",
    status: Status = "ok",
) -> Metric:
    return Metric(
        task=both.first.task.name,
        reader=both.first.reader,
        metric=name,
        cut=cut_of(both.first.task) if name.startswith("auc_") else None,
        group=f"minus={both.second.reader}",
        value=value,
        low=low,
        high=high,
        method=method,
        n_patients=len(np.unique(both.first.patients)),
        n_knees=both.both,
        status=status,
    )


def _title(name: str) -> str:
    return TITLES[name.removesuffix("_difference")]


def _interval(found: Difference | McNemar) -> str:
    said = interval(found.low, found.high)
    return f"{said}; {NO_WIDTH}" if found.low == found.high else said


def _signed(value: float) -> str:
    return NOT_ESTIMABLE if np.isnan(value) else f"{value:+.3f}"
