"""Folders of whole pictures become manifests: Gornale & Patravali's layout, and any other."""

import hashlib
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from typer.testing import CliRunner

from kellgren import errors
from kellgren.cli import app
from kellgren.datasets import films, gornale
from kellgren.datasets.table import read_table, write_table

HEADER = "image,kl_expert_1,kl_expert_2,bilateral,cluster"


def picture(path: Path, seed: int = 0) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    values = np.random.default_rng(seed).integers(0, 256, (40, 40), dtype=np.uint8)
    Image.fromarray(values).save(path, "PNG")
    return path


@pytest.fixture
def strips(tmp_path: Path) -> Path:
    """Three pictures in two clusters, as the real ones lie."""
    folder = tmp_path / "strips"
    for index in range(3):
        picture(folder / "images" / f"dk000{index}.png", index)
    lines = [HEADER, "dk0000.png,0,1,0,7", "dk0001.png,4,4,1,7", "dk0002.png,2,2,0,8"]
    (folder / "labels.csv").write_text("\n".join(lines), "utf-8")
    return folder


class TestGornale:
    def test_both_experts_answer_for_every_picture(self, strips: Path, tmp_path: Path) -> None:
        assert gornale.looks_like(strips)
        rows = gornale.read(strips, relative_to=tmp_path)
        assert [(row.image, row.reader, row.value) for row in rows] == [
            ("dk0000", "kl_expert_1", 0), ("dk0000", "kl_expert_2", 1),
            ("dk0001", "kl_expert_1", 4), ("dk0001", "kl_expert_2", 4),
            ("dk0002", "kl_expert_1", 2), ("dk0002", "kl_expert_2", 2),
        ]  # fmt: skip
        assert {row.resampled_by for row in rows} == {"7", "8"}
        for row in rows:
            assert (row.dataset, row.kind, row.task) == ("digital_knee_xray", "film", "kl")
            content = (tmp_path / row.path).read_bytes()
            assert row.sha256 == hashlib.sha256(content).hexdigest()
        write_table(rows, tmp_path / "strips.csv")
        assert read_table(tmp_path / "strips.csv") == rows

    @pytest.mark.parametrize(
        ("was", "now", "said"),
        [
            ("kl_expert_2", "expert", "needs the columns"),
            ("dk0002.png", "dk0009.png", "not there"),
            ("4,4,1", "4,,1", "not 0 to 4"),
            ("4,4,1", "5,4,1", "not 0 to 4"),
            ("4,4,1", "4,4.0,1", "not 0 to 4"),
        ],
    )
    def test_labels_that_are_wrong_are_named(
        self, strips: Path, was: str, now: str, said: str
    ) -> None:
        labels = strips / "labels.csv"
        labels.write_text(labels.read_text("utf-8").replace(was, now), "utf-8")
        with pytest.raises(errors.TableError, match=said):
            gornale.read(strips, relative_to=strips)

    def test_bytes_that_are_no_text_are_an_error(self, strips: Path) -> None:
        (strips / "labels.csv").write_bytes(b"\xff\xfe\x00")
        with pytest.raises(errors.TableError, match="cannot be read"):
            gornale.read(strips, relative_to=strips)


class TestFilms:
    def test_every_film_is_listed_whatever_it_is_called(self, tmp_path: Path) -> None:
        folder = tmp_path / "films"
        picture(folder / "a.png")
        picture(folder / "deep" / "b.TIFF")
        (folder / "IM0001").write_bytes(bytes(128) + b"DICM" + bytes(60))
        (folder / "notes.txt").write_text("none", "utf-8")
        picture(folder / ".hidden.png")
        rows = films.read(folder, relative_to=tmp_path)
        assert [row.path for row in rows] == ["films/IM0001", "films/a.png", "films/deep/b.TIFF"]
        assert [row.image for row in rows] == ["IM0001", "a", "b"]
        assert {(row.dataset, row.kind, row.task) for row in rows} == {("films", "film", "")}

    def test_films_of_one_name_stay_two(self, tmp_path: Path) -> None:
        for name in ("1/knee.png", "2/knee.png", "3.png"):
            picture(tmp_path / "films" / name)
        rows = films.read(tmp_path / "films", relative_to=tmp_path)
        assert [row.image for row in rows] == ["1/knee.png", "2/knee.png", "3"]
        write_table(rows, tmp_path / "m.csv")
        assert read_table(tmp_path / "m.csv") == rows

    def test_a_folder_without_films_is_an_error(self, tmp_path: Path) -> None:
        with pytest.raises(errors.TableError, match="no films there"):
            films.read(tmp_path, relative_to=tmp_path)


def test_the_command_line_tells_the_layouts_apart(strips: Path, tmp_path: Path) -> None:
    for folder, said in ((strips, "digital_knee_xray"), (strips / "images", "films")):
        line = ["manifest", str(folder), "-o", str(tmp_path / f"{said}.csv")]
        done = CliRunner().invoke(app, line)
        assert done.exit_code == 0
        assert done.stdout.startswith(f"{said}: 3 pictures of ")
