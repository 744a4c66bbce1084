"""Knees on whole films, found by a graph that needs no teaching: see conftest.py."""

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from PIL import Image

from kellgren import errors
from kellgren.anatomy import Laterality
from kellgren.imaging import Radiograph, RegionSpec, cut_region
from kellgren.localise import Found
from kellgren.localise.landmarks import LANDMARKS, LEFT, MIDDLE, RIGHT

SPEC = RegionSpec(side=None, side_unit="whole_picture", size_px=64)
WIDTHS = RegionSpec(side=1.6, side_unit="plateau_width", size_px=64)
MILLIMETRES = RegionSpec(side=100.0, side_unit="mm_detector", size_px=64)
LEVEL = replace(MILLIMETRES, align_plateau=True)
Make = Callable[..., Any]


def box(found: Found) -> np.ndarray[Any, np.dtype[np.float64]]:
    return np.array(found.frame.edges)


def middle(found: Found) -> tuple[float, float]:
    x0, y0, x1, y1 = found.frame.edges
    return (x0 + x1) / 2 - 0.5, (y0 + y1) / 2 - 0.5


class TestPlace:
    @pytest.mark.parametrize("seed", range(6))
    def test_a_knee_comes_back_where_it_was_drawn(
        self, draw_film: Make, make_knee: Make, make_finder: Make, seed: int
    ) -> None:
        x, y, width = np.random.default_rng(seed).uniform((130, 150, 70), (350, 450, 180))
        film = draw_film([make_knee(x, y, width, fibula=-1)])
        (found,) = make_finder().find(film, SPEC, laterality=None)
        x0, _, x1, _ = found.frame.edges
        assert middle(found) == pytest.approx((x, y), abs=0.02 * width)
        assert x1 - x0 == pytest.approx(1.25 * width, rel=0.03)
        assert found.landmarks[MIDDLE] == pytest.approx((x, y), abs=0.02 * width)
        assert found.landmarks[LEFT][0] < x < found.landmarks[RIGHT][0]
        assert (found.laterality, found.laterality_source) == (Laterality.RIGHT, "landmarks")
        assert found.scale_source == "plateau_width"
        assert found.confidence is not None
        assert found.confidence > 0.8
        assert not found.half_seen

    def test_the_second_look_is_closer_and_one_for_each_knee(
        self, draw_film: Make, make_knee: Make, make_finder: Make, make_graph: Make
    ) -> None:
        graph = make_graph()
        localiser = make_finder(graph)
        looks = graph.looks
        film = draw_film([make_knee(120, 300, 90), make_knee(340, 310, 95)])
        assert len(localiser.find(film, SPEC, laterality=None)) == 2
        assert graph.looks - looks == 3

    @pytest.mark.parametrize("shape", [(600, 480), (480, 600), (600, 200), (300, 300)])
    def test_whatever_the_films_shape(
        self, draw_film: Make, make_knee: Make, make_finder: Make, shape: tuple[int, int]
    ) -> None:
        x, y = shape[1] * 0.5, shape[0] * 0.5
        film = draw_film([make_knee(x, y, 90)], shape)
        (found,) = make_finder().find(film, SPEC, laterality=None)
        assert middle(found) == pytest.approx((x, y), abs=2.0)

    def test_a_knee_near_an_edge_is_found_alike_on_either_side(
        self, draw_film: Make, make_knee: Make, make_finder: Make
    ) -> None:
        film = draw_film([make_knee(415, 300, 120)])
        mirrored = Radiograph(np.ascontiguousarray(film.pixels[:, ::-1]), film.sha256)
        (one,) = make_finder().find(film, SPEC, laterality=None)
        (other,) = make_finder().find(mirrored, SPEC, laterality=None)
        assert middle(other)[0] == pytest.approx(479 - middle(one)[0], abs=2.0)
        assert other.gate == one.gate
        assert one.warnings == other.warnings

    @pytest.mark.parametrize("x", [455.0, 24.0])
    def test_a_knee_that_a_side_cuts_is_found_by_its_other_end(
        self, draw_film: Make, make_knee: Make, make_finder: Make, x: float
    ) -> None:
        (found,) = make_finder().find(draw_film([make_knee(x, 300, 120)]), SPEC, laterality=None)
        assert middle(found) == pytest.approx((x, 300), abs=2.0)
        x0, _, x1, _ = found.frame.edges
        assert x1 - x0 == pytest.approx(150.0, rel=0.05)
        assert found.gate.graded
        assert found.half_seen
        assert "REGION_CUT" in found.warnings

    def test_films_without_a_knee_have_none(
        self, draw_film: Make, make_knee: Make, make_finder: Make, make_graph: Make
    ) -> None:
        blank = draw_film([make_knee(-900, 300, 100), make_knee(20, 20, 8)])
        assert make_finder().find(blank, SPEC, laterality=None) == ()
        film = draw_film([make_knee(240, 300, 120)])
        unsure = make_finder(make_graph(0.3))
        assert unsure.find(film, SPEC, laterality=None) == ()

    @pytest.mark.parametrize("tilt", [-0.2, 0.2])
    def test_the_regions_centre_follows_the_plateau(
        self, draw_film: Make, make_knee: Make, make_finder: Make, tilt: float
    ) -> None:
        film = draw_film([make_knee(240, 300, 120, tilt=tilt)])
        (found,) = make_finder(centre=(0.0, 0.1)).find(film, SPEC, laterality=None)
        x, y = middle(found)
        # down along the leg, which leans as the plateau does
        assert x - 240 == pytest.approx(0.1 * 120 * tilt, abs=1.5)
        assert y - 300 == pytest.approx(0.1 * 120, abs=1.5)


