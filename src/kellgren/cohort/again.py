"""What a journal has of a film, where the film and what is said of it are still the same."""

import hashlib
from pathlib import Path

from kellgren import errors
from kellgren.cohort.journal import Journal
from kellgren.cohort.said import difference
from kellgren.imaging import read_bytes
from kellgren.pipeline import Film
from kellgren.records import FilmResult


def finished(journal: Journal, film: Film, *, keep_ids: bool = False) -> FilmResult | None:
    """The result of a film that needs no second try; None for one that is still to be done.

    Raises
    ------
    JournalMismatch
        The file, or what is said of it, is another than when it was finished.
    """
    result = journal.finished(film.source)
    if result is None:
        return None
    if _sha256(film.path) != result.sha256:
        raise errors.JournalMismatch(
            f"{film.source}: has changed since it was finished. Put the old file back, or choose "
            "another output folder."
        )
    different = difference(film, result, keep_ids=keep_ids)
    if different is not None:
        raise errors.JournalMismatch(
            f"{film.source}: was begun with another {different}. Give the same laterality, "
            "boxes, spacing and manifest, or another output folder."
        )
    return result


def _sha256(path: Path) -> str | None:
    try:
        return hashlib.sha256(read_bytes(path)).hexdigest()
    except (errors.FileEmpty, errors.PictureTooLarge):
        return None  # as in the result of a file whose bytes were not read
