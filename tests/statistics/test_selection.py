"""What the ledger says of knees that several tasks are asked of."""

from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path

import pytest

from kellgren.anatomy import JSN_LATERAL, JSN_MEDIAL, KL, Task
from kellgren.datasets.ledger import ledger_of, record_look
from kellgren.datasets.splits import split_sha256
from kellgren.datasets.table import TRUTH, Row
from kellgren.statistics.reports.selection import selection

TASKS = (KL, JSN_MEDIAL, JSN_LATERAL)
ROWS = [
    Row(patient=f"P{number}", task=task.name, reader=TRUTH, value=number)
    for number in range(3)
    for task in TASKS
]


@pytest.fixture
def truth(tmp_path: Path) -> Path:
    return tmp_path / "knees.csv"


def score(truth: Path, tasks: Sequence[Task], *bundles: str) -> None:
    predictions = truth.with_name("predictions.csv")
    predictions.write_text("")
    names = {task.name for task in tasks}
    for bundle in bundles:
        record_look(
            ledger_of(truth),
            split_sha256=split_sha256(row for row in ROWS if row.task in names),
            predictions=predictions,
            bundle_sha256=bundle,
            time=datetime(2026, 1, 2, tzinfo=UTC),
        )


def test_looks_at_one_task_count_where_three_are_asked(truth: Path) -> None:
    score(truth, [KL], "a", "b", "c")
    found = selection(truth, ROWS, TASKS)
    assert (found.bundles, found.role) == (3, "selected on")
    words = " ".join(found.words)
    assert "knows of no scoring" not in words
    assert "these: kl 3, jsn_medial 0, jsn_lateral 0." in words


def test_looks_at_three_tasks_count_where_one_is_asked(truth: Path) -> None:
    score(truth, TASKS, "a", "b")
    found = selection(truth, ROWS, [KL])
    assert (found.bundles, found.by_task) == (2, (("kl", 2),))
    assert "task by task" not in " ".join(found.words)


def test_a_bundle_that_was_scored_in_both_ways_counts_once(truth: Path) -> None:
    score(truth, TASKS, "a", "b")
    score(truth, [KL], "b", "c")
    found = selection(truth, ROWS, TASKS)
    assert found.bundles == 3
    assert found.by_task == (("kl", 3), ("jsn_medial", 2), ("jsn_lateral", 2))


def test_other_knees_are_not_counted(truth: Path) -> None:
    score(truth, [KL], "a", "b")
    found = selection(truth, ROWS[:-3], TASKS)
    assert (found.bundles, found.kept) == (0, True)
    assert "knows of no scoring of these knees" in found.words[0]
