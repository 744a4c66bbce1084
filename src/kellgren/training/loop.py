"""One network learns: the loop on one screen, resumable at every validation."""

import json
import math
import time
from collections.abc import Callable, Iterable
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn
from torch.nn import functional

from kellgren.files import write_atomically
from kellgren.imaging.region import RegionSpec
from kellgren.statistics.agreement import quadratic_kappa
from kellgren.systems.system import Recipe
from kellgren.training.augmentation import apply, sample_distortion, stream, view_stream
from kellgren.training.sampling import Batch, batches
from kellgren.training.weights import Average, Checkpoint, save_weights


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
        (views, n, classes): a teacher's answers about every view of every knee, or None.
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


def best_of(validations: Iterable[Validation], recipe: Recipe) -> Validation | None:
    """The snapshot to keep, the earliest of equals; None of none."""
    best = None
    for validation in validations:
        if validation.better_than(best, recipe):
            best = validation
    return best


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
    start, log = state.load(network, average, optimizer)
    validations = [Validation(**entry) for entry in log]
    best = best_of(validations, recipe)
    if start >= recipe.iterations and best is not None:
        return best

    losses: list[float] = []
    began = time.monotonic()
    for batch in batches(recipe, learning.grades, seed=seed, start=start):
        iteration = batch.iteration
        for group in optimizer.param_groups:
            group["lr"] = learning_rate(recipe, iteration)
        inputs = distorted(learning, batch, recipe, seed=seed).to(device)
        network.train()
        torch.manual_seed(seed * 1_000_003 + iteration)  # dropout: alike after a resume
        with autocast(device, recipe):
            logits = network(inputs.contiguous(memory_format=torch.channels_last))
        loss = objective(logits.float(), learning, batch, recipe, seed=seed)
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
            entries = [asdict(validation) for validation in validations]
            with write_atomically(folder / "log.jsonl") as stream_:
                stream_.writelines(json.dumps(entry) + "\n" for entry in entries)
            state.save(network, average, optimizer, done, entries)
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
    torch.autograd.backward(objective(logits.float(), samples, batch, recipe, seed=0))


def learning_rate(recipe: Recipe, iteration: int) -> float:
    """The rate of one iteration."""
    if recipe.schedule == "constant":
        return recipe.learning_rate
    return one_cycle(recipe.learning_rate, iteration / recipe.iterations)


def one_cycle(peak: float, done: float) -> float:
    """A rate that warms up over the first quarter and ends near zero; ``done`` is in [0, 1]."""
    warm = 0.25
    if done < warm:
        return peak * (0.04 + 0.96 * _cosine(done / warm))
    return peak * (1.0 - _cosine((done - warm) / (1.0 - warm))) + 1e-7


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
    plan = None if samples.teacher_logits is None else recipe.distillation
    if plan is None:
        draws = zip(batch.indices.tolist(), batch.repeats.tolist(), strict=True)
        streams = [stream(seed, batch.epoch, index, repeat) for index, repeat in draws]
    else:
        views = zip(
            batch.views(plan.views, seed=seed).tolist(), batch.indices.tolist(), strict=True
        )
        streams = [view_stream(view, index) for view, index in views]
    distortions = [sample_distortion(recipe.augmentation, numbers) for numbers in streams]
    out = apply(regions, distortions, fill=recipe.region.fill)
    return (out - recipe.region.mean) / recipe.region.sd


def objective(
    logits: Tensor, samples: Samples, batch: Batch, recipe: Recipe, *, seed: int
) -> Tensor:
    """Cross-entropy against (smoothed) truth, and against the teacher where there is one."""
    grades = torch.from_numpy(samples.grades[batch.indices]).to(logits.device)
    target = ordinal_targets(grades, logits.shape[1], recipe.ordinal_smoothing)
    loss = functional.cross_entropy(logits, target)
    plan = recipe.distillation
    if plan is None or samples.teacher_logits is None:
        return loss
    answers = samples.teacher_logits[batch.views(plan.views, seed=seed), batch.indices]
    taught = torch.from_numpy(answers).to(logits.device)
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
