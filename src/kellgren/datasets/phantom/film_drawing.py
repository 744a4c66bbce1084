"""Drawing a phantom film: legs, lead and collimator, and what scattered and uneven rays make of it.

Every bone is computed only in the rectangle where it can be, at the film's own resolution.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw, ImageFilter, ImageFont

from kellgren.datasets.phantom.density import Rays, add_joint, answer
from kellgren.datasets.phantom.film import TOP, Leg, Marker, PhantomFilm
from kellgren.datasets.phantom.geometry import Array, Placement
from kellgren.datasets.phantom.knee import PhantomKnee
from kellgren.datasets.phantom.shafts import (
    SHAFT_FROM,
    SHAFT_WHOLLY,
    femur_shaft,
    fibula_shaft,
    leg_tissue,
    share_of_shaft,
    tibia_shaft,
    tissue_reach,
)
from kellgren.datasets.phantom.texture import clouds, trabeculae

_UNSHARP_MM: Final = 0.45
"""Chosen: edges rise over three pixels of 0.15 mm."""

_REGION: Final = 1.25
"""Side of a knee's region in plateau widths, which textures are counted in."""

_LEAD: Final = 6.0
_PLASTIC: Final = 0.10
_FOG: Final = 0.02
"""Densities; bone has some 0.4, a knee's soft tissue 0.5."""

_SCATTER_CELL: Final = 48
"""Scattered rays are computed for cells of so many pixels: they know no edges."""

_Span = tuple[float, float]
_Shaft = Callable[[PhantomKnee, Array, Array, float], Array]

_SHAFTS: Final[tuple[tuple[_Shaft, _Span, int], ...]] = (
    (femur_shaft, (-0.60, 0.36), -1),
    (tibia_shaft, (-0.30, 0.34), 1),
    (fibula_shaft, (-0.62, -0.20), 1),
)
"""Each with the u between which it lies, and whether above or below the joint."""


def draw_film(film: PhantomFilm) -> NDArray[np.uint16]:
    """Draw a phantom film.

    Parameters
    ----------
    film
        What to draw; the same film gives the same picture.

    Returns
    -------
    ndarray
        ``film.size`` uint16 of 12 significant bits, dense bright, whatever its file's photometric
        interpretation.
    """
    rng = np.random.default_rng(film.seed)
    density = np.zeros(film.size, dtype=np.float32)
    for each in film.legs:
        _add_leg(density, each, film)
    density *= 1.0 + 0.05 * clouds(rng, (5, 5), film.size)
    density *= 1.0 + 0.015 * clouds(rng, (14, 60), film.size)
    density += _scattered(density)
    for marker in film.markers:
        _add_marker(density, marker)
    beam = _beam(film)
    shutter = film.collimation is not None and film.collimation.shutter
    if beam is not None and not shutter:
        density += np.float32(_LEAD) * (np.float32(1.0) - beam)
    density *= _unevenness(film)
    picture = answer(density, film.exposure, film.contrast)
    # Where few quanta arrive, film and detector are noisier.
    noise = rng.standard_normal(film.size, dtype=np.float32)
    noise *= np.float32(0.5 * film.noise_sd) + np.float32(film.noise_sd) * picture
    picture += noise
    if beam is not None and shutter:
        picture *= beam
    np.clip(picture, 0.0, 1.0, out=picture)
    picture *= np.float32(TOP)
    return np.asarray(np.rint(picture), dtype=np.uint16)


@dataclass(frozen=True, slots=True, eq=False)
class _Patch:
    """A rectangle of the film, as of a right knee: in a left one its columns are turned round."""

    rows: slice
    columns: slice
    turned: bool
    u: Array
    v: Array

    @classmethod
    def around(
        cls, placement: Placement, size: tuple[int, int], u: _Span, v: _Span
    ) -> "_Patch | None":
        """The smallest that covers a part of the knee, or None if that is beyond the film."""
        corners = np.array([placement.pixel(a, b) for a in u for b in v])
        (x0, y0), (x1, y1) = np.floor(corners.min(0)), np.ceil(corners.max(0))
        columns = slice(max(int(x0), 0), min(int(x1) + 1, size[1]))
        rows = slice(max(int(y0), 0), min(int(y1) + 1, size[0]))
        if columns.start >= columns.stop or rows.start >= rows.stop:
            return None
        x = np.arange(columns.start, columns.stop)[:: placement.medial]
        y = np.arange(rows.start, rows.stop)[:, None]
        return cls(rows, columns, placement.medial < 0, *placement.coordinates(x, y))

    def add(self, density: Array, values: Array) -> None:
        """Add what was computed to the film."""
        density[self.rows, self.columns] += values[:, ::-1] if self.turned else values


