"""Given by the user > tag > place in a two-knee film > fibula > unknown."""

import pytest

from kellgren.anatomy import Laterality
from kellgren.imaging import Header, StatedSide
from kellgren.localise.sides import CONFLICT, sides

L, R, U = Laterality.LEFT, Laterality.RIGHT, Laterality.UNKNOWN
ONE = [(100.0, 200.0)]
TWO = [(100.0, 200.0), (300.0, 210.0)]


def header(*stated: str) -> Header:
    return Header(sides=tuple(StatedSide(side, "X", coded=True) for side in stated))  # type: ignore[arg-type] # literals


@pytest.mark.parametrize(
    ("given", "tags", "fibula", "expected"),
    [
        (None, (), 0.0, (U, "unknown", False)),
        (U, (), 0.1, (U, "unknown", False)),
        (None, (), -0.9, (R, "landmarks", False)),
        (None, (), 0.9, (L, "landmarks", False)),
        (None, ("left",), -0.9, (L, "tag", False)),
        (None, ("left", "right"), -0.9, (L, "tag", True)),
        (None, ("both",), -0.9, (R, "landmarks", False)),
        (None, ("both", "left", "right"), 0.0, (U, "unknown", False)),
        (R, (), 0.9, (R, "user", False)),
        (R, ("right",), 0.9, (R, "user", False)),
        (R, ("left",), -0.9, (R, "user", True)),
        (R, ("both",), 0.0, (R, "user", False)),
    ],
)
def test_one_knee(
    given: Laterality | None,
    tags: tuple[str, ...],
    fibula: float,
    expected: tuple[Laterality, str, bool],
) -> None:
    (side,) = sides(ONE, header(*tags), given, fibulas=[fibula])
    assert (side.laterality, side.source, side.conflict) == expected
    assert side.warnings == ((CONFLICT,) if expected[2] else ())


@pytest.mark.parametrize("given", [None, L])
@pytest.mark.parametrize("tag", [(), ("both",), ("right",)])
def test_two_knees_have_the_sides_of_their_places(
    given: Laterality | None, tag: tuple[str, ...]
) -> None:
    found = sides(TWO, header(*tag), given, fibulas=[0.9, -0.9])
    assert [side.laterality for side in found] == [R, L]
    assert {side.source for side in found} == {"place"}
    # one side said of two knees cannot be true
    assert {side.conflict for side in found} == {given is L or tag == ("right",)}
    turned = sides(TWO[::-1], header(*tag), given)
    assert [side.laterality for side in turned] == [L, R]


def test_two_views_below_each_other_are_no_pair() -> None:
    found = sides([(100.0, 100.0), (120.0, 500.0)], Header(), None, fibulas=[-0.9, -0.9])
    assert [(side.laterality, side.source) for side in found] == [(R, "landmarks")] * 2


def test_three_knees_are_told_by_their_fibulas_and_contradict_the_user() -> None:
    found = sides([*TWO, (500.0, 200.0)], Header(), L, fibulas=[-0.9, 0.9, 0.0])
    assert [side.laterality for side in found] == [R, L, U]
    assert all(side.conflict for side in found)


def test_no_knees_have_no_sides() -> None:
    assert sides([], header("left"), R) == ()
