"""Contenders in their processes, and the whole run with tiny numbers. Nothing here is timed."""

from collections.abc import Callable
from pathlib import Path

import psutil
import pytest
from benchmarks import contenders, pictures
from benchmarks.agreement import compare
from benchmarks.contenders import DEFAULT, GRADERS, REFERENCE, present
from benchmarks.turns import started, take_turns


@pytest.fixture(autouse=True)
def patient_threads(monkeypatch: pytest.MonkeyPatch) -> None:
    """Torch's threads sleep while they wait: spinning, they starve one another where CI is busy."""
    monkeypatch.setenv("OMP_WAIT_POLICY", "PASSIVE")
    monkeypatch.delenv("KELLGREN_DATA", raising=False)


def serving() -> list[psutil.Process]:
    """This process's contenders."""
    children = psutil.Process().children()
    return [child for child in children if "benchmarks.serve" in child.cmdline()]


def test_what_can_be_compared_are_graders() -> None:
    assert {REFERENCE, DEFAULT} <= set(GRADERS)
    assert set(present()) <= contenders.CONTENDERS.keys()


def test_contenders_take_turns_and_stand_still_between(tmp_path: Path) -> None:
    drawn = pictures.draw(tmp_path / "knees", 2)
    with started((REFERENCE, DEFAULT), tmp_path / "knees") as processes:
        timed = take_turns(processes, rounds=2, calls=1)
        assert [len(each.rounds) for each in timed.values()] == [2, 2]
        assert [child.status() for child in serving()] == [psutil.STATUS_STOPPED] * 2
        ours, theirs = (process.answers(drawn) for process in processes.values())
        assert max(process.used_while_stopped for process in processes.values()) < 0.1
    assert serving() == []
    # The frozen reference is the shipped networks and no others.
    assert compare(ours, theirs).largest < 1e-4


def test_a_contender_that_ends_is_named(tmp_path: Path) -> None:
    with (
        pytest.raises(RuntimeError, match="'nobody' has ended"),
        started(("nobody",), tmp_path),
    ):
        pass


def test_a_whole_run_prints_every_figure_beside_its_target(
    run_benchmark: Callable[..., str],
) -> None:
    few = ("--pictures", "3", "--rounds", "1", "--calls", "1", "--compared", "2", "--starts", "1")
    printed = run_benchmark("speed", *few)
    said = printed.rpartition("\n\n")[2]
    for figure in (
        *("default, times as fast", "reference and default", "folder, times the networks'"),
        *("folder, most memory", "folder, growth", "kellgren grade --cropped one.png"),
        *("import kellgren  ", "import kellgren, of torch"),
    ):
        (line,) = [line for line in said.splitlines() if line.startswith(figure)]
        assert "≥" in line or "≤" in line
    assert "load average" in printed
    assert "AMX" in printed