def _add_leg(density: Array, drawn: Leg, film: PhantomFilm) -> None:
    knee, placement = drawn.knee, film.placement(drawn)
    edge = _UNSHARP_MM / drawn.plateau_mm
    ends = _ends_of_film(placement, film.size)
    rows = np.arange(film.size[0], dtype=np.float32)[:, None]
    v_of_rows = (rows - np.float32(placement.origin[1])) / np.float32(placement.width_px)
    reach = tissue_reach(knee, v_of_rows)
    patch = _Patch.around(placement, film.size, (-reach, reach), ends)
    if patch is not None:
        patch.add(density, leg_tissue(knee, patch.u, v_of_rows[patch.rows]))
    patch = _Patch.around(placement, film.size, (-0.75, 0.75), (-SHAFT_WHOLLY, SHAFT_WHOLLY))
    if patch is not None:
        patch.add(density, _joint(knee, placement, patch, edge))
    for shaft, across, way in _SHAFTS:
        along = (ends[0], -SHAFT_FROM) if way < 0 else (SHAFT_FROM, ends[1])
        patch = _Patch.around(placement, film.size, across, along)
        if patch is not None:
            share = share_of_shaft(patch.v) * (patch.v * way > 0.0)
            patch.add(density, share * shaft(knee, patch.u, patch.v, edge))


def _joint(knee: PhantomKnee, placement: Placement, patch: _Patch, edge: float) -> Array:
    shape = (patch.u.shape[0], patch.u.shape[1])
    region_px = _REGION * placement.width_px
    texture = trabeculae(
        np.random.default_rng(knee.noise_seed),
        shape,
        regions=(shape[0] / region_px, shape[1] / region_px),
    )
    bones = np.zeros(shape, dtype=np.float32)
    add_joint(bones, knee, Rays(patch.u, patch.v, texture * np.float32(knee.trabeculae), edge))
    return np.asarray(bones * (1.0 - share_of_shaft(patch.v)), dtype=np.float32)


def _ends_of_film(placement: Placement, size: tuple[int, int]) -> _Span:
    """The v between which the film lies."""
    rows, columns = size
    x, y = np.array([0, columns - 1]), np.array([[0], [rows - 1]])
    _, v = placement.coordinates(x, y)
    return min(float(v.min()), -SHAFT_WHOLLY), max(float(v.max()), SHAFT_WHOLLY)


def _scattered(density: Array) -> Array:
    rows, columns = density.shape
    small = Image.fromarray(density).resize(
        (columns // _SCATTER_CELL + 1, rows // _SCATTER_CELL + 1), Image.Resampling.BOX
    )
    glow = np.asarray(small, dtype=np.float32)
    for axis in (0, 1):
        padded = np.pad(glow, [(3, 3) if axis == each else (0, 0) for each in (0, 1)], mode="edge")
        windows = np.lib.stride_tricks.sliding_window_view(padded, 7, axis=axis)
        glow = np.asarray(windows.mean(axis=-1), dtype=np.float32)
    picture = Image.fromarray(0.08 * glow + np.float32(_FOG))
    return np.asarray(picture.resize((columns, rows), Image.Resampling.BICUBIC), dtype=np.float32)


def _add_marker(density: Array, marker: Marker) -> None:
    side = max(round(marker.height_px), 8)
    plate = Image.new("L", (side, side), 0)
    draw = ImageDraw.Draw(plate)
    font = ImageFont.load_default(size=0.8 * side)
    draw.text((side / 2, side / 2), marker.letter, fill=255, font=font, anchor="mm", stroke_width=1)
    lead = np.asarray(_turned(plate, marker.turn_deg), np.float32)
    plate.paste(255, (0, 0, side, side))
    plastic = np.asarray(_turned(plate, marker.turn_deg), np.float32)
    values = (np.float32(_LEAD) * lead + np.float32(_PLASTIC) * plastic) / np.float32(255.0)
    height, width = values.shape
    top = round(marker.middle[1] - height / 2)
    left = round(marker.middle[0] - width / 2)
    # What lies beyond the film is cut off.
    values = values[max(-top, 0) :, max(-left, 0) :]
    part = density[max(top, 0) : max(top + height, 0), max(left, 0) : max(left + width, 0)]
    part += values[: part.shape[0], : part.shape[1]]


def _turned(picture: Image.Image, degrees: float) -> Image.Image:
    return picture.rotate(degrees, Image.Resampling.BICUBIC, expand=True)


def _beam(film: PhantomFilm) -> Array | None:
    """1 where rays arrive, 0 behind the collimator; None where it is open."""
    if film.collimation is None:
        return None
    rows, columns = film.size
    opening = Image.new("L", (columns, rows), 0)
    ImageDraw.Draw(opening).polygon(film.collimation.corners(film.size), fill=255)
    soft = opening.filter(ImageFilter.BoxBlur(0.5 / film.spacing_mm))
    return np.asarray(soft, dtype=np.float32) / np.float32(255.0)


def _unevenness(film: PhantomFilm) -> Array:
    rows, columns = film.size
    across = film.gradient[0] * np.linspace(-0.5, 0.5, columns, dtype=np.float32)
    down = film.gradient[1] * np.linspace(-0.5, 0.5, rows, dtype=np.float32)
    return np.asarray(1.0 + across + down[:, None], dtype=np.float32)
