"""How refusals are counted. No real film is looked at."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
import pytest
from benchmarks.gate import KIND, searched, together
from benchmarks.localiser import Truth
from benchmarks.negatives import Negative, painted_out, shafts
from benchmarks.refusals import OVER, WRONG, Standing, cut, inverted, outcomes_on

from kellgren.anatomy import Laterality
from kellgren.imaging import Frame, Radiograph, RegionSpec
from kellgren.localise import Found
from kellgren.localise.gate import LEAST_ON_FILM, on_film
from kellgren.records import Gate

REGIONS = tuple(
    Frame.of_box(x, y, x + 240, y + 240, size_px=64) for x, y in ((80.0, 350.0), (470.0, 390.0))
)


@dataclass
class Finder:
    """Finds these regions on films that are brighter on the right."""

    found: Sequence[tuple[Frame, Gate]]

    def find(
        self, film: Radiograph, spec: RegionSpec, *, laterality: Laterality | None
    ) -> tuple[Found, ...]:
        del spec, laterality
        if film.pixels[0, 0] >= film.pixels[0, -1]:
            return ()
        return tuple(
            Found(frame, Laterality.UNKNOWN, "unknown", "plateau_width", 0.9, gate)
            for frame, gate in self.found
        )


def slope(rows: int = 1000, columns: int = 820) -> Radiograph:
    return Radiograph(np.tile(np.linspace(0, 255, columns).astype(np.uint8), (rows, 1)), "0" * 64)


def noise() -> Radiograph:
    return Radiograph(np.random.default_rng(0).integers(0, 256, (300, 300), dtype=np.uint8), "0")


def codes(film: Radiograph, found: Sequence[tuple[Frame, Gate]]) -> list[str]:
    standing = Standing("kind", "film", film, REGIONS)
    return [outcome.code for outcome in outcomes_on(standing, Finder(found))]  # type: ignore[arg-type] # only find is called


def test_a_knee_is_refused_where_nothing_is_found_over_it_or_what_is_found_is_not_graded() -> None:
    left, right = REGIONS
    assert codes(slope(), [(left, Gate()), (right, Gate())]) == ["", ""]
    assert codes(slope(), [(right, Gate())]) == ["NO_KNEE", ""]
    too_coarse = Gate(False, ("REGION_CUT", "TOO_COARSE"))
    assert codes(slope(), [(left, too_coarse), (right, Gate())]) == ["REGION_CUT TOO_COARSE", ""]
    beside = left.part(OVER * 64 + 1, 0, 64), left.part(OVER * 64 - 1, 0, 64)
    assert codes(slope(), [(beside[0], Gate())])[0] == "NO_KNEE"
    assert codes(slope(), [(beside[1], Gate())])[0] == ""


def test_a_knee_must_be_graded_in_the_polarity_in_which_it_is_bright() -> None:
    finder = Finder([(frame, Gate()) for frame in REGIONS])
    upright = Standing("kind", "film", slope(), REGIONS, inverted=False)
    turned = inverted(upright)
    assert (turned.kind, turned.film.pixels[0, 0]) == ("kind, negatives", 255)
    # what is found on a negative that stays one is found wrongly, and so is the reverse
    false_friends = [replace(turned, film=slope()), replace(upright, film=turned.film)]
    for standing, code in (
        (upright, ""),
        (turned, ""),
        (replace(turned, inverted=None), ""),
        *((each, WRONG) for each in false_friends),
    ):
        found = list(outcomes_on(standing, finder))  # type: ignore[arg-type] # only find is called
        assert [outcome.code for outcome in found] == [code, code]


def test_a_film_refused_as_a_whole_refuses_its_knees() -> None:
    whole = tuple(Frame.of_box(x, 20, x + 100, 120, size_px=64) for x in (20, 160))
    standing = Standing("kind", "film", noise(), whole)
    finder = Finder([(frame, Gate()) for frame in whole])
    found = [outcome.code for outcome in outcomes_on(standing, finder)]  # type: ignore[arg-type] # only find is called
    assert found == ["NOT_A_RADIOGRAPH"] * 2


def test_a_knee_of_which_the_film_shows_too_little_does_not_count() -> None:
    assert codes(slope(columns=560), [(REGIONS[0], Gate())]) == [""]


@pytest.mark.parametrize("seed", range(20))
def test_a_cut_leaves_as_much_of_the_outermost_region_as_was_drawn(seed: int) -> None:
    whole = Standing("kind", "film", slope(), REGIONS)
    rng = np.random.default_rng(seed)
    less = cut(whole, rng)
    drawn = np.random.default_rng(seed)
    drawn.integers(4)
    shown = drawn.uniform(LEAST_ON_FILM, 1.0)
    shares = [on_film(less.film, region) for region in less.regions]
    # a cut is between two pixels, of 240
    assert min(shares) == pytest.approx(shown, abs=0.5 / 240 + 1e-6)
    assert less.film.shape != whole.film.shape
    # the regions show what they showed
    for before, after in zip(whole.regions, less.regions, strict=True):
        row, column = (
            int(np.ptp([a, b]))
            for a, b in zip(before.edges[1::-1], after.edges[1::-1], strict=True)
        )
        rows, columns = less.film.shape
        there = whole.film.pixels[row : row + rows, column : column + columns]
        assert (there == less.film.pixels).all()


def test_pictures_of_one_source_are_one_and_graded_if_any_of_them_is() -> None:
    finder = Finder([(REGIONS[0], Gate()), (REGIONS[1], Gate(False, ("TOO_COARSE",)))])
    # as bright on the right as on the left, in either polarity
    dull = Radiograph(slope().pixels.T.copy(), "0" * 64)
    pictures = [
        Negative("hips", "a", dull, seen=True),
        Negative("hips", "a", slope(), seen=True),
        Negative("hips", "b", None, seen=True),
        Negative("hips", "c", dull, seen=True),
        Negative("noise", "a", noise()),
    ]
    kinds, named = searched(pictures, finder)  # type: ignore[arg-type] # only find is called
    assert kinds["hips"].graded == {"a": True, "b": False, "c": False}
    assert (kinds["hips"].seen, kinds["noise"].seen) == (True, False)
    assert (kinds["hips"].no_radiograph, kinds["noise"].no_radiograph) == (set(), {"a"})
    assert named == ["hips a (0.9)"]
    everything = together(kinds)
    assert len(everything.graded) == 4
    name, pictures_counted, measured, asked, met, no_radiograph = everything.row("all", KIND)
    assert (name, pictures_counted, asked, met) == ("all", "4", "≤ 0.050", "NO")
    assert measured.startswith("0.250 (1 of 4, [")
    assert no_radiograph == "1"


def test_neither_painting_out_nor_cutting_leaves_a_joint() -> None:
    pixels = np.random.default_rng(0).uniform(0, 100, (900, 400)).astype(np.float32)
    knee = Truth((200.0, 450.0), 160.0, Laterality.UNKNOWN)
    pixels[440:460, 130:270] = 5000.0
    assert painted_out(pixels, [knee]).max() < 1000.0
    above, below = shafts(pixels, [knee])
    assert max(above.max(), below.max()) <= 100.0
    assert (above.shape[0], below.shape[0]) == (450 - 128, 900 - 578)
    assert list(shafts(pixels[400:500], [Truth((200.0, 50.0), 160.0, Laterality.UNKNOWN)])) == []
