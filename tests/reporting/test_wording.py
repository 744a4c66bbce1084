import dataclasses
import itertools
import unicodedata
from collections.abc import Callable
from typing import get_args

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kellgren.anatomy import JSN_MEDIAL, KL, VIEW, Laterality
from kellgren.localise.polarity import INVERTED
from kellgren.localise.sides import CONFLICT
from kellgren.pipeline import FORCED, UNKNOWN_SIDE
from kellgren.records import GateCode, Knee, LateralitySource, Prediction, WarningCode
from kellgren.reporting.wording import (
    GATE_WORDS,
    SIDE_SOURCE_WORDS,
    SIDE_WORDS,
    WARNING_WORDS,
    class_words,
    coverage_words,
    explained,
    lateral_on_left,
    percent,
    prediction_of,
    printable,
    runs,
    set_words,
    task_of,
)


@given(st.text(st.characters(categories=("L", "N", "P", "C", "Z"))))
def test_printable_text_is_one_encodable_line_and_stays_so(text: str) -> None:
    shown = printable(text)
    assert len(shown.splitlines()) <= 1
    assert not any(unicodedata.category(char) in {"Cc", "Cs"} for char in shown)
    shown.encode()
    assert printable(shown) == shown


def test_letters_of_every_script_stay_and_reordering_marks_do_not() -> None:
    assert printable("Knie links, 左膝, колено.png") == "Knie links, 左膝, колено.png"
    assert printable("\u202egnp.exe\n\udcff") == "\\u202egnp.exe\\n\\udcff"


@given(st.sets(st.integers(0, 8)))
def test_runs_hold_the_same_members(members: set[int]) -> None:
    found = runs(members)
    assert [i for first, last in found for i in range(first, last + 1)] == sorted(members)
    assert all(after[0] > before[1] + 1 for before, after in itertools.pairwise(found))


def test_classes_and_sets_by_name() -> None:
    assert class_words(KL, 2) == "KL 2"
    assert class_words(JSN_MEDIAL, 3) == "grade 3"
    assert class_words(VIEW, 1) == "lateral"
    assert set_words(KL, (2, 1)) == "KL 1–2"
    assert set_words(KL, (0, 2, 3)) == "KL 0, 2–3"
    assert set_words(JSN_MEDIAL, (0,)) == "grade 0"
    assert set_words(VIEW, (0, 2)) == "ap, oblique"


@pytest.mark.parametrize(
    ("share", "words"),
    [
        (0.0, "0 %"),
        (1e-6, "<1 %"),
        (0.005, "<1 %"),
        (0.62, "62 %"),
        (0.9951, ">99 %"),
        (1.0, "100 %"),
    ],
)
def test_percentages_never_round_to_certainty(share: float, words: str) -> None:
    assert percent(share) == words


def test_every_code_and_side_has_words() -> None:
    assert set(GATE_WORDS) == set(get_args(GateCode))
    assert set(SIDE_SOURCE_WORDS) == set(get_args(LateralitySource))
    assert set(SIDE_WORDS) == set(Laterality)


@pytest.mark.parametrize("mirrored", [False, True])
@pytest.mark.parametrize("laterality", Laterality)
def test_a_mirrored_region_with_its_side_swapped_has_its_lateral_side_in_place(
    make_knee: Callable[..., Knee], laterality: Laterality, *, mirrored: bool
) -> None:
    knee = make_knee(laterality=laterality, mirrored=mirrored)
    other = make_knee(laterality=laterality.mirrored, mirrored=not mirrored)
    assert lateral_on_left(knee) == lateral_on_left(other)
    if laterality is Laterality.UNKNOWN:
        assert lateral_on_left(knee) is None
    else:
        assert lateral_on_left(knee) is ((laterality is Laterality.RIGHT) is not mirrored)


def test_predictions_are_found_by_task(
    make_knee: Callable[..., Knee], predict: Callable[..., Prediction]
) -> None:
    jsn = predict(0, 1, 0, 0)
    knee = make_knee(grades={"jsn_medial": jsn})
    assert prediction_of(knee, KL) == knee.kl
    assert prediction_of(dataclasses.replace(knee, grades={}), KL) == knee.kl
    assert prediction_of(knee, JSN_MEDIAL) == jsn
    assert prediction_of(knee, VIEW) is None
    assert coverage_words(jsn) == "90 % set"


def test_a_users_own_task_gets_as_many_classes_as_were_answered(
    predict: Callable[..., Prediction],
) -> None:
    assert task_of("kl", predict(1, 0, 0, 0, 0)) is KL
    own = task_of("patella_alta", predict(1, 0, ordinal=False))
    assert (own.title, own.kind, own.classes) == ("patella_alta", "nominal", ("0", "1"))


def test_every_warning_is_explained_where_it_is_known() -> None:
    assert set(WARNING_WORDS) == set(get_args(WarningCode))
    assert {UNKNOWN_SIDE, FORCED, CONFLICT, INVERTED, "REGION_CUT"} == set(WARNING_WORDS)
    for code, words in WARNING_WORDS.items():
        assert explained(code) == f"{code}. {words}"
    assert explained("TOO_COARSE").startswith("TOO_COARSE. ")
    assert explained("SOMETHING ELSE") == "SOMETHING ELSE"
