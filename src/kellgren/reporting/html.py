"""``report.html``: what a person opens first, from disk, without a network or a script."""

import base64
import hashlib
import html
import re
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from importlib import resources
from pathlib import Path, PurePosixPath
from string import Template
from urllib.parse import quote

from kellgren.anatomy import KL
from kellgren.files import write_atomically
from kellgren.records import RESEARCH_USE, BundleReference, FilmResult, Knee
from kellgren.reporting.entries import Entry, entries
from kellgren.reporting.overlay import HEIGHT, SYNTHETIC_WORDS, WIDTH
from kellgren.reporting.wording import (
    SIDE_WORDS,
    class_words,
    coverage_words,
    explained,
    percent,
    prediction_of,
    printable,
    set_words,
    task_of,
)

KNEES_PER_PAGE = 50
"""Chosen: overlays of 0.3 MB each, so that a page loads 15 MB at most when scrolled to its end."""

REFUSALS_PER_PAGE = 50
"""Chosen: as for knees, since each may have its film's overlay beside it."""

THUMBNAIL_PX = 160
"""Chosen: wide enough to see which film it is, and that a knee is on it."""

GENERATOR_MARK = '<meta name="generator" content="kellgren">'


@dataclass(frozen=True, slots=True)
class _Page:
    number: int
    knees: Sequence[Entry]
    refusals: Sequence[Entry]


def write_report(
    results: Iterable[FilmResult],
    folder: Path,
    *,
    title: str,
    knees_per_page: int = KNEES_PER_PAGE,
    refusals_per_page: int = REFUSALS_PER_PAGE,
) -> Path:
    """Write ``report.html`` and, for many knees, ``report-2.html`` and so on beside it.

    A summary, one card a knee with its overlay, then what was not graded, why, what to do, and the
    film where it could be decoded. No page needs a script or anything from outside the folder, and
    each forbids both. The same results give the same bytes; pages of an earlier, longer report are
    removed.

    Parameters
    ----------
    results
        In any order; shown by source, then laterality.
    folder
        Where ``attention_png`` of the knees and ``film_png`` of the films are relative to.
    title
        The heading.
    knees_per_page, refusals_per_page
        How long a page becomes.

    Returns
    -------
    Path
        Of ``report.html``.
    """
    lines = entries(results)
    pages = _paginate(lines, knees_per_page, refusals_per_page)
    # The first page last: whoever finds it new finds all it links to.
    for page in reversed(pages):
        with write_atomically(folder / _file_name(page.number)) as stream:
            stream.write(_render(page, pages, lines, title))
    _remove_stale(folder, len(pages))
    return folder / _file_name(1)


def _paginate(lines: Sequence[Entry], knees_per_page: int, refusals_per_page: int) -> list[_Page]:
    graded = [line for line in lines if line.graded]
    refused = [line for line in lines if not line.graded]
    knees = _chunks(graded, knees_per_page) or [[]]
    refusals = _chunks(refused, refusals_per_page) or [[]]
    # Refusals begin below the last knees.
    parts: list[tuple[Sequence[Entry], Sequence[Entry]]] = [(chunk, ()) for chunk in knees[:-1]]
    parts.append((knees[-1], refusals[0]))
    parts += [((), chunk) for chunk in refusals[1:]]
    return [_Page(number, *part) for number, part in enumerate(parts, start=1)]


def _chunks(lines: Sequence[Entry], size: int) -> list[Sequence[Entry]]:
    return [lines[start : start + size] for start in range(0, len(lines), size)]


def _file_name(number: int) -> str:
    return "report.html" if number == 1 else f"report-{number}.html"


def _remove_stale(folder: Path, count: int) -> None:
    """Delete pages after the last one, as far as they are ours."""
    number = count + 1
    while (path := folder / _file_name(number)).is_file():
        if GENERATOR_MARK not in path.read_text(encoding="utf-8", errors="replace"):
            return
        path.unlink()
        number += 1


def _render(page: _Page, pages: Sequence[_Page], lines: Sequence[Entry], title: str) -> str:
    style = "\n" + _packaged("report.css")
    digest = base64.b64encode(hashlib.sha256(style.encode()).digest()).decode()
    # 'self' is for a report behind a web server; some browsers do not count files as 'self'.
    policy = (
        f"default-src 'none'; img-src 'self' file:; style-src 'sha256-{digest}'; "
        "base-uri 'none'; form-action 'none'"
    )
    body = [_synthetic_banner(lines)]
    if page.number == 1:
        body.append(_summary(pages, lines))
    if page.knees:
        body += ['<h2 id="knees">Knees</h2>', *(_card(entry) for entry in page.knees)]
    if page.refusals:
        body.append(_refusals(page.refusals))
    of_pages = f", page {page.number} of {len(pages)}" if len(pages) > 1 else ""
    return Template(_packaged("page.html")).substitute(
        policy=policy,
        style=style,
        title=_text(title),
        page_title=_text(title) + of_pages,
        pager=_pager(page, pages),
        body="\n".join(part for part in body if part),
        notice=_text(RESEARCH_USE),
    )


