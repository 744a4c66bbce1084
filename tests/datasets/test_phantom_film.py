"""Whole phantom films: what is sampled and drawn, and where the landmarks lie."""

import math
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from kellgren.anatomy import Laterality
from kellgren.datasets.phantom import (
    Collimation,
    Landmark,
    Leg,
    Marker,
    PhantomFilm,
    PhantomKnee,
    draw_film,
    film_landmarks,
    sample_film,
)

SEEDS = st.integers(0, 2**31 - 1)
CORE = {"tibial_plateau_image_left", "tibial_plateau_image_right", "joint_middle"}
# A coarse film takes some 50 ms, sampling one some milliseconds.
few = settings(max_examples=8, deadline=None)
many = settings(max_examples=50, deadline=None)


def sampled(seed: int, *, two: bool | None = None) -> PhantomFilm:
    return sample_film(np.random.default_rng(seed), two=two)


def coarse(film: PhantomFilm, factor: int = 4) -> PhantomFilm:
    """The same film with fewer and larger pixels."""
    border = film.collimation
    return replace(
        film,
        size=(film.size[0] // factor, film.size[1] // factor),
        spacing_mm=film.spacing_mm * factor,
        legs=tuple(replace(leg, origin=scaled(leg.origin, factor)) for leg in film.legs),
        markers=tuple(
            replace(
                marker,
                middle=scaled(marker.middle, factor),
                height_px=marker.height_px / factor,
            )
            for marker in film.markers
        ),
        collimation=None
        if border is None
        else replace(
            border,
            left=border.left / factor,
            top=border.top / factor,
            right=border.right / factor,
            bottom=border.bottom / factor,
        ),
    )


def scaled(point: tuple[float, float], factor: int) -> tuple[float, float]:
    return point[0] / factor, point[1] / factor


def bare(film: PhantomFilm, **values: Any) -> PhantomFilm:  # noqa: ANN401 – any field
    """Without noise and all that lies beside the legs, so that grey levels can be compared."""
    plain: dict[str, Any] = {
        "collimation": None,
        "markers": (),
        "noise_sd": 0.0,
        "gradient": (0.0, 0.0),
        "exposure": 1.2,
        "contrast": 1.3,
    }
    return replace(film, **(plain | values))


def mirrored(film: PhantomFilm) -> PhantomFilm:
    """The film as seen from behind."""
    last = film.size[1] - 1
    return replace(
        film,
        legs=tuple(
            replace(
                leg,
                knee=replace(leg.knee, laterality=leg.knee.laterality.mirrored),
                origin=(last - leg.origin[0], leg.origin[1]),
            )
            for leg in reversed(film.legs)
        ),
    )


def by_name(knee: tuple[Landmark, ...]) -> dict[str, tuple[float, float]]:
    return {landmark.name: (landmark.x, landmark.y) for landmark in knee}


class TestSampling:
    @many
    @given(seed=SEEDS, two=st.booleans())
    def test_films_and_knees_have_plausible_sizes(self, seed: int, two: bool) -> None:
        film = sampled(seed, two=two)
        assert len(film.knees) == 1 + two
        height, width = (side * film.spacing_mm for side in film.size)
        assert 230.0 < width < 430.0
        assert 290.0 < height < 430.0
        assert 0.13 < film.spacing_mm < 0.15
        for knee in film_landmarks(film):
            points = by_name(knee)
            ends = (points[f"tibial_plateau_image_{side}"] for side in ("left", "right"))
            assert 73.0 < math.dist(*ends) * film.spacing_mm < 87.0

    @many
    @given(seed=SEEDS)
    def test_every_knee_lies_in_the_beam_with_its_whole_region(self, seed: int) -> None:
        film = sampled(seed)
        for leg, knee in zip(film.legs, film_landmarks(film), strict=True):
            assert all(landmark.visible for landmark in knee)
            half = 0.625 * leg.plateau_mm / film.spacing_mm
            x, y = leg.origin
            assert all(film.shows(x + a, y + b) for a in (-half, half) for b in (-half, half))

    @many
    @given(seed=SEEDS)
    def test_the_patients_right_is_at_the_films_left(self, seed: int) -> None:
        film = sampled(seed, two=True)
        assert [knee.laterality for knee in film.knees] == [Laterality.RIGHT, Laterality.LEFT]
        right, left = (by_name(knee) for knee in film_landmarks(film))
        apart = left["joint_middle"][0] - right["joint_middle"][0]
        assert apart * film.spacing_mm > 150.0
        assert right["fibula_head"][0] < right["joint_middle"][0]
        assert left["fibula_head"][0] > left["joint_middle"][0]
        for marker in film.markers:
            assert (marker.letter == "R") == (marker.middle[0] < film.size[1] / 2)

    def test_every_kind_is_sampled(self) -> None:
        films = [sampled(seed) for seed in range(200)]
        kinds = {(len(f.knees), f.modality, f.photometric) for f in films}
        assert len(kinds) == 8
        assert {knee.kl for f in films for knee in f.knees} == {0, 1, 2, 3, 4}
        assert {f.size[0] > f.size[1] for f in films if len(f.knees) == 2} == {True, False}
        borders = [f.collimation for f in films]
        assert {None if each is None else each.shutter for each in borders} == {None, True, False}

    def test_what_is_no_film_is_refused(self) -> None:
        film = sampled(1, two=True)
        for legs in ((), film.legs[::-1], film.legs[:1] * 2, film.legs * 2):
            with pytest.raises(ValueError, match="a film shows one, or a right and a left"):
                replace(film, legs=legs)
        crossed = tuple(
            replace(leg, origin=other.origin)
            for leg, other in zip(film.legs, film.legs[::-1], strict=True)
        )
        with pytest.raises(ValueError, match="right leg is not at the film's left"):
            replace(film, legs=crossed)
        with pytest.raises(ValueError, match="pictures under 32 px"):
            replace(film, size=(31, 300))
        with pytest.raises(ValueError, match="a distance is positive"):
            replace(film, spacing_mm=0.0)


class TestLandmarks:
    @many
    @given(seed=SEEDS)
    def test_widths_and_tilts_are_those_asked_for(self, seed: int) -> None:
        film = sampled(seed)
        for leg, knee in zip(film.legs, film_landmarks(film), strict=True):
            points = by_name(knee)
            (x0, y0), (x1, y1) = (
                points[f"tibial_plateau_image_{side}"] for side in ("left", "right")
            )
            width_mm = math.hypot(x1 - x0, y1 - y0) * film.spacing_mm
            assert width_mm == pytest.approx(leg.plateau_mm)
            turn = math.degrees(math.atan2(y1 - y0, x1 - x0))
            if leg.knee.laterality is Laterality.LEFT:
                turn = -turn
            assert turn == pytest.approx(leg.tilt_deg)
            assert ((x0 + x1) / 2, (y0 + y1) / 2) == pytest.approx(leg.origin)
            tip = math.dist(points["fibula_head"], leg.origin) * film.spacing_mm
            assert tip == pytest.approx(math.hypot(0.45, leg.knee.fibula) * leg.plateau_mm)
            condyles = math.dist(
                *(points[f"femoral_condyle_image_{side}"] for side in ("left", "right"))
            )
            assert 1.0 < condyles * film.spacing_mm / leg.plateau_mm < 1.1

    @many
    @given(seed=SEEDS)
    def test_a_mirrored_film_swaps_sides(self, seed: int) -> None:
        film = sampled(seed)
        last = film.size[1] - 1
        swap = {"left": "right", "right": "left"}
        found = film_landmarks(film)
        for knee, other in zip(found, film_landmarks(mirrored(film))[::-1], strict=True):
            theirs = by_name(other)
            for name, (x, y) in by_name(knee).items():
                stem, _, end = name.partition("_image_")
                twin = f"{stem}_image_{swap[end]}" if end else stem
                assert theirs[twin] == pytest.approx((last - x, y))

    def test_what_the_beam_does_not_reach_is_not_visible(self) -> None:
        knee = PhantomKnee(Laterality.RIGHT, 0.06, 0.06)
        film = PhantomFilm(legs=(Leg(knee, (1200.0, 1500.0), 80.0),))
        assert all(landmark.visible for landmark in film_landmarks(film)[0])

        def visible(**values: Any) -> set[str]:  # noqa: ANN401 – any field
            (found,) = film_landmarks(replace(film, **values))
            return {landmark.name for landmark in found if landmark.visible}

        assert visible(collimation=Collimation(1000.0, 0.0, 0.0, 0.0)) == {
            "tibial_plateau_image_right",
            "femoral_condyle_image_right",
            "joint_middle",
        }
        assert visible(collimation=Collimation(0.0, 0.0, 0.0, 1450.0)) >= CORE
        assert "fibula_head" not in visible(collimation=Collimation(0.0, 0.0, 0.0, 1450.0))
        assert "fibula_head" not in visible(size=(1600, 2400))
        assert visible(legs=(Leg(knee, (-700.0, 1500.0), 80.0),)) == set()
        # Turned by a right angle about its middle, what was at the left is at the top.
        turned = Collimation(400.0, 300.0, 0.0, 0.0, turn_deg=90.0)
        assert "femoral_condyle_image_left" in visible(collimation=turned)
        above = replace(turned, left=1100.0)
        assert "femoral_condyle_image_left" not in visible(collimation=above)


class TestDrawing:
    def test_the_same_film_is_the_same_picture_of_12_bits(self) -> None:
        film = coarse(sampled(3, two=True))
        first = draw_film(film)
        np.testing.assert_array_equal(first, draw_film(coarse(sampled(3, two=True))))
        assert first.dtype == np.dtype(np.uint16)
        assert first.shape == film.size
        assert first.max() <= 4095
        assert len(np.unique(first)) > 1000
        assert (draw_film(replace(film, seed=film.seed + 1)) != first).mean() > 0.5

    def test_a_film_has_the_size_that_it_says_at_its_own_resolution(self) -> None:
        film = sampled(4, two=False)
        assert draw_film(film).shape == film.size
        assert max(film.size) > 2000

    @few
    @given(seed=SEEDS)
    def test_a_mirrored_film_is_the_mirrored_picture(self, seed: int) -> None:
        film = bare(coarse(sampled(seed)))
        picture = draw_film(film).astype(float)
        difference = np.abs(draw_film(mirrored(film))[:, ::-1] - picture)
        # Clouds stay where they are: a twentieth of what is crossed.
        assert difference.mean() < 0.12 * picture.mean()
        assert np.quantile(difference, 0.999) < 0.35 * picture.max()

    @few
    @given(seed=SEEDS)
    def test_shafts_run_to_the_films_edges(self, seed: int) -> None:
        film = bare(coarse(sampled(seed)))
        film = replace(film, legs=tuple(replace(leg, tilt_deg=0.0) for leg in film.legs))
        picture = draw_film(film).astype(float)
        for leg in film.legs:
            width = leg.plateau_mm / film.spacing_mm
            x = leg.origin[0]
            lateral = -1 if leg.knee.laterality is Laterality.RIGHT else 1
            below = profile(picture[-8:], x, width, lateral)
            assert brightest(below, -0.2, 0.2) > 1.15 * brightest(below, 0.24, 0.34)
            assert brightest(below, -0.6, -0.34) > 1.05 * min(
                brightest(below, -0.34, -0.24), brightest(below, -0.72, -0.62)
            )
            above = profile(picture[:8], x, width, lateral)
            assert brightest(above, -0.5, 0.1) > 1.15 * brightest(above, 0.24, 0.34)

    @few
    @given(seed=SEEDS)
    def test_the_dark_joint_lies_between_the_landmarks(self, seed: int) -> None:
        film = bare(coarse(sampled(seed, two=False), factor=2))
        (leg,) = film.legs
        knee = replace(leg.knee, joint_space_lateral=0.07, joint_space_medial=0.07)
        film = replace(film, legs=(replace(leg, knee=knee, tilt_deg=0.0),))
        picture = draw_film(film).astype(float)
        (found,) = film_landmarks(film)
        x, y = by_name(found)["joint_middle"]
        width = leg.plateau_mm / film.spacing_mm
        for side in (-0.3, 0.3):
            column = round(x + side * width)
            rows = slice(round(y - 0.12 * width), round(y + 0.12 * width))
            darkest = rows.start + int(np.argmin(picture[rows, column]))
            assert abs(darkest - y) < 0.05 * width

    def test_a_marker_is_the_brightest_thing_and_reads_as_its_letter(self) -> None:
        film = bare(coarse(sampled(5, two=False)))
        letter = Marker("L", (60.0, 60.0), 40.0)
        picture = draw_film(replace(film, markers=(letter,))).astype(float)
        lead = picture > 0.9 * 4095
        rows, columns = np.nonzero(lead[40:80, 40:80])
        assert len(rows) > 100
        # An L is heavy at its left and its foot.
        assert columns.mean() < 19.5
        assert rows.mean() > 19.5
        # One at the film's edge is cut, one beyond it left away.
        edge = replace(film, markers=(Marker("R", (0.0, 0.0), 40.0),))
        gone = replace(film, markers=(Marker("R", (-900.0, 60.0), 40.0),))
        assert draw_film(edge).max() > picture[300:].max()
        np.testing.assert_array_equal(draw_film(gone), draw_film(film))

    def test_borders_are_black_behind_a_shutter_and_white_behind_lead(self) -> None:
        film = bare(coarse(sampled(6, two=True)))
        border = Collimation(40.0, 30.0, 20.0, 10.0)
        black = draw_film(replace(film, collimation=border))
        white = draw_film(replace(film, collimation=replace(border, shutter=False)))
        inside = np.zeros(film.size, dtype=bool)
        inside[34:-14, 44:-24] = True
        outside = np.ones(film.size, dtype=bool)
        outside[26:-6, 36:-16] = False
        assert black[outside].max() == 0
        assert white[outside].min() > 3900
        np.testing.assert_array_equal(black[inside], white[inside])

    def test_exposure_is_uneven_as_asked(self) -> None:
        film = bare(coarse(sampled(7, two=False)))
        uneven = draw_film(replace(film, gradient=(0.0, 0.4))).astype(float)
        ratio = uneven.mean(axis=1) / draw_film(film).mean(axis=1)
        assert ratio[:20].mean() < 0.9
        assert ratio[-20:].mean() > 1.1

    @pytest.mark.parametrize("origin", [(300.0, -900.0), (300.0, 1700.0), (-500.0, 300.0)])
    def test_a_knee_beyond_the_film_leaves_a_shaft_or_nothing(
        self, origin: tuple[float, float]
    ) -> None:
        film = bare(coarse(sampled(8, two=False)))
        (leg,) = film.legs
        moved = replace(film, legs=(replace(leg, origin=origin, tilt_deg=0.0),))
        picture = draw_film(moved)
        assert not any(landmark.visible for landmark in film_landmarks(moved)[0])
        assert (picture.max() > 1000) == (origin[0] > 0)


def profile(rows: NDArray[Any], x: float, width: float, lateral: int) -> NDArray[Any]:
    """Mean of some rows at every hundredth of a plateau width, −1 to 1, lateral negative."""
    places = x - lateral * width * np.linspace(-1.0, 1.0, 201)
    found: NDArray[Any] = np.interp(places, np.arange(rows.shape[1]), rows.mean(axis=0))
    return found


def brightest(profile: NDArray[Any], low: float, high: float) -> float:
    return float(profile[round(100 * low) + 100 : round(100 * high) + 100].max())
