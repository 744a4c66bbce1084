from collections.abc import Callable

from kellgren.anatomy import Laterality
from kellgren.records import FilmResult, Gate, Knee, Problem
from kellgren.reporting.entries import entries

Film = Callable[..., FilmResult]


def test_entries_are_ordered_whatever_the_order_given(
    make_film: Film, make_knee: Callable[..., Knee]
) -> None:
    both = (make_knee(laterality=Laterality.RIGHT), make_knee(laterality=Laterality.LEFT))
    films = [make_film("b.png", knees=both), make_film("c.png", knees=()), make_film("a.png")]
    found = [(line.result.source, line.knee and line.knee.laterality) for line in entries(films)]
    assert found == [
        ("a.png", "right"),
        ("b.png", "left"),
        ("b.png", "right"),
        ("c.png", None),
    ]
    assert entries(films) == entries(reversed(films))


def test_every_ending_has_its_code(make_film: Film, make_knee: Callable[..., Knee]) -> None:
    cut = make_knee(kl=None, gate=Gate(False, ("REGION_CUT", "TOO_COARSE")))
    lines = entries(
        [
            make_film("0"),
            make_film("1", knees=(), error=Problem("file.empty", "1: no bytes.")),
            make_film("2", knees=(), gate=Gate(False, ("NOT_A_RADIOGRAPH",))),
            make_film("3", knees=()),
            make_film("4", knees=(cut,)),
            make_film("5", knees=(make_knee(kl=None),), gate=Gate(False, ("UNDEREXPOSED",))),
        ]
    )
    assert [line.status for line in lines] == [
        "ok",
        "file.empty",
        "NOT_A_RADIOGRAPH",
        "NO_KNEE",
        "REGION_CUT",
        "UNDEREXPOSED",
    ]
    assert [line.graded for line in lines] == [line.status == "ok" for line in lines]
    assert [bool(line.message) for line in lines] == [not line.graded for line in lines]
    assert "whole joint" in lines[4].message
    assert "Too few pixels" in lines[4].message


def test_reasons_in_spite_of_which_a_knee_was_graded_are_warnings(
    make_film: Film, make_knee: Callable[..., Knee]
) -> None:
    knee = make_knee(warnings=("B", "A"), gate=Gate(True, ("REGION_CUT",)))
    (line,) = entries([make_film(knees=(knee,), warnings=("A",))])
    assert line.graded
    assert line.warnings == ("A", "B", "REGION_CUT")


def test_a_gate_without_a_reason_is_no_grade(
    make_film: Film, make_knee: Callable[..., Knee]
) -> None:
    silent = make_knee(kl=None, gate=Gate(False))
    for film in (make_film(knees=(silent,)), make_film(gate=Gate(False))):
        (line,) = entries([film])
        assert not line.graded
        assert line.message
