"""Films whose grey levels run the wrong way are turned round, and no other film is."""

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from kellgren import errors
from kellgren.anatomy import Laterality
from kellgren.imaging import Frame, Radiograph, RegionSpec
from kellgren.localise import Box, Boxes, Found, Localiser, search
from kellgren.localise.polarity import INVERTED, SURE, negative
from kellgren.records import Gate

SPEC = RegionSpec(side=None, side_unit="whole_picture", size_px=64)
MILLIMETRES = RegionSpec(side=100.0, side_unit="mm_detector", size_px=64)
CUT = Gate(graded=False, reasons=("REGION_CUT",))
Make = Callable[..., Any]


class Told:
    """Finds one knee, how surely depends on whether the picture's middle is bright or dark."""

    reference = None
    synthetic = False

    def __init__(
        self, bright: float, dark: float, *, gate: Gate | None = None, half_seen: bool = False
    ) -> None:
        self.certainty = {True: bright, False: dark}
        self.gate = gate or Gate()
        self.half_seen = half_seen
        self.looks = 0

    def find(
        self, film: Radiograph, spec: RegionSpec, *, laterality: Laterality | None
    ) -> tuple[Found, ...]:
        self.looks += 1
        certainty = self.certainty[bool(film.pixels[50, 50] > film.pixels[0, 0])]
        if certainty == 0.0:
            return ()
        frame = Frame.of_box(20, 20, 80, 80, size_px=spec.size_px)
        side = laterality or Laterality.UNKNOWN
        found = Found(frame, side, "unknown", "plateau_width", certainty, self.gate, ("OTHER",))
        return (replace(found, half_seen=self.half_seen),)


@pytest.fixture
def bright() -> Radiograph:
    pixels = np.full((100, 100), 10, dtype=np.uint8)
    pixels[30:70, 30:70] = 200
    return Radiograph(pixels, "a" * 64)


@pytest.mark.parametrize("dtype", [np.uint8, np.uint16, np.float32])
def test_the_negative_of_a_negative_is_the_film(dtype: type) -> None:
    pixels: NDArray[Any] = np.random.default_rng(0).integers(3, 250, (40, 50)).astype(dtype)
    film = Radiograph(pixels, "a" * 64, pixel_spacing_mm=(0.2, 0.2), spacing_source="given")
    turned = negative(film)
    assert turned.pixels.dtype == dtype
    assert (turned.pixels.min(), turned.pixels.max()) == (pixels.min(), pixels.max())
    assert np.argmax(turned.pixels) == np.argmin(pixels)
    np.testing.assert_array_equal(negative(turned).pixels, pixels)
    assert (turned.sha256, turned.pixel_spacing_mm) == (film.sha256, film.pixel_spacing_mm)


class TestWithALocaliser:
    def test_an_inverted_film_has_the_same_knees(
        self, draw_film: Make, make_knee: Make, make_finder: Make, make_graph: Make
    ) -> None:
        film = draw_film([make_knee(130, 300, 110, fibula=-1), make_knee(350, 310, 105, fibula=1)])
        localiser: Localiser = make_finder(make_graph(1.0))
        expected = localiser.find(film, SPEC, laterality=None)
        assert len(expected) == 2
        inverted = negative(film)
        assert localiser.find(inverted, SPEC, laterality=None) == ()
        seen, found = search(inverted, localiser, SPEC, laterality=None)
        np.testing.assert_array_equal(seen.pixels, film.pixels)
        for one, other in zip(found, expected, strict=True):
            assert one.warnings == (*other.warnings, INVERTED)
            assert replace(one, warnings=other.warnings) == other

    def test_a_film_as_it_should_be_is_looked_at_no_more_than_before(
        self, draw_film: Make, make_knee: Make, make_finder: Make, make_graph: Make
    ) -> None:
        graph = make_graph(1.0)
        localiser = make_finder(graph)
        film = draw_film([make_knee(240, 300, 120)])
        looks = graph.looks
        expected = localiser.find(film, SPEC, laterality=None)
        once = graph.looks - looks
        seen, found = search(film, localiser, SPEC, laterality=None)
        assert (seen, found) == (film, expected)
        assert graph.looks - looks == 2 * once

    def test_without_a_spacing_the_error_is_the_same(
        self, draw_film: Make, make_knee: Make, make_finder: Make
    ) -> None:
        """The negative is searched with the same demands."""
        film = negative(draw_film([make_knee(240, 300, 120)]))
        with pytest.raises(errors.ScaleUnknown, match="--spacing-mm"):
            search(film, make_finder(), MILLIMETRES, laterality=None)


@pytest.mark.parametrize("unsure", [0.0, SURE - 0.001])
def test_who_is_unsure_looks_at_the_negative(bright: Radiograph, unsure: float) -> None:
    localiser = Told(unsure, SURE)
    seen, (found,) = search(bright, localiser, SPEC, laterality=Laterality.LEFT)
    np.testing.assert_array_equal(seen.pixels, negative(bright).pixels)
    assert found.warnings == ("OTHER", INVERTED)
    assert (found.laterality, found.confidence, localiser.looks) == (Laterality.LEFT, SURE, 2)


@pytest.mark.parametrize(("bright_one", "dark_one"), [(0.75, 0.0), (0.75, SURE - 0.001), (0, 0)])
def test_where_neither_is_sure_the_film_stays_as_it_is(
    bright: Radiograph, bright_one: float, dark_one: float
) -> None:
    localiser = Told(bright_one, dark_one)
    seen, found = search(bright, localiser, SPEC, laterality=None)
    assert seen is bright
    assert [knee.confidence for knee in found] == [bright_one] * bool(bright_one)
    assert all(knee.warnings == ("OTHER",) for knee in found)


def test_a_sure_knee_is_not_doubted_though_the_negative_has_one_too(bright: Radiograph) -> None:
    localiser = Told(SURE, 0.99)
    seen, (found,) = search(bright, localiser, SPEC, laterality=None)
    assert seen is bright
    assert (found.confidence, localiser.looks) == (SURE, 1)


def test_a_knee_that_may_not_be_graded_says_nothing_of_the_polarity(bright: Radiograph) -> None:
    localiser = Told(0.9, 0.9, gate=CUT)
    seen, (found,) = search(bright, localiser, SPEC, laterality=None)
    assert seen is bright
    assert (found.gate, found.warnings, localiser.looks) == (CUT, ("OTHER",), 2)


def test_nor_does_one_of_which_an_end_lies_beyond_the_film(bright: Radiograph) -> None:
    localiser = Told(0.0, 0.99, half_seen=True)
    assert search(bright, localiser, SPEC, laterality=None) == (bright, ())
    seen, (found,) = search(negative(bright), localiser, SPEC, laterality=None)
    assert (found.warnings, seen.pixels[0, 0]) == (("OTHER",), bright.pixels.max())


def test_what_a_person_marked_is_taken_as_it_is(bright: Radiograph) -> None:
    dark = negative(bright)
    marked = Boxes((Box(20, 20, 80, 80, Laterality.LEFT),))
    seen, (found,) = search(dark, marked, SPEC, laterality=None)
    assert seen is dark
    assert INVERTED not in found.warnings
