"""Knees and answers are joined by side, or it is said why not."""

from dataclasses import replace
from pathlib import Path
from typing import get_args

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kellgren.anatomy import KL, Laterality
from kellgren.cohort.labelled import (
    NO_TRUTH,
    WHAT_TO_DO,
    RegionFile,
    Reject,
    joined,
    refusal,
    write_rejects,
)
from kellgren.cohort.listed import Listed
from kellgren.datasets.table import TRUTH, Row
from kellgren.imaging import Frame
from kellgren.pipeline import Film
from kellgren.records import BundleReference, FilmResult, Gate, GateCode, Knee, Problem, RegionFrame

L, R, UNKNOWN = Laterality.LEFT, Laterality.RIGHT, Laterality.UNKNOWN
CONFLICT, NO_SIDE = "LATERALITY_CONFLICT", "LATERALITY_UNKNOWN"
FRAME = Frame.of_box(10.0, 20.0, 110.0, 120.0, size_px=50)


def knee(side: Laterality, **changes: object) -> Knee:
    known = Knee(
        laterality=side,
        laterality_source="place",
        region=RegionFrame(FRAME.matrix, FRAME.size_px),
        scale_source="plateau_width",
        box_px=FRAME.edges,
    )
    return replace(known, **changes)  # type: ignore[arg-type] # any field


def result(*knees: Knee, **changes: object) -> FilmResult:
    film = FilmResult("a.dcm", "c" * 64, BundleReference("l", "1.0.0", "e" * 64), "", knees=knees)
    return replace(film, **changes)  # type: ignore[arg-type] # any field


def row(side: Laterality, value: int | None = 2, **changes: object) -> Row:
    return replace(
        Row(
            path="a.dcm",
            kind="film",
            patient="P",
            laterality=side,
            task=KL.name,
            reader=TRUTH,
            value=value,
        ),
        **changes,  # type: ignore[arg-type] # any column
    )


def join(
    rows: list[Row], found: FilmResult, *, truth_expected: bool = True
) -> tuple[tuple[Row, ...], list[tuple[Laterality | None, str]]]:
    new, rejects = joined(
        Listed(Film(Path("a.dcm"), "a.dcm"), tuple(rows)),
        found,
        file_of=lambda number, _: RegionFile(f"regions/{number}.png", str(number) * 64),
        truth_expected=truth_expected,
    )
    assert all(reject.source == "a.dcm" and reject.what_to_do for reject in rejects)
    return new, [(reject.laterality, reject.code) for reject in rejects]


class TestRefusal:
    def test_knees_with_a_side_of_their_own_can_teach(self) -> None:
        both = [knee(R), knee(L)]
        assert [refusal(each, both) for each in both] == [None, None]

    def test_what_the_gate_refuses_has_its_code(self) -> None:
        for code in get_args(GateCode):
            refused = knee(L, gate=Gate(graded=False, reasons=(code, "TOO_COARSE")))
            assert refusal(refused, [refused]) == code

    def test_a_side_that_nobody_knows(self) -> None:
        assert refusal(knee(UNKNOWN), [knee(UNKNOWN)]) == NO_SIDE

    def test_two_knees_of_one_side(self) -> None:
        three = [knee(R), knee(L), knee(L)]
        assert [refusal(each, three) for each in three] == [None, CONFLICT, CONFLICT]

    @pytest.mark.parametrize(
        ("source", "scale", "code"),
        [
            ("user", "plateau_width", CONFLICT),
            ("tag", "plateau_width", CONFLICT),
            ("place", "plateau_width", None),  # a tag of one side, and two knees side by side
            ("user", "boxes", None),  # drawn on this very film
            ("user", "whole_picture", CONFLICT),
        ],
    )
    def test_a_side_that_is_in_doubt(self, source: str, scale: str, code: str | None) -> None:
        doubted = knee(L, laterality_source=source, scale_source=scale, warnings=(CONFLICT,))
        assert refusal(doubted, [doubted]) == code
        sure = replace(doubted, warnings=())
        assert refusal(sure, [sure]) is None


