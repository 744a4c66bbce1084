"""Composite films: real knee regions set into random bodies, with their landmarks.

A localiser must learn where knees are on whole films, and there are no whole films that may teach
what ships. So a region is continued beyond its edges (its rows narrow into shafts, its soft tissue
fades into air), turned, scaled and set on a film beside another, under another exposure, with
collimation, markers and metal. Every range here is chosen, by eye on sheets of composites.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
import torch
from numpy.typing import NDArray
from PIL import Image, ImageDraw, ImageFont
from torch.nn import functional

from kellgren.anatomy import Laterality
from kellgren.localise.landmarks import LANDMARKS, LEFT, MIDDLE, RIGHT

Points = NDArray[np.float32]

_FLIPPED: Final = (1, 0, 3, 2, 4, 5)
"""Where each landmark's place comes from once the picture is mirrored."""

_LEFT, _RIGHT, _MIDDLE = (LANDMARKS.index(name) for name in (LEFT, RIGHT, MIDDLE))

_CUT_SHARE: Final = 0.25
"""Chosen: of films that end within a knee; much more often than films do."""

_LEAST_PX: Final = 32
"""Chosen: what a film keeps along the side that is cut."""


@dataclass(frozen=True, slots=True, eq=False)
class Source:
    """A picture of one or two knees that is annotated.

    Parameters
    ----------
    pixels
        (rows, columns) uint8.
    knees
        (n, 6, 2) places (x, y) of `LANDMARKS`, NaN where not visible.
    laterality
        Of a single knee.
    whole
        The picture is used as it is and not continued: a strip cut from a film.
    """

    pixels: NDArray[np.uint8]
    knees: Points
    laterality: Laterality
    whole: bool = False

    def mirror(self) -> "Source":
        """The picture flipped left to right."""
        knees = self.knees[:, list(_FLIPPED)].copy()
        knees[..., 0] = self.pixels.shape[1] - 1 - knees[..., 0]
        flipped = np.ascontiguousarray(self.pixels[:, ::-1])
        return Source(flipped, knees, self.laterality.mirrored, self.whole)


@dataclass(frozen=True, slots=True, eq=False)
class Composite:
    """A film of a localiser's input size.

    Parameters
    ----------
    pixels
        (size, size) float32 in [0, 1], zero beyond the film's edges.
    knees
        (n, 6, 2) places (x, y), NaN where not on the film.
    """

    pixels: NDArray[np.float32]
    knees: Points


def compose(sources: Sequence[Source], size: int, rng: np.random.Generator) -> Composite:
    """Make one film.

    Parameters
    ----------
    sources
        Pictures to choose from.
    size
        Longest side of the film, in pixels.
    rng
        Where the randomness comes from.
    """
    source = sources[int(rng.integers(len(sources)))]
    if rng.random() < 0.5:
        source = source.mirror()
    film = _strip(source, size, rng) if source.whole else _legs(source, sources, size, rng)
    pixels, knees = film
    pixels = _metal(pixels, rng)
    pixels = _marked(pixels, rng)
    pixels, knees = _collimated(pixels, knees, rng)
    pixels, knees, (left, top) = _cut(pixels, knees, rng)
    pixels = normalised(_exposed(pixels, rng))
    rows, columns = pixels.shape
    outside = (
        (knees[..., 0] < 0)
        | (knees[..., 0] > columns - 1)
        | (knees[..., 1] < 0)
        | (knees[..., 1] > rows - 1)
    )
    knees[outside] = np.nan
    padded = np.zeros((size, size), dtype=np.float32)
    padded[top : top + rows, left : left + columns] = pixels
    return Composite(padded, knees + np.array((left, top), dtype=np.float32))


def normalised(pixels: NDArray[np.float32]) -> NDArray[np.float32]:
    """A film's intensities as a localiser sees them: the 1st and 99th percentile become 0 and 1."""
    low, high = np.percentile(pixels, (1.0, 99.0))
    scaled = np.clip((pixels - low) / max(float(high - low), 1e-6), 0.0, 1.0)
    return np.asarray(scaled, dtype=np.float32)


