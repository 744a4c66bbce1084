"""Verdicts as a page in Markdown, as text for a terminal, and as JSON."""

import json
import textwrap
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence

from kellgren.statistics.claims.audit import Paper
from kellgren.statistics.claims.verdict import Outcome, Reading, Row, Verdict

_FEW = 3
"""Rows that are listed one by one though all of them follow; chosen: what a glance takes in."""

_INTRODUCTION = """\
# Do the numbers follow?

<!-- Made by `kellgren audit claims`. Change the files of claims instead. -->

Every number in the column *printed* was recomputed from others that the same paper prints. A number
with decimals stands for all that are rounded to it: what was recomputed has a range, in brackets.

- **follows**: the printed numbers, taken at their face, give it.
- **consistent**: they give it within rounding only, or do not rule it out. Nothing is wrong.
- **not checkable**: what it takes is not printed, or the digits are too few.
- **contradicts**: no numbers that are printed so give it, in any reading that the paper suggests.

Where the words can be meant in more than one way, each way is a reading, and the best one decides.
The first reading is what the words say; *not as printed* means that it fails and another holds. A
reading in parentheses is suggested by nothing in the paper: it is shown, and decides nothing.

A contradiction says that two printed numbers cannot both be right as they stand. It does not say
which of them is wrong, nor why: most such things are slips of the pen.
"""


def claims_page(papers: Sequence[Paper]) -> str:
    """Return a page that counts the verdicts, lists what does not hold, and shows every claim."""
    verdicts = [verdict for paper in papers for verdict in paper.verdicts]
    wrong = [v for v in verdicts if v.outcome is Outcome.CONTRADICTS]
    elsewise = [v for v in verdicts if proviso(v)]
    parts = [
        _INTRODUCTION,
        _counts(papers),
        *_list("What contradicts", wrong),
        *_list("What holds, but not as printed", elsewise),
        *(_section(paper) for paper in papers),
    ]
    return "\n".join(parts)


def describe_claims(verdicts: Sequence[Verdict], *, width: int = 100) -> str:
    """Return one paragraph a claim, paper by paper, and the counts at the end."""
    lines: list[str] = []
    margin = max(len(outcome) for outcome in Outcome) + 2
    for paper in dict.fromkeys(verdict.paper for verdict in verdicts):
        lines += [paper, ""]
        for verdict in verdicts:
            if verdict.paper != paper:
                continue
            text = f"{_flat(verdict.says)}{proviso(verdict)}. {reason_of(verdict)}"
            begin = "  " + verdict.outcome.value.ljust(margin)
            lines.append(
                textwrap.fill(
                    text,
                    width,
                    initial_indent=begin,
                    subsequent_indent=" " * len(begin),
                    break_long_words=False,
                    break_on_hyphens=False,
                )
            )
        lines.append("")
    counts = Counter(verdict.outcome for verdict in verdicts)
    lines.append(", ".join(f"{counts[outcome]} {outcome.value}" for outcome in Outcome))
    return "\n".join(lines)


def claims_json(verdicts: Iterable[Verdict]) -> str:
    """Return a list of objects: the claim, its verdict, and every reading with its rows."""
    content = [
        {
            "paper": verdict.paper,
            "says": verdict.says,
            "where": verdict.where,
            "quote": verdict.quote,
            "outcome": verdict.outcome.value,
            "as_printed": verdict.as_printed,
            "note": verdict.note,
            "readings": [
                {
                    "name": reading.name,
                    "stretched": reading.stretched,
                    "outcome": reading.outcome.value,
                    "rows": [
                        {
                            "name": row.name,
                            "published": row.published,
                            "recomputed": row.recomputed,
                            "outcome": row.outcome.value,
                            "note": row.note,
                        }
                        for row in reading.rows
                    ],
                }
                for reading in verdict.readings
            ],
        }
        for verdict in verdicts
    ]
    return json.dumps(content, indent=2, ensure_ascii=False) + "\n"


def _list(heading: str, verdicts: Sequence[Verdict]) -> Iterator[str]:
    if verdicts:
        lines = (f"- {v.paper}: {_cell(v.says)}. {_cell(reason_of(v))}" for v in verdicts)
        yield f"## {heading}\n\n" + "\n".join(lines) + "\n"


def _counts(papers: Sequence[Paper]) -> str:
    lines = ["| paper | " + " | ".join(Outcome) + " |", "|---|" + "---:|" * len(Outcome)]
    for paper in papers:
        counts = Counter(verdict.outcome for verdict in paper.verdicts)
        cells = " | ".join(str(counts[outcome]) for outcome in Outcome)
        lines.append(f"| [{paper.name}](#{paper.name.lower()}) | {cells} |")
    return "\n".join(lines) + "\n"


