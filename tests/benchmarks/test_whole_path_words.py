"""What is said of grading whole films: whom intervals resample, who is refused, what went worst."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from benchmarks import whole_path
from benchmarks.whole_path import Answers, Strip, difference, measured, strip_cases
from benchmarks.worst import Case, contact_sheet, worst
from benchmarks.worst import words as words_of
from PIL import Image

from kellgren.anatomy import Laterality
from kellgren.imaging import Frame, RegionSpec
from kellgren.records import (
    RESEARCH_USE,
    BundleReference,
    FilmResult,
    Gate,
    GateCode,
    Knee,
    Prediction,
    Problem,
    RegionFrame,
)
from kellgren.reporting.canvas import ACCENT
from kellgren.reporting.overlay import DISCLAIMER_KEY
from kellgren.statistics.weighted import mean

SPEC = RegionSpec(side=1.25, side_unit="plateau_width", size_px=64)
FRAME = Frame.of_box(20.0, -10.0, 100.0, 70.0, size_px=64)


def says(grade: int, sure: float) -> Prediction:
    others = (1.0 - sure) / 4
    shares = tuple(sure if index == grade else others for index in range(5))
    return Prediction(grade, shares, float(grade), (grade,), 0.9)


def knee(
    grade: int | None = 2, *, sure: float = 0.6, confidence: float = 0.9, refused: bool = False
) -> Knee:
    reasons: tuple[GateCode, ...] = ("REGION_CUT",) if refused else ()
    return Knee(
        Laterality.LEFT,
        "landmarks",
        RegionFrame(FRAME.matrix, FRAME.size_px),
        "plateau_width",
        FRAME.edges,
        confidence=confidence,
        gate=Gate(grade is not None, reasons),
        kl=None if grade is None else says(grade, sure),
    )


def case(name: str, truth: int, found: Knee | None, unit: str = "") -> Case:
    reasons = ("NO_KNEE",) if found is None else found.gate.reasons
    return Case(Path(f"{name}.png"), unit or name, truth, reasons, found)


def result(*knees: Knee, error: Problem | None = None, film: Gate | None = None) -> FilmResult:
    bundle = BundleReference("b", "1", "0")
    gate = film or Gate()
    return FilmResult("a.png", None, bundle, "", gate=gate, knees=knees, error=error)


def test_the_farthest_come_first_and_the_surest_among_equals() -> None:
    cases = [
        case("right", 2, knee(2, sure=0.99)),
        case("unsure", 0, knee(2, sure=0.5)),
        case("sure", 4, knee(2, sure=0.8)),
        case("far", 0, knee(3, sure=0.4)),
    ]
    assert [one.unit for one in worst(cases, 10)] == ["far", "sure", "unsure"]
    assert [one.unit for one in worst(cases, 1)] == ["far"]


def test_alike_pictures_are_shown_once_and_refusals_are_no_mistakes() -> None:
    cases = [
        case("copy", 0, knee(2, sure=0.7), unit="7"),
        case("original", 0, knee(2, sure=0.8), unit="7"),
        case("refused", 0, knee(4, refused=True)),
        case("ungraded", 0, knee(None)),
        case("unseen", 0, None),
        case("near", 1, knee(2)),
    ]
    assert [one.picture.stem for one in worst(cases, 10)] == ["original", "near"]


def test_the_words_below_a_case() -> None:
    assert words_of(case("dk1", 0, knee(3, sure=0.6), unit="12")) == (
        "dk1, 12 · Left knee",
        "truth KL 0, given KL 3",
        "0: 10 %   1: 10 %   2: 10 %   3: 60 %   4: 10 %",
    )
    assert words_of(case("dk1", 0, None))[1] == "truth KL 0, not graded"


def test_a_sheet_shows_every_case_and_says_what_it_is_not_for(tmp_path: Path) -> None:
    path = tmp_path / "film.png"
    levels = np.tile(np.arange(0, 240, 2, dtype=np.uint8), (60, 1))
    Image.fromarray(levels).save(path)
    cases = [replace(case(str(n), 0, knee(2)), picture=path) for n in range(3)]
    one, three = (contact_sheet(cases[:many], SPEC) for many in (1, 3))
    assert three.height > one.height
    assert three.info[DISCLAIMER_KEY] == RESEARCH_USE
    boxes = [np.argwhere((np.asarray(sheet) == ACCENT).all(axis=2)) for sheet in (one, three)]
    assert len(boxes[1]) == 3 * len(boxes[0]) > 0


def test_what_a_strip_shows_and_nobody_found_is_refused() -> None:
    strip = Strip(Path("a.png"), "4", 1, knees=2)
    found, missing = strip_cases(strip, result(knee()))
    assert (found.reasons, found.unit, found.truth) == ((), "4", 1)
    assert (missing.reasons, missing.given) == (("NO_KNEE",), None)
    unread = strip_cases(strip, result(error=Problem("file.empty", "")))
    assert [one.reasons for one in unread] == [("file.empty",)] * 2


def test_what_is_said_of_a_film_is_said_of_its_knees() -> None:
    strip = Strip(Path("a.png"), "4", 1, knees=2)
    forced = Gate(graded=True, reasons=("NOT_A_RADIOGRAPH",))
    cut, missing = strip_cases(strip, result(knee(refused=True), film=forced))
    assert cut.reasons == ("NOT_A_RADIOGRAPH", "REGION_CUT")
    assert missing.reasons == ("NOT_A_RADIOGRAPH", "NO_KNEE")
    (blank, _) = strip_cases(strip, result(film=Gate(graded=False, reasons=("NO_KNEE",))))
    assert blank.reasons == ("NO_KNEE",)


def test_of_too_many_knees_the_surest_count() -> None:
    strip = Strip(Path("a.png"), "4", 1, knees=1)
    (kept,) = strip_cases(strip, result(knee(1, confidence=0.3), knee(3, confidence=0.8)))
    assert kept.given is not None
    assert kept.given.grade == 3


def test_units_are_resampled_and_not_knees() -> None:
    right = np.arange(40) % 2 == 0
    knees = np.arange(40).astype(str)
    (one_by_one,) = measured([mean(right)], knees)
    (in_clusters,) = measured([mean(right)], np.where(right, "a", "b"))
    assert one_by_one.value == in_clusters.value == 0.5
    # Two clusters, one all right and one all wrong: nearly nothing is known.
    assert (in_clusters.low, in_clusters.high) == (0.0, 1.0)
    assert 0.3 < one_by_one.low < one_by_one.high < 0.7


def test_a_difference_is_taken_in_the_same_resample() -> None:
    rng = np.random.default_rng(3)
    before = rng.random(60) < 0.5
    after = before.copy()
    after[:6] = True
    units = np.arange(60).astype(str)
    (same,) = measured([difference(mean(before), mean(before))], units)
    (gain,) = measured([difference(mean(after), mean(before))], units)
    (alone,) = measured([mean(after)], units)
    assert (same.value, same.low, same.high) == (0.0, 0.0, 0.0)
    assert gain.value == pytest.approx(after.mean() - before.mean())
    assert gain.high - gain.low < alone.high - alone.low


def test_nothing_graded_has_no_score() -> None:
    line = whole_path.scores("none", Answers.of([]))
    assert line == ("none", "0", "0", "none", "none", "none")


def test_refusals_count_knees_and_say_why() -> None:
    cases = [
        case("a", 1, knee()),
        case("b", 1, knee(refused=True)),
        case("c", 1, None, unit="b"),
        case("d", 1, knee()),
    ]
    name, knees, units, share, codes = whole_path.refusals("some", cases)
    assert (name, knees, units, codes) == ("some", "4", "3", "NO_KNEE 1, REGION_CUT 1")
    assert share.startswith("0.500 [")


def test_right_of_a_grade_is_among_the_knees_that_have_it() -> None:
    answers = Answers.of((str(n), n % 2, says(0, 0.5)) for n in range(20))
    assert [str(one) for one in measured(answers.recalls, answers.units)] == [
        "1.000 [1.000, 1.000]",
        "0.000 [0.000, 0.000]",
        *["none"] * 3,
    ]
    assert whole_path.confusion(answers).splitlines()[2].split()[:4] == ["KL", "1", "10", "0"]
