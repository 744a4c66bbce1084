"""One network learns: the loop on one screen, resumable at every validation."""

import json
import math
import time
from collections.abc import Callable
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from safetensors.torch import save
from torch import Tensor, nn
from torch.nn import functional

from kellgren.files import write_atomically
from kellgren.imaging.region import RegionSpec
from kellgren.statistics.agreement import quadratic_kappa
from kellgren.systems.system import Recipe
from kellgren.training.augmentation import apply, sample_distortion, stream
from kellgren.training.sampling import Batch, batches


@dataclass(frozen=True, slots=True, eq=False)
class Samples:
    """Knees in memory.

    Parameters
    ----------
    regions
        (n, H, W) uint8: the 256 levels of a region, mirrored to the recipe's side.
    grades
        (n,) truth.
    teacher_logits
        (n, classes) of a teacher, or None.
    """

    regions: NDArray[np.uint8]
    grades: NDArray[np.int64]
    teacher_logits: NDArray[np.float32] | None = None


@dataclass(frozen=True, slots=True)
class Step:
    """What the loop tells whoever watches, after every iteration."""

    seed: int
    iteration: int
    iterations: int
    loss: float
    validation: "Validation | None" = None


@dataclass(frozen=True, slots=True)
class Validation:
    """Scores on the snapshot part of the patients."""

    seed: int
    iteration: int
    train_loss: float
    learning_rate: float
    quadratic_kappa: float
    accuracy: float
    cross_entropy: float
    seconds: float

    def better_than(self, other: "Validation | None", recipe: Recipe) -> bool:
        """Whether this snapshot is the one to keep."""
        if other is None or math.isnan(other.cross_entropy):
            return True
        if recipe.select_by == "quadratic_kappa":
            return self.quadratic_kappa > other.quadratic_kappa
        return self.cross_entropy < other.cross_entropy


def train_network(
    network: nn.Module,
    recipe: Recipe,
    learning: Samples,
    snapshot: Samples,
    *,
    seed: int,
    folder: Path,
    device: torch.device,
    watch: Callable[[Step], None],
) -> Validation:
    """Teach one network and keep its best snapshot in ``folder``.

    Parameters
    ----------
    network
        Initialised already; ``folder/resume.pt``, if there, replaces its weights.
    learning, snapshot
        What it learns from, and what chooses among its snapshots.
    seed
        Names every random stream: order, distortions, dropout.
    folder
        Gets ``best.safetensors``, ``log.jsonl`` and ``resume.pt``.

    Returns
    -------
    Validation
        Of the snapshot that was kept.
    """
    folder.mkdir(parents=True, exist_ok=True)
    network.to(device)
    network.to(memory_format=torch.channels_last)
    average = Average(network, recipe.ema_decay)
    optimizer = make_optimizer(network, recipe)
    state = Checkpoint(folder / "resume.pt")
    start, best, validations = state.load(network, average, optimizer)
    if start >= recipe.iterations and best is not None:
        return best

    losses: list[float] = []
    began = time.monotonic()
    for batch in batches(recipe, learning.grades, seed=seed, start=start):
        iteration, indices = batch.iteration, batch.indices
        for group in optimizer.param_groups:
            group["lr"] = learning_rate(recipe, iteration)
        inputs = distorted(learning, batch, recipe, seed=seed).to(device)
        network.train()
        torch.manual_seed(seed * 1_000_003 + iteration)  # dropout: alike after a resume
        with autocast(device, recipe):
            logits = network(inputs.contiguous(memory_format=torch.channels_last))
        loss = objective(logits.float(), learning, indices, recipe)
        optimizer.zero_grad()
        torch.autograd.backward(loss)
        if recipe.clip_norm is not None:
            nn.utils.clip_grad_norm_(network.parameters(), recipe.clip_norm)
        optimizer.step()
        average.update(iteration)
        losses.append(loss.item())

        done = iteration + 1
        scores = None
        if done % recipe.validate_every == 0 or done == recipe.iterations:
            with average.swapped_in():
                probabilities = predict(network, snapshot.regions, recipe.region, device, recipe)
                scores = Validation(
                    seed=seed,
                    iteration=done,
                    train_loss=float(np.mean(losses)),
                    learning_rate=learning_rate(recipe, iteration),
                    **score(probabilities, snapshot.grades),
                    seconds=round(time.monotonic() - began, 1),
                )
                if scores.better_than(best, recipe):
                    best = scores
                    save_weights(network, folder / "best.safetensors")
            validations.append(scores)
            losses.clear()
            with write_atomically(folder / "log.jsonl") as stream_:
                stream_.writelines(json.dumps(asdict(v)) + "\n" for v in validations)
            state.save(network, average, optimizer, done, best, validations)
        watch(Step(seed, done, recipe.iterations, loss.item(), scores))
        if done >= recipe.iterations:
            break
    if best is None:
        raise ValueError("a run needs at least one iteration")
    return best


