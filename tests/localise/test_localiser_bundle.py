"""A localiser's bundle is loaded as it was exported, or refused by name."""

import hashlib
import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from kellgren import errors
from kellgren.bundles.store import FAST_MODEL, MODEL, RECORD
from kellgren.grading import load_bundle
from kellgren.imaging import Radiograph, RegionSpec
from kellgren.localise import LearnedLocaliser, load_localiser
from kellgren.localise.landmarks import LANDMARKS

pytestmark = pytest.mark.usefixtures("one_thread")


@pytest.fixture(scope="module")
def graph() -> bytes:
    """An untaught network."""
    import torch

    from kellgren.networks.landmarks import LandmarkNet, write_localiser

    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(0)
        return write_localiser(LandmarkNet(len(LANDMARKS)))


@pytest.fixture
def folder(tmp_path: Path, graph: bytes, make_record: Callable[..., Any]) -> Path:
    target = tmp_path / "finder"
    target.mkdir()
    (target / MODEL).write_bytes(graph)
    files = {MODEL: hashlib.sha256(graph).hexdigest()}
    (target / RECORD).write_bytes(make_record(files=files).to_bytes())
    return target


def edit(folder: Path, **changes: object) -> Path:
    record = json.loads((folder / RECORD).read_bytes())
    (folder / RECORD).write_text(json.dumps({**record, **changes}), "utf-8")
    return folder


def test_folder_and_zip_are_one_bundle_and_it_looks_at_films(folder: Path) -> None:
    archive = shutil.make_archive(str(folder), "zip", folder)
    bundle, zipped = load_localiser(folder), load_localiser(archive)
    assert zipped.record == bundle.record
    assert zipped.sha256 == bundle.sha256
    assert bundle.sha256 == hashlib.sha256((folder / RECORD).read_bytes()).hexdigest()
    assert bundle.reference.sha256 == bundle.sha256
    film = Radiograph(np.random.default_rng(0).integers(0, 255, (90, 70), dtype=np.uint8), "0")
    spec = RegionSpec(None, "whole_picture", 64)
    # untaught, it is certain of nothing
    assert LearnedLocaliser(bundle, threads=1).find(film, spec, laterality=None) == ()


@pytest.mark.parametrize(
    ("kinds", "synthetic"),
    [((), False), (("real",), False), (("real", "synthetic"), False), (("synthetic",) * 2, True)],
)
def test_it_is_synthetic_if_it_learned_from_nothing_else(
    folder: Path, kinds: tuple[str, ...], synthetic: bool
) -> None:
    said = {"source": "", "licence": "", "counts": {}, "split_sha256": "0" * 64}
    sources = [{"name": f"set {number}", "kind": kind, **said} for number, kind in enumerate(kinds)]
    bundle = load_localiser(edit(folder, trained_on=sources))
    assert bundle.record.synthetic is synthetic
    assert LearnedLocaliser(bundle, threads=1).synthetic is synthetic


def test_what_ships_learned_from_people_as_well() -> None:
    assert not load_localiser().record.synthetic


def test_it_ships_as_contracted(folder: Path) -> None:
    assert sum(path.stat().st_size for path in folder.iterdir()) <= 5_000_000


def test_a_changed_added_or_missing_file_is_refused(folder: Path) -> None:
    content = (folder / MODEL).read_bytes()
    (folder / MODEL).write_bytes(content[:-1] + bytes([content[-1] ^ 1]))
    with pytest.raises(errors.BundleTampered, match="is not the file"):
        load_localiser(folder)
    (folder / MODEL).write_bytes(content)
    (folder / "code.pkl").write_bytes(b"")
    with pytest.raises(errors.BundleTampered, match=r"code\.pkl does not belong"):
        load_localiser(folder)
    (folder / "code.pkl").unlink()
    (folder / MODEL).unlink()
    with pytest.raises(errors.BundleTampered, match="is missing"):
        load_localiser(folder)


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"kind": "grader"}, "kind"),
        ({"colour": "grey"}, "colour"),
        ({"accepted": 1.5}, "accepted"),
        ({"accepted": float("nan")}, "accepted"),
        ({"zoom": 1.0}, "zoom"),
        ({"name": "../finder"}, "name"),
        ({"landmarks": []}, "landmarks"),
        ({"landmarks": LANDMARKS[:4]}, "joint_middle"),
        ({"landmarks": [*LANDMARKS, LANDMARKS[0]]}, "each once"),
        ({"files": {}}, "alone"),
        ({"files": {MODEL: "0" * 64, FAST_MODEL: "0" * 64}}, "alone"),
    ],
    ids=str,
)
def test_a_record_that_breaks_the_contract_is_refused(
    folder: Path, changes: dict[str, object], said: str
) -> None:
    with pytest.raises(errors.BundleInvalid, match=said):
        load_localiser(edit(folder, **changes))


@pytest.mark.parametrize(
    ("change", "said"),
    [({"size_px": 250}, "multiples of 32"), ({"size_px": 0}, "multiples"), ({"tint": 1}, "tint")],
    ids=str,
)
def test_a_way_to_show_films_that_breaks_it_is_refused(
    folder: Path, change: dict[str, object], said: str
) -> None:
    film = json.loads((folder / RECORD).read_bytes())["film"]
    with pytest.raises(errors.BundleInvalid, match=said):
        load_localiser(edit(folder, film={**film, **change}))


def test_one_kind_is_not_the_other(folder: Path, real_bundle: Path) -> None:
    with pytest.raises(errors.BundleInvalid, match="kind"):
        load_localiser(real_bundle)
    with pytest.raises(errors.BundleInvalid):
        load_bundle(folder)


def test_one_that_is_none_is_said(tmp_path: Path) -> None:
    with pytest.raises(errors.BundleNotFound, match="nowhere"):
        load_localiser(tmp_path / "nowhere")