def _packaged(name: str) -> str:
    return resources.files("kellgren.reporting").joinpath(name).read_text(encoding="utf-8")


def _text(text: str) -> str:
    """Anyone's text, for between tags or inside quoted attributes."""
    return html.escape(printable(text))


def _advice(text: str) -> str:
    """What happened and what to do; options of the command line stand out, and are not broken."""
    return re.sub(r"(?<!\S)--[a-z][a-z-]*", r"<code>\g<0></code>", _text(text))


def _pager(page: _Page, pages: Sequence[_Page]) -> str:
    if len(pages) == 1:
        return ""
    links, previous = [], 0
    for number in sorted(_numbers_shown(page.number, len(pages))):
        if number > previous + 1:
            links.append("<span>…</span>")
        if number == page.number:
            links.append(f'<span aria-current="page">{number}</span>')
        else:
            links.append(f'<a href="{_file_name(number)}">{number}</a>')
        previous = number
    return f'<nav class="pager" aria-label="Pages"><span>Page</span>{"".join(links)}</nav>'


def _numbers_shown(current: int, count: int) -> set[int]:
    # The ends and three neighbours either side: a cohort may have hundreds of pages.
    return {1, count} | set(range(max(1, current - 3), min(count, current + 3) + 1))


def _synthetic_banner(lines: Sequence[Entry]) -> str:
    if not any(line.result.synthetic for line in lines):
        return ""
    return (
        f'<p class="banner"><strong>{_text(SYNTHETIC_WORDS)}.</strong> The films so marked are '
        "phantoms, or their bundle learned from phantoms only.</p>"
    )


def _summary(pages: Sequence[_Page], lines: Sequence[Entry]) -> str:
    graded = [line for line in lines if line.graded]
    films = len({line.result.source for line in lines})
    counts = (
        (films, "film" if films == 1 else "films"),
        (len(graded), "knee graded" if len(graded) == 1 else "knees graded"),
        (len(lines) - len(graded), "not graded"),
    )
    tiles = "".join(f"<div><dt>{words}</dt><dd>{count}</dd></div>" for count, words in counts)
    films_panel = f'<h2>Films</h2><dl class="counts">{tiles}</dl>{_facts(lines)}'
    panels = [f'<section class="panel">{films_panel}</section>']
    kl = [answer for line in graded if line.knee and (answer := prediction_of(line.knee, KL))]
    if kl:
        chart = _distribution(Counter(answer.grade for answer in kl))
        panels.append(f'<section class="panel"><h2>{_text(KL.title)}</h2>{chart}</section>')
    codes = Counter(line.status for line in lines if not line.graded)
    if codes:
        where = next(_file_name(page.number) for page in pages if page.refusals)
        rows = "".join(
            f'<tr><td><code>{_text(code)}</code></td><td class="number">{count}</td></tr>'
            for code, count in sorted(codes.items())
        )
        panels.append(
            '<section class="panel"><h2>Not graded, by code</h2>'
            f'<table>{rows}</table><p class="more"><a href="{where}#not-graded">Why, film by film'
            "</a></p></section>"
        )
    return f'<div class="summary">{"".join(panels)}</div>'


def _distribution(counts: Counter[int]) -> str:
    """How many knees have which most probable grade, as an upright bar chart."""
    step, top, base = 64, 22, 122
    most = max(counts.values())
    bars = [f'<line x1="0" y1="{base}.5" x2="{step * len(KL.classes)}" y2="{base}.5"/>']
    for grade in range(len(KL.classes)):
        height = round((base - top) * counts[grade] / most)
        middle = step * grade + step // 2
        bars.append(
            f'<rect x="{middle - 21}" y="{base - height}" width="42" height="{height}"/>'
            f'<text x="{middle}" y="{base - height - 7}">{counts[grade]}</text>'
            f'<text class="label" x="{middle}" y="{base + 20}">{class_words(KL, grade)}</text>'
        )
    words = ", ".join(f"{class_words(KL, grade)}: {counts[grade]}" for grade in sorted(counts))
    width, height = step * len(KL.classes), base + 28
    return (
        f'<svg class="distribution" viewBox="0 0 {width} {height}" width="{width}" '
        f'height="{height}" role="img" aria-label="Knees by most probable grade. {words}">'
        f"{''.join(bars)}</svg>"
    )


def _facts(lines: Sequence[Entry]) -> str:
    """Which bundles spoke, and when."""
    graders = dict.fromkeys(line.result.bundle for line in lines)
    localisers = dict.fromkeys(r.localiser for r in (line.result for line in lines) if r.localiser)
    facts = [f"Graded by {_bundle(bundle)}" for bundle in graders]
    facts += [f"Localised by {_bundle(bundle)}" for bundle in localisers]
    times = sorted({line.result.created for line in lines})
    if times:
        span = times[0] if len(times) == 1 else f"{times[0]} to {times[-1]}"
        facts.append(f"Created {_text(span)}")
    return '<div class="facts quiet">' + "".join(f"<p>{fact}</p>" for fact in facts) + "</div>"


