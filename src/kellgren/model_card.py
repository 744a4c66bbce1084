"""A model card: what a bundle says of itself, and what was measured."""

from collections.abc import Iterator, Sequence
from pathlib import Path

from kellgren.files import write_atomically
from kellgren.grading import Bundle
from kellgren.statistics.metrics import ALL
from kellgren.statistics.questions import cut_of
from kellgren.statistics.reports.selection import Selection
from kellgren.statistics.reports.writing import CARD_MARK, TITLES, interval, number
from kellgren.statistics.summary import Summary

_SHOWN = (
    "quadratic_kappa",
    "accuracy",
    "balanced_accuracy",
    "mean_absolute_error",
    "auc",
    "expected_calibration_error",
    "set_coverage",
    "mean_set_size",
)


def write_card(bundle: Bundle, summaries: Sequence[Summary], looked: Selection, path: Path) -> None:
    """Write a card in Markdown (after Mitchell 2019, doi:10.1145/3287560.3287596).

    Of the summaries those of the bundle's own answers are shown.
    """
    own = f"model:{bundle.record.name}@{bundle.record.version}"
    summaries = [summary for summary in summaries if summary.reader == own]
    with write_atomically(path) as stream:
        stream.write("\n".join(_lines(bundle, summaries, looked)) + "\n")


def _lines(bundle: Bundle, summaries: Sequence[Summary], looked: Selection) -> Iterator[str]:
    record = bundle.record
    yield f"# {record.name} {record.version}"
    yield ""
    yield f"{CARD_MARK}`{bundle.sha256}`."
    yield ""
    yield "## What it is"
    yield ""
    members = f"{len(record.members)} networks" if len(record.members) > 1 else "One network"
    yield f"{members} of `{record.system}`, {record.fidelity}, {record.variant}" + (
        f" (doi:{record.doi})." if record.doi else "."
    )
    if record.taught_by:
        yield f"Taught by `{record.taught_by}` beside the truth."
    yield ""
    yield "## What it is for"
    yield ""
    yield record.statement_of_use
    yield ""
    yield f"Limits: {record.limits}"
    yield ""
    yield "## What it learned from"
    yield ""
    for source in record.trained_on:
        counts = ", ".join(f"{name} {count}" for name, count in source.counts.items())
        yield f"- {source.name} ({source.kind}, {source.licence}): {counts}. {source.source}."
    yield ""
    yield f"## What was measured ({looked.role})"
    for summary in summaries:
        yield ""
        yield f"{summary.task.title}, {summary.metric('n').value:.0f} knees of "
        yield f"{summary.metric('n_patients').value:.0f} patients; intervals: "
        yield f"{summary.metric('accuracy').method}."
        yield ""
        yield "| | value | interval |"
        yield "|---|---|---|"
        for row in summary.metrics:
            disease = row.cut in {None, cut_of(summary.task)}
            if row.metric in _SHOWN and row.group == ALL and disease:
                said = interval(row.low, row.high)
                yield f"| {TITLES[row.metric]} | {number(row.value)} | {said} |"
        yield ""
        yield "| true grade | recall | interval | knees |"
        yield "|---|---|---|---|"
        for grade, label in enumerate(summary.task.classes):
            row = summary.metric("recall", group=f"grade={grade}")
            said = interval(row.low, row.high)
            yield f"| {label} | {number(row.value)} | {said} | {row.n_knees} |"
    yield ""
    yield from looked.words
