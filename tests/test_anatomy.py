"""The words of the knee, as the contract spells them."""

import re
from collections.abc import Iterator

import pytest

from kellgren import anatomy
from kellgren.anatomy import KL, OARSI_FEATURES, TASKS, Compartment, Laterality, Task

SIDE = "(lateral|medial)"
BONE = "(femoral|tibial)"
CONTRACT = re.compile(
    f"kl|osteophyte_{BONE}_{SIDE}|jsn_{SIDE}|sclerosis_{BONE}_{SIDE}|attrition_{SIDE}|view"
    "|oa_side_(medial|lateral|patellofemoral)|osteonecrosis|implant_[a-z]+(_[a-z]+)*"
)


def defined() -> Iterator[Task]:
    """Every task that the module names, alone or in a group; a task may come twice."""
    for value in vars(anatomy).values():
        group = value if isinstance(value, tuple) else (value,)
        yield from (item for item in group if isinstance(item, Task))


def test_every_task_is_found_by_its_own_name_only() -> None:
    # A dictionary would swallow a second task of the same name.
    assert {id(task) for task in defined()} == {id(task) for task in TASKS.values()}
    assert all(TASKS[task.name] is task for task in defined())


@pytest.mark.parametrize("task", TASKS.values(), ids=TASKS)
def test_a_task_follows_the_contract(task: Task) -> None:
    assert CONTRACT.fullmatch(task.name)
    assert task.title != task.name
    assert len(set(task.classes)) == len(task.classes) >= 2
    assert task.ordinal == (task.kind == "ordinal")
    if task.kind == "multilabel":
        assert task.classes == ("absent", "present")
    if task.ordinal:
        assert task.classes == tuple(str(grade) for grade in range(len(task.classes)))
        assert task.unit == "knee"


def test_the_grades_are_those_of_the_scales() -> None:
    assert KL.classes == ("0", "1", "2", "3", "4")
    assert {task.classes for task in OARSI_FEATURES} == {("0", "1", "2", "3")}
    # Three features in each of the two compartments.
    for side in Compartment:
        assert sum(task.name.endswith(f"_{side}") for task in OARSI_FEATURES) == 3


@pytest.mark.parametrize("side", Laterality)
def test_mirroring_a_side_twice_gives_it_back(side: Laterality) -> None:
    assert side.mirrored.mirrored is side
    assert (side.mirrored is side) == (side is Laterality.UNKNOWN)
