"""One picture per film: where the knees are, where the network looked, and what was refused."""

from collections.abc import Sequence
from typing import Final

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw

from kellgren.anatomy import Task
from kellgren.imaging import Frame, Radiograph
from kellgren.imaging.raster import SYNTHETIC_KEY
from kellgren.records import RESEARCH_USE, FilmResult, Knee
from kellgren.reporting.canvas import (
    ACCENT,
    BACKGROUND,
    CAUTION,
    MUTED,
    TEXT,
    Canvas,
    drawable,
    wrap,
)
from kellgren.reporting.overlay import DISCLAIMER_KEY, SYNTHETIC_WORDS
from kellgren.reporting.tint import Colour, attention_levels, tint_levels
from kellgren.reporting.wording import GATE_WORDS, SIDE_WORDS, class_words, percent, prediction_of

LONGEST: Final = 1600
"""Of a film's overlay, in pixels: what a large screen shows."""

SHORTEST: Final = 900
"""Chosen: a small picture is enlarged to this, so that words fit beside the knee."""

_PERCENTILE_STEP: Final = 2
"""Chosen: a quarter of a picture's pixels gives its percentiles to a level, in a quarter of the
time."""

_LINE: Final = 40
"""Height of a line of words below the film."""

_ARM: Final = 9
"""Half a landmark's cross."""


def draw_film(
    film: Radiograph,
    attentions: Sequence[NDArray[np.float32] | None],
    result: FilmResult,
    *,
    task: Task,
) -> Image.Image:
    """Draw a film for a reader: regions, landmarks and attention in their place.

    Parameters
    ----------
    film
        What was graded.
    attentions
        Of each knee of the result, over its region, in [0, 1]; None where there is none.
    result
        What was said.
    task
        Whose grade is written beside each knee.

    Returns
    -------
    Image
        RGB, at most `LONGEST` on its longer side; its ``info`` holds the marks that
        `kellgren.reporting.write_overlay` puts into the file.
    """
    rows, columns = film.shape
    notes = _notes(result)
    room = LONGEST - _LINE * (2 + len(notes))
    scale = min(room / rows, LONGEST / columns, max(1.0, SHORTEST / max(rows, columns)))
    size = (max(1, round(columns * scale)), max(1, round(rows * scale)))
    shown = _grey(film, size)
    levels = np.zeros(shown.shape, dtype=np.uint8)
    coloured = [
        _paste(levels, attention_levels(attention), knee, scale)
        for knee, attention in zip(result.knees, attentions, strict=True)
        if attention is not None
    ]
    canvas = Canvas.new(max(size[0], 640), size[1] + _LINE * (2 + len(notes)))
    canvas.image.paste(Image.fromarray(shown), (0, 0))
    for area in filter(None, coloured):  # the rest stays grey, which is most of a film
        part = tint_levels(shown[area], levels[area])
        canvas.image.paste(part, (area[1].start, area[0].start))
    for knee in result.knees:
        _draw_knee(canvas, knee, task, scale, size)
    if result.synthetic:
        canvas.mark((12, 34), SYNTHETIC_WORDS, size=20, colour=CAUTION)
    _draw_words(canvas, result, notes, size[1])
    canvas.image.info[DISCLAIMER_KEY] = RESEARCH_USE
    if result.synthetic:
        canvas.image.info[SYNTHETIC_KEY] = "yes"
    return canvas.image


def _grey(film: Radiograph, size: tuple[int, int]) -> NDArray[np.uint8]:
    """The film in 256 levels between its 1st and 99.5th percentile."""
    # shrunk as it is: a film of 12 million pixels in floats is another 96 MB
    small = Image.fromarray(film.pixels).resize(size, Image.Resampling.BILINEAR)
    values = np.array(small, dtype=np.float32)
    low, high = np.percentile(values[::_PERCENTILE_STEP, ::_PERCENTILE_STEP], (1.0, 99.5))
    values -= low
    values *= 255.0 / max(float(high - low), 1e-6)
    np.rint(values, out=values)
    np.clip(values, 0.0, 255.0, out=values)
    return values.astype(np.uint8)


def _paste(
    levels: NDArray[np.uint8], attention: NDArray[np.uint8], knee: Knee, scale: float
) -> tuple[slice, slice] | None:
    """Put a region's attention where it lies on the shown film; its rows and columns, if any."""
    x0, y0, x1, y1 = (edge * scale for edge in knee.box_px)
    rows, columns = levels.shape
    left, top = max(0, round(x0)), max(0, round(y0))
    right, bottom = min(columns, round(x1)), min(rows, round(y1))
    if left >= right or top >= bottom:
        return None
    area = levels[top:bottom, left:right]
    if _is_turned(knee):
        part = _turned_part(attention, knee, (left, top, right, bottom), scale)
        np.maximum(area, np.asarray(part), out=area)
        return slice(top, bottom), slice(left, right)
    per_x, per_y = attention.shape[1] / (x1 - x0), attention.shape[0] / (y1 - y0)
    box = ((left - x0) * per_x, (top - y0) * per_y, (right - x0) * per_x, (bottom - y0) * per_y)
    limits = (attention.shape[1], attention.shape[0]) * 2
    box = tuple(min(max(edge, 0.0), float(limit)) for edge, limit in zip(box, limits, strict=True))
    part = Image.fromarray(attention).resize(
        (right - left, bottom - top), Image.Resampling.BILINEAR, box=box
    )
    np.maximum(area, np.asarray(part), out=area)
    return slice(top, bottom), slice(left, right)