class TestSameKnee:
    @pytest.fixture
    def knees(self, make_knee: Make) -> list[Any]:
        return [make_knee(150, 300, 110, fibula=-1), make_knee(350, 310, 105, fibula=1)]

    def test_a_mirrored_film_swaps_the_sides(
        self, draw_film: Make, make_finder: Make, knees: list[Any]
    ) -> None:
        film = draw_film(knees)
        mirrored = Radiograph(np.ascontiguousarray(film.pixels[:, ::-1]), film.sha256)
        found = make_finder().find(film, SPEC, laterality=None)
        swapped = make_finder().find(mirrored, SPEC, laterality=None)[::-1]
        for one, other in zip(found, swapped, strict=True):
            assert other.laterality is one.laterality.mirrored
            x, y = middle(other)
            assert (479 - x, y) == pytest.approx(middle(one), abs=0.02 * 1.25 * 110)

    def test_a_single_knee_swaps_as_well(
        self, draw_film: Make, make_finder: Make, knees: list[Any]
    ) -> None:
        film = draw_film(knees[:1])
        mirrored = Radiograph(np.ascontiguousarray(film.pixels[:, ::-1]), film.sha256)
        (one,) = make_finder().find(film, SPEC, laterality=None)
        (other,) = make_finder().find(mirrored, SPEC, laterality=None)
        assert (one.laterality, other.laterality) == (Laterality.RIGHT, Laterality.LEFT)

    def test_sixteen_bits_half_the_pixels_and_eight_are_one_box(
        self, draw_film: Make, make_finder: Make, knees: list[Any]
    ) -> None:
        film = draw_film(knees)
        deep = draw_film(knees, dtype=np.uint16)
        smaller = Image.fromarray(film.pixels).resize((240, 300), Image.Resampling.BOX)
        half = Radiograph(np.array(smaller), film.sha256)
        for found, fine, coarse in zip(
            *(make_finder().find(each, SPEC, laterality=None) for each in (film, deep, half)),
            strict=True,
        ):
            limit = 0.03 * 1.25 * 110
            assert box(fine) == pytest.approx(box(found), abs=limit)
            assert 2.0 * box(coarse) == pytest.approx(box(found), abs=limit)


class TestScale:
    @pytest.mark.parametrize(
        ("spec", "spacing", "width", "height", "source"),
        [
            (SPEC, None, 1.25 * 120, 1.25 * 120, "plateau_width"),
            (WIDTHS, (0.5, 0.5), 1.6 * 120, 1.6 * 120, "plateau_width"),
            (MILLIMETRES, (0.5, 0.5), 200.0, 200.0, "spacing"),
            (MILLIMETRES, (0.4, 0.5), 200.0, 250.0, "spacing"),
        ],
    )
    def test_the_side_is_in_the_bundles_unit(
        self,
        draw_film: Make,
        make_knee: Make,
        make_finder: Make,
        spec: RegionSpec,
        spacing: tuple[float, float] | None,
        width: float,
        height: float,
        source: str,
    ) -> None:
        film = draw_film([make_knee(240, 300, 120)], spacing=spacing)
        (found,) = make_finder().find(film, spec, laterality=None)
        x0, y0, x1, y1 = found.frame.edges
        assert (x1 - x0, y1 - y0) == pytest.approx((width, height), rel=0.03)
        assert found.scale_source == source

    @pytest.mark.parametrize("level", [False, True])
    def test_millimetres_without_a_spacing_are_an_error_that_says_what_to_do(
        self, draw_film: Make, make_knee: Make, make_finder: Make, level: bool
    ) -> None:
        film = draw_film([make_knee(240, 300, 120)])
        spec = replace(MILLIMETRES, align_plateau=level)
        with pytest.raises(errors.ScaleUnknown, match="--spacing-mm"):
            make_finder().find(film, spec, laterality=None)

    def test_pixels_that_are_not_square_make_no_other_region(
        self, draw_film: Make, make_knee: Make, make_finder: Make
    ) -> None:
        """The same leaning plateau, its film once written with pixels half as high again."""
        film = draw_film([make_knee(240, 300, 120, tilt=0.1)], spacing=(0.5, 0.5))
        flat = Image.fromarray(film.pixels).resize((480, 400), Image.Resampling.BOX)
        squeezed = replace(film, pixels=np.array(flat), pixel_spacing_mm=(0.75, 0.5))
        for spec in (WIDTHS, MILLIMETRES, LEVEL):
            finder = make_finder(centre=(0.0, -0.12))
            (one,) = finder.find(film, spec, laterality=None)
            (other,) = finder.find(squeezed, spec, laterality=None)
            corners = [(-0.5, -0.5), (63.5, -0.5), (-0.5, 63.5), (63.5, 63.5)]
            expected = (one.frame.to_film(corners) + 0.5) * 0.5
            found = (other.frame.to_film(corners) + 0.5) * (0.5, 0.75)
            assert found == pytest.approx(expected, abs=0.02 * 100.0)


