"""A preparation that is repeated, stopped, killed, or gone on with after something changed."""

import re
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path

import pytest

from kellgren import errors
from kellgren.anatomy import KL, Laterality
from kellgren.cohort.journal import NAME
from kellgren.cohort.prepare import MANIFEST, Cutting, Prepared
from kellgren.datasets.table import Row, write_table
from kellgren.imaging import cut_region

L = Laterality.LEFT
PATIENCE_S = 60.0
"""Chosen: a hundred times what a machine with nothing else to do needs."""

Draw = Callable[..., None]
Answer = Callable[..., Row]
Prepare = Callable[..., Prepared]

pytestmark = pytest.mark.usefixtures("fixed_time")


def contents(folder: Path) -> dict[str, bytes]:
    files = (path for path in folder.rglob("*") if path.is_file())
    return {path.relative_to(folder).as_posix(): path.read_bytes() for path in files}


def alike(folder: Path) -> dict[str, bytes]:
    """The same, wherever the folder lies: the way to the one region that was there is left out."""
    found = contents(folder)
    if MANIFEST in found:
        found[MANIFEST] = re.sub(rb"[./][^,\n]*/films/cut\.png", b"cut.png", found[MANIFEST])
    return found


class TestAgain:
    def test_it_is_the_same_bytes_whoever_works(
        self,
        listed_films: Path,
        prepared: Path,
        tmp_path: Path,
        prepare: Prepare,
    ) -> None:
        prepare(listed_films, tmp_path / "again")
        prepare(listed_films, tmp_path / "shared", workers=2)
        assert alike(tmp_path / "again") == alike(prepared)
        assert alike(tmp_path / "shared") == alike(prepared)

    @pytest.mark.parametrize("stopped_after", [1, 5, 12])
    def test_stopped_and_resumed_it_ends_as_if_nothing_had_happened(
        self,
        listed_films: Path,
        prepared: Path,
        tmp_path: Path,
        stopped_after: int,
        prepare: Prepare,
    ) -> None:
        def stop(done: int, _: int) -> None:
            if done == stopped_after:
                raise KeyboardInterrupt

        out = tmp_path / "out"
        with pytest.raises(KeyboardInterrupt):
            prepare(listed_films, out, watch=stop)
        assert not (out / MANIFEST).exists()
        with pytest.raises(errors.OutputError, match="--resume"):
            prepare(listed_films, out)
        seen: list[tuple[int, int]] = []
        prepare(listed_films, out, resume=True, watch=lambda done, of: seen.append((done, of)))
        assert seen == [(n, 12) for n in range(1, 13)]
        after, expected = alike(out), alike(prepared)
        # The one that may come back is tried, and written down, once more.
        assert list(dict.fromkeys(after.pop(NAME).splitlines())) == expected.pop(NAME).splitlines()
        assert after == expected

    def test_killed_it_goes_on(
        self, listed_films: Path, prepared: Path, tmp_path: Path, prepare: Prepare
    ) -> None:
        out = tmp_path / "out"
        words = [sys.executable, "-m", "kellgren", "prepare", str(listed_films), "-o", str(out)]
        with subprocess.Popen(words) as process:  # noqa: S603 - our own words
            until = time.monotonic() + PATIENCE_S
            while not (out / NAME).exists() or (out / NAME).read_bytes().count(b"\n") < 3:
                assert process.poll() is None
                assert time.monotonic() < until
                time.sleep(0.002)
            process.kill()
            assert process.wait() == -signal.SIGKILL
        prepare(listed_films, out, resume=True)
        after, expected = alike(out), alike(prepared)
        lines, wanted = (each.pop(NAME).splitlines() for each in (after, expected))
        assert list(dict.fromkeys(lines)) == wanted
        # A kill may come while a region is written.
        half = {name for name in after if Path(name).name.startswith(".")}
        assert {name: each for name, each in after.items() if name not in half} == expected

    def test_a_region_that_is_gone_is_cut_again(
        self, listed_films: Path, prepared: Path, tmp_path: Path, prepare: Prepare
    ) -> None:
        out = Path(shutil.copytree(prepared, tmp_path / "out"))
        gone = sorted((out / "regions").iterdir())[2]
        gone.unlink()
        prepare(listed_films, out, resume=True)
        after, before = alike(out), alike(prepared)
        assert len(after.pop(NAME)) > len(before.pop(NAME))
        assert after == before

    def test_other_truth_is_joined_without_cutting_again(
        self,
        listed_films: Path,
        prepared: Path,
        tmp_path: Path,
        monkeypatch: pytest.MonkeyPatch,
        prepare: Prepare,
        listed_rows: Sequence[Row],
    ) -> None:
        out = Path(shutil.copytree(prepared, tmp_path / "out"))
        # Where the films are, as it is part of what they are called.
        other = listed_films.with_name("other.csv")
        write_table([replace(r, value=0) if r.task == KL.name else r for r in listed_rows], other)
        monkeypatch.setattr("kellgren.cohort.prepare.cut_region", None)
        found = prepare(other, out, resume=True)
        other.unlink()
        assert {row.value for row in found.rows if row.task == KL.name} == {0}

    def test_another_cut_is_another_folder(
        self, listed_films: Path, prepared: Path, prepare: Prepare
    ) -> None:
        before = contents(prepared)
        for cutting in (Cutting(size_px=64), Cutting(side=90.0, side_unit="mm_detector")):
            with pytest.raises(errors.JournalMismatch, match=r"size_px|side"):
                prepare(listed_films, prepared, cutting=cutting, resume=True)
        assert contents(prepared) == before

    def test_a_film_that_changed_is_refused(
        self, tmp_path: Path, prepare: Prepare, draw_film: Draw
    ) -> None:
        draw_film(tmp_path / "films" / "a.dcm", L)
        prepare(tmp_path / "films", tmp_path / "out")
        draw_film(tmp_path / "films" / "a.dcm", L, seed=9)
        with pytest.raises(errors.JournalMismatch, match=r"a\.dcm: has changed"):
            prepare(tmp_path / "films", tmp_path / "out", resume=True)

    def test_a_film_that_has_become_a_region_is_looked_at_again(
        self, tmp_path: Path, prepare: Prepare, draw_film: Draw, answer: Answer
    ) -> None:
        draw_film(tmp_path / "films" / "a.dcm", L)
        write_table([answer("a.dcm", L, 1)], tmp_path / "manifest.csv")
        prepare(tmp_path / "manifest.csv", tmp_path / "out")
        write_table([answer("a.dcm", L, 1, kind="region")], tmp_path / "manifest.csv")
        found = prepare(tmp_path / "manifest.csv", tmp_path / "out", resume=True)
        assert [row.path for row in found.rows] == ["../films/a.dcm"]

    def test_a_defect_of_ours_costs_one_film_and_is_tried_again(
        self,
        tmp_path: Path,
        monkeypatch: pytest.MonkeyPatch,
        caplog: pytest.LogCaptureFixture,
        prepare: Prepare,
        draw_film: Draw,
    ) -> None:
        for seed, name in enumerate(("a.dcm", "b.dcm")):
            draw_film(tmp_path / "films" / name, L, seed=seed)
        calls: list[object] = []

        def fail_once(*words: object) -> object:
            calls.append(words)
            if len(calls) == 1:
                raise ZeroDivisionError("never foreseen")
            return cut_region(*words)  # type: ignore[arg-type] # passed on

        monkeypatch.setattr("kellgren.cohort.prepare.cut_region", fail_once)
        found = prepare(tmp_path / "films", tmp_path / "out")
        assert [(r.source, r.code) for r in found.rejects] == [("a.dcm", "internal")]
        assert "never foreseen" in caplog.text
        found = prepare(tmp_path / "films", tmp_path / "out", resume=True)
        assert found.rejects == ()
        assert len(found.rows) == 2

    def test_a_full_disk_stops_the_batch(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, prepare: Prepare, draw_film: Draw
    ) -> None:
        draw_film(tmp_path / "films" / "a.dcm", L)

        def full(*_: object, **__: object) -> object:
            raise OSError(28, "No space left on device")

        monkeypatch.setattr("kellgren.cohort.prepare.write_atomically", full)
        with pytest.raises(errors.OutputError, match="No space left"):
            prepare(tmp_path / "films", tmp_path / "out")
        monkeypatch.undo()
        assert prepare(tmp_path / "films", tmp_path / "out", resume=True).rejects == ()
