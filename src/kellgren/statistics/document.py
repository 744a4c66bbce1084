"""A report of numbers before it is text or a page: titled sections of words, tables and figures."""

import html
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from importlib import resources
from pathlib import Path
from string import Template
from urllib.parse import quote

from kellgren.files import write_atomically
from kellgren.records import RESEARCH_USE

POLICY = "default-src 'none'; img-src 'self' data:; style-src 'unsafe-inline'"
"""What a page may do: show pictures that lie beside it, and nothing else."""


@dataclass(frozen=True, slots=True)
class Table:
    """Cells of text below their heads."""

    head: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]
    caption: str = ""

    def __post_init__(self) -> None:
        if any(len(row) != len(self.head) for row in self.rows):
            raise ValueError(f"a row of {self.caption!r} has not {len(self.head)} cells")


@dataclass(frozen=True, slots=True)
class Picture:
    """A figure's file, relative to the page, and what it shows in words."""

    file: str
    words: str


@dataclass(frozen=True, slots=True)
class Section:
    """A heading and what stands below it, in the order words, tables, pictures."""

    title: str
    words: tuple[str, ...] = ()
    tables: tuple[Table, ...] = ()
    pictures: tuple[Picture, ...] = ()


@dataclass(frozen=True, slots=True)
class Document:
    """A whole report.

    Parameters
    ----------
    warnings
        What a reader must know before he believes a number.
    """

    title: str
    sections: tuple[Section, ...]
    warnings: tuple[str, ...] = field(default=())

    def text(self) -> str:
        """For a terminal: everything but the pictures."""
        parts = [self.title, *(f"! {warning}" for warning in self.warnings)]
        for section in self.sections:
            parts.append(f"{section.title}\n{'-' * len(section.title)}")
            parts += section.words
            parts += [_plain(table) for table in section.tables]
        return "\n\n".join(parts)

    def write(self, path: Path) -> None:
        """Write the page, ``report.html``; the same document gives the same bytes."""
        room = resources.files("kellgren.reporting")
        page = Template(room.joinpath("page.html").read_text("utf-8"))
        style = room.joinpath("report.css").read_text("utf-8")
        title = html.escape(self.title)
        with write_atomically(path) as stream:
            stream.write(
                page.substitute(
                    policy=POLICY,
                    page_title=f"{title} · kellgren",
                    style=style,
                    title=title,
                    notice=html.escape(RESEARCH_USE),
                    pager="",
                    body="\n".join(_body(self)),
                )
            )


def _body(document: Document) -> Iterator[str]:
    for warning in document.warnings:
        yield f'<p class="banner">{html.escape(warning)}</p>'
    for section in document.sections:
        yield f"<section>\n<h2>{html.escape(section.title)}</h2>"
        for words in section.words:
            yield f"<p>{html.escape(words)}</p>"
        for table in section.tables:
            yield from _table(table)
        if section.pictures:
            yield '<div class="figures">'
            for picture in section.pictures:
                words, file = html.escape(picture.words), quote(picture.file)
                yield (
                    f'<figure><a href="{file}"><img src="{file}" alt="{words}"></a>'
                    f"<figcaption>{words}</figcaption></figure>"
                )
            yield "</div>"
        yield "</section>"


def _table(table: Table) -> Iterator[str]:
    yield '<div class="scroll"><table>'
    if table.caption:
        yield f"<caption>{html.escape(table.caption)}</caption>"
    yield f"<thead><tr>{_cells('th', table.head)}</tr></thead>"
    yield "<tbody>"
    for row in table.rows:
        yield f"<tr>{_cells('td', row)}</tr>"
    yield "</tbody></table></div>"


def _cells(tag: str, cells: Sequence[str]) -> str:
    return "".join(f"<{tag}>{html.escape(cell)}</{tag}>" for cell in cells)


def _plain(table: Table) -> str:
    rows: Sequence[Sequence[str]] = (table.head, *table.rows)
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    lines = [
        "  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip()
        for row in rows
    ]
    return "\n".join([table.caption, *lines] if table.caption else lines)
