"""The theme of the pictures that readers see, and text that fits."""

import functools
import unicodedata
from dataclasses import dataclass
from typing import Literal, cast

from PIL import Image, ImageDraw, ImageFont

from kellgren.reporting.tint import Colour
from kellgren.reporting.wording import printable

BACKGROUND: Colour = (17, 18, 20)
"""Near-black, as a reading room's screens are: a bright surround hides faint bone."""
PANEL: Colour = (25, 27, 30)
TRACK: Colour = (38, 41, 45)
RULE: Colour = (52, 55, 60)
TEXT: Colour = (234, 234, 230)
MUTED: Colour = (158, 163, 171)
ACCENT: Colour = (112, 182, 228)
"""Blue, which the colours of attention do not contain."""
ACCENT_DIM: Colour = (62, 96, 120)
CAUTION: Colour = (240, 180, 70)

Anchor = Literal["ls", "rs", "lm", "rm", "mm"]
"""Pillow's: horizontally left, middle or right; vertically middle or baseline (s)."""

_LOOKALIKES = str.maketrans(
    {"–": "-", "—": "-", "−": "-", "×": "x", "≤": "<=", "≥": ">=", "ß": "ss", "ø": "o", "Ø": "O"}
)
_DRAWN = frozenset("·…“”’°±")
"""What Pillow's own font has beyond ASCII, of what we write."""


@functools.cache
def font(size: int) -> ImageFont.FreeTypeFont:
    """Pillow's own font, so that a picture looks alike on every machine."""
    # Pillow without FreeType would give a bitmap font; the wheels on the registry all have it.
    return cast("ImageFont.FreeTypeFont", ImageFont.load_default(size))


def drawable(text: str) -> str:
    """Text in the letters that `font` has: accents fall off, other scripts become ``?``."""
    folded = unicodedata.normalize("NFKD", printable(text).translate(_LOOKALIKES))
    kept = (char for char in folded if not unicodedata.combining(char))
    return "".join(char if char.isascii() or char in _DRAWN else "?" for char in kept)


def fit(text: str, size: int, width: float) -> str:
    """Shorten drawable text to a width in pixels; names keep their beginning and their end."""
    letters = font(size)
    if letters.getlength(text) <= width:
        return text
    keep = len(text) - 1
    while keep > 1:
        # A file's number and suffix tell more than the folder it is in.
        head = keep // 3
        shorter = f"{text[:head]}…{text[head - keep :]}"
        if letters.getlength(shorter) <= width:
            return shorter
        keep -= 1
    return "…"


def wrap(text: str, size: int, width: float) -> list[str]:
    """Break drawable text into lines of at most a width in pixels."""
    lines: list[str] = []
    for word in text.split():
        longer = f"{lines[-1]} {word}" if lines else word
        if lines and font(size).getlength(longer) <= width:
            lines[-1] = longer
        else:
            lines.append(fit(word, size, width))
    return lines


_RIM = 2
"""Chosen: of dark around a mark, in pixels."""


@functools.lru_cache(maxsize=64)
def _stamp(words: str, size: int, colour: Colour) -> Image.Image:
    # Kept, because rims are slow to draw and the same few words stand on every picture.
    box = font(size).getbbox(words, stroke_width=_RIM, anchor="ls")
    x0, y0, x1, y1 = (round(edge) for edge in box)
    stamp = Image.new("RGBA", (x1 - x0, y1 - y0), (*BACKGROUND, 0))
    pen = ImageDraw.Draw(stamp)
    pen.text((-x0, -y0), words, colour, font(size), "ls", stroke_width=_RIM, stroke_fill=BACKGROUND)
    return stamp


@dataclass(frozen=True, slots=True)
class Canvas:
    """A dark picture to draw on. Positions are pixels from the upper left corner."""

    image: Image.Image
    pen: ImageDraw.ImageDraw

    @classmethod
    def new(cls, width: int, height: int) -> "Canvas":
        """An empty one."""
        image = Image.new("RGB", (width, height), BACKGROUND)
        return cls(image, ImageDraw.Draw(image))

    def text(
        self,
        at: tuple[float, float],
        words: str,
        *,
        size: int,
        colour: Colour = TEXT,
        anchor: Anchor = "ls",
        width: float | None = None,
    ) -> float:
        """Write one line, shortened to ``width``; return how wide it became."""
        shown = drawable(words)
        if width is not None:
            shown = fit(shown, size, width)
        self.pen.text(at, shown, colour, font(size), anchor=anchor)
        return font(size).getlength(shown)

    def mark(
        self,
        at: tuple[int, int],
        words: str,
        *,
        size: int,
        right: bool = False,
        colour: Colour = TEXT,
    ) -> None:
        """Write on a picture: letters with a dark rim, as bone may be as bright as they are.

        ``at`` is the lower left corner of the letters, or with ``right`` the lower right one.
        """
        stamp = _stamp(drawable(words), size, colour)
        x, y = at
        left = x - stamp.width + _RIM if right else x - _RIM
        self.image.paste(stamp, (left, y - stamp.height + _RIM), stamp)

    def bar(self, box: tuple[float, float, float, float], colour: Colour) -> None:
        """Fill from edge (x0, y0) to edge (x1, y1); nothing if it is empty."""
        x0, y0, x1, y1 = (round(edge) for edge in box)
        if x1 > x0 and y1 > y0:
            self.pen.rectangle((x0, y0, x1 - 1, y1 - 1), colour)
