"""Light steps of some items at a time, then the heavy ones; results in the items' order."""

from collections.abc import Iterator

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kellgren.cohort.workers import TwoSteps, in_order


class Steps:
    """Notes what was done, in the order of doing."""

    def __init__(self) -> None:
        self.done: list[tuple[str, int]] = []

    def light(self, item: int) -> str:
        self.done.append(("light", item))
        return str(item)

    def heavy(self, half: str) -> int:
        self.done.append(("heavy", int(half)))
        return int(half)


@given(st.lists(st.integers()), st.integers(1, 5))
def test_every_item_has_its_result_in_its_place(items: list[int], at_once: int) -> None:
    steps = Steps()
    work = TwoSteps(steps.light, steps.heavy, at_once)
    assert list(in_order(items, lambda: work, 1)) == items
    assert sorted(steps.done) == sorted((name, i) for i in items for name in ("light", "heavy"))


def test_no_more_is_held_than_was_said() -> None:
    steps = Steps()
    results = TwoSteps(steps.light, steps.heavy, 2).of_all(iter(range(5)))
    assert next(results) == 0
    assert steps.done == [("light", 0), ("light", 1), ("heavy", 0)]
    assert list(results) == [1, 2, 3, 4]
    assert steps.done[3:6] == [("heavy", 1), ("light", 2), ("light", 3)]


def test_nothing_is_done_before_it_is_asked_for() -> None:
    def items() -> Iterator[int]:
        yield 1
        pytest.fail("asked for too much")

    assert next(TwoSteps(str, int).of_all(items())) == 1