def _section(paper: Paper) -> str:
    head = f"## {paper.name}\n\n{_flat(paper.title)}. {_flat(paper.citation)}\n"
    if paper.note:
        head += f"\n{_flat(paper.note)}\n"
    lines = ["| claim | where | printed | recomputed | verdict |", "|---|---|---|---|---|"]
    for verdict in paper.verdicts:
        lines += _lines(verdict)
    return head + "\n" + "\n".join(lines) + "\n"


def _lines(verdict: Verdict) -> Iterator[str]:
    claim = _cell(verdict.says) + (f"<br>*{_cell(verdict.note)}*" if verdict.note else "")
    where = _cell(verdict.where) + (f": “{_cell(verdict.quote)}”" if verdict.quote else "")
    decided = f"**{verdict.outcome}**" + proviso(verdict)
    first, *others = verdict.readings
    if not others and not first.name and len(first.rows) == 1:
        (row,) = first.rows
        yield _line(claim, where, _cell(row.published), _recomputed(row), decided)
        return
    yield _line(claim, where, "", "", decided)
    if others and all(reading.outcome is Outcome.FOLLOWS for reading in verdict.readings):
        yield from _of_reading(first)
        yield _line(f"– {len(others)} other readings", "", "", "", Outcome.FOLLOWS.value)
        return
    for reading in verdict.readings:
        yield from _of_reading(reading)


def _of_reading(reading: Reading) -> Iterator[str]:
    """Rows one by one, but for many that follow, and for many that have one good word in common."""
    outcome = reading.outcome
    quiet = {Outcome.FOLLOWS}
    if outcome is Outcome.CONSISTENT and all(row.outcome is outcome for row in reading.rows):
        quiet.add(outcome)
    shown = [row for row in reading.rows if row.outcome not in quiet]
    hidden = len(reading.rows) - len(shown)
    if len(reading.rows) <= _FEW:
        shown, hidden = list(reading.rows), 0
    if hidden:
        name = f"{hidden} of {len(reading.rows)}" if shown else f"all {hidden}"
        word = Outcome.FOLLOWS if shown else outcome
        yield _line(_indented(reading, name), "", "", "", word.value)
    for row in shown:
        name = _indented(reading, row.name)
        yield _line(name, "", _cell(row.published), _recomputed(row), row.outcome.value)


def _indented(reading: Reading, row: str) -> str:
    name = ": ".join(_cell(part) for part in (reading.name, row) if part)
    return f"– ({name})" if reading.stretched else f"– {name}"


def _recomputed(row: Row) -> str:
    return _cell("; ".join(part for part in (row.recomputed, row.note) if part))


def reason_of(verdict: Verdict) -> str:
    """What decides, in a sentence; where the first reading fails and another holds, in two."""
    plausible = [reading for reading in verdict.readings if not reading.stretched]
    best = min(plausible, key=lambda reading: reading.outcome.rank)
    if verdict.outcome is Outcome.CONTRADICTS:
        others = f"; none of {len(plausible)} readings gives it" if len(plausible) > 1 else ""
        return _sentence(plausible[0]) + others + "."
    if proviso(verdict):
        return f"{_sentence(plausible[0])}. Another reading, {best.name}: {best.outcome}."
    return _sentence(best) + "."


def _sentence(reading: Reading) -> str:
    """Its worst row."""
    row = max(reading.rows, key=lambda row: row.outcome.rank)
    found = f"printed {row.published}, recomputed {row.recomputed}" if row.recomputed else row.note
    under = f"as {reading.name}: " if reading.name else ""
    of = f"{row.name}: " if row.name else ""
    many = f" ({len(reading.rows)} numbers)" if len(reading.rows) > 1 else ""
    text = under + of + found + many
    return text[:1].upper() + text[1:]


def proviso(verdict: Verdict) -> str:
    """What is added to the word for a claim that holds, but not as the paper says."""
    holds_otherwise = verdict.outcome is not Outcome.CONTRADICTS and not verdict.as_printed
    return ", not as printed" if holds_otherwise else ""


def _line(*cells: str) -> str:
    return "| " + " | ".join(cells) + " |"


def _flat(text: str) -> str:
    return " ".join(text.split())


def _cell(text: str) -> str:
    return _flat(text).replace("|", "\\|")
