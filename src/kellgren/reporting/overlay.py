"""One picture per knee for a reader: the region, where the network looked, and the grades."""

from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from kellgren.anatomy import Laterality, Task
from kellgren.files import write_atomically
from kellgren.imaging.raster import SYNTHETIC_KEY
from kellgren.records import RESEARCH_USE, BundleReference, Knee, Prediction
from kellgren.reporting.canvas import (
    ACCENT,
    ACCENT_DIM,
    BACKGROUND,
    CAUTION,
    MUTED,
    PANEL,
    RULE,
    TEXT,
    TRACK,
    Canvas,
    drawable,
    font,
    wrap,
)
from kellgren.reporting.png import png_bytes
from kellgren.reporting.tint import attention_levels, tint, tint_levels
from kellgren.reporting.wording import (
    GATE_WORDS,
    SIDE_SOURCE_WORDS,
    SIDE_WORDS,
    class_words,
    coverage_words,
    lateral_on_left,
    percent,
    prediction_of,
    runs,
    set_words,
)

# The layout, in pixels. Sizes are chosen for a laptop's screen, where 1280 fit without scaling.
MARGIN = 28
GAP = 24
PICTURE = 400
"""Side of the shown region; a cached region of 224–300 px is enlarged a little."""
PICTURE_TOP = 102
COLUMN = 2 * PICTURE + 2 * GAP + MARGIN
"""Where the column of grades begins."""
WIDTH, HEIGHT = 1280, 566
RIGHT = WIDTH - MARGIN

DISCLAIMER_KEY = "Disclaimer"
"""A keyword that the PNG specification registers for legal disclaimers."""

SYNTHETIC_WORDS = "SYNTHETIC · says nothing about a person"


def draw_overlay(
    picture: NDArray[np.uint8],
    attention: NDArray[np.float32] | None,
    knee: Knee,
    *,
    task: Task,
    bundle: BundleReference,
    source: str,
    synthetic: bool,
) -> Image.Image:
    """Draw one knee for a reader.

    Parameters
    ----------
    picture
        (H, W), the region as ``knee.region`` frames it.
    attention
        (H, W) in [0, 1]; None where the bundle explains nothing.
    knee
        Side, grades, warnings. Without an answer to ``task`` the picture says why.
    task
        What the bars show.
    bundle
        Which bundle spoke.
    source
        The film's name; a stranger's text.
    synthetic
        Whether the picture must say that it shows no person.

    Returns
    -------
    Image
        RGB, `WIDTH` × `HEIGHT` whatever it shows; its ``info`` holds the marks that
        `write_overlay` puts into the file.

    Raises
    ------
    ValueError
        The attention does not belong to the picture.
    """
    if attention is not None and attention.shape != picture.shape:
        raise ValueError(
            f"attention of shape {attention.shape} over a picture of shape {picture.shape}"
        )
    canvas = Canvas.new(WIDTH, HEIGHT)
    _draw_header(canvas, knee, source, synthetic=synthetic)
    shown = _enlarge(picture)
    canvas.text((MARGIN, PICTURE_TOP - 12), "Region", size=13, colour=MUTED)
    _draw_region(canvas, tint(shown, None), knee, MARGIN, synthetic=synthetic)
    left = MARGIN + PICTURE + GAP
    if attention is None:
        _draw_no_attention(canvas, left)
    else:
        _draw_attention_scale(canvas, left)
        warm = tint_levels(shown, _enlarge(attention_levels(attention)))
        _draw_region(canvas, warm, knee, left, synthetic=synthetic)
    prediction = prediction_of(knee, task)
    if prediction is None:
        below = _draw_refusal(canvas, knee)
    else:
        below = _draw_answer(canvas, prediction, task)
        below = _draw_bars(canvas, prediction, task, below)
    _draw_notes(canvas, knee, below)
    _draw_footer(canvas, bundle)
    canvas.image.info[DISCLAIMER_KEY] = RESEARCH_USE
    if synthetic:
        canvas.image.info[SYNTHETIC_KEY] = "yes"
    return canvas.image


def write_overlay(image: Image.Image, path: Path) -> None:
    """Write an overlay as PNG; the same picture gives the same bytes.

    A synthetic one carries the mark of synthetic pictures, all carry the disclaimer.
    """
    keys = (DISCLAIMER_KEY, SYNTHETIC_KEY)
    content = png_bytes(
        image, texts={key: str(image.info[key]) for key in keys if key in image.info}
    )
    with write_atomically(path, binary=True) as stream:
        stream.write(content)


