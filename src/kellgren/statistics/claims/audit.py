"""Files of claims become verdicts."""

from dataclasses import dataclass
from pathlib import Path

from kellgren.statistics.claims.document import Claim, Document, documents_in, read_document
from kellgren.statistics.claims.verdict import Verdict


@dataclass(frozen=True, slots=True)
class Paper:
    """A paper and what became of its claims.

    Parameters
    ----------
    name
        Short, such as ``tiulpin2018``.
    note
        What was read of it, or left out.
    """

    name: str
    title: str
    citation: str
    note: str
    verdicts: tuple[Verdict, ...]


def check_claims(path: Path | str) -> tuple[Verdict, ...]:
    """Check every claim of a file, or of all files of a folder.

    Parameters
    ----------
    path
        A ``.toml`` file, or a folder of such.

    Raises
    ------
    FileMissing, FileUnreadable, TableError
        As `read_papers`.
    """
    return tuple(verdict for paper in read_papers(path) for verdict in paper.verdicts)


def read_papers(path: Path | str) -> tuple[Paper, ...]:
    """Check every claim, paper by paper; a folder's files by name.

    Raises
    ------
    FileMissing, FileUnreadable
        A file is not there, or may not be read; or the folder holds none.
    TableError
        A file does not follow the layout.
    """
    return tuple(_paper(read_document(each)) for each in documents_in(Path(path)))


def _paper(document: Document) -> Paper:
    verdicts = tuple(_verdict(document.paper, claim) for claim in document.claims)
    return Paper(document.paper, document.title, document.citation, document.note, verdicts)


def _verdict(paper: str, claim: Claim) -> Verdict:
    return Verdict(
        paper=paper,
        says=claim.says,
        where=claim.where,
        quote=claim.quote,
        readings=tuple(reading for check in claim.readings for reading in check.readings()),
        note=claim.note,
    )
