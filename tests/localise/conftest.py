"""Films of drawn dots, and a graph that finds dots: what a localiser does without being taught."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
import pytest
from numpy.typing import NDArray

from kellgren.imaging import Header, Radiograph, RegionSpec
from kellgren.localise.bundle import LocaliserBundle, LocaliserRecord
from kellgren.localise.landmarks import FIBULA, LANDMARKS, LEFT, MIDDLE, RIGHT, STRIDE, peaks
from kellgren.localise.learned import LearnedLocaliser

SIZE_PX = 256
_END, _MIDDLE, _FIBULA = 0.4, 0.6, 0.8
"""How bright the dots are; the shafts have 1."""


@dataclass(frozen=True)
class Drawn:
    """A knee to be drawn: its joint's middle, the plateau's width, and where the fibula is."""

    x: float
    y: float
    width: float
    fibula: int = 0
    """−1 at the image's left, 1 at its right."""
    tilt: float = 0.0
    """Rise of the plateau to the image's right, as a share of its width."""


def draw(
    knees: Sequence[Drawn],
    shape: tuple[int, int] = (600, 480),
    *,
    dtype: type = np.uint8,
    header: Header | None = None,
    spacing: tuple[float, float] | None = None,
) -> Radiograph:
    y, x = np.mgrid[: shape[0], : shape[1]].astype(np.float64)
    film = np.zeros(shape)
    for knee in knees:
        w = knee.width
        dots = [
            (_END, -0.5, knee.tilt / 2),
            (_END, 0.5, -knee.tilt / 2),
            (_MIDDLE, 0.0, 0.0),
        ]
        dots += [(_FIBULA, 0.45 * knee.fibula, 0.28)] if knee.fibula else []
        for bright, dx, dy in dots:
            off = (x - knee.x - dx * w) ** 2 + (y - knee.y - dy * w) ** 2
            film = np.maximum(film, bright * np.exp(-off / 2 / (0.05 * w) ** 2))
        away = np.abs(y - knee.y) / w
        film[(np.abs(x - knee.x) < 0.15 * w) & (away > 0.5) & (away < 1.4)] = 1.0
    top = 255 if dtype == np.uint8 else 4000
    return Radiograph(
        np.rint(film * top).astype(dtype),
        "0" * 64,
        pixel_spacing_mm=spacing,
        spacing_source="none" if spacing is None else "pixel_spacing",
        header=header or Header(),
    )


class Dots:
    """A graph: where a picture has a dot, the map of its landmark has a Gaussian."""

    def __init__(self, height: float = 0.9) -> None:
        self.height = height
        self.looks = 0

    def run(self, **inputs: NDArray[np.float32]) -> dict[str, NDArray[np.float32]]:
        (film,) = inputs["film"][0]
        self.looks += 1
        shape = (film.shape[0] // STRIDE, film.shape[1] // STRIDE)
        heat = np.zeros((1, len(LANDMARKS), *shape), dtype=np.float32)
        dots = bright_spots(film)
        middles = [dot for dot in dots if abs(dot[2] - _MIDDLE) < 0.1]
        for x, y, bright in dots:
            name = {4: "end", 6: MIDDLE, 8: FIBULA}.get(2 * round(5 * bright))
            if name == "end" and middles:
                nearest = min(middles, key=lambda dot: np.hypot(dot[0] - x, dot[1] - y))
                name = LEFT if x < nearest[0] else RIGHT
            if name in LANDMARKS:
                render(heat[0, LANDMARKS.index(name)], x, y, self.height)
        return {"heatmap": heat}


def bright_spots(film: NDArray[np.float32]) -> list[tuple[float, float, float]]:
    """(x, y, brightness) of every dot; the shafts are brighter."""
    windows = np.lib.stride_tricks.sliding_window_view(np.pad(film, 2), (5, 5))
    highest = windows.max((-2, -1))
    found = []
    for row, column in np.argwhere((film >= highest) & (film > 0.25) & (film < 0.95)).tolist():
        x, y, bright = peaks(windows[row, column], 0.25)[0]
        found.append((column + x - 2.0, row + y - 2.0, bright))
    return found


def render(heat: NDArray[np.float32], x: float, y: float, height: float) -> None:
    """A Gaussian around a place in the network's picture."""
    rows, columns = np.mgrid[: heat.shape[0], : heat.shape[1]]
    column, row = (x + 0.5) / STRIDE - 0.5, (y + 0.5) / STRIDE - 0.5
    off = (columns - column) ** 2 + (rows - row) ** 2
    np.maximum(heat, height * np.exp(-off / 2 / 1.2**2), out=heat)


def record(**changes: object) -> LocaliserRecord:
    said = {
        "kind": "localiser",
        "name": "dots",
        "version": "0.1.0",
        "statement_of_use": "Tests.",
        "limits": "Finds dots.",
        "film": RegionSpec(None, "whole_picture", SIZE_PX, percentiles=(1.0, 99.5), levels=None),
        "landmarks": LANDMARKS,
        "first_look": 0.15,
        "accepted": 0.35,
        "beside": 0.35,
        "zoom": 2.2,
        "centre": (0.0, 0.0),
        "trained_on": (),
        "files": {"model.onnx": "0" * 64},
        **changes,
    }
    return LocaliserRecord.model_validate(said)


def finder(graph: Dots | None = None, **changes: object) -> LearnedLocaliser:
    bundle = LocaliserBundle(record(**changes), "0" * 64, {})
    return LearnedLocaliser(bundle, graph=graph or Dots())


@pytest.fixture
def draw_film() -> Callable[..., Radiograph]:
    """A film of dots for some knees."""
    return draw


@pytest.fixture
def make_knee() -> type[Drawn]:
    """A knee to be drawn."""
    return Drawn


@pytest.fixture
def make_finder() -> Callable[..., LearnedLocaliser]:
    """A localiser that finds dots; keywords change its record."""
    return finder


@pytest.fixture
def make_graph() -> type[Dots]:
    """Its graph."""
    return Dots


@pytest.fixture
def make_record() -> Callable[..., LocaliserRecord]:
    """Its record."""
    return record
