"""A manifest's knees are cut once, all facing one way, and only those that it describes."""

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Literal

import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image

from kellgren import errors
from kellgren.anatomy import KL, Laterality
from kellgren.datasets.phantom import Leg, PhantomFilm, sample_knee, write_cohort, write_film
from kellgren.datasets.table import Row, read_table
from kellgren.imaging import RegionSpec, cut_region, read_film, read_raster, whole_picture
from kellgren.training.regions import load_regions

SPEC = RegionSpec(side=None, side_unit="whole_picture", size_px=64)


@pytest.fixture(scope="module")
def root(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_cohort(tmp_path_factory.mktemp("cohort"), 4, seed=3).parent


@pytest.fixture
def rows(root: Path) -> list[Row]:
    return [row for row in read_table(root / "manifest.csv") if row.task == KL.name]


class Cutting:
    """Cuts, and counts what was cut and not read from the cache."""

    def __init__(self, root: Path, cache: Path) -> None:
        self.root, self.cache = root, cache
        self.seen: list[tuple[int, int]] = []

    def __call__(self, rows: Sequence[Row], spec: RegionSpec = SPEC) -> NDArray[np.uint8]:
        self.seen.clear()
        return load_regions(
            rows,
            spec,
            root=self.root,
            cache=self.cache,
            watch=lambda done, everyone: self.seen.append((done, everyone)),
        )


@pytest.fixture
def cut(root: Path, tmp_path: Path) -> Cutting:
    return Cutting(root, tmp_path / "cache")


def test_they_are_the_regions_that_grading_would_see(
    root: Path, rows: list[Row], cut: Cutting
) -> None:
    found = cut(rows)
    assert found.dtype == np.uint8
    assert found.shape == (4, 64, 64)
    assert {row.laterality for row in rows} == {Laterality.LEFT, Laterality.RIGHT}
    for row, levels in zip(rows, found, strict=True):
        film = read_raster(root / row.path)
        region = cut_region(film, whole_picture(film, SPEC), SPEC)
        seen = region if row.laterality == SPEC.mirror_to else region.mirror()
        # 256 levels are kept without a loss.
        np.testing.assert_allclose(levels / 255.0, seen.pixels, rtol=0, atol=1e-6)


@pytest.mark.parametrize("bits", [12, 16])
def test_more_bits_are_the_same_knee(
    root: Path, rows: list[Row], tmp_path: Path, bits: int
) -> None:
    (tmp_path / "images").mkdir()
    for row in rows:
        deeper = read_raster(root / row.path).pixels.astype(np.uint16) << (bits - 8)
        Image.fromarray(deeper).save(tmp_path / row.path)
    bare = [replace(row, sha256="") for row in rows]
    found = Cutting(tmp_path, tmp_path / "cache")(bare)
    eight = Cutting(root, tmp_path / "eight")(bare)
    assert found.dtype == np.uint8
    assert [read_film(tmp_path / row.path).pixels.max() > 255 for row in rows] == [True] * 4
    # Sums of whole numbers are rounded elsewhere; a level in a few hundred thousand may tip over.
    assert (found != eight).mean() < 1e-3
    assert np.abs(found.astype(int) - eight).max() <= 1


@pytest.mark.parametrize("photometric", ["MONOCHROME1", "MONOCHROME2"])
def test_a_region_may_be_any_file_that_is_read(
    tmp_path: Path, rows: list[Row], photometric: Literal["MONOCHROME1", "MONOCHROME2"]
) -> None:
    rng = np.random.default_rng(0)
    leg = Leg(sample_knee(rng, laterality=Laterality.LEFT), (100.0, 110.0), 80.0)
    film = PhantomFilm(
        legs=(leg,), size=(220, 220), spacing_mm=0.9, photometric=photometric, seed=1
    )
    sha256 = write_film(film, tmp_path / "knee.dcm")
    row = replace(rows[0], path="knee.dcm", sha256=sha256, laterality=Laterality.LEFT)
    (levels,) = Cutting(tmp_path, tmp_path / "cache")([row])
    seen = read_film(tmp_path / "knee.dcm")
    region = cut_region(seen, whole_picture(seen, SPEC), SPEC).mirror()
    np.testing.assert_allclose(levels / 255.0, region.pixels, rtol=0, atol=1e-6)
    with pytest.raises(errors.TrainingError, match="a phantom"):
        Cutting(tmp_path, tmp_path / "other")([replace(row, synthetic=False, patient="another")])


def test_they_are_cut_once(rows: list[Row], cut: Cutting) -> None:
    first = cut(rows)
    assert cut.seen == [(1, 4), (2, 4), (3, 4), (4, 4)]
    np.testing.assert_array_equal(cut(rows), first)
    assert cut.seen == []
    # What is applied later does not matter.
    np.testing.assert_array_equal(cut(rows, replace(SPEC, mean=0.1, sd=0.9)), first)
    assert cut.seen == []


@pytest.mark.parametrize(
    "change", [{"percentiles": (0.0, 100.0)}, {"mirror_to": Laterality.LEFT}, {"size_px": 48}]
)
def test_another_specification_cuts_again(
    rows: list[Row], cut: Cutting, change: dict[str, object]
) -> None:
    first = cut(rows)
    other = cut(rows, replace(SPEC, **change))  # type: ignore[arg-type] # any setting
    assert len(cut.seen) == 4
    assert not np.array_equal(other, first)


def test_other_rows_are_cut_again(rows: list[Row], cut: Cutting) -> None:
    first = cut(rows[:2])
    for others in (rows[2:], rows[1::-1]):
        assert not np.array_equal(cut(others), first)
        assert len(cut.seen) == 2


def test_what_is_kept_of_phantoms_is_not_given_out_as_people(rows: list[Row], cut: Cutting) -> None:
    cut(rows)
    with pytest.raises(errors.TrainingError, match="a phantom"):
        cut([replace(row, synthetic=False) for row in rows])
    cut(rows)
    assert cut.seen == []


def test_rows_without_hashes_are_told_apart_by_their_paths(rows: list[Row], cut: Cutting) -> None:
    bare = [replace(row, sha256="") for row in rows]
    # Both parts are a right and a left knee: only the pictures differ.
    assert [row.laterality for row in bare[:2]] == [row.laterality for row in bare[2:]]
    assert not np.array_equal(cut(bare[:2]), cut(bare[2:]))


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ({"kind": "film"}, "whole film"),
        ({"kind": ""}, "whole film"),
        ({"laterality": Laterality.UNKNOWN}, "which side"),
        ({"sha256": "0" * 64}, "not the picture that the manifest describes"),
        ({"synthetic": False}, "a phantom"),
    ],
)
def test_what_the_manifest_does_not_describe_is_refused(
    rows: list[Row], cut: Cutting, change: dict[str, object], reason: str
) -> None:
    rows[2] = replace(rows[2], **change)  # type: ignore[arg-type] # any column
    with pytest.raises(errors.TrainingError, match=rf"^{rows[2].path}: .*{reason}"):
        cut(rows)
    assert not list(cut.cache.glob("*")), "half of the regions were kept"


def test_a_broken_picture_is_named(rows: list[Row], tmp_path: Path) -> None:
    (tmp_path / "images").mkdir()
    Image.new("L", (64, 64), 9).save(tmp_path / rows[0].path)
    with pytest.raises(errors.PictureBlank, match=Path(rows[0].path).name):
        Cutting(tmp_path, tmp_path / "cache")(rows)
