"""The knees that two readers graded, and those that one did not."""

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from kellgren import errors
from kellgren.anatomy import KL, Laterality
from kellgren.datasets.table import TRUTH, Row
from kellgren.statistics.pairs import pair

SIDES = (Laterality.LEFT, Laterality.RIGHT)
HOW = ("graded", "refused", "missing")


def truth_of(n: int) -> list[Row]:
    return [
        Row(patient=f"P{i // 2:03}", laterality=SIDES[i % 2], task="kl", reader=TRUTH, value=i % 5)
        for i in range(n)
    ]


def answered(truth: Sequence[Row], reader: str, how: Sequence[str]) -> list[Row]:
    rows = []
    for index, (row, did) in enumerate(zip(truth, how, strict=True)):
        if did == "graded":
            rows.append(replace(row, reader=reader, value=index * 3 % 5))
        elif did == "refused":
            rows.append(replace(row, reader=reader, value=None, status="NO_KNEE"))
    return rows


@given(st.lists(st.tuples(st.sampled_from(HOW), st.sampled_from(HOW)), min_size=1, max_size=40))
@settings(deadline=None, max_examples=50)
def test_every_labelled_knee_is_counted_once(did: list[tuple[str, str]]) -> None:
    did = [("graded", "graded"), *did]
    truth = truth_of(len(did))
    one = answered(truth, "a", [first for first, _ in did])
    other = answered(truth, "b", [second for _, second in did])
    found = pair(truth, one, list(reversed(other)), task=KL)
    graded = [(first == "graded", second == "graded") for first, second in did]
    assert (found.both, found.first_only, found.second_only, found.neither) == tuple(
        graded.count(way) for way in ((True, True), (True, False), (False, True), (False, False))
    )
    assert found.labelled == len(did)
    for place, reader in enumerate((found.first, found.second)):
        assert len(reader.refused) == [each[place] for each in did].count("refused")
        assert reader.missing == [each[place] for each in did].count("missing")
    # The same knees stand at the same places.
    here = [index for index, way in enumerate(graded) if all(way)]
    for reader in (found.first, found.second):
        np.testing.assert_array_equal(reader.truth, [index % 5 for index in here])
        np.testing.assert_array_equal(reader.predicted, [index * 3 % 5 for index in here])


def test_what_the_truth_does_not_label_is_nobodys() -> None:
    truth = truth_of(6)
    one, other = (answered(truth, name, ["graded"] * 6) for name in "ab")
    unsure = [*truth[:4], replace(truth[4], value=None), replace(truth[5], status="unreadable")]
    found = pair(unsure, one, other, task=KL)
    assert (found.labelled, found.both, found.neither) == (4, 4, 0)


def test_without_a_common_knee_there_is_no_pair() -> None:
    truth = truth_of(8)
    one = answered(truth, "a", ["graded"] * 4 + ["missing"] * 4)
    other = answered(truth, "b", ["refused"] * 4 + ["graded"] * 4)
    with pytest.raises(errors.TableError, match="graded by both"):
        pair(truth, one, other, task=KL)


def test_a_knee_that_a_reader_graded_twice_is_an_error() -> None:
    truth = truth_of(8)
    one, other = (answered(truth, name, ["graded"] * 8) for name in "ab")
    # Also where the other reader did not grade it.
    with pytest.raises(errors.DuplicateRows):
        pair(truth, [*one, one[0]], other[1:], task=KL)
