from dataclasses import replace

import numpy as np
import pytest

from kellgren import errors
from kellgren.anatomy import KL, Laterality
from kellgren.datasets.table import TRUTH, Row
from kellgren.statistics.panel import panel


def rows(reader: str, grades: dict[str, int | None]) -> list[Row]:
    return [
        Row(patient=p, image=p, laterality=Laterality.LEFT, task="kl", reader=reader, value=g)
        for p, g in grades.items()
    ]


TABLE = [
    *rows("a", {"1": 0, "2": 1, "3": 2, "5": 4}),
    *rows("b", {"1": 0, "2": 2, "3": None, "4": 1, "5": 4}),
    *rows("model:m@1", {"5": 3, "2": 1, "1": 0, "4": 2}),
]


def test_the_knees_that_all_graded_stand_in_one_order() -> None:
    found = panel(TABLE, task=KL)
    assert found.readers == ("a", "b", "model:m@1")
    assert found.grades.tolist() == [[0, 0, 0], [1, 2, 1], [4, 4, 3]]
    assert found.patients.tolist() == ["1", "2", "5"]
    assert found.left_out == {"a": 1, "b": 1, "model:m@1": 1}
    assert found.unusable == {"a": 0, "b": 1, "model:m@1": 0}


def test_the_order_of_rows_changes_nothing() -> None:
    shuffled = [TABLE[i] for i in np.random.default_rng(0).permutation(len(TABLE))]
    assert np.array_equal(panel(shuffled, task=KL).grades, panel(TABLE, task=KL).grades)


def test_chosen_readers_alone() -> None:
    found = panel(TABLE, task=KL, readers=("b", "a"))
    assert found.grades.tolist() == [[0, 0], [2, 1], [4, 4]]


@pytest.mark.parametrize(
    ("table", "readers", "says"),
    [
        (TABLE, ("a", "c"), "no 'c'"),
        (TABLE, ("a",), "two readers"),
        ([], None, "none"),
        ([*rows("a", {"1": 0}), *rows("b", {"2": 0})], None, "No knee"),
        ([*rows("a", {"1": 7}), *rows("b", {"1": 0})], None, "classes 0 to 4"),
    ],
)
def test_what_cannot_be_compared_is_named(
    table: list[Row], readers: tuple[str, ...] | None, says: str
) -> None:
    with pytest.raises(errors.TableError, match=says):
        panel(table, task=KL, readers=readers)


def test_strata_are_what_most_gave_unless_the_truth_is_there() -> None:
    found = panel(TABLE, task=KL)
    # 0 of all; 1 of two against 2; 4 of two against 3.
    assert found.strata.tolist() == [0, 1, 4]
    assert panel(TABLE, task=KL, readers=("a", "b")).strata.tolist() == [0, 1, 4]
    truth = rows(TRUTH, {"1": 4, "2": 3, "5": 2})
    known = panel([*truth, *TABLE], task=KL)
    assert known.has_truth
    assert known.strata.tolist() == [4, 3, 2]


def test_what_stands_for_a_patient_is_known() -> None:
    nameless = [replace(row, patient="", cluster="c" * (row.image == "2")) for row in TABLE]
    found = panel(nameless, task=KL)
    assert found.patients.tolist() == ["1", "c", "5"]
    assert found.units.tolist() == ["picture", "cluster", "picture"]


def test_two_answers_of_one_reader_are_refused() -> None:
    twice = [*TABLE, replace(TABLE[0], dataset="other")]
    with pytest.raises(errors.DuplicateRows, match="answers twice"):
        panel(twice, task=KL)
