"""Composite films: the same seed makes the same film, and landmarks stay on what they mark."""

import numpy as np
import pytest

from kellgren.anatomy import Laterality
from kellgren.localise.landmarks import FIBULA, LANDMARKS, LEFT, MIDDLE, RIGHT
from kellgren.training.annotated import phantoms
from kellgren.training.composites import Source, compose, normalised

SIZE = 256
MIDDLE_INDEX = LANDMARKS.index(MIDDLE)


def rng(seed: int) -> np.random.Generator:
    return np.random.default_rng(seed)


def source(*, whole: bool = False, dot: int | None = None) -> Source:
    """A grey picture; a bright dot on its landmark number ``dot``."""
    rows, columns = (160, 300) if whole else (300, 300)
    y, x = np.mgrid[:rows, :columns]
    places = np.array([(60, 90), (240, 92), (62, 60), (238, 62), (150, 85), (70, 120)], np.float32)
    picture = np.full((rows, columns), 40.0)
    picture[:, 105:130] = 240.0  # brighter than the dot, which is therefore never white
    if dot is not None:
        off = (x - places[dot][0]) ** 2 + (y - places[dot][1]) ** 2
        picture += 50.0 * np.exp(-off / 2 / 5.0**2)
    return Source(picture.astype(np.uint8), places[None], Laterality.RIGHT, whole)


@pytest.mark.parametrize("seed", range(4))
def test_a_seed_makes_a_film_and_another_one_another(seed: int) -> None:
    sources = phantoms(3, seed=1)
    film, again = (compose(sources, SIZE, rng(seed)) for _ in range(2))
    assert np.array_equal(film.pixels, again.pixels)
    assert np.array_equal(film.knees, again.knees, equal_nan=True)
    assert not np.array_equal(film.pixels, compose(sources, SIZE, rng(seed + 99)).pixels)
    assert film.pixels.shape == (SIZE, SIZE)
    assert film.pixels.dtype == np.float32
    assert film.pixels.min() >= 0.0
    assert film.pixels.max() <= 1.0
    assert film.knees.shape[1:] == (len(LANDMARKS), 2)


@pytest.mark.parametrize("whole", [False, True])
def test_a_landmark_goes_where_a_dot_on_it_goes(whole: bool) -> None:
    seen = 0
    for seed in range(40):
        dot = seed % len(LANDMARKS)
        plain = compose([source(whole=whole)], SIZE, rng(seed))
        film = compose([source(whole=whole, dot=dot)], SIZE, rng(seed))
        if len(film.knees) != 1:
            continue
        changed = np.abs(film.pixels - plain.pixels)
        changed[changed < 0.5 * changed.max()] = 0.0
        y, x = divmod(int(np.argmax(changed)), SIZE)
        # a mirrored source has the other end's dot
        places = film.knees[0][[dot, (1, 0, 3, 2, 4, 5)[dot]]]
        spot = changed[max(y - 12, 0) : y + 13, max(x - 12, 0) : x + 13] ** 2
        hidden = changed.sum() > 1.2 * np.sqrt(spot).sum() or changed.max() < 0.05
        if hidden or np.isnan(places).any():
            continue
        rows, columns = np.mgrid[: spot.shape[0], : spot.shape[1]]
        at_x = max(x - 12, 0) + float((columns * spot).sum() / spot.sum())
        at_y = max(y - 12, 0) + float((rows * spot).sum() / spot.sum())
        assert np.hypot(*(places - (at_x, at_y)).T).min() < 1.0, seed
        seen += 1
    assert seen >= 8


def test_mirrored_sources_swap_the_ends_and_the_side() -> None:
    one = source(dot=0)
    other = one.mirror()
    for name, twin in ((LEFT, RIGHT), (RIGHT, LEFT), (MIDDLE, MIDDLE), (FIBULA, FIBULA)):
        x, y = one.knees[0][LANDMARKS.index(name)]
        assert other.knees[0][LANDMARKS.index(twin)].tolist() == [299 - x, y]
    assert other.knees[0, LANDMARKS.index(LEFT), 0] < other.knees[0, LANDMARKS.index(RIGHT), 0]
    assert other.laterality is Laterality.LEFT
    x, y = other.knees[0][LANDMARKS.index(RIGHT)].astype(int)
    assert other.pixels[y, x] == 40 + 50  # the dot has moved with its landmark
    assert np.array_equal(other.mirror().pixels, one.pixels)
    assert np.array_equal(other.mirror().knees, one.knees)


def test_films_have_two_knees_one_or_none_and_the_right_one_is_at_the_left() -> None:
    sources = phantoms(4, seed=2)
    counts: dict[int, int] = {}
    for seed in range(40):
        knees = compose(sources, 128, rng(seed)).knees
        counts[len(knees)] = counts.get(len(knees), 0) + 1
        if len(knees) == 2 and np.isfinite(knees[:, [MIDDLE_INDEX, 5]]).all():
            first, second = knees
            assert first[MIDDLE_INDEX, 0] < second[MIDDLE_INDEX, 0]
            # its fibula is lateral: outwards
            assert first[5, 0] < first[MIDDLE_INDEX, 0]
            assert second[5, 0] > second[MIDDLE_INDEX, 0]
    assert counts.keys() == {0, 1, 2}
    assert min(counts[1], counts[2]) > counts[0]


def test_places_off_the_film_are_none() -> None:
    sources = phantoms(1, seed=3)
    for seed in range(20):
        film = compose(sources, 128, rng(seed))
        known = film.knees[np.isfinite(film.knees)]
        assert known.size == 0 or (known.min() >= 0.0 and known.max() <= 127.0)


def test_intensities_are_between_two_percentiles() -> None:
    values = rng(0).normal(100.0, 10.0, (64, 64)).astype(np.float32)
    values[0, 0] = 1e6
    shown = normalised(values)
    assert (shown.min(), shown.max()) == (0.0, 1.0)
    assert 0.4 < float(np.median(shown)) < 0.6
    assert np.array_equal(normalised(np.full((8, 8), 3.0, np.float32)), np.zeros((8, 8)))