def _strip(
    source: Source, size: int, rng: np.random.Generator
) -> tuple[NDArray[np.float32], Points]:
    """A cut-out of an annotated strip, resampled to the film's size."""
    height, width = source.pixels.shape
    share = rng.uniform(0.75, 1.0) if len(source.knees) == 1 else rng.uniform(0.9, 1.0)
    x0 = rng.uniform(0.0, 1.0 - share) * width
    tall = rng.uniform(0.85, 1.0)
    y0 = rng.uniform(0.0, 1.0 - tall) * height
    box = (x0, y0, x0 + share * width, y0 + tall * height)
    scale = size / max(box[2] - box[0], box[3] - box[1]) * rng.uniform(0.85, 1.0)
    shape = (max(round((box[2] - box[0]) * scale), 32), max(round((box[3] - box[1]) * scale), 32))
    picture = Image.fromarray(source.pixels).resize(shape, Image.Resampling.BILINEAR, box=box)
    corner = np.array(box[:2], dtype=np.float32)
    factor = np.array(shape, dtype=np.float32) / (np.array(box[2:], dtype=np.float32) - corner)
    knees = (source.knees - corner + 0.5) * factor - 0.5
    return np.asarray(picture, dtype=np.float32) / 255.0, knees.astype(np.float32)


def _legs(
    first: Source, sources: Sequence[Source], size: int, rng: np.random.Generator
) -> tuple[NDArray[np.float32], Points]:
    """One or two legs, or only shafts, on a film with background."""
    aspect = rng.uniform(0.62, 1.0)
    upright = rng.random() < 0.6
    rows, columns = (size, round(size * aspect)) if upright else (round(size * aspect), size)
    film = np.full((rows, columns), rng.uniform(0.0, 0.12), dtype=np.float32)
    kind = rng.choice(("two", "one", "none"), p=(0.42, 0.48, 0.10))
    if kind == "none":
        return _without(first, film, rng)
    legs = [first]
    if kind == "two":
        regions = [source for source in sources if not source.whole]
        other = regions[int(rng.integers(len(regions)))]
        legs.append(other if other.laterality != first.laterality else other.mirror())
        # the patient's right knee is at the film's left
        legs.sort(key=lambda leg: leg.laterality is Laterality.LEFT)
    side = _side(kind, rows, columns, rng)
    middle_y = rng.uniform(0.3, 0.7) * rows
    gap = rng.uniform(0.95, 1.5)
    middles = (
        [rng.uniform(0.35, 0.65) * columns]
        if kind == "one"
        else [columns / 2 + sign * gap * side / 2 + rng.normal(0.0, 4.0) for sign in (-1, 1)]
    )
    knees = []
    for leg, x in zip(legs, middles, strict=True):
        own = side * rng.uniform(0.94, 1.06)
        centre = (x, middle_y + rng.normal(0.0, 0.04) * side)
        film, placed = stand(film, leg, centre, own, rng)
        knees.append(placed)
    return film, np.concatenate(knees)


def _side(kind: str, rows: int, columns: int, rng: np.random.Generator) -> float:
    """The region's side in film pixels, from whole legs to a single joint."""
    if kind == "two":
        return float(np.exp(rng.uniform(np.log(0.2), np.log(0.55)))) * columns
    return float(np.exp(rng.uniform(np.log(0.16), np.log(1.15)))) * min(rows, columns)


def _without(
    source: Source, film: NDArray[np.float32], rng: np.random.Generator
) -> tuple[NDArray[np.float32], Points]:
    """A film without a knee: shafts from far above or below a joint, or the joint painted out."""
    rows, columns = film.shape
    side = rng.uniform(0.3, 1.2) * columns
    none = np.zeros((0, len(LANDMARKS), 2), dtype=np.float32)
    for _ in range(rng.integers(1, 3)):
        x = rng.uniform(0.2, 0.8) * columns
        if rng.random() < 0.5:
            away = side * rng.uniform(0.75, 2.5)
            y = -away if rng.random() < 0.5 else rows + away
            film, _ = stand(film, source, (x, y), side, rng)
        else:
            film, _ = stand(film, source, (x, rows / 2), side, rng, painted_out=True)
    return film, none


