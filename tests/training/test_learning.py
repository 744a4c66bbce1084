"""A small network learns phantoms, and a killed training goes on as if nothing had happened."""

import dataclasses
import json
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
import torch

from kellgren.anatomy import Laterality
from kellgren.datasets.phantom import draw_knee, sample_knee
from kellgren.imaging import Radiograph, cut_region, whole_picture
from kellgren.networks.siamese import DeepSiamese
from kellgren.systems import Recipe, system
from kellgren.training.loop import Samples, Step, train_network

SIZE_PX = 96
SEED = 21

MODERN = system("tiulpin2018").recipes["modern"]
RECIPE = dataclasses.replace(
    MODERN,
    region=dataclasses.replace(MODERN.region, size_px=SIZE_PX),
    iterations=200,
    validate_every=100,
    batch_size=32,
    learning_rate=1e-2,  # a network this narrow bears it
    ema_decay=0.9,  # a run this short
    bfloat16=False,
)
SHORT = dataclasses.replace(RECIPE, iterations=6, validate_every=2)


class KilledError(Exception):
    """Stands for a power cut."""


@dataclasses.dataclass
class Watcher:
    """Notes the iterations that were run, and pulls the plug after one of them."""

    kill_at: int = 0
    iterations: list[int] = dataclasses.field(default_factory=list)

    def __call__(self, step: Step) -> None:
        self.iterations.append(step.iteration)
        if step.iteration == self.kill_at:
            raise KilledError


@pytest.fixture(autouse=True)
def one_thread() -> Iterator[None]:
    """On a busy machine so small a network waits for its own threads most of the time."""
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)


def phantoms(n: int, *, seed: int) -> Samples:
    """Regions of ``n`` phantoms, as training has them."""
    regions, grades = [], []
    for index in range(n):
        knee = sample_knee(np.random.default_rng((seed, index)))
        film = Radiograph(draw_knee(knee, size_px=SIZE_PX), sha256="", synthetic=True)
        region = cut_region(film, whole_picture(film, RECIPE.region), RECIPE.region)
        if knee.laterality is not Laterality(RECIPE.region.mirror_to):
            region = region.mirror()
        regions.append(np.rint(region.pixels * 255.0).astype(np.uint8))
        grades.append(knee.kl)
    return Samples(np.stack(regions), np.array(grades))


def train(
    recipe: Recipe, learning: Samples, snapshot: Samples, *, folder: Path, watch: Watcher
) -> float:
    """Train in ``folder``, and give the quadratic kappa of what was kept."""
    folder.mkdir(exist_ok=True)
    torch.manual_seed(SEED)
    best = train_network(
        # 56 px are the least that six unpadded convolutions leave a pixel of.
        DeepSiamese(width=8, patch_px=56, offset_px=20),
        recipe,
        learning,
        snapshot,
        seed=SEED,
        folder=folder,
        device=torch.device("cpu"),
        watch=watch,
    )
    return best.quadratic_kappa


def outcome(folder: Path) -> tuple[bytes, list[dict[str, float]], dict[str, torch.Tensor]]:
    """What a run leaves behind: best weights, validations without their times, last weights."""
    lines = (folder / "log.jsonl").read_text().splitlines()
    validations = [json.loads(line) for line in lines]
    for validation in validations:
        del validation["seconds"]
    last = torch.load(folder / "resume.pt", weights_only=True)
    return (folder / "best.safetensors").read_bytes(), validations, last["network"]


def test_a_small_network_learns_phantoms(tmp_path: Path) -> None:
    # Chance is zero. The second seed's patients have no knee among the first's.
    learning, unseen = phantoms(500, seed=1), phantoms(150, seed=2)
    kappa = train(RECIPE, learning, unseen, folder=tmp_path, watch=Watcher())
    assert kappa > 0.7


@pytest.mark.parametrize(("kill_at", "resumed_with"), [(1, 1), (3, 3), (4, 5), (5, 5)])
def test_a_killed_training_ends_as_an_undisturbed_one(
    tmp_path: Path, kill_at: int, resumed_with: int
) -> None:
    # Three batches an epoch: the first checkpoint, after two iterations, is in the midst of one.
    learning, snapshot = phantoms(96, seed=1), phantoms(16, seed=2)
    undisturbed, killed = tmp_path / "undisturbed", tmp_path / "killed"
    expected = train(SHORT, learning, snapshot, folder=undisturbed, watch=Watcher())

    with pytest.raises(KilledError):
        train(SHORT, learning, snapshot, folder=killed, watch=Watcher(kill_at=kill_at))
    again = Watcher()
    kappa = train(SHORT, learning, snapshot, folder=killed, watch=again)

    assert again.iterations == list(range(resumed_with, SHORT.iterations + 1))
    assert kappa == expected
    best, validations, last = outcome(undisturbed)
    resumed_best, resumed_validations, resumed_last = outcome(killed)
    assert resumed_validations == validations
    assert resumed_best == best
    assert resumed_last.keys() == last.keys()
    assert all(torch.equal(resumed_last[name], last[name]) for name in last)


def test_a_finished_training_is_not_run_again(tmp_path: Path) -> None:
    learning, snapshot = phantoms(32, seed=1), phantoms(8, seed=2)
    first = train(SHORT, learning, snapshot, folder=tmp_path, watch=Watcher())
    again = Watcher()
    assert train(SHORT, learning, snapshot, folder=tmp_path, watch=again) == first
    assert again.iterations == []