def _is_turned(knee: Knee) -> bool:
    (_, b, _), (c, _, _) = knee.region.matrix
    return b != 0.0 or c != 0.0


def _turned_part(
    attention: NDArray[np.uint8], knee: Knee, area: tuple[int, int, int, int], scale: float
) -> Image.Image:
    """What of a turned region's attention lies in an upright area of the shown film."""
    left, top, right, bottom = area
    frame = Frame(knee.region.matrix, knee.region.size_px).resize(attention.shape[1])
    # Pillow asks which edge of the attention an edge of the area is; frames know centres
    corners = np.array([(left, top), (left + 1, top), (left, top + 1)]) / scale - 0.5
    (x, y), along, down = frame.to_crop(corners) + 0.5
    matrix = (along[0] - x, down[0] - x, x, along[1] - y, down[1] - y, y)
    return Image.fromarray(attention).transform(
        (right - left, bottom - top), Image.Transform.AFFINE, matrix, Image.Resampling.BILINEAR
    )


def _outline(canvas: Canvas, knee: Knee, scale: float, size: tuple[int, int]) -> None:
    """A region's edges, on the film only: beyond it they would stand among the words."""
    colour: Colour = ACCENT if knee.gate.graded else CAUTION
    if _is_turned(knee):
        low, high = -0.5, knee.region.size_px - 0.5
        corners = Frame(knee.region.matrix, knee.region.size_px).to_film(
            [(low, low), (high, low), (high, high), (low, high)]
        )
        film = canvas.image.crop((0, 0, *size))
        places = [(float(x), float(y)) for x, y in (corners + 0.5) * scale]
        ImageDraw.Draw(film).polygon(places, outline=colour, width=2)
        canvas.image.paste(film, (0, 0))
        return
    x0, y0, x1, y1 = (edge * scale for edge in knee.box_px)
    left, top = max(x0, 0.0), max(y0, 0.0)
    right, bottom = min(x1, size[0]) - 1, min(y1, size[1]) - 1
    if left <= right and top <= bottom:
        canvas.pen.rectangle((left, top, right, bottom), outline=colour, width=2)


def _draw_knee(canvas: Canvas, knee: Knee, task: Task, scale: float, size: tuple[int, int]) -> None:
    colour: Colour = ACCENT if knee.gate.graded else CAUTION
    x0, y0 = (edge * scale for edge in knee.box_px[:2])
    _outline(canvas, knee, scale, size)
    for x, y in knee.landmarks.values():
        at_x, at_y = (x + 0.5) * scale, (y + 0.5) * scale
        if not (0.0 <= at_x < size[0] and 0.0 <= at_y < size[1]):
            continue
        canvas.pen.line((at_x - _ARM, at_y, at_x + _ARM, at_y), fill=TEXT, width=1)
        canvas.pen.line((at_x, at_y - _ARM, at_x, at_y + _ARM), fill=TEXT, width=1)
    prediction = prediction_of(knee, task)
    if prediction is None:
        words = f"{SIDE_WORDS[knee.laterality]}: not graded"
    else:
        certainty = percent(prediction.probabilities[prediction.grade])
        words = (
            f"{SIDE_WORDS[knee.laterality]}: {class_words(task, prediction.grade)} ({certainty})"
        )
    at_x = round(max(min(x0, size[0] - 280.0), 4.0))
    at_y = round(min(max(y0 - 8.0, 26.0), size[1] - 4.0))
    canvas.mark((at_x, at_y), words, size=20, colour=colour)


def _notes(result: FilmResult) -> list[str]:
    """What a reader must know beside the picture: refusals and warnings."""
    codes = [*result.gate.reasons]
    for knee in result.knees:
        codes += [code for code in knee.gate.reasons if code not in codes]
    notes = [f"{code}: {GATE_WORDS[code]}" for code in codes]
    if result.error is not None:
        notes.insert(0, f"{result.error.code}: {result.error.message}")
    warnings = sorted({*result.warnings, *(w for knee in result.knees for w in knee.warnings)})
    if warnings:
        notes.append("Warnings: " + ", ".join(warnings))
    return notes


def _draw_words(canvas: Canvas, result: FilmResult, notes: Sequence[str], top: int) -> None:
    width = canvas.image.width
    baseline = top + 26
    for note in notes:
        for line in wrap(drawable(note), 14, width - 24)[:2]:
            canvas.text((12, baseline), line, size=14, colour=CAUTION, width=width - 24)
            baseline += 18
        baseline += 4
    used = canvas.text((width - 12, baseline + 2), RESEARCH_USE, size=14, colour=TEXT, anchor="rs")
    canvas.text((12, baseline + 2), result.source, size=14, colour=MUTED, width=width - used - 36)
    said = result.bundle
    looked = result.localiser
    words = f"{said.name}@{said.version}"
    if looked is not None:
        words += f" · {looked.name}@{looked.version}"
    canvas.text((12, baseline + 24), words, size=13, colour=MUTED, width=width - 24)
    canvas.bar((0, top, width, top + 1), BACKGROUND)