def stand(
    film: NDArray[np.float32],
    leg: Source,
    centre: tuple[float, float],
    side: float,
    rng: np.random.Generator,
    *,
    tilt_sd_deg: float = 6.0,
    painted_out: bool = False,
) -> tuple[NDArray[np.float32], Points]:
    """Put a leg around a region on the film; brighter pixels win where two legs meet.

    Parameters
    ----------
    film
        (rows, columns) in [0, 1].
    leg
        A region with one knee.
    centre, side
        Of the region on the film, in pixels.
    tilt_sd_deg
        Standard deviation of the leg's turn.
    painted_out
        The joint itself is replaced by shafts.

    Returns
    -------
    tuple
        The film, and the leg's knees (n, 6, 2) on it.
    """
    rows, columns = film.shape
    angle = np.deg2rad(rng.normal(0.0, tilt_sd_deg))
    cos, sin = float(np.cos(angle)), float(np.sin(angle))
    x, y = np.meshgrid(
        (np.arange(columns, dtype=np.float32) - np.float32(centre[0])) * np.float32(2.0 / side),
        (np.arange(rows, dtype=np.float32) - np.float32(centre[1])) * np.float32(2.0 / side),
    )
    u, v = cos * x + sin * y, -sin * x + cos * y  # the region is [−1, 1]²
    beyond = np.maximum(np.abs(v) - 0.97, 0.0)
    if painted_out:
        beyond = beyond + 0.97 - np.minimum(np.abs(v), 0.97)
    narrowing = np.where(v < 0.0, rng.uniform(0.2, 1.0), rng.uniform(0.2, 0.9))
    source_u = u * (1.0 + narrowing * beyond / (beyond + 0.6))
    ripple = 0.05 * (1.0 - np.cos(beyond * rng.uniform(2.0, 5.0)))
    edge = 0.97 - ripple
    source_v = np.where(painted_out, np.sign(v) * edge, np.clip(v, -edge, edge))
    values = _sampled(leg.pixels, source_u, source_v, side)
    fading = np.maximum(np.abs(source_u) - 0.97, 0.0) / rng.uniform(0.1, 0.7)
    values = values * np.exp(-(fading**2)).astype(np.float32)
    values *= 1.0 + 0.15 * _slow(rng, (rows, columns)) * np.minimum(beyond, 1.0).astype(np.float32)
    half = np.array(leg.pixels.shape[::-1], dtype=np.float32) / 2.0
    places = (leg.knees + 0.5) / half - 1.0
    placed = np.stack(
        (
            (cos * places[..., 0] - sin * places[..., 1]) * side / 2.0 + centre[0],
            (sin * places[..., 0] + cos * places[..., 1]) * side / 2.0 + centre[1],
        ),
        axis=-1,
    )
    return np.maximum(film, values), placed.astype(np.float32)


def _sampled(
    pixels: NDArray[np.uint8], u: NDArray[np.float32], v: NDArray[np.float32], side: float
) -> NDArray[np.float32]:
    """Values at (u, v) in [−1, 1] of a picture first reduced to about the size it will have."""
    reduced = min(pixels.shape[0], max(round(side), 24))
    small = Image.fromarray(pixels).resize((reduced, reduced), Image.Resampling.BILINEAR)
    grid = torch.from_numpy(np.stack((u, v), axis=-1).astype(np.float32))
    picture = torch.from_numpy(np.asarray(small, dtype=np.float32) / 255.0)
    found = functional.grid_sample(
        picture[None, None], grid[None], padding_mode="border", align_corners=False
    )
    values: NDArray[np.float32] = found[0, 0].numpy()
    return values


def _slow(rng: np.random.Generator, shape: tuple[int, int]) -> NDArray[np.float32]:
    cells = Image.fromarray(rng.standard_normal((6, 6), dtype=np.float32))
    return np.asarray(cells.resize(shape[::-1], Image.Resampling.BICUBIC), dtype=np.float32)


def _metal(pixels: NDArray[np.float32], rng: np.random.Generator) -> NDArray[np.float32]:
    """Now and then rods or plates, brighter than bone."""
    if rng.random() > 0.08:
        return pixels
    rows, columns = pixels.shape
    picture = Image.fromarray(pixels)
    draw = ImageDraw.Draw(picture)
    for _ in range(rng.integers(1, 4)):
        start = (rng.uniform(0.2, 0.8) * columns, rng.uniform(0.1, 0.9) * rows)
        end = (start[0] + rng.normal(0, 0.08) * columns, start[1] + rng.normal(0, 0.25) * rows)
        draw.line((*start, *end), fill=float(rng.uniform(1.0, 1.3)), width=int(rng.integers(2, 10)))
    return np.array(picture)