def objective_step(
    network: nn.Module, recipe: Recipe, samples: Samples, device: torch.device
) -> None:
    """One forward and backward pass over the first batch, changing nothing: for an estimate."""
    indices = np.arange(min(recipe.batch_size, len(samples.grades)))
    batch = Batch(0, 0, indices, np.zeros_like(indices))
    inputs = distorted(samples, batch, recipe, seed=0).to(device)
    with autocast(device, recipe):
        logits = network(inputs.contiguous(memory_format=torch.channels_last))
    torch.autograd.backward(objective(logits.float(), samples, indices, recipe))


def learning_rate(recipe: Recipe, iteration: int) -> float:
    """The rate of one iteration; one-cycle warms up over the first quarter and ends near zero."""
    if recipe.schedule == "constant":
        return recipe.learning_rate
    warm = 0.25
    done = iteration / recipe.iterations
    if done < warm:
        return recipe.learning_rate * (0.04 + 0.96 * _cosine(done / warm))
    return recipe.learning_rate * (1.0 - _cosine((done - warm) / (1.0 - warm))) + 1e-7


def _cosine(share: float) -> float:
    return (1.0 - math.cos(math.pi * share)) / 2.0


def make_optimizer(network: nn.Module, recipe: Recipe) -> torch.optim.Optimizer:
    """The recipe's optimiser."""
    kind = torch.optim.Adam if recipe.optimizer == "adam" else torch.optim.AdamW
    return kind(network.parameters(), lr=recipe.learning_rate, weight_decay=recipe.weight_decay)


def autocast(device: torch.device, recipe: Recipe) -> torch.autocast:
    """Bfloat16 where the recipe allows it."""
    return torch.autocast(device.type, torch.bfloat16, enabled=recipe.bfloat16)


def distorted(samples: Samples, batch: Batch, recipe: Recipe, *, seed: int) -> Tensor:
    """A standardised, augmented batch (B, 1, H, W)."""
    regions = torch.from_numpy(samples.regions[batch.indices]).unsqueeze(1).float() / 255.0
    draws = zip(batch.indices.tolist(), batch.repeats.tolist(), strict=True)
    distortions = [
        sample_distortion(recipe.augmentation, stream(seed, batch.epoch, index, repeat))
        for index, repeat in draws
    ]
    out = apply(regions, distortions, fill=recipe.region.fill)
    return (out - recipe.region.mean) / recipe.region.sd


def objective(
    logits: Tensor, samples: Samples, indices: NDArray[np.int64], recipe: Recipe
) -> Tensor:
    """Cross-entropy against (smoothed) truth, and against the teacher where there is one."""
    grades = torch.from_numpy(samples.grades[indices]).to(logits.device)
    target = ordinal_targets(grades, logits.shape[1], recipe.ordinal_smoothing)
    loss = functional.cross_entropy(logits, target)
    plan = recipe.distillation
    if plan is None or samples.teacher_logits is None:
        return loss
    taught = torch.from_numpy(samples.teacher_logits[indices]).to(logits.device)
    soft = functional.kl_div(
        (logits / plan.temperature).log_softmax(1),
        (taught / plan.temperature).log_softmax(1),
        reduction="batchmean",
        log_target=True,
    )
    return (1.0 - plan.weight) * loss + plan.weight * plan.temperature**2 * soft


def ordinal_targets(grades: Tensor, classes: int, smoothing: float) -> Tensor:
    """(B, classes): ``smoothing`` of the mass goes, in equal parts, to the adjacent grades."""
    target = functional.one_hot(grades, classes).float()
    if smoothing == 0.0:
        return target
    neighbours = torch.zeros_like(target)
    neighbours[:, 1:] += target[:, :-1]
    neighbours[:, :-1] += target[:, 1:]
    neighbours = neighbours / neighbours.sum(1, keepdim=True)
    return (1.0 - smoothing) * target + smoothing * neighbours


