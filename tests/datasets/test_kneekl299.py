"""Chen's regions are read from their folders; the fake ones lie as the real ones do."""

import hashlib
import os
from collections import Counter
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from kellgren import errors
from kellgren.anatomy import Laterality
from kellgren.datasets import kneekl299
from kellgren.datasets.table import read_table, write_table

FILES = {
    "train/0/9000099L.png": ("train", 0, "9000099", Laterality.LEFT),
    "train/0/9000099R.png": ("train", 0, "9000099", Laterality.RIGHT),
    "train/3/9000296L.PNG": ("train", 3, "9000296", Laterality.LEFT),
    "train/4/9000296r.jpg": ("train", 4, "9000296", Laterality.RIGHT),
    "val/2/9000622R.jpeg": ("val", 2, "9000622", Laterality.RIGHT),
    "test/1/9000798L.png": ("test", 1, "9000798", Laterality.LEFT),
}


@pytest.fixture
def archive(tmp_path: Path) -> Path:
    """A small archive in the real one's layout, the second copy of its test part included."""
    folder = tmp_path / "KneeXrayData" / "kneeKL299"
    rng = np.random.default_rng(0)
    for name in (*FILES, "auto_test/1/9000798L.png", "train/1/.DS_Store"):
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        pixels = rng.integers(0, 256, (40, 40), dtype=np.uint8)
        Image.fromarray(pixels).save(folder / name, "PNG")
    return folder


def test_every_region_is_listed_with_its_grade(archive: Path, tmp_path: Path) -> None:
    rows = kneekl299.read(archive, relative_to=tmp_path)
    assert {
        (tmp_path / row.path).relative_to(archive).as_posix(): (
            row.split,
            row.value,
            row.patient,
            row.laterality,
        )
        for row in rows
    } == FILES
    for row in rows:
        content = (tmp_path / row.path).read_bytes()
        assert row.sha256 == hashlib.sha256(content).hexdigest()
        assert (row.dataset, row.task, row.reader) == ("kneeKL299", "kl", "truth")
        assert (row.kind, row.synthetic, row.status) == ("region", False, "ok")


def test_the_list_is_a_table_and_has_one_order(archive: Path, tmp_path: Path) -> None:
    rows = kneekl299.read(archive, relative_to=tmp_path)
    write_table(rows, tmp_path / "knees.csv")
    assert read_table(tmp_path / "knees.csv") == rows
    order = [(row.split, row.patient, row.laterality) for row in rows]
    assert order == sorted(order)


def test_paths_lead_from_the_table_to_the_files(archive: Path, tmp_path: Path) -> None:
    elsewhere = tmp_path / "tables" / "mine"
    elsewhere.mkdir(parents=True)
    for row in kneekl299.read(archive, relative_to=elsewhere):
        assert not Path(row.path).is_absolute()
        assert "\\" not in row.path
        assert (elsewhere / row.path).is_file()


def test_a_part_of_the_archive_is_enough(archive: Path, tmp_path: Path) -> None:
    whole = kneekl299.read(archive, relative_to=tmp_path)
    for part in ("test/1/9000798L.png", "val/2/9000622R.jpeg"):
        (archive / part).unlink()
        (archive / part).parent.rmdir()
        (archive / part).parent.parent.rmdir()
    rows = kneekl299.read(archive, relative_to=tmp_path)
    assert rows == tuple(row for row in whole if row.split == "train")


def test_another_layout_is_refused(archive: Path, tmp_path: Path) -> None:
    assert kneekl299.looks_like(archive)
    for folder in (tmp_path, archive / "train", tmp_path / "nowhere"):
        assert not kneekl299.looks_like(folder)
        with pytest.raises(errors.TableError, match=r"train/0 … train/4.*10\.17632/56rmx5bjcr"):
            kneekl299.read(folder, relative_to=tmp_path)


@pytest.mark.parametrize("name", ["knee.png", "9000099.png", "9000099X.png", "9000099L.txt"])
def test_another_name_is_refused(archive: Path, tmp_path: Path, name: str) -> None:
    (archive / "train" / "2").mkdir(exist_ok=True)
    (archive / "train" / "2" / name).write_bytes(b"?")
    with pytest.raises(errors.TableError, match=name):
        kneekl299.read(archive, relative_to=tmp_path)


@pytest.mark.data
@pytest.mark.skipif(
    "KELLGREN_DATA" not in os.environ,
    reason="the real films are not public to commit; set KELLGREN_DATA to their folder",
)
def test_the_real_archive_has_the_knees_that_are_published() -> None:
    folder = Path(os.environ["KELLGREN_DATA"]).resolve() / kneekl299.NAME
    rows = kneekl299.read(folder, relative_to=folder)
    knees = Counter((row.split, row.value) for row in rows)
    assert [knees["train", grade] for grade in range(5)] == [2286, 1046, 1516, 757, 173]
    assert [knees["val", grade] for grade in range(5)] == [328, 153, 212, 106, 27]
    patients = {
        split: {row.patient for row in rows if row.split == split} for split in ("train", "val")
    }
    assert {split: len(members) for split, members in patients.items()} == {
        "train": 2889,
        "val": 413,
    }
    assert not patients["train"] & patients["val"]
    # Two knees of everybody, and no picture twice.
    assert {count for _, count in Counter(row.patient for row in rows).items()} == {2}
    assert len({(row.patient, row.laterality) for row in rows}) == len(rows) == 6604