class TestLevel:
    """``align_plateau``: the region is turned until the plateau is level in it."""

    @pytest.mark.parametrize("tilt", [-0.3, -0.05, 0.0, 0.2])
    @pytest.mark.parametrize("side_unit", ["plateau_width", "mm_detector", "whole_picture"])
    @pytest.mark.parametrize("spacing", [(0.4, 0.4), (0.5, 0.4), (0.4, 0.5)])
    def test_the_plateau_lies_along_the_regions_rows(
        self,
        draw_film: Make,
        make_knee: Make,
        make_finder: Make,
        tilt: float,
        side_unit: Any,  # noqa: ANN401 – a literal
        spacing: tuple[float, float],
    ) -> None:
        sides = {"plateau_width": 1.6, "mm_detector": 80.0, "whole_picture": None}
        spec = RegionSpec(sides[side_unit], side_unit, 64, align_plateau=True)
        film = draw_film([make_knee(240, 300, 120, tilt=tilt)], spacing=spacing)
        (found,) = make_finder(centre=(0.0, -0.12)).find(film, spec, laterality=None)
        places = [found.landmarks[name] for name in (LEFT, RIGHT)]
        (left, row), (right, other_row) = found.frame.to_crop(places)
        assert row == pytest.approx(other_row, abs=1e-6)
        assert left < 31.5 < right
        # a square in millimetres, of the side that was asked for
        in_mm = np.array(found.frame.matrix)[:, :2] * 64 * np.array(spacing[::-1])[:, None]
        along, down = in_mm.T
        assert along @ down == pytest.approx(0.0, abs=1e-6)
        width = np.hypot(*(np.subtract(*places) * spacing[::-1]))
        side = {"plateau_width": 1.6 * width, "mm_detector": 80.0, "whole_picture": 1.25 * width}
        assert np.hypot(*along) == pytest.approx(side[side_unit], rel=1e-9)
        assert np.hypot(*down) == pytest.approx(side[side_unit], rel=1e-9)
        # and it stands up: its rows run to the film's right, its columns down
        assert along[0] > 0.0
        assert down[1] > 0.0

    def test_only_where_it_is_asked_for(
        self, draw_film: Make, make_knee: Make, make_finder: Make
    ) -> None:
        film = draw_film([make_knee(240, 300, 120, tilt=0.2)], spacing=(0.5, 0.5))
        (upright,) = make_finder().find(film, MILLIMETRES, laterality=None)
        (turned,) = make_finder().find(film, LEVEL, laterality=None)
        assert upright.frame.axis_aligned
        assert not turned.frame.axis_aligned
        middle = (31.5, 31.5)
        assert turned.frame.to_film(middle) == pytest.approx(upright.frame.to_film(middle))
        assert cut_region(film, turned.frame, LEVEL).on_film == 1.0


class TestGate:
    @pytest.mark.parametrize(
        ("y", "graded", "reasons", "warnings"),
        [
            (300, True, (), ()),
            (560, True, (), ("REGION_CUT",)),
            (588, False, ("REGION_CUT",), ()),
        ],
    )
    def test_a_region_past_the_edge(
        self,
        draw_film: Make,
        make_knee: Make,
        make_finder: Make,
        y: int,
        graded: bool,
        reasons: tuple[str, ...],
        warnings: tuple[str, ...],
    ) -> None:
        film = draw_film([make_knee(240, y, 150)])
        found = make_finder().find(film, SPEC, laterality=None)
        (knee,) = found
        assert (knee.gate.graded, knee.gate.reasons, knee.warnings) == (graded, reasons, warnings)
        # whatever is reported can be cut, as --force and the report's pictures ask
        assert cut_region(film, knee.frame, SPEC).on_film > 0.0

    def test_a_small_picture_is_too_coarse(
        self, draw_film: Make, make_knee: Make, make_finder: Make
    ) -> None:
        film = draw_film([make_knee(60, 75, 40)], (150, 120))
        (knee,) = make_finder().find(film, SPEC, laterality=None)
        assert knee.gate.reasons == ("TOO_COARSE",)


class TestBundle:
    def test_the_reference_is_the_records(self, make_finder: Make) -> None:
        said = make_finder().reference
        assert (said.name, said.version, said.sha256) == ("dots", "0.1.0", "0" * 64)

    @pytest.mark.parametrize("names", [LANDMARKS[:5], (*LANDMARKS, "patella")])
    def test_a_graph_with_other_maps_is_refused(
        self, make_finder: Make, names: tuple[str, ...]
    ) -> None:
        with pytest.raises(errors.BundleInvalid, match="one heat map for each"):
            make_finder(landmarks=names)
