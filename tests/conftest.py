"""A bundle that grades without having been taught, and pictures to show it."""

import hashlib
import io
import os
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image
from PIL.PngImagePlugin import PngInfo

from kellgren.anatomy import KL, Laterality
from kellgren.bundles import DEFAULT_LOCALISER, FOLDER
from kellgren.bundles import store as place
from kellgren.bundles.record import TrainedOn
from kellgren.bundles.store import MODEL
from kellgren.cli import grading
from kellgren.datasets import sources
from kellgren.datasets.phantom import draw_knee, sample_knee, write_cohort
from kellgren.grading import Bundle, BundleRecord, Grader, load_bundle
from kellgren.grading.bundle import Conformal, Member
from kellgren.imaging import Radiograph, Region, cut_region, standardise, whole_picture
from kellgren.selfcheck import answers
from kellgren.systems import system

if TYPE_CHECKING:
    from kellgren.networks.siamese import DeepSiamese

SYSTEM = system("tiulpin2018")
SPEC = SYSTEM.recipes["modern"].region
SEEDS = (21, 42)
EPOCH = "1763700000"
BIAS = (-0.2, -0.1, 0.0, 0.1, 0.2)


@pytest.fixture(scope="session")
def real_bundle(tmp_path_factory: pytest.TempPathFactory, model: bytes) -> Path:
    """A bundle that says it learned from people; it has seen none."""
    return _write_bundle(tmp_path_factory.mktemp("real") / "tiny-real", "kneeKL299", model)


@pytest.fixture(scope="session")
def synthetic_bundle(tmp_path_factory: pytest.TempPathFactory, model: bytes) -> Path:
    """The same networks in a bundle that says it learned from phantoms."""
    return _write_bundle(tmp_path_factory.mktemp("synthetic") / "tiny-synthetic", "phantom", model)


@pytest.fixture(scope="session")
def model() -> bytes:
    """Two Siamese networks of width 4 in the geometry of ``modern``, as one ONNX graph."""
    from kellgren.networks.export import write_onnx

    members = [_untaught(seed) for seed in SEEDS]
    return write_onnx(members, task=KL.name, size_px=SPEC.size_px, explained=True)


@pytest.fixture(scope="session")
def bundle(real_bundle: Path) -> Bundle:
    """`real_bundle`, loaded."""
    return load_bundle(real_bundle)


@pytest.fixture(scope="session")
def grader(bundle: Bundle) -> Grader:
    """`real_bundle`, ready."""
    return Grader(bundle, threads=1)


