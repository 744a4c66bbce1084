"""A batch of a hundred files, ten of them broken, and what may happen to it on the way."""

import contextlib
import csv
import dataclasses
import io
import json
import os
import shutil
import signal
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import psutil
import pytest
from PIL import Image

from kellgren.cohort.journal import NAME

EPOCH = "1763700000"
PATIENCE_S = 60.0
"""Chosen: a hundred times what a machine with nothing else to do needs."""

BROKEN = {
    "b-bomb.png": "file.too_large",
    "b-colour.jpg": "file.colour",
    "b-cut.png": "file.truncated",
    "b-dark.png": "file.blank",
    "b-dead.png": "file.missing",
    "b-empty.png": "file.empty",
    "b-icon.png": "file.too_small",
    "b-letter.doc": "file.format",
    "b-loop.png": "file.unreadable",
    "b-pages.tif": "file.frames",
}
AGAIN = {"b-dead.png", "b-loop.png"}
GRADED = 90


@dataclasses.dataclass(frozen=True)
class Batch:
    """What is graded with what."""

    films: Path
    bundle: Path

    def words(self, out: Path, *more: str) -> list[str]:
        return [
            *(sys.executable, "-m", "kellgren", "grade", "--cropped", str(self.films)),
            *("--laterality", "right", "--bundle", str(self.bundle), "-o", str(out), *more),
        ]

    def run(self, out: Path, *more: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(  # noqa: S603 – our own words
            self.words(out, *more),
            capture_output=True,
            text=True,
            check=False,
            timeout=PATIENCE_S,
            env={**os.environ, "SOURCE_DATE_EPOCH": EPOCH},
        )

    @contextlib.contextmanager
    def begun(self, out: Path, *more: str, finished: int) -> Iterator[subprocess.Popen[str]]:
        """The process, once some films are finished; it is killed if it still runs at the end."""
        # Under nohup or in a shell's background SIGINT is ignored, and children inherit that.
        signal.signal(signal.SIGINT, signal.default_int_handler)
        with subprocess.Popen(  # noqa: S603 – our own words
            self.words(out, *more),
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            start_new_session=True,  # a group of its own, as a shell gives it
            env={**os.environ, "SOURCE_DATE_EPOCH": EPOCH},
        ) as process:
            try:
                until = time.monotonic() + PATIENCE_S
                while lines(out) <= finished:
                    assert process.poll() is None
                    assert time.monotonic() < until
                    time.sleep(0.002)
                yield process
            finally:
                process.kill()


def lines(out: Path) -> int:
    journal = out / NAME
    return journal.read_bytes().count(b"\n") if journal.exists() else 0


def contents(folder: Path) -> dict[str, bytes]:
    files = (path for path in folder.rglob("*") if path.is_file())
    return {path.relative_to(folder).as_posix(): path.read_bytes() for path in files}


def whole(folder: Path) -> dict[str, bytes]:
    """What a reader of the folder sees: half-written files have hidden names that end in .part."""
    return {
        name: content
        for name, content in contents(folder).items()
        if not (Path(name).name.startswith(".") and name.endswith(".part"))
    }


@pytest.fixture(scope="module")
def batch(
    tmp_path_factory: pytest.TempPathFactory,
    phantoms: Path,
    synthetic_bundle: Path,
) -> Batch:
    folder = tmp_path_factory.mktemp("hundred")
    pictures = sorted((phantoms.parent / "images").iterdir())
    for index in range(GRADED):
        name = f"{'ac'[index % 2]}-{index:02d}.png"
        shutil.copy(pictures[index % len(pictures)], folder / name)
    rng = np.random.default_rng(0)
    noise = Image.fromarray(rng.integers(0, 255, (64, 64), dtype=np.uint8))
    cut = (folder / "a-00.png").read_bytes()
    Image.new("1", (10_000, 10_001)).save(folder / "b-bomb.png")
    colour = rng.integers(0, 255, (8, 8, 3), dtype=np.uint8)
    Image.fromarray(colour).resize((64, 64)).save(folder / "b-colour.jpg")
    (folder / "b-cut.png").write_bytes(cut[: len(cut) // 2])
    Image.new("L", (64, 64)).save(folder / "b-dark.png")
    (folder / "b-dead.png").symlink_to(folder / "gone.png")
    (folder / "b-empty.png").touch()
    noise.resize((20, 20)).save(folder / "b-icon.png")
    (folder / "b-letter.doc").write_text("Dear colleague", encoding="utf-8")
    (folder / "b-loop.png").symlink_to(folder / "b-loop.png")
    noise.save(folder / "b-pages.tif", save_all=True, append_images=[noise])
    assert len(list(folder.iterdir())) == GRADED + len(BROKEN)
    return Batch(folder, synthetic_bundle)


@pytest.fixture(scope="module")
def undisturbed(batch: Batch, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The results of a run that nothing happened to."""
    out = tmp_path_factory.mktemp("undisturbed") / "out"
    done = batch.run(out, "--json")
    (out.parent / "stdout").write_text(done.stdout, encoding="utf-8")
    (out.parent / "stderr").write_text(done.stderr, encoding="utf-8")
    (out.parent / "status").write_text(str(done.returncode), encoding="utf-8")
    return out


class TestUndisturbed:
    def test_ten_broken_files_cost_nothing_but_themselves(self, undisturbed: Path) -> None:
        with (undisturbed / "grades.csv").open(newline="", encoding="utf-8") as stream:
            rows = list(csv.DictReader(stream))
        assert len(rows) == GRADED + len(BROKEN)
        refused = {row["source"]: row for row in rows if row["status"] != "ok"}
        assert {source: row["status"] for source, row in refused.items()} == BROKEN
        for source, row in refused.items():
            assert row["message"].startswith(f"{source}: ")
            assert row["kl"] == ""
        assert all(row["kl"] in "01234" and row["message"] == "" for row in rows[:40])
        assert [row["source"] for row in rows] == sorted(row["source"] for row in rows)

    def test_it_says_so_without_a_traceback(self, undisturbed: Path) -> None:
        assert (undisturbed.parent / "status").read_text("utf-8") == "1"
        said = (undisturbed.parent / "stderr").read_text("utf-8").splitlines()
        assert len(said) == len(BROKEN) + 1
        for (source, code), line in zip(BROKEN.items(), said, strict=False):
            assert line.startswith(f"{source}: not graded: {code}: {source}: ")
        assert said[-1].startswith("90 of 100 graded.")

    def test_every_film_is_a_line_on_stdout_and_in_the_journal(
        self, batch: Batch, undisturbed: Path
    ) -> None:
        printed = (undisturbed.parent / "stdout").read_text("utf-8").splitlines()
        journal = (undisturbed / NAME).read_text("utf-8").splitlines()
        assert printed == journal[1:]
        sources = [json.loads(line)["source"] for line in printed]
        assert sources == sorted(path.name for path in batch.films.iterdir())

    def test_nothing_half_written_is_left(self, undisturbed: Path) -> None:
        assert contents(undisturbed) == whole(undisturbed)
        assert len(list((undisturbed / "overlays").iterdir())) == GRADED


class TestKilled:
    def test_twice_and_resumed_it_ends_as_if_nothing_had_happened(
        self, batch: Batch, undisturbed: Path, tmp_path: Path
    ) -> None:
        out = tmp_path / "out"
        # First in one process, then, resumed, in three.
        for words, finished in ((("--workers", "1"), 12), (("--workers", "2", "--resume"), 40)):
            with batch.begun(out, *words, finished=finished) as process:
                children = psutil.Process(process.pid).children(recursive=True)
                process.kill()
                assert process.wait() == -signal.SIGKILL
            # Workers of a killed batch do not wait for ever.
            assert psutil.wait_procs(children, timeout=PATIENCE_S)[1] == []

            assert finished <= lines(out) - 1 < GRADED
            seen = whole(out)
            assert seen.keys().isdisjoint({"grades.csv", "report.html"})
            for name, content in seen.items():
                if name.endswith(".png"):
                    Image.open(io.BytesIO(content)).load()
            # A kill may come while an overlay or a line is written.
            (out / "overlays" / ".a-00.png.x.part").write_bytes(b"half")
            with (out / NAME).open("ab") as journal:
                journal.write(b'{"schema":1,"source":"c-')

        resumed = batch.run(out, "--resume")
        assert resumed.returncode == 1
        assert "90 of 100 graded." in resumed.stderr
        assert "Traceback" not in resumed.stderr
        found, expected = whole(out), contents(undisturbed)
        written, reference = (each.pop(NAME).splitlines() for each in (found, expected))
        assert found == expected
        # Nothing lost, and nothing twice but what the system kept back.
        assert list(dict.fromkeys(written)) == reference
        twice = [json.loads(line)["source"] for line, n in Counter(written).items() if n > 1]
        assert set(twice) <= AGAIN

    def test_a_second_resume_changes_nothing(
        self, batch: Batch, undisturbed: Path, tmp_path: Path
    ) -> None:
        out = Path(shutil.copytree(undisturbed, tmp_path / "out"))
        again = batch.run(out, "--resume")
        assert again.returncode == 1
        # The two that the system kept back are tried, and written down, once more.
        after, before = contents(out), contents(undisturbed)
        tried = [json.loads(line)["source"] for line in after[NAME].splitlines()[101:]]
        assert tried == sorted(AGAIN)
        assert after[NAME].startswith(before[NAME])
        assert {**after, NAME: b""} == {**before, NAME: b""}


class TestStopped:
    @pytest.mark.parametrize("workers", ["1", "2"])
    def test_by_the_keyboard_it_says_how_to_go_on(
        self, batch: Batch, tmp_path: Path, workers: str
    ) -> None:
        with batch.begun(tmp_path / "out", "--workers", workers, finished=2) as process:
            os.killpg(process.pid, signal.SIGINT)
            _, said = process.communicate(timeout=PATIENCE_S)
        assert process.returncode == 130
        assert "--resume" in said
        assert "Traceback" not in said
        assert 2 <= lines(tmp_path / "out") - 1 < GRADED

    def test_another_batch_is_kept_out_while_it_runs(self, batch: Batch, tmp_path: Path) -> None:
        out = tmp_path / "out"
        with batch.begun(out, finished=2) as process:
            process.send_signal(signal.SIGSTOP)
            before = whole(out)
            for words in ((), ("--resume",)):
                other = batch.run(out, *words)
                assert (other.returncode, other.stdout) == (2, "")
                assert other.stderr.startswith(f"kellgren: output.in_use: {out}: another batch")
                assert f"(process {process.pid})" in other.stderr
            assert whole(out) == before

    def test_a_worker_that_was_killed_stops_the_batch_by_name(
        self, batch: Batch, tmp_path: Path
    ) -> None:
        with batch.begun(tmp_path / "out", "--workers", "2", finished=2) as process:
            workers = [
                child
                for child in psutil.Process(process.pid).children()
                if "--multiprocessing-fork" in child.cmdline()
            ]
            assert len(workers) == 2
            workers[0].kill()
            _, said = process.communicate(timeout=PATIENCE_S)
        assert process.returncode == 2
        assert said.startswith("kellgren: output.refused: a worker process was killed")
        assert "Traceback" not in said

    def test_by_a_reader_who_has_seen_enough_it_is_silent(
        self, batch: Batch, tmp_path: Path
    ) -> None:
        with batch.begun(tmp_path / "out", "--json", finished=1) as process:
            assert process.stdout is not None
            assert json.loads(process.stdout.readline())["source"] == "a-00.png"
            process.stdout.close()
            assert process.stderr is not None
            assert process.stderr.read() == ""
            assert process.wait(timeout=PATIENCE_S) == 141
