"""Knees that were found and what a table says of them, joined by side; and all that is left over.

Every knee found, and every answer of the table, is in the new manifest or among the rejects.
"""

import csv
import math
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from types import MappingProxyType
from typing import Final

from kellgren import errors
from kellgren.anatomy import Laterality
from kellgren.cohort.listed import Listed
from kellgren.datasets.table import Row
from kellgren.files import write_atomically
from kellgren.localise.sides import CONFLICT
from kellgren.pipeline import UNKNOWN_SIDE
from kellgren.records import FilmResult, Knee
from kellgren.reporting.tables import safe_cell
from kellgren.reporting.wording import GATE_WORDS, printable

NO_TRUTH: Final = "NO_TRUTH"
"""A knee was found, and the table has no answer for it. The one code that costs nothing."""

WHAT_TO_DO: Final[Mapping[str, str]] = MappingProxyType(
    {
        **{str(code): words for code, words in GATE_WORDS.items()},
        "NO_KNEE": (
            "No knee was found there. Look at the film, and say where the knee is with --boxes."
        ),
        "REGION_CUT": "Too little of the knee's region lies on the film to learn from.",
        UNKNOWN_SIDE: (
            "Nobody says which side this is. Fill in 'laterality' in the table, or give a box "
            "with its side."
        ),
        CONFLICT: (
            "Table, file and film do not agree on the side. Look at the film, and give a box with "
            "its side."
        ),
        NO_TRUTH: "Its region was cut; the table has no answer for it.",
    }
)
"""What each code means for a training cohort; errors bring their own sentence."""

_COLUMNS: Final = ("source", "laterality", "code", "what_to_do")


@dataclass(frozen=True, slots=True)
class Reject:
    """A film, a knee or an answer that did not become a labelled region, and why.

    ``laterality`` is None where it is about the film.
    """

    source: str
    laterality: Laterality | None
    code: str
    what_to_do: str


@dataclass(frozen=True, slots=True)
class RegionFile:
    """Where a region stands, relative to the new manifest, and the SHA-256 of its bytes."""

    path: str
    sha256: str


def refusal(knee: Knee, knees: Sequence[Knee]) -> str | None:
    """The code of a knee that cannot be learned from; None for one that can.

    Parameters
    ----------
    knee, knees
        One of a film's knees, and all of them.
    """
    if not knee.gate.graded:
        return knee.gate.reasons[0]
    if knee.laterality is Laterality.UNKNOWN:
        return UNKNOWN_SIDE
    if sum(other.laterality is knee.laterality for other in knees) > 1:
        return CONFLICT
    # Two knees side by side tell their sides themselves, and a box is somebody's look at this film.
    by_word = knee.laterality_source in {"user", "tag"} and knee.scale_source != "boxes"
    return CONFLICT if by_word and CONFLICT in knee.warnings else None


def joined(
    listed: Listed,
    result: FilmResult,
    *,
    file_of: Callable[[int, Knee], RegionFile],
    truth_expected: bool,
) -> tuple[tuple[Row, ...], tuple[Reject, ...]]:
    """The rows of the new manifest that come from one film, and what is rejected of it.

    Parameters
    ----------
    listed, result
        The film with its rows, and what was found on it.
    file_of
        Gives the region of a knee that is not refused, by its number on the film.
    truth_expected
        Whether a knee without an answer is worth a word, as in a cohort that has answers.
    """
    lost = _unusable(listed, result)
    if lost is not None:
        sides = sorted(_sides_with_truth(listed.answers))
        return (), tuple(replace(lost, laterality=side) for side in sides) or (lost,)
    rows: list[Row] = []
    rejects: list[Reject] = []

    def reject(side: Laterality, code: str) -> None:
        rejects.append(Reject(result.source, side, code, WHAT_TO_DO[code]))

    sided = any(row.laterality is not Laterality.UNKNOWN for row in listed.answers)
    of_the_only_knee = len(result.knees) == 1 and not sided
    for number, knee in enumerate(result.knees):
        refused = refusal(knee, result.knees)
        if refused is not None:
            reject(knee.laterality, refused)
            continue
        answers = [r for r in listed.answers if of_the_only_knee or r.laterality is knee.laterality]
        rows += _rows(listed, result, knee, answers, file_of(number, knee))
        if truth_expected and not any(row.value is not None for row in answers):
            reject(knee.laterality, NO_TRUTH)
    found = {knee.laterality for knee in result.knees}
    for side in sorted(_sides_with_truth(listed.answers) - found):
        reject(side, "NO_KNEE")
    if not of_the_only_knee and any(
        row.laterality is Laterality.UNKNOWN and row.value is not None for row in listed.answers
    ):
        reject(Laterality.UNKNOWN, UNKNOWN_SIDE)
    return tuple(rows), tuple(rejects)


def write_rejects(rejects: Iterable[Reject], path: Path) -> None:
    """Write ``rejects.csv``; cells that a spreadsheet would run begin with an apostrophe."""
    with write_atomically(path) as stream:
        writer = csv.writer(stream, lineterminator="\n")
        writer.writerow(_COLUMNS)
        for reject in rejects:
            side = "" if reject.laterality is None else str(reject.laterality)
            cells = (reject.source, side, reject.code, reject.what_to_do)
            writer.writerow([safe_cell(printable(cell)) for cell in cells])


def _unusable(listed: Listed, result: FilmResult) -> Reject | None:
    """The reject of a film of which nothing can be used."""
    if result.error is not None:
        return Reject(result.source, None, result.error.code, result.error.message)
    if not listed.describes(result.sha256):
        words = (
            f"{result.source}: not the picture that the table describes; its SHA-256 is another. "
            "Make the table again."
        )
        return Reject(result.source, None, errors.TableError.code, words)
    if not result.knees:
        return Reject(result.source, None, "NO_KNEE", WHAT_TO_DO["NO_KNEE"])
    return None


def _sides_with_truth(answers: Iterable[Row]) -> set[Laterality]:
    sides = {row.laterality for row in answers if row.value is not None}
    return sides - {Laterality.UNKNOWN}


def _rows(
    listed: Listed, result: FilmResult, knee: Knee, answers: Sequence[Row], file: RegionFile
) -> list[Row]:
    """One row for each answer; one without a question where there is none."""
    first = listed.rows[0]
    silent = replace(first, task="", reader="", value=None, status="ok", probabilities=())
    spacing = (first.pixel_spacing_row_mm, first.pixel_spacing_column_mm)
    about = {}
    if not listed.cropped:
        spacing = _spacing_mm(knee, result)
        about = {"film": result.source}
    return [
        replace(
            row,
            path=file.path,
            sha256=file.sha256,
            kind="region",
            # The two knees of a film without an identifier stay together.
            image=row.image or result.source,
            laterality=knee.laterality,
            synthetic=row.synthetic or result.synthetic,
            pixel_spacing_row_mm=spacing[0],
            pixel_spacing_column_mm=spacing[1],
            covariates={**row.covariates, **about},
        )
        for row in answers or [silent]
    ]


def _spacing_mm(knee: Knee, result: FilmResult) -> tuple[float, float] | tuple[None, None]:
    """(row, column) of the region: as far apart as its pixels lie on the film."""
    if result.pixel_spacing_mm is None:
        return None, None
    high, wide = result.pixel_spacing_mm
    (a, b, _), (c, d, _) = knee.region.matrix
    return round(math.hypot(b * wide, d * high), 6), round(math.hypot(a * wide, c * high), 6)
