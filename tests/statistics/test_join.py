from dataclasses import replace

import numpy as np
import pytest

from kellgren import errors
from kellgren.anatomy import JSN_MEDIAL, KL, Laterality
from kellgren.datasets.table import TRUTH, Row
from kellgren.statistics.join import join


def labelled(patient: str, value: int | None, side: Laterality = Laterality.LEFT) -> Row:
    return Row(patient=patient, laterality=side, task="kl", reader=TRUTH, value=value)


def answered(patient: str, value: int | None, side: Laterality = Laterality.LEFT) -> Row:
    return replace(labelled(patient, value, side), reader="model:m@1")


def certain(patient: str, value: int) -> Row:
    probabilities = tuple(float(index == value) for index in range(5))
    return replace(answered(patient, value), probabilities=probabilities)


def test_knees_are_paired_by_their_key_and_ordered_by_it() -> None:
    truth = [labelled("b", 1), labelled("a", 2, Laterality.RIGHT), labelled("a", 3)]
    answers = [answered("a", 3), answered("b", 0), answered("a", 4, Laterality.RIGHT)]
    both = join(truth, answers, task=KL)
    assert both.reader == "model:m@1"
    assert both.patients.tolist() == ["a", "a", "b"]
    assert both.truth.tolist() == [3, 2, 1]
    assert both.predicted.tolist() == [3, 4, 0]
    assert both.answered.tolist() == [0, 2, 1]
    assert both.probabilities is None


def test_what_cannot_be_compared_is_counted() -> None:
    truth = [
        labelled("compared", 1),
        labelled("missing", 1),
        labelled("refused", 1),
        labelled("failed", 1),
        labelled("unread", None),
        replace(labelled("unreadable", 2), status="file.truncated"),
    ]
    answers = [
        answered("compared", 1),
        replace(answered("refused", None), status="NO_KNEE"),
        replace(answered("failed", None), status="file.truncated"),
        answered("unread", 1),
        answered("stranger", 1),
    ]
    both = join(truth, answers, task=KL)
    assert both.patients.tolist() == ["compared"]
    assert both.missing == 1
    assert sorted(both.refused) == ["NO_KNEE", "file.truncated"]
    assert both.unlabelled == 2
    # The answers about "unread" and "stranger".
    assert both.unmatched == 2


def test_rows_of_other_tasks_are_passed_over() -> None:
    other = replace(labelled("a", 1), task=JSN_MEDIAL.name)
    both = join([labelled("a", 1), other], [answered("a", 1), answered("b", 1)], task=JSN_MEDIAL)
    assert (len(both.truth), both.missing, both.unmatched, both.reader) == (0, 1, 0, "")


def test_patients_are_clusters_where_they_are_unknown() -> None:
    truth = [replace(labelled("", 1), image="i", cluster="c")]
    answers = [replace(answered("", 1), image="i")]
    assert join(truth, answers, task=KL).patients.tolist() == ["c"]


def test_the_stated_value_is_kept_and_the_likeliest_fills_its_place() -> None:
    stated = replace(certain("a", 3), value=2)
    silent = replace(certain("b", 4), value=None)
    both = join([labelled("a", 0), labelled("b", 0)], [stated, silent], task=KL)
    assert both.predicted.tolist() == [2, 4]
    assert both.probabilities is not None
    np.testing.assert_array_equal(both.probabilities, np.eye(5)[[3, 4]])


@pytest.mark.parametrize("table", ["the truth", "the answers"])
def test_two_rows_about_one_knee_are_an_error(table: str) -> None:
    truth, answers = [labelled("a", 1)], [answered("a", 1)]
    twice = truth if table == "the truth" else answers
    # Another reader does not make it another question.
    twice.append(replace(twice[0], reader="somebody"))
    with pytest.raises(errors.DuplicateRows, match=f"{table} are about patient 'a'"):
        join(truth, answers, task=KL)


def test_answers_of_two_readers_are_an_error() -> None:
    answers = [answered("a", 1), replace(answered("b", 1), reader="somebody")]
    with pytest.raises(errors.TableError, match="model:m@1, somebody"):
        join([labelled("a", 1)], answers, task=KL)


@pytest.mark.parametrize("value", [None, -1, 5])
def test_an_answer_that_is_no_class_is_an_error(value: int | None) -> None:
    with pytest.raises(errors.TableError, match="classes 0 to 4"):
        join([labelled("a", 1)], [answered("a", value)], task=KL)


def test_a_truth_that_is_no_class_is_an_error() -> None:
    with pytest.raises(errors.TableError, match="the truth"):
        join([labelled("a", 7)], [answered("a", 1)], task=KL)


@pytest.mark.parametrize(
    ("probabilities", "says"),
    [
        ((0.5, 0.5), "2 probabilities"),
        ((), "0 probabilities"),
        ((0.2, 0.2, 0.2, 0.2, 0.3), "sum to 1.1"),
        ((1.2, -0.2, 0.0, 0.0, 0.0), "below 0"),
        ((float("nan"), 1.0, 0.0, 0.0, 0.0), "sum to nan"),
    ],
)
def test_probabilities_are_of_every_class_and_sum_to_one(
    probabilities: tuple[float, ...], says: str
) -> None:
    answers = [certain("a", 1), replace(certain("b", 1), probabilities=probabilities)]
    with pytest.raises(errors.TableError, match=says):
        join([labelled("a", 1), labelled("b", 1)], answers, task=KL)


def test_six_decimals_are_close_enough_to_one() -> None:
    thirds = replace(certain("a", 0), probabilities=(0.333333, 0.333333, 0.333333, 0.0, 0.0))
    assert len(join([labelled("a", 0)], [thirds], task=KL).truth) == 1


def test_it_is_known_what_stands_for_each_patient() -> None:
    truth = [
        labelled("a", 1),
        replace(labelled("", 1), image="i", cluster="c"),
        replace(labelled("", 1), image="j"),
    ]
    answers = [replace(row, reader="model:m@1") for row in truth]
    both = join(truth, answers, task=KL)
    assert dict(zip(both.patients.tolist(), both.units.tolist(), strict=True)) == {
        "a": "patient",
        "c": "cluster",
        "j": "picture",
    }
    assert both.part(both.units == "cluster").units.tolist() == ["cluster"]


def test_grades_that_are_not_the_likeliest_are_counted() -> None:
    truth = [labelled(patient, 0) for patient in "abcd"]
    tied = replace(answered("d", 4), probabilities=(0.0, 0.0, 0.0, 0.5, 0.5))
    silent = replace(certain("c", 3), value=None)
    stated = [certain("a", 3), replace(certain("b", 3), value=2), silent, tied]
    assert join(truth, stated, task=KL).not_likeliest == 1
    plain = [replace(row, value=1, probabilities=()) for row in stated]
    assert join(truth, plain, task=KL).not_likeliest == 0
    assert join([], [], task=KL).not_likeliest == 0
