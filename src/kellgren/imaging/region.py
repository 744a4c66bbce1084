"""Cutting a knee's region out of a film: one function for training and for grading."""

import math
from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from kellgren.anatomy import Laterality
from kellgren.imaging.frame import Frame
from kellgren.imaging.percentiles import percentiles
from kellgren.imaging.radiograph import Radiograph
from kellgren.imaging.resize import resized

SideUnit = Literal["mm_detector", "plateau_width", "whole_picture"]

_OFF_FILM = "the region lies wholly off the film"
_SAMPLES_A_PIXEL = 0.8
"""Chosen: of a film pixel along one axis; more cost time and move values by less than noise."""
_LEAST_RANGE = 1e-6
"""Between the percentiles; chosen: below what single precision tells apart on any film."""
_FINEST_PX = 4096
"""Chosen: a region of the longest detector side; a larger one is sampled more coarsely."""


@dataclass(frozen=True, slots=True)
class RegionSpec:
    """How a region is cut and normalised. It travels in the bundle beside the weights.

    The order is fixed: cut → percentiles of the pixels on film → clip to [0, 1] → levels → fill →
    mirror → (x − mean) / sd.

    Parameters
    ----------
    side, side_unit
        Side of the square, in detector-plane millimetres or tibial-plateau widths;
        ``whole_picture`` where pictures come cut.
    size_px
        Side after resampling.
    resample
        ``antialiased``: bilinear, widened to the source pixels that fall on one target pixel.
    align_plateau
        Whether the square is turned until the tibial plateau is level.
    percentiles
        Intensities that become 0 and 1.
    levels
        256 rounds to 8 bit, as tiulpin2018 does; None keeps the resolution.
    fill
        Value in [0, 1] off the film.
    mirror_to
        The side that every knee is made to look like.
    mean, sd
        Of the normalised pixels of the training data.
    """

    side: float | None
    side_unit: SideUnit
    size_px: int
    resample: Literal["antialiased"] = "antialiased"
    align_plateau: bool = False
    percentiles: tuple[float, float] = (5.0, 99.0)
    levels: Literal[256] | None = 256
    fill: float = 0.0
    mirror_to: Literal[Laterality.LEFT, Laterality.RIGHT] = Laterality.RIGHT
    mean: float = 0.5
    sd: float = 0.25


@dataclass(frozen=True, slots=True, eq=False)
class Region:
    """A cut region, before the last step of its specification.

    Parameters
    ----------
    pixels
        (size_px, size_px) float32 in [0, 1].
    frame
        Where it lies; mirrored if the pixels are.
    on_film
        Share of the region, in [0, 1], that the film shows.
    """

    pixels: NDArray[np.float32]
    frame: Frame
    on_film: float

    def mirror(self) -> "Region":
        """The same region flipped left to right."""
        return Region(np.ascontiguousarray(self.pixels[:, ::-1]), self.frame.mirror(), self.on_film)


def whole_picture(film: Radiograph, spec: RegionSpec) -> Frame:
    """The frame of a picture that is itself the region (``--cropped``)."""
    rows, columns = film.shape
    return Frame.of_box(0.0, 0.0, float(columns), float(rows), size_px=spec.size_px)


def cut_region(film: Radiograph, frame: Frame, spec: RegionSpec) -> Region:
    """Cut, normalise, quantise and fill one region.

    Parameters
    ----------
    film
        The film.
    frame
        A square of ``spec.size_px`` pixels, turned and mirrored or not; it may reach past the
        film's edges.
    spec
        How; ``mean`` and ``sd`` are applied by `standardise`, mirroring by `Region.mirror`.

    Returns
    -------
    Region
        Values in [0, 1], multiples of 1/255 where the specification asks for 256 levels.
    """
    if frame.size_px != spec.size_px:
        raise ValueError(f"the frame is {frame.size_px} px wide, the specification {spec.size_px}")
    if frame.mirrored:
        return cut_region(film, frame.mirror(), spec).mirror()
    values, on_film = _resample(film, frame) if frame.axis_aligned else _turned(film, frame)
    share = np.count_nonzero(on_film) / on_film.size
    seen = values if share == 1.0 else values[on_film]
    low, high = percentiles(seen, spec.percentiles)
    values -= low
    values /= max(float(high - low), _LEAST_RANGE)
    np.clip(values, 0.0, 1.0, out=values)
    if spec.levels is not None:
        values *= spec.levels - 1
        np.rint(values, out=values)
        values /= spec.levels - 1
    if share < 1.0:
        values[~on_film] = spec.fill
    return Region(values, frame, share)


def standardise(pixels: NDArray[np.float32], spec: RegionSpec) -> NDArray[np.float32]:
    """The last step: (x − mean) / sd, any shape."""
    values = np.subtract(pixels, np.float32(spec.mean), dtype=np.float32)
    values /= np.float32(spec.sd)
    return values