@torch.inference_mode()
def predict(
    network: nn.Module,
    regions: NDArray[np.uint8],
    spec: RegionSpec,
    device: torch.device,
    recipe: Recipe,
) -> NDArray[np.float64]:
    """Probabilities (n, classes) of regions as they are."""
    network.eval()
    parts = []
    for first in range(0, len(regions), 64):
        batch = torch.from_numpy(regions[first : first + 64]).unsqueeze(1).float() / 255.0
        with autocast(device, recipe):
            logits = network(((batch - spec.mean) / spec.sd).to(device))
        parts.append(logits.double().softmax(1).cpu().numpy())
    return np.concatenate(parts)


def score(probabilities: NDArray[np.float64], grades: NDArray[np.int64]) -> dict[str, float]:
    """The scores that snapshots are chosen by."""
    predicted = probabilities.argmax(1)
    likelihood = probabilities[np.arange(len(grades)), grades]
    return {
        "quadratic_kappa": quadratic_kappa(grades, predicted, classes=probabilities.shape[1]),
        "accuracy": float((predicted == grades).mean()),
        "cross_entropy": float(-np.log(np.maximum(likelihood, 1e-12)).mean()),
    }


def save_weights(network: nn.Module, path: Path) -> None:
    """Write the weights; names that share one tensor (shared branches) are stored once."""
    tensors: dict[str, Tensor] = {}
    stored: set[int] = set()
    for name, tensor in network.state_dict(keep_vars=True).items():
        if id(tensor) not in stored:
            stored.add(id(tensor))
            tensors[name] = tensor.detach().cpu().contiguous().clone()
    with write_atomically(path, binary=True) as stream_:
        stream_.write(save(tensors))


class Average:
    """A warmed-up exponential moving average of the weights; without a decay, the weights."""

    def __init__(self, network: nn.Module, decay: float | None) -> None:
        self.network = network
        self.decay = decay
        self.shadow = {name: value.detach().clone() for name, value in network.state_dict().items()}

    @torch.no_grad()
    def update(self, iteration: int) -> None:
        """Move towards the current weights."""
        if self.decay is None:
            return
        keep = min(self.decay, (1 + iteration) / (10 + iteration))
        for name, value in self.network.state_dict().items():
            if value.is_floating_point():
                self.shadow[name].lerp_(value, 1.0 - keep)
            else:
                self.shadow[name].copy_(value)

    def swapped_in(self) -> "_Swap":
        """A context in which the network has the averaged weights."""
        return _Swap(self)


class _Swap:
    def __init__(self, average: Average) -> None:
        self.average = average

    def __enter__(self) -> None:
        self._exchange()

    def __exit__(self, *exception: object) -> None:
        self._exchange()

    @torch.no_grad()
    def _exchange(self) -> None:
        if self.average.decay is None:
            return
        done: set[int] = set()
        for name, value in self.average.network.state_dict().items():
            if value.data_ptr() in done:
                continue
            done.add(value.data_ptr())
            kept = value.clone()
            value.copy_(self.average.shadow[name])
            self.average.shadow[name].copy_(kept)


class Checkpoint:
    """What a killed run goes on from. Plain tensors and numbers: it loads with ``weights_only``."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def save(
        self,
        network: nn.Module,
        average: Average,
        optimizer: torch.optim.Optimizer,
        iteration: int,
        best: Validation | None,
        validations: list[Validation],
    ) -> None:
        """Write everything the next iteration depends on."""
        content = {
            "network": network.state_dict(),
            "average": average.shadow,
            "optimizer": optimizer.state_dict(),
            "iteration": iteration,
            "best": None if best is None else asdict(best),
            "validations": [asdict(v) for v in validations],
        }
        with write_atomically(self.path, binary=True) as stream_:
            torch.save(content, stream_)

    def load(
        self, network: nn.Module, average: Average, optimizer: torch.optim.Optimizer
    ) -> tuple[int, Validation | None, list[Validation]]:
        """Restore, and give the iteration to go on with; (0, None, []) for a fresh run."""
        if not self.path.exists():
            return 0, None, []
        device = next(network.parameters()).device
        content = torch.load(self.path, map_location=device, weights_only=True)
        network.load_state_dict(content["network"])
        average.shadow = content["average"]
        optimizer.load_state_dict(content["optimizer"])
        best = content["best"]
        return (
            int(content["iteration"]),
            None if best is None else Validation(**best),
            [Validation(**v) for v in content["validations"]],
        )

    @staticmethod
    def progress(path: Path) -> tuple[int, Validation | None]:
        """Iterations done and the kept snapshot's scores, without building a network."""
        if not path.exists():
            return 0, None
        content = torch.load(path, map_location="cpu", weights_only=True)
        best = content["best"]
        return int(content["iteration"]), None if best is None else Validation(**best)