def _marked(pixels: NDArray[np.float32], rng: np.random.Generator) -> NDArray[np.float32]:
    """Letters and rulers of lead somewhere near the edges."""
    if rng.random() > 0.5:
        return pixels
    rows, columns = pixels.shape
    picture = Image.fromarray(pixels)
    draw = ImageDraw.Draw(picture)
    for _ in range(rng.integers(1, 3)):
        place = (rng.uniform(0.0, 0.95) * columns, rng.uniform(0.0, 0.95) * rows)
        text = str(rng.choice(("R", "L", "R AP", "L W/B", "12", "STANDING")))
        font = ImageFont.load_default(size=float(rng.uniform(8.0, 24.0)))
        draw.text(place, text, fill=float(rng.uniform(0.8, 1.2)), font=font)
    return np.array(picture)


def _collimated(
    pixels: NDArray[np.float32], knees: Points, rng: np.random.Generator
) -> tuple[NDArray[np.float32], Points]:
    """Borders that show nothing, dark as the collimator's or bright as a scanner's."""
    if rng.random() > 0.4:
        return pixels, knees
    rows, columns = pixels.shape
    dark = rng.random() < 0.7
    shares = rng.uniform(0.0, 0.15, 4) * (rng.random(4) < 0.6)
    x0, x1 = shares[0] * columns, (1.0 - shares[1]) * columns - 1.0
    y0, y1 = shares[2] * rows, (1.0 - shares[3]) * rows - 1.0
    out = np.full_like(pixels, 0.0 if dark else 1.0)
    inner = np.s_[int(np.ceil(y0)) : int(y1) + 1, int(np.ceil(x0)) : int(x1) + 1]
    out[inner] = pixels[inner]
    hidden = (
        (knees[..., 0] < x0) | (knees[..., 0] > x1) | (knees[..., 1] < y0) | (knees[..., 1] > y1)
    )
    kept = knees.copy()
    kept[hidden] = np.nan
    return out, kept


def _cut(
    pixels: NDArray[np.float32], knees: Points, rng: np.random.Generator
) -> tuple[NDArray[np.float32], Points, tuple[int, int]]:
    """Now and then the film ends within a knee; and how far from the corner it is looked at.

    Half of these are looked at as a film is, from its own corner, and half as a close look at the
    knee is, which sees nothing where the film was.
    """
    nowhere = (0, 0)
    whole = knees[np.isfinite(knees[:, [_LEFT, _RIGHT, _MIDDLE]]).all((1, 2))]
    if not len(whole) or rng.random() > _CUT_SHARE:
        return pixels, knees, nowhere
    knee = whole[int(rng.integers(len(whole)))]
    side = 1.25 * float(np.hypot(*(knee[_RIGHT] - knee[_LEFT])))
    beyond = (0.5 - rng.uniform(0.0, 0.45)) * side
    axis, first = int(rng.integers(2)), bool(rng.random() < 0.5)
    length, at = pixels.shape[1 - axis], float(knee[_MIDDLE][axis])
    start = round(at - beyond) if first else 0
    end = length if first else round(at + beyond)
    start, end = max(start, 0), min(end, length)
    if end - start < _LEAST_PX:
        return pixels, knees, nowhere
    kept = pixels[:, start:end] if axis == 0 else pixels[start:end]
    corner = (start, 0) if axis == 0 else (0, start)
    moved = knees - np.array(corner, dtype=np.float32)
    return kept, moved, corner if rng.random() < 0.5 else nowhere


def _exposed(pixels: NDArray[np.float32], rng: np.random.Generator) -> NDArray[np.float32]:
    """Another film's answer: gradient, gamma, unsharpness and noise."""
    out = pixels * (1.0 + 0.12 * _slow(rng, (pixels.shape[0], pixels.shape[1])))
    out = np.clip(out, 0.0, 1.2) ** np.float32(np.exp(rng.uniform(-0.6, 0.6)))
    out += rng.normal(0.0, rng.uniform(0.0, 0.03), out.shape).astype(np.float32)
    return np.asarray(out, dtype=np.float32)
