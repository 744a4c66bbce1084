"""Verdicts as every other report has its numbers: a page to open, and rows of counts."""

from collections import Counter
from collections.abc import Iterator, Sequence

from kellgren.statistics.claims.audit import Paper
from kellgren.statistics.claims.page import proviso, reason_of
from kellgren.statistics.claims.verdict import Outcome, Verdict
from kellgren.statistics.document import Document, Section, Table
from kellgren.statistics.metrics import ALL, Metric

TASK = "claims"
"""The task of these rows: nobody was asked about knees."""

_WORDS = (
    (
        "Every printed number was recomputed from others that the same paper prints; one with "
        "decimals stands for all that are rounded to it."
    ),
    (
        "Follows: the printed numbers, taken at their face, give it. Consistent: they give it "
        "within rounding only, or do not rule it out; nothing is wrong. Not checkable: what it "
        "takes is not printed, or the digits are too few. Contradicts: no numbers that are printed "
        "so give it, in any reading that the paper suggests."
    ),
    (
        "A contradiction says that two printed numbers cannot both be right as they stand, not "
        "which of them is wrong, nor why: most such things are slips of the pen."
    ),
    (
        "Every reading and every number recomputed stand in claims.md and claims.json beside this "
        "page."
    ),
)


def claims_document(papers: Sequence[Paper]) -> Document:
    """Return a page that counts the verdicts and shows every claim, contradictions first."""
    counts = Table(
        ("Paper", *(outcome.value.capitalize() for outcome in Outcome)),
        tuple((paper.name, *map(str, _counts(paper).values())) for paper in papers),
    )
    sections = [Section("How many follow", _WORDS, (counts,))]
    sections += [_section(paper) for paper in papers]
    return Document("Do the numbers follow?", tuple(sections))


def claims_metrics(papers: Sequence[Paper]) -> Iterator[Metric]:
    """How many claims each paper has, by verdict, and how many hold but not as printed."""
    for paper in papers:
        yield _count(paper, "n_claims", ALL, len(paper.verdicts))
        for outcome, count in _counts(paper).items():
            yield _count(paper, "n_claims", f"verdict={outcome}", count)
        otherwise = sum(bool(proviso(verdict)) for verdict in paper.verdicts)
        yield _count(paper, "n_not_as_printed", ALL, otherwise)


def _counts(paper: Paper) -> dict[Outcome, int]:
    counts = Counter(verdict.outcome for verdict in paper.verdicts)
    return {outcome: counts[outcome] for outcome in Outcome}


def _count(paper: Paper, metric: str, group: str, value: int) -> Metric:
    return Metric.without_interval(
        task=TASK,
        reader=paper.name,
        metric=metric,
        group=group,
        value=value,
        n_patients=0,
        n_knees=0,
    )


def _section(paper: Paper) -> Section:
    words = (f"{paper.title}. {paper.citation}", *([paper.note] if paper.note else []))
    # The worst first; of one word, as the file has them.
    verdicts = sorted(paper.verdicts, key=lambda verdict: -verdict.outcome.rank)
    table = Table(("Verdict", "Claim", "Where", "Why"), tuple(map(_row, verdicts)))
    return Section(paper.name, words, (table,))


def _row(verdict: Verdict) -> tuple[str, str, str, str]:
    where = f"{verdict.where}: “{verdict.quote}”" if verdict.quote else verdict.where
    why = f"{reason_of(verdict)} {verdict.note}" if verdict.note else reason_of(verdict)
    return verdict.outcome + proviso(verdict), verdict.says, where, why