@pytest.fixture(scope="session")
def phantoms(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The manifest of ten phantoms: five patients, three of them to learn from."""
    return write_cohort(tmp_path_factory.mktemp("phantoms"), 10, seed=7)


@pytest.fixture(scope="session")
def make_region() -> Callable[[int], Region]:
    """The region of the phantom with this seed, a right knee."""
    return _region


@pytest.fixture(scope="session")
def make_picture() -> Callable[..., bytes]:
    """A picture file of the phantom with this seed; not marked as one."""
    return _picture


@pytest.fixture
def fixed_time(monkeypatch: pytest.MonkeyPatch) -> str:
    """``created``, standing still."""
    monkeypatch.setenv("SOURCE_DATE_EPOCH", EPOCH)
    return "2025-11-21T04:40:00Z"


@pytest.fixture(scope="module")
def one_thread() -> Iterator[None]:
    """Small networks on a busy machine wait for their own threads most of the time."""
    import torch

    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)


@pytest.fixture
def kellgren() -> Callable[..., subprocess.CompletedProcess[str]]:
    """The command line in a process of its own, as a user's shell would run it."""

    def run(*words: object, **environment: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(  # noqa: S603 – our own words
            [sys.executable, "-m", "kellgren", *map(str, words)],
            capture_output=True,
            text=True,
            check=False,
            env={**os.environ, **environment},
            timeout=120,
        )

    return run


def _write_bundle(target: Path, dataset: str, model: bytes) -> Path:
    from kellgren.training.export import write_bundle

    source = sources.of(dataset)
    record = BundleRecord(
        kind="grader",
        name=target.name,
        version="0.1.0",
        system=SYSTEM.name,
        doi=SYSTEM.doi,
        fidelity="modern",
        variant=SYSTEM.default_variant,
        statement_of_use="Tests.",
        limits="Was never taught.",
        region=SPEC,
        tasks=(KL,),
        members=tuple(Member(seed=seed, iteration=1) for seed in SEEDS),
        fusion="sum_logits",
        temperature={KL.name: 1.5},
        bias={KL.name: BIAS},
        conformal={KL.name: Conformal(method="contiguous_mass", coverage=0.9, q=0.8)},
        explanation="cam_exact",
        trained_on=(
            TrainedOn(
                name=dataset,
                kind="synthetic" if dataset == "phantom" else "real",
                source=source.reference,
                licence=source.licence,
                counts={"knees": 0},
                split_sha256="0" * 64,
            ),
        ),
        files={MODEL: hashlib.sha256(model).hexdigest()},
    )
    said = answers(Grader(Bundle(record, "0" * 64, {MODEL: model}), threads=1))
    write_bundle(record.model_copy(update={"self_test": said}).to_bytes(), {MODEL: model}, target)
    return target


def _untaught(seed: int) -> "DeepSiamese":
    """Random weights, the head scaled so that phantoms get different grades."""
    import torch

    from kellgren.networks.siamese import DeepSiamese

    regions = standardise(
        np.stack([_region(seed).pixels for seed in range(8)])[:, np.newaxis], SPEC
    )
    with torch.random.fork_rng(devices=[]), torch.no_grad():
        torch.manual_seed(seed)
        network = DeepSiamese(width=4, patch_px=112, offset_px=56).eval()
        for module in network.modules():
            if isinstance(module, torch.nn.BatchNorm2d):
                torch.nn.init.normal_(module.bias, std=0.3)
                torch.nn.init.uniform_(module.weight, 0.5, 1.5)
                module.running_mean = torch.randn(module.num_features) * 0.3
                module.running_var = torch.rand(module.num_features) + 0.5
        maps = network.features(torch.from_numpy(regions))
        pooled = torch.cat([each.mean((-2, -1)) for each in maps], dim=1)
        spread = pooled.std(dim=0).clamp(min=1e-3)
        network.head.weight.copy_(torch.randn(network.head.weight.shape) / spread / 4.0)
        network.head.bias.copy_(-network.head.weight @ pooled.mean(dim=0))
    return network


def _pixels(seed: int) -> NDArray[np.uint8]:
    return draw_knee(sample_knee(np.random.default_rng(seed), laterality=Laterality.RIGHT))


def _region(seed: int) -> Region:
    film = Radiograph(_pixels(seed), "0" * 64)
    return cut_region(film, whole_picture(film, SPEC), SPEC)


def _picture(seed: int, kind: str = "PNG", **texts: str) -> bytes:
    stream = io.BytesIO()
    chunks = PngInfo()
    for key, text in texts.items():
        chunks.add_text(key, text)
    marks = {"pnginfo": chunks} if texts else {}
    Image.fromarray(_pixels(seed)).save(stream, kind, **marks)
    return stream.getvalue()


@pytest.fixture
def shipped(real_bundle: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder of shipped bundles: the localiser, and one grader, which is the default one."""
    folder = tmp_path / "bundles"
    shutil.copytree(real_bundle, folder / "tiny-real")
    shutil.copytree(FOLDER / DEFAULT_LOCALISER, folder / DEFAULT_LOCALISER)
    monkeypatch.setattr(place, "SHIPPED", folder)
    monkeypatch.setattr(grading, "DEFAULT_BUNDLE", "tiny-real")
    return folder