def _bundle(bundle: BundleReference) -> str:
    return (
        f"{_text(bundle.name)}@{_text(bundle.version)}, sha256 "
        f"<code>{_text(bundle.sha256[:16])}…</code>"
    )


def _card(entry: Entry) -> str:
    knee, source = entry.knee, _text(entry.result.source)
    if knee is None:
        raise ValueError(f"{entry.result.source!r} has no knee to show")
    kl = prediction_of(knee, KL)
    grade, spoken = "", "graded"
    if kl is not None:
        members = f"{coverage_words(kl)}: {set_words(KL, kl.set)}"
        best = class_words(KL, kl.grade)
        spoken = f"most probable {best}, {members}"
        expected = "" if kl.expected is None else f", expected {kl.expected:.2f}"
        grade = (
            f'<p class="grade"><strong>{best}</strong> '
            f'<span class="quiet">{percent(kl.probabilities[kl.grade])}{expected}</span>'
            f'<span class="set">{_text(members)}</span></p>'
        )
    side = _text(SIDE_WORDS[knee.laterality])
    name = f'<span class="name">{source}</span>'
    if entry.result.synthetic:
        name += ' <span class="synthetic">SYNTHETIC</span>'
    film = _film_link(entry.result)
    if film is not None:
        name += f' <a class="film" href="{film}">whole film</a>'
    # The caption repeats the picture's words, as text that can be searched and copied.
    parts = [
        _picture(knee, f"{side} of {source}: {_text(spoken)}"),
        f'<div class="caption"><h3>{side} {name}</h3>{grade}</div>',
        _further_tasks(entry, knee),
    ]
    if entry.warnings:
        items = "".join(
            f"<li>Warning: {_advice(explained(warning))}</li>" for warning in entry.warnings
        )
        parts.append(f'<ul class="warnings">{items}</ul>')
    return f'<article class="knee">{"".join(parts)}</article>'


def _picture(knee: Knee, words: str) -> str:
    link = None if knee.attention_png is None else _inside(knee.attention_png)
    if link is None:
        return ""
    return (
        f'<a href="{link}"><img src="{link}" alt="{words}" width="{WIDTH}" height="{HEIGHT}" '
        'loading="lazy"></a>'
    )


def _film_link(result: FilmResult) -> str | None:
    return None if result.film_png is None else _inside(result.film_png)


def _thumbnail(result: FilmResult) -> str:
    link = _film_link(result)
    if link is None:
        return '<span class="quiet">no picture</span>'
    words = f"{_text(result.source)}, not graded"
    return (
        f'<a href="{link}"><img class="thumbnail" src="{link}" alt="{words}" '
        f'width="{THUMBNAIL_PX}" loading="lazy"></a>'
    )


def _inside(path: str) -> str | None:
    """A path as a link, unless it leads out of the folder."""
    parts = PurePosixPath(path)
    if parts.is_absolute() or ".." in parts.parts or "\\" in path:
        return None
    # Everything but letters, digits and "/" is encoded: no scheme, query or quote is left.
    return quote(path, errors="surrogateescape")


def _further_tasks(entry: Entry, knee: Knee) -> str:
    """The answers beside KL: of this knee, then of its image and examination."""
    result = entry.result
    answers = {**knee.grades, **result.image_grades, **result.exam_grades}
    answers.pop(KL.name, None)
    if not answers:
        return ""
    rows = []
    for name, answer in answers.items():
        task = task_of(name, answer)
        rows.append(
            f"<tr><td>{_text(task.title)}</td><td>{_text(class_words(task, answer.grade))}</td>"
            f"<td>{percent(answer.probabilities[answer.grade])}</td>"
            f"<td>{_text(coverage_words(answer))}: {_text(set_words(task, answer.set))}</td></tr>"
        )
    head = "<tr><th>Task</th><th>Most probable</th><th>Probability</th><th>Set</th></tr>"
    return f'<div class="scroll"><table>{head}{"".join(rows)}</table></div>'


def _refusals(lines: Sequence[Entry]) -> str:
    rows = []
    for line in lines:
        side = f", {SIDE_WORDS[line.knee.laterality].lower()}" if line.knee else ""
        rows.append(
            f"<tr><td>{_thumbnail(line.result)}</td>"
            f'<td class="name">{_text(line.result.source)}{_text(side)}</td>'
            f"<td><code>{_text(line.status)}</code></td><td>{_advice(line.message)}</td></tr>"
        )
    return (
        '<h2 id="not-graded">Not graded</h2><div class="panel"><table class="refusals">'
        "<tr><th>Film</th><th>Name</th><th>Code</th><th>What happened, and what to do</th></tr>"
        f"{''.join(rows)}</table></div>"
    )