class TestJoined:
    def test_each_knee_gets_the_answers_of_its_side(self) -> None:
        rows = [row(R, 1), row(L, 3), row(L, 2, reader="AB"), row(R, 0, task="own_task")]
        new, rejects = join(rows, result(knee(R), knee(L)))
        assert rejects == []
        assert [(r.laterality, r.task, r.reader, r.value) for r in new] == [
            (R, KL.name, TRUTH, 1),
            (R, "own_task", TRUTH, 0),
            (L, KL.name, TRUTH, 3),
            (L, KL.name, "AB", 2),
        ]
        assert [r.path for r in new] == ["regions/0.png"] * 2 + ["regions/1.png"] * 2

    def test_an_answer_without_a_side_is_that_of_the_only_knee(self) -> None:
        new, rejects = join([row(UNKNOWN, 4)], result(knee(L)))
        assert ([(r.laterality, r.value) for r in new], rejects) == ([(L, 4)], [])

    def test_of_two_knees_it_is_nobodys(self) -> None:
        new, rejects = join([row(UNKNOWN, 4)], result(knee(R), knee(L)))
        assert [(r.laterality, r.task, r.value) for r in new] == [(R, "", None), (L, "", None)]
        assert rejects == [(R, NO_TRUTH), (L, NO_TRUTH), (UNKNOWN, NO_SIDE)]

    def test_nor_beside_answers_that_have_a_side(self) -> None:
        new, rejects = join([row(UNKNOWN, 4), row(L, 1)], result(knee(L)))
        assert [r.value for r in new] == [1]
        assert rejects == [(UNKNOWN, NO_SIDE)]

    def test_a_knee_that_was_not_found(self) -> None:
        new, rejects = join([row(R), row(L)], result(knee(L)))
        assert [r.laterality for r in new] == [L]
        assert rejects == [(R, "NO_KNEE")]

    def test_a_missing_grade_is_no_truth_and_is_not_lost(self) -> None:
        new, rejects = join([row(R, None), row(L, 0)], result(knee(R), knee(L)))
        assert [(r.laterality, r.value) for r in new] == [(R, None), (L, 0)]
        assert rejects == [(R, NO_TRUTH)]
        assert join([row(R, None)], result(knee(L)))[1] == [(L, NO_TRUTH)]

    def test_answers_about_the_picture_stay_with_it(self) -> None:
        rows = [row(UNKNOWN, 0, task="view"), row(UNKNOWN, 1, task="oa_side_medial")]
        new, rejects = join(rows, result(knee(L)), truth_expected=False)
        assert [(r.task, r.reader, r.value) for r in new] == [("", "", None)]
        assert rejects == []

    @pytest.mark.parametrize(
        ("rows", "sides"),
        [
            ([row(R), row(L)], [L, R]),
            ([row(R), row(R, task="jsn_medial"), row(L, None)], [R]),
            ([row(UNKNOWN)], [None]),
            ([row(UNKNOWN, None, task="", reader="")], [None]),
        ],
    )
    def test_a_film_that_is_lost_loses_its_answers(
        self, rows: list[Row], sides: list[Laterality | None]
    ) -> None:
        broken = result(error=Problem("file.empty", "The file is empty. Copy it again."))
        assert join(rows, broken) == ((), [(side, "file.empty") for side in sides])
        bare = result(gate=Gate(graded=False, reasons=("NO_KNEE",)))
        assert join(rows, bare) == ((), [(side, "NO_KNEE") for side in sides])
        other = [replace(each, sha256="d" * 64) for each in rows]
        assert join(other, result(knee(L))) == ((), [(side, "table.invalid") for side in sides])

    def test_the_spacing_is_that_of_the_regions_pixels(self) -> None:
        film = result(knee(L), pixel_spacing_mm=(0.3, 0.15))
        (new,), _ = join([row(L, pixel_spacing_row_mm=0.3, pixel_spacing_column_mm=0.15)], film)
        # two pixels of the film are one of the region
        assert (new.pixel_spacing_row_mm, new.pixel_spacing_column_mm) == (0.6, 0.3)
        turned = FRAME.rotate(90.0)
        aside = knee(L, region=RegionFrame(turned.matrix, turned.size_px))
        (new,), _ = join([row(L)], replace(film, knees=(aside,)))
        assert new.pixel_spacing_row_mm == pytest.approx(0.3)
        assert new.pixel_spacing_column_mm == pytest.approx(0.6)
        (new,), _ = join([row(L, pixel_spacing_row_mm=0.3)], result(knee(L)))
        assert new.pixel_spacing_row_mm is None

    def test_a_phantom_stays_one_whoever_knew(self) -> None:
        for known, marked in ((True, False), (False, True), (True, True)):
            (new,), _ = join([row(L, synthetic=known)], result(knee(L), synthetic=marked))
            assert new.synthetic
        (new,), _ = join([row(L)], result(knee(L)))
        assert not new.synthetic

    @given(
        truths=st.lists(st.sampled_from([L, R, UNKNOWN]), unique=True, max_size=3),
        knees=st.lists(st.sampled_from([L, R, UNKNOWN]), max_size=3),
        refused=st.lists(st.booleans(), min_size=3, max_size=3),
    )
    def test_nothing_disappears(
        self, truths: list[Laterality], knees: list[Laterality], refused: list[bool]
    ) -> None:
        gates = [Gate(not no, ("TOO_COARSE",) if no else ()) for no in refused]
        found = [knee(side, gate=gate) for side, gate in zip(knees, gates, strict=False)]
        rows = [row(side) for side in truths] or [row(UNKNOWN, None, task="")]
        new, rejects = join(rows, result(*found))
        # Every knee is a region, or is refused.
        paths = {each.path for each in new}
        lost = sum(code not in {NO_TRUTH, "NO_KNEE"} for _, code in rejects)
        unsided = (UNKNOWN, NO_SIDE) in rejects and UNKNOWN in truths
        assert len(found) <= len(paths) + lost <= len(found) + unsided
        # Every answer is a region's, or somebody says why not.
        taught = {each.laterality for each in new if each.value is not None}
        explained = {side for side, code in rejects if code != NO_TRUTH}
        for side in truths:
            alone = len(found) == 1 and len(truths) == 1
            assert side in taught | explained or (side is UNKNOWN and alone) or not found
        assert not taught & explained


def test_every_code_says_what_to_do() -> None:
    assert WHAT_TO_DO.keys() == {*get_args(GateCode), CONFLICT, NO_SIDE, NO_TRUTH}
    assert all(words.endswith(".") for words in WHAT_TO_DO.values())


def test_a_table_of_rejects_runs_no_formula(tmp_path: Path) -> None:
    reject = Reject("=1+1\n.png", None, "file.empty", "Copy it again.")
    write_rejects([reject, replace(reject, laterality=L)], tmp_path / "rejects.csv")
    assert (tmp_path / "rejects.csv").read_text("utf-8").splitlines() == [
        "source,laterality,code,what_to_do",
        "'=1+1\\n.png,,file.empty,Copy it again.",
        "'=1+1\\n.png,left,file.empty,Copy it again.",
    ]