def _enlarge(picture: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """The picture inside a square of `PICTURE` pixels, unstretched."""
    rows, columns = picture.shape
    scale = PICTURE / max(rows, columns)
    size = (max(1, round(columns * scale)), max(1, round(rows * scale)))
    scaled = Image.fromarray(picture).resize(size, Image.Resampling.BICUBIC)
    return _centred(np.asarray(scaled))


def _centred(scaled: NDArray[np.uint8]) -> NDArray[np.uint8]:
    rows, columns = scaled.shape
    if (rows, columns) == (PICTURE, PICTURE):
        return scaled
    square = np.zeros((PICTURE, PICTURE), dtype=np.uint8)
    top, left = (PICTURE - rows) // 2, (PICTURE - columns) // 2
    square[top : top + rows, left : left + columns] = scaled
    return square


def _draw_header(canvas: Canvas, knee: Knee, source: str, *, synthetic: bool) -> None:
    baseline = 50
    end = RIGHT
    if synthetic:
        width = font(14).getlength(drawable(SYNTHETIC_WORDS)) + 24
        end = round(RIGHT - width)
        canvas.bar((end, baseline - 22, RIGHT, baseline + 8), CAUTION)
        canvas.text((end + 12, baseline - 2), SYNTHETIC_WORDS, size=14, colour=BACKGROUND)
        end -= GAP
    used = canvas.text((MARGIN, baseline), SIDE_WORDS[knee.laterality], size=26)
    start = MARGIN + used + 18
    canvas.text((start, baseline), source, size=16, colour=MUTED, width=end - start)


def _draw_region(
    canvas: Canvas, region: Image.Image, knee: Knee, left: int, *, synthetic: bool
) -> None:
    """Paste a region with the marks that a radiographer's lead letters would give."""
    canvas.image.paste(region, (left, PICTURE_TOP))
    x0, x1 = left + 12, left + PICTURE - 12
    bottom = PICTURE_TOP + PICTURE - 12
    lateral_left = lateral_on_left(knee)
    if lateral_left is None:
        canvas.mark((x0, PICTURE_TOP + 32), "side ?", size=20)
    else:
        sides = ("lateral", "medial") if lateral_left else ("medial", "lateral")
        canvas.mark((x0, bottom), sides[0], size=15)
        canvas.mark((x1, bottom), sides[1], size=15, right=True)
        # Lead letters stand on the lateral side.
        letter = "R" if knee.laterality is Laterality.RIGHT else "L"
        corner = (x0 if lateral_left else x1, PICTURE_TOP + 38)
        canvas.mark(corner, letter, size=34, right=not lateral_left)
    if synthetic:
        # On the picture too, so that it stays when someone cuts the picture out.
        at = (x0 if lateral_left is False else x1, PICTURE_TOP + 30)
        canvas.mark(at, "SYNTHETIC", size=15, right=lateral_left is not False, colour=CAUTION)


def _draw_attention_scale(canvas: Canvas, left: int) -> None:
    baseline = PICTURE_TOP - 12
    canvas.text((left, baseline), "Attention, relative within this knee", size=13, colour=MUTED)
    ramp = np.tile(np.linspace(0.0, 1.0, 84, dtype=np.float32), (8, 1))
    end = left + PICTURE
    high = canvas.text((end, baseline), "high", size=13, colour=MUTED, anchor="rs")
    start = round(end - high - 8 - 84)
    canvas.image.paste(tint(np.full(ramp.shape, 96, dtype=np.uint8), ramp), (start, baseline - 9))
    canvas.text((start - 8, baseline), "low", size=13, colour=MUTED, anchor="rs")


def _draw_no_attention(canvas: Canvas, left: int) -> None:
    middle = (left + PICTURE / 2, PICTURE_TOP + PICTURE / 2)
    canvas.bar((left, PICTURE_TOP, left + PICTURE, PICTURE_TOP + PICTURE), PANEL)
    canvas.text(middle, "No attention map", size=15, colour=MUTED, anchor="mm")


def _draw_answer(canvas: Canvas, prediction: Prediction, task: Task) -> int:
    """The most probable class and the set; returns where the bars may begin."""
    canvas.text((COLUMN, PICTURE_TOP - 12), task.title, size=13, colour=MUTED, width=RIGHT - COLUMN)
    baseline = PICTURE_TOP + 46
    used = canvas.text((COLUMN, baseline), class_words(task, prediction.grade), size=52, width=250)
    start = COLUMN + used + 22
    if prediction.expected is None:
        lines = ["most probable"]
    else:
        lines = ["most probable", f"expected {prediction.expected:.2f}"]
    for index, line in enumerate(reversed(lines)):
        canvas.text(
            (start, baseline - 20 * index), line, size=14, colour=MUTED, width=RIGHT - start
        )
    members = f"{coverage_words(prediction)}: {set_words(task, prediction.set)}"
    canvas.text((COLUMN, baseline + 36), members, size=18, colour=ACCENT, width=RIGHT - COLUMN)
    return baseline + 62


def _draw_bars(canvas: Canvas, prediction: Prediction, task: Task, top: int) -> int:
    """A bar for each class, the set in brackets; returns where they end."""
    count = len(prediction.probabilities)
    pitch = min(36, 190 // count)
    height = min(16, pitch - 6)
    names = [class_words(task, index) for index in range(count)]
    widest = min(130.0, max(font(15).getlength(drawable(name)) for name in names))
    start, end = round(COLUMN + widest + 14), RIGHT - 78
    for index, (name, share) in enumerate(zip(names, prediction.probabilities, strict=True)):
        middle = top + pitch * index + pitch // 2
        best, member = index == prediction.grade, index in prediction.set
        colour = TEXT if best else MUTED
        canvas.text((COLUMN, middle), name, size=15, colour=colour, anchor="lm", width=widest)
        edges = (middle - height // 2, middle - height // 2 + height)
        canvas.bar((start, edges[0], end, edges[1]), TRACK)
        filled = start + share * (end - start)
        canvas.bar((start, edges[0], filled, edges[1]), ACCENT if member else ACCENT_DIM)
        canvas.text((end + 56, middle), percent(share), size=15, colour=colour, anchor="rm")
    for first, last in runs(prediction.set):
        _draw_bracket(canvas, top + pitch * first + 5, top + pitch * (last + 1) - 5)
    return top + pitch * count


def _draw_bracket(canvas: Canvas, top: int, bottom: int) -> None:
    canvas.bar((RIGHT - 2, top, RIGHT, bottom), ACCENT)
    canvas.bar((RIGHT - 9, top, RIGHT, top + 2), ACCENT)
    canvas.bar((RIGHT - 9, bottom - 2, RIGHT, bottom), ACCENT)


def _draw_refusal(canvas: Canvas, knee: Knee) -> int:
    baseline = PICTURE_TOP + 36
    canvas.text((COLUMN, baseline), "Not graded", size=36)
    baseline += 34
    for code in knee.gate.reasons:
        canvas.text((COLUMN, baseline), code, size=14, colour=CAUTION)
        for line in wrap(drawable(GATE_WORDS[code]), 14, RIGHT - COLUMN):
            baseline += 20
            canvas.text((COLUMN, baseline), line, size=14, colour=MUTED)
        baseline += 30
    return baseline - 10


def _draw_notes(canvas: Canvas, knee: Knee, top: int) -> None:
    """Where the side comes from, then warnings, as many as there is room for."""
    baseline = top + 28
    pitch = 19
    source = SIDE_SOURCE_WORDS[knee.laterality_source]
    canvas.text((COLUMN, baseline), source, size=13, colour=MUTED, width=RIGHT - COLUMN)
    reasons = knee.gate.reasons if knee.gate.graded else ()
    warnings = [*knee.warnings, *reasons]
    room = max(0, (PICTURE_TOP + PICTURE - baseline) // pitch)
    lines: list[str] = []
    for index, warning in enumerate(warnings):
        wrapped = wrap(drawable(f"Warning: {warning}"), 13, RIGHT - COLUMN)
        last = index == len(warnings) - 1
        if len(lines) + len(wrapped) > room - (0 if last else 1):
            # The last line counts the rest, so that none is lost unseen.
            lines.append(f"Warnings not shown here: {len(warnings) - index}")
            break
        lines += wrapped
    for line in lines:
        baseline += pitch
        canvas.text((COLUMN, baseline), line, size=13, colour=CAUTION, width=RIGHT - COLUMN)


def _draw_footer(canvas: Canvas, bundle: BundleReference) -> None:
    top = PICTURE_TOP + PICTURE + 18
    canvas.bar((MARGIN, top, RIGHT, top + 1), RULE)
    baseline = top + 28
    used = canvas.text((RIGHT, baseline), RESEARCH_USE, size=14, anchor="rs")
    name = f"{bundle.name}@{bundle.version} · sha256 {bundle.sha256[:12]}"
    canvas.text((MARGIN, baseline), name, size=14, colour=MUTED, width=RIGHT - MARGIN - used - GAP)
