"""One batch at a time, and none that is dead."""

import fcntl
import logging
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from kellgren import errors
from kellgren.cohort import Journal, lock
from kellgren.cohort.journal import NAME as JOURNAL
from kellgren.cohort.lock import NAME, locked

HEADER = {"bundle_sha256": "ab" * 32}


HOLD = """
import pathlib, signal, sys
from kellgren.cohort.lock import locked
with locked(pathlib.Path(sys.argv[1])):
    print("held", flush=True)
    signal.pause()
"""
"""Holds a folder until somebody kills the process."""


def test_it_is_there_while_it_is_held_and_names_its_process(tmp_path: Path) -> None:
    with locked(tmp_path):
        assert (tmp_path / NAME).read_text("ascii") == str(os.getpid())
        with (
            pytest.raises(errors.OutputInUse, match=rf"\(process {os.getpid()}\) is writing"),
            locked(tmp_path),
        ):
            pass
        assert (tmp_path / NAME).exists()
    assert list(tmp_path.iterdir()) == []
    with locked(tmp_path):
        pass


def test_an_error_lets_go_of_it(tmp_path: Path) -> None:
    with pytest.raises(ZeroDivisionError), locked(tmp_path):
        raise ZeroDivisionError
    assert list(tmp_path.iterdir()) == []


def test_a_killed_process_holds_nothing(tmp_path: Path) -> None:
    with subprocess.Popen(  # noqa: S603 – our own words
        [sys.executable, "-c", HOLD, str(tmp_path)], stdout=subprocess.PIPE, text=True
    ) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == "held\n"
        with (
            pytest.raises(errors.OutputInUse, match=f"process {process.pid}"),
            locked(tmp_path),
        ):
            pass
        process.kill()
    assert (tmp_path / NAME).exists()
    with locked(tmp_path):
        assert (tmp_path / NAME).read_text("ascii") == str(os.getpid())
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("left", ["", "4711", "longer than any number of a process", "\x1b[2J"])
def test_what_stands_in_a_file_that_was_left_does_not_matter(tmp_path: Path, left: str) -> None:
    (tmp_path / NAME).write_text(left, "utf-8")
    with locked(tmp_path):
        assert (tmp_path / NAME).read_text("ascii") == str(os.getpid())
        (tmp_path / NAME).write_text(left, "utf-8")
        with pytest.raises(errors.OutputInUse) as raised, locked(tmp_path):
            pass
    assert (left in str(raised.value)) == (left.isdigit() or not left)


def test_a_file_that_was_removed_on_the_way_is_no_lock(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Between opening and locking, whoever held it may finish and take the file away."""
    wait: list[Callable[[Path], None]] = [Path.unlink]
    flock = fcntl.flock

    def late(handle: int, how: int) -> None:
        if wait:
            wait.pop()(tmp_path / NAME)
        flock(handle, how)

    monkeypatch.setattr(fcntl, "flock", late)
    with locked(tmp_path):
        assert (tmp_path / NAME).exists()
        with pytest.raises(errors.OutputInUse), locked(tmp_path):
            pass
    assert wait == []


def test_a_drive_without_locks_is_used_and_said(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def refuse(_: int) -> None:
        raise OSError(95, "Operation not supported")

    monkeypatch.setattr(lock, "_lock", refuse)
    with caplog.at_level(logging.WARNING), locked(tmp_path):
        pass
    assert "no locks here" in caplog.text
    assert list(tmp_path.iterdir()) == []


class TestOfAJournal:
    @pytest.mark.parametrize("resume", [False, True])
    def test_a_second_batch_is_refused_and_harms_nothing(
        self, tmp_path: Path, *, resume: bool
    ) -> None:
        with Journal(tmp_path, HEADER, resume=False):
            before = (tmp_path / JOURNAL).read_bytes()
            with pytest.raises(errors.OutputInUse, match="choose another folder"):
                Journal(tmp_path, HEADER, resume=resume)
            assert (tmp_path / JOURNAL).read_bytes() == before
        assert [path.name for path in tmp_path.iterdir()] == [JOURNAL]
        with Journal(tmp_path, HEADER, resume=True):
            pass

    def test_one_that_is_refused_lets_go(self, tmp_path: Path) -> None:
        with Journal(tmp_path, HEADER, resume=False):
            pass
        with pytest.raises(errors.JournalMismatch):
            Journal(tmp_path, {"bundle_sha256": "cd" * 32}, resume=True)
        with pytest.raises(errors.OutputError, match="--resume"):
            Journal(tmp_path, HEADER, resume=False)
        assert [path.name for path in tmp_path.iterdir()] == [JOURNAL]

    def test_a_folder_with_nothing_but_a_dead_lock_is_empty(self, tmp_path: Path) -> None:
        (tmp_path / NAME).write_text("4711", "ascii")
        with Journal(tmp_path, HEADER, resume=False):
            pass
        assert [path.name for path in tmp_path.iterdir()] == [JOURNAL]
