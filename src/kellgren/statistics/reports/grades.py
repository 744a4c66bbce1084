"""Which knees were compared, and how good the grades are: over all of them, and grade by grade."""

from collections import Counter
from collections.abc import Iterator
from dataclasses import replace

from kellgren.statistics.bootstrap import FEWEST, method
from kellgren.statistics.document import Section, Table
from kellgren.statistics.figures import confusion_figure
from kellgren.statistics.join import Joined
from kellgren.statistics.metrics import ALL, Metric
from kellgren.statistics.questions import cut_of
from kellgren.statistics.reports.confusion import confusion_table
from kellgren.statistics.reports.measured import Measured
from kellgren.statistics.reports.units import counted
from kellgren.statistics.reports.writing import (
    TITLES,
    Writer,
    basis,
    from_cut,
    interval,
    number,
    table_of,
)

_ELSEWHERE = frozenset(
    {
        *("recall", "set_coverage", "mean_set_size", "sensitivity", "specificity", "youden"),
        *("adjacent", "extreme"),
    }
)
"""What other tables show."""

_ERRORS = (
    ("Not at all", "accuracy", "n_errors", "distance=0"),
    ("One grade", "adjacent", "n_errors", "distance=1"),
    ("Two grades or more", "extreme", "n_extreme", ALL),
)
"""How large an error is, and the metrics of the share and of the count of such."""


def grades_sections(found: Measured, writer: Writer) -> Iterator[Section]:
    """The first sections on a reader and task: overall, and grade by grade."""
    title = f"{found.task.title}, {found.both.reader}"
    words = (_compared(found), *_matched(found), *likeliest_words(found.both), _intervals(found))
    if not len(found.both.truth):
        yield Section(title, words, (_overall(found),))
        return
    yield Section(title, words, (_overall(found), *_errors(found)))
    confusion = found.summary.confusion
    figure = confusion_figure(confusion, task=found.task, reader=found.both.reader)
    name = found.figure_name("confusion")
    pictures = (writer.draw(figure, name, "Counts and shares of each row"),)
    caption = "Knees, and their share of the true grade"
    counts = confusion_table(confusion, found.task.classes, corner="True \\ given", caption=caption)
    yield Section("Grade by grade", (), (_recalls(found), counts), pictures)


def _compared(found: Measured) -> str:
    both = found.both
    refusals = ", ".join(f"{code} {n}" for code, n in sorted(Counter(both.refused).items()))
    codes = f" ({refusals})" if refusals else ""
    return (
        f"{counted(both.patients, both.units)}; "
        f"{both.missing} labelled knees have no answer, {len(both.refused)} were "
        f"refused{codes}, {both.unlabelled} have no label, {both.unmatched} answers are about "
        "no labelled knee. All numbers are of the knees compared: one without a grade counts "
        "neither as right nor as wrong."
    )


def _matched(found: Measured) -> Iterator[str]:
    if found.by_name:
        yield (
            f"{found.by_name} answers were matched to the truth by file name, as it calls their "
            "knees otherwise."
        )


def likeliest_words(both: Joined) -> Iterator[str]:
    """What to know of a reader whose grades are not always the likeliest of his probabilities."""
    if both.not_likeliest:
        yield (
            f"{both.not_likeliest} of {len(both.truth)} grades of {both.reader} are not the most "
            "probable ones of their own probabilities. That is as it should be where thresholds "
            "or biases were set on purpose, and else a slip of the table. Agreement and errors are "
            "of the grades, curves and areas of the probabilities."
        )


def _intervals(found: Measured) -> str:
    settings = found.settings
    drawn = method(resamples=settings.resamples, stratified=settings.stratified)
    return (
        f"Intervals: {drawn}; a patient brings all knees and visits, and fewer than {FEWEST} "
        "patients have no interval."
    )


def _overall(found: Measured) -> Table:
    rows = [
        replace(row, metric=f"{TITLES[row.metric]}, {from_cut(found.task, row.cut)}")
        if row.cut
        else row
        for name in TITLES
        if name not in _ELSEWHERE
        for row in _rows(found, name)
    ]
    return table_of(rows)


def _errors(found: Measured) -> Iterator[Table]:
    """How many answers are off by how much, for a task with an order."""
    rows = tuple(
        (
            *(name, f"{count.value:.0f}", number(share.value)),
            *(interval(share.low, share.high), basis(share)),
        )
        for name, shares, counts, group in _ERRORS
        for count in _rows(found, counts, group=group)
        for share in _rows(found, shares)
    )
    if rows:
        head = ("", "Count", "Share", "95 % interval", "Knees")
        yield Table(head, rows, "How far off the answers are")


def _recalls(found: Measured) -> Table:
    rows = [
        replace(row, metric=f"Recall of {label}")
        for grade, label in enumerate(found.task.classes)
        for row in _rows(found, "recall", group=f"grade={grade}")
    ]
    return table_of(rows)


def _rows(found: Measured, name: str, *, group: str = ALL) -> list[Metric]:
    """A metric's rows, of those with a cut that of disease."""
    cuts = {None, cut_of(found.task)}
    return [
        row
        for row in found.summary.metrics
        if row.metric == name and row.group == group and row.cut in cuts
    ]
