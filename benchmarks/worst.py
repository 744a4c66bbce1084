"""The knees that went worst, on one sheet: what was said of them, by whom, and how surely.

A look at them says more of a loss than its size does. The sheet shows films of people: it is
written where the user says and never committed.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from PIL import Image

from benchmarks.figures import table
from kellgren.anatomy import KL
from kellgren.imaging import Frame, RegionSpec, cut_region, read_film
from kellgren.records import RESEARCH_USE, Knee, Prediction
from kellgren.reporting.canvas import ACCENT, MUTED, TEXT, Canvas
from kellgren.reporting.overlay import DISCLAIMER_KEY
from kellgren.reporting.wording import SIDE_WORDS, class_words, percent

COLUMNS = 2
FILM, REGION = 400, 224
"""Chosen: pixels that a film may be wide and a region is; strips are 300 or 640 wide."""
GAP = 20
WORDS = 76
"""Height of three lines below the pictures."""


@dataclass(frozen=True, slots=True)
class Case:
    """A knee that a picture shows, its true grade, and what became of it.

    Parameters
    ----------
    picture
        Where the film is.
    unit
        What it is resampled with: a patient, or a cluster of pictures that are alike.
    truth
        The grade that counts as true.
    reasons
        The codes for which it is refused; with ``--force`` it may be graded in spite of them.
    knee
        None where it was not found.
    """

    picture: Path
    unit: str
    truth: int
    reasons: tuple[str, ...]
    knee: Knee | None

    @property
    def given(self) -> Prediction | None:
        """The answer, if there is one."""
        return None if self.knee is None else self.knee.kl


def worst(cases: Iterable[Case], number: int) -> list[Case]:
    """The cases farthest from the truth, the surest first among equals.

    One of each unit, as pictures that are alike go wrong alike. What is right is left out, and what
    was refused or not graded at all, which is nobody's mistake.
    """
    answered = [
        (-abs(said.grade - case.truth), -said.probabilities[said.grade], case)
        for case in cases
        if not case.reasons and (said := case.given) is not None and said.grade != case.truth
    ]
    first: dict[str, Case] = {}
    for *_, case in sorted(answered, key=lambda ranked: ranked[:2]):
        first.setdefault(case.unit, case)
    return list(first.values())[:number]


def words(case: Case) -> tuple[str, str, str]:
    """Which knee, what was said of it, and the probability of every grade."""
    knee, said = case.knee, case.given
    which = f"{case.picture.stem}, {case.unit}"
    truth = f"truth {class_words(KL, case.truth)}"
    if knee is None or said is None:
        return which, f"{truth}, not graded", ""
    shares = (
        f"{grade}: {percent(share)}"
        for grade, share in zip(KL.classes, said.probabilities, strict=True)
    )
    return (
        f"{which} · {SIDE_WORDS[knee.laterality]}",
        f"{truth}, given {class_words(KL, said.grade)}",
        "   ".join(shares),
    )


def as_table(cases: Sequence[Case]) -> str:
    """The same words for a terminal."""
    return table(("knee", "said", "probability of each grade"), map(words, cases))


def contact_sheet(cases: Sequence[Case], spec: RegionSpec) -> Image.Image:
    """Draw every case: its film with the region's box, the region as it is graded, and the words.

    Parameters
    ----------
    cases
        Of knees that were found.
    spec
        How the bundle cuts regions; they are shown as they lie on the film, not mirrored.

    Returns
    -------
    Image
        RGB, with the disclaimer on it and in its ``info``.
    """
    wide, high = FILM + REGION + 2 * GAP, REGION + WORDS
    rows = -(-len(cases) // COLUMNS)
    canvas = Canvas.new(COLUMNS * wide + GAP, rows * high + 3 * GAP)
    for number, case in enumerate(cases):
        _draw(canvas, case, spec, GAP + number % COLUMNS * wide, GAP + number // COLUMNS * high)
    canvas.text((GAP, canvas.image.height - GAP), RESEARCH_USE, size=14, colour=MUTED)
    canvas.image.info[DISCLAIMER_KEY] = RESEARCH_USE
    return canvas.image


def _draw(canvas: Canvas, case: Case, spec: RegionSpec, left: int, top: int) -> None:
    film = read_film(case.picture)
    rows, columns = film.shape
    scale = min(FILM / columns, REGION / rows)
    size = (max(round(columns * scale), 1), max(round(rows * scale), 1))
    values = film.pixels.astype(np.float32)
    levels = (values - values.min()) / max(float(np.ptp(values)), 1.0) * 255.0
    shown = Image.fromarray(levels).resize(size, Image.Resampling.BILINEAR).convert("L")
    canvas.image.paste(shown.convert("RGB"), (left, top))
    if case.knee is not None:
        # Outlines stay on the film: a region may reach past it.
        (x0, x1), (y0, y1) = (
            [min(max(edge * scale, 0.0), limit - 1.0) for edge in case.knee.box_px[axis::2]]
            for axis, limit in enumerate(size)
        )
        canvas.pen.rectangle((left + x0, top + y0, left + x1, top + y1), outline=ACCENT)
        place = case.knee.region
        region = cut_region(film, Frame(place.matrix, place.size_px), spec)
        square = Image.fromarray(np.rint(region.pixels * 255.0).astype(np.uint8))
        canvas.image.paste(square.resize((REGION, REGION)).convert("RGB"), (left + FILM + GAP, top))
    for line, said in enumerate(words(case)):
        baseline = top + REGION + 18 + 20 * line
        canvas.text(
            (left, baseline),
            said,
            size=14,
            colour=MUTED if line != 1 else TEXT,
            width=FILM + REGION,
        )