def _resample(film: Radiograph, frame: Frame) -> tuple[NDArray[np.float32], NDArray[np.bool_]]:
    rows, columns = film.shape
    size = frame.size_px
    x0, y0, x1, y1 = frame.edges
    inside = (max(x0, 0.0), max(y0, 0.0), min(x1, float(columns)), min(y1, float(rows)))
    if inside[0] >= inside[2] or inside[1] >= inside[3]:
        raise ValueError(_OFF_FILM)
    left, right = _covered(inside[0] - x0, inside[2] - x0, x1 - x0, size)
    top, bottom = _covered(inside[1] - y0, inside[3] - y0, y1 - y0, size)
    values = np.zeros((size, size), dtype=np.float32)
    on_film = np.zeros((size, size), dtype=np.bool_)
    values[top:bottom, left:right] = resized(film.pixels, (right - left, bottom - top), inside)
    on_film[top:bottom, left:right] = True
    return values, on_film


def _turned(film: Radiograph, frame: Frame) -> tuple[NDArray[np.float32], NDArray[np.bool_]]:
    """As `_resample`, of a square that is not upright.

    It is sampled bilinearly, an odd number of times a target pixel, at about the film's own
    resolution, and each target pixel is a mean weighted with a triangle along the crop's axes. A
    mask of where the film is goes the same way, so that pixels at its edge are means of film alone.
    """
    rows, columns = film.shape
    size = frame.size_px
    # The part of the film that is needed, and a pixel more for its neighbours.
    x0, y0, x1, y1 = frame.edges
    left, top = max(math.floor(x0) - 1, 0), max(math.floor(y0) - 1, 0)
    right, bottom = min(math.ceil(x1) + 1, columns), min(math.ceil(y1) + 1, rows)
    if left >= right or top >= bottom:
        raise ValueError(_OFF_FILM)
    part = np.ascontiguousarray(film.pixels[top:bottom, left:right], dtype=np.float32)
    shown = np.ones_like(part)
    on_film = _sampled(shown, frame, left, top) > 0.5
    if not on_film.any():
        raise ValueError(_OFF_FILM)
    (a, b, _), (c, d, _) = frame.matrix
    across, down = math.hypot(a, c), math.hypot(b, d)
    scale = max(across, down)
    times = max(math.ceil(_SAMPLES_A_PIXEL * scale), 2) // 2 * 2 + 1 if scale > 1.0 else 1
    times = min(times, max(_FINEST_PX // size - 1, 0) // 2 * 2 + 1)
    fine = frame.resize(size * times)
    weights = _triangles(size, times, across), _triangles(size, times, down)
    values = _weighted(_sampled(part, fine, left, top), *weights)
    if not on_film.all():
        share = _weighted(_sampled(shown, fine, left, top), *weights)
        # a centre on the film's very edge may have all its samples just off it
        on_film &= share > 0.0
        values = np.divide(values, share, out=np.zeros_like(values), where=on_film)
    return values, on_film


def _sampled(part: NDArray[np.float32], frame: Frame, left: int, top: int) -> NDArray[np.float32]:
    """The frame's pixels, bilinear, 0 off the part; (left, top) is the part's first film pixel."""
    (a, b, tx), (c, d, ty) = frame.matrix
    # Pillow counts from the first pixel's edge, not from its centre.
    x, y = tx - left + 0.5 - (a + b) / 2, ty - top + 0.5 - (c + d) / 2
    size = (frame.size_px, frame.size_px)
    sampled = Image.fromarray(part).transform(
        size, Image.Transform.AFFINE, (a, b, x, c, d, y), Image.Resampling.BILINEAR
    )
    return np.asarray(sampled)


def _triangles(size: int, times: int, scale: float) -> NDArray[np.float32]:
    """(size, size × times): the weights of the samples for each target pixel along one axis.

    Together with the bilinear samples, which are triangles of one film pixel themselves, they are
    as wide as `_resample`'s triangle of ``scale`` film pixels: variances add up.
    """
    half_width = math.sqrt(max(scale**2 - 1.0, 0.0)) / scale
    places = (np.arange(size * times) + 0.5) / times - 0.5
    distance = np.abs(places - np.arange(size)[:, np.newaxis])
    # The middle one of an odd number of samples is always there.
    weights = np.maximum(1.0 - distance / max(half_width, 0.5 / times), 0.0)
    weights /= weights.sum(axis=1, keepdims=True)
    return np.asarray(weights, np.float32)


def _weighted(
    fine: NDArray[np.float32], across: NDArray[np.float32], down: NDArray[np.float32]
) -> NDArray[np.float32]:
    return np.asarray(down @ fine @ across.T, np.float32)


def _covered(start: float, stop: float, side: float, size: int) -> tuple[int, int]:
    """The target pixels, of ``size`` on a ``side``, whose centre lies on the film; at least one."""
    first = min(math.ceil(start / side * size - 0.5), size - 1)
    return first, max(math.floor(stop / side * size + 0.5), first + 1)
