"""``kellgren demo``: where its report is, and what it leaves alone."""

from pathlib import Path
from typing import Any

import pytest
from as_typed import run
from numpy.typing import NDArray
from PIL import Image

from kellgren.cohort.lock import NAME as LOCK
from kellgren.cohort.lock import locked
from kellgren.errors import OutputInUse

Pixels = NDArray[Any]


@pytest.mark.usefixtures("shipped", "fixed_time")
class TestDemo:
    def test_a_report_stands_where_it_says(self, tmp_path: Path) -> None:
        status, out, err = run("demo", "-o", tmp_path / "demo")
        assert (status, err) == (0, "")
        report = tmp_path / "demo" / "results" / "report.html"
        assert out.splitlines()[-1].endswith(f"Look at {report}")
        text = report.read_text("utf-8")
        assert "SYNTHETIC" in text
        assert out.count("knee: KL") == 4
        assert len(list((tmp_path / "demo" / "results" / "overlays").iterdir())) == 4
        assert len(list((tmp_path / "demo" / "results" / "films").iterdir())) == 2
        for overlay in (tmp_path / "demo" / "results" / "overlays").iterdir():
            with Image.open(overlay) as picture:
                assert picture.info["kellgren:synthetic"] == "yes"
        assert "side unknown" not in text

    def test_it_can_be_run_again_and_touches_nothing_else(self, tmp_path: Path) -> None:
        run("demo", "-o", tmp_path / "demo")
        first = (tmp_path / "demo" / "results" / "grades.csv").read_bytes()
        (tmp_path / "demo" / "notes.txt").write_text("mine", encoding="utf-8")
        assert run("demo", "-o", tmp_path / "demo")[0] == 0
        assert (tmp_path / "demo" / "results" / "grades.csv").read_bytes() == first
        assert (tmp_path / "demo" / "notes.txt").read_text("utf-8") == "mine"

    def test_a_second_one_at_once_is_refused_and_harms_nothing(self, tmp_path: Path) -> None:
        folder = tmp_path / "demo"
        folder.mkdir()
        with locked(folder):  # by the first one, which has drawn nothing yet
            (folder / "phantoms" / "images").mkdir(parents=True)
            status, out, err = run("demo", "-o", folder)
            assert (status, out) == (2, "")
            assert err.startswith(f"kellgren: output.in_use: {folder}: ")
            assert (folder / "phantoms" / "images").is_dir()
            (folder / "phantoms" / "manifest.csv").write_text("of the first", "utf-8")
            (folder / "results").mkdir()
            (folder / "results" / "grades.csv").write_text("of the first", "utf-8")
            status, _, err = run("demo", "-o", folder)
            assert (status, "output.in_use" in err) == (2, True)
            assert (folder / "results" / "grades.csv").read_text("utf-8") == "of the first"
        assert not (folder / LOCK).exists()

    def test_a_lock_that_a_killed_batch_left_gives_no_leave(self, tmp_path: Path) -> None:
        (tmp_path / LOCK).write_text("4711", "ascii")
        (tmp_path / "journal.jsonl").write_text("a batch's", "utf-8")
        status, _, err = run("demo", "-o", tmp_path)
        assert status == 2
        assert err.startswith("kellgren: output.refused: ")
        assert (tmp_path / "journal.jsonl").read_text("utf-8") == "a batch's"
        assert not (tmp_path / "phantoms").exists()

    def test_it_holds_its_folder_to_the_end_and_lets_go(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        def seen(*_: object, **__: object) -> list[object]:
            with pytest.raises(OutputInUse), locked(tmp_path / "demo"):
                pass
            return []

        monkeypatch.setattr("kellgren.datasets.phantom.write_cohort", lambda *_, **__: None)
        monkeypatch.setattr("kellgren.cohort.find_films", lambda *_: [])
        monkeypatch.setattr("kellgren.cohort.grade_films", seen)
        # what one left that was killed while it drew is no lock any more, and no stranger's
        (tmp_path / "demo" / "phantoms" / "images").mkdir(parents=True)
        (tmp_path / "demo" / LOCK).write_text("4711", "ascii")
        assert run("demo", "-o", tmp_path / "demo")[0] == 0
        assert list((tmp_path / "demo").iterdir()) == []

    def test_a_folder_in_use_is_refused(self, tmp_path: Path) -> None:
        (tmp_path / "films").mkdir()
        (tmp_path / "films" / "a.png").write_bytes(b"x")
        (tmp_path / "file").write_bytes(b"x")
        for name in ("films", "file"):
            status, _, err = run("demo", "-o", tmp_path / name)
            assert status == 2
            assert err.startswith("kellgren: output.refused: ")
        assert (tmp_path / "films" / "a.png").read_bytes() == b"x"
