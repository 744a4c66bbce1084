"""Teaching the localiser: from annotated pictures to a run that finds knees on composites.

``RUN/run.json`` says what was asked, ``RUN/resume.pt`` is gone on with, ``RUN/last.safetensors``
holds the averaged weights and ``RUN/log.jsonl`` the errors on films of held-back pictures.
"""

import hashlib
import json
import math
import time
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Self

import numpy as np
import torch
from numpy.typing import NDArray
from pydantic import BaseModel, ConfigDict, ValidationError
from torch import Tensor
from torch.nn import functional

import kellgren
from kellgren import errors
from kellgren.files import refuse_foreign, write_atomically
from kellgren.localise.landmarks import LANDMARKS, LEFT, MIDDLE, RIGHT, Joint, joints
from kellgren.networks.landmarks import STRIDE, LandmarkNet
from kellgren.training.annotated import Annotated, divided, phantoms
from kellgren.training.composites import Composite, Source, compose
from kellgren.training.loop import one_cycle
from kellgren.training.weights import Average, Checkpoint, save_weights

PHANTOM_SHARE = 0.2
"""Chosen: drawn knees for each annotated picture, so that phantoms are found as well."""

_LEFT, _RIGHT, _MIDDLE = (LANDMARKS.index(name) for name in (LEFT, RIGHT, MIDDLE))


@dataclass(frozen=True, slots=True)
class LocaliserRecipe:
    """How a localiser learns. All values are chosen.

    Parameters
    ----------
    size_px
        Longest side of a film as the network sees it.
    peak_weight
        How much more a cell on a landmark counts than one far from all.
    held_back
        Composites of held-back pictures that errors are measured on.
    """

    size_px: int = 256
    batch_size: int = 16
    iterations: int = 2_000
    validate_every: int = 250
    learning_rate: float = 3e-3
    weight_decay: float = 1e-4
    ema_decay: float = 0.995
    peak_weight: float = 40.0
    held_back: int = 160
    bfloat16: bool = True


class LocaliserRun(BaseModel):
    """``run.json``: everything that a localiser's run depends on."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    recipe: LocaliserRecipe
    seed: int
    counts: dict[str, int]
    """Data set → pictures that teach."""
    pictures_sha256: str
    """Of all pictures, those that only measure among them, and of the landmarks on them."""
    centre: tuple[float, float]
    code_version: str

    @classmethod
    def read(cls, folder: Path) -> Self:
        """Read a run's record.

        Raises
        ------
        TrainingError
            The folder holds no localiser's run, or an unfinished one.
        """
        try:
            run = cls.model_validate_json((folder / "run.json").read_bytes())
        except (OSError, ValidationError) as error:
            raise errors.TrainingError(
                f"{folder}: holds no localiser's run. Make one with 'kellgren train localiser'."
            ) from error
        done, _ = Checkpoint(folder / "resume.pt").progress()
        if done < run.recipe.iterations:
            raise errors.TrainingError(
                f"{folder}: {done} of {run.recipe.iterations} iterations. Go on with --resume."
            )
        return run


@dataclass(frozen=True, slots=True)
class FirstLook:
    """How well knees of held-back composites are found, from one look.

    Parameters
    ----------
    found
        Share of knees whose joint middle lies within 0.15 region sides.
    scaled
        Share of the knees found whose width is within 15 %.
    false
        Share of detections that are no knee.
    """

    iteration: int
    loss: float
    found: float
    scaled: float
    false: float
    seconds: float


def train_localiser(
    pictures: Sequence[Annotated],
    folder: Path,
    *,
    recipe: LocaliserRecipe,
    seed: int,
    resume: bool,
    watch: Callable[[int, float, FirstLook | None], None],
) -> FirstLook:
    """Teach a localiser from annotated pictures, and phantoms beside them.

    Parameters
    ----------
    pictures
        From `kellgren.training.annotated.annotated`; those of held-back patients or clusters, by
        the hash that holds back everywhere, only measure.
    folder
        Of the run.
    watch
        Called after every iteration with (iterations done, loss, errors or None).

    Raises
    ------
    OutputError
        The folder holds a run and ``resume`` was not said, or something else.
    RunMismatch
        The folder holds another kind of run, or one with other settings, pictures or landmarks.
    TrainingError
        There is nothing to learn from or to measure on.
    """
    learning, held_back = divided(pictures)
    if not learning or not held_back:
        raise errors.TrainingError(
            "no annotated pictures to learn from, or none of held-back patients. Give more."
        )
    drawn = phantoms(round(PHANTOM_SHARE * len(learning)), seed=seed)
    hashes = sorted(picture.fingerprint for picture in pictures)
    counts = Counter(picture.row.dataset for picture in learning)
    run = LocaliserRun(
        recipe=recipe,
        seed=seed,
        counts={**counts, "phantom": len(drawn)},
        pictures_sha256=hashlib.sha256("\n".join(hashes).encode()).hexdigest(),
        centre=region_centre([picture.source for picture in learning]),
        code_version=kellgren.__version__,
    )
    _begin(folder, run, resume=resume)
    return _learn(
        [*(picture.source for picture in learning), *drawn],
        [picture.source for picture in held_back],
        recipe,
        folder,
        seed=seed,
        watch=watch,
    )


def is_localiser_run(folder: Path) -> bool:
    """Whether a folder's ``run.json`` is a localiser's."""
    try:
        LocaliserRun.model_validate_json((folder / "run.json").read_bytes())
    except (OSError, ValidationError):
        return False
    return True


def region_centre(sources: Sequence[Source]) -> tuple[float, float]:
    """Where regions that come cut have their centre: (x, y) from the joint's middle, in widths.

    The median over annotated regions; across it is zero by symmetry of left and right.

    Raises
    ------
    TrainingError
        No region has the landmarks that a place is known by.
    """
    offsets = [
        ((source.pixels.shape[0] - 1) / 2.0 - float(knee[_MIDDLE][1]))
        / float(np.hypot(*(knee[_RIGHT] - knee[_LEFT])))
        for source in sources
        if not source.whole
        for knee in source.knees
    ]
    known = [offset for offset in offsets if math.isfinite(offset)]
    if not known:
        raise errors.TrainingError(
            "no annotated regions, so where their centre lies is not known. Give landmarks of "
            "pictures that are cut around one knee as well."
        )
    return 0.0, round(float(np.median(known)), 4)


def _begin(folder: Path, run: LocaliserRun, *, resume: bool) -> None:
    path = folder / "run.json"
    if path.exists():
        if not resume:
            raise errors.OutputError(
                f"{folder}: holds a run already. Say --resume to go on with it."
            )
        try:
            begun = LocaliserRun.model_validate_json(path.read_bytes())
        except ValidationError as error:
            raise errors.RunMismatch(
                f"{folder}: holds another kind of run. Choose another folder."
            ) from error
        if begun.model_copy(update={"code_version": run.code_version}) != run:
            raise errors.RunMismatch(
                f"{folder}: was started with other settings or pictures. Give the same, or "
                "another folder."
            )
        return
    refuse_foreign(folder, ours=False, what="run")
    with write_atomically(path) as stream:
        stream.write(run.model_dump_json(indent=2) + "\n")


def _learn(
    learning: Sequence[Source],
    held_back: Sequence[Source],
    recipe: LocaliserRecipe,
    folder: Path,
    *,
    seed: int,
    watch: Callable[[int, float, FirstLook | None], None],
) -> FirstLook:
    torch.manual_seed(seed)
    network = LandmarkNet(len(LANDMARKS))
    network.to(memory_format=torch.channels_last)
    average = Average(network, recipe.ema_decay)
    optimizer = torch.optim.AdamW(
        network.parameters(), lr=recipe.learning_rate, weight_decay=recipe.weight_decay
    )
    state = Checkpoint(folder / "resume.pt")
    start, log = state.load(network, average, optimizer)
    history = [FirstLook(**entry) for entry in log]
    exam = [
        compose(held_back, recipe.size_px, np.random.default_rng((seed, 1, index)))
        for index in range(recipe.held_back)
    ]
    began, losses = time.monotonic(), list[float]()
    for iteration, batch in _batches(learning, recipe, seed=seed, start=start):
        for group in optimizer.param_groups:
            group["lr"] = one_cycle(recipe.learning_rate, iteration / recipe.iterations)
        network.train()
        films = torch.from_numpy(np.stack([film.pixels for film in batch]))[:, None]
        with torch.autocast("cpu", torch.bfloat16, enabled=recipe.bfloat16):
            logits = network(films.contiguous(memory_format=torch.channels_last))
        loss = objective(logits.float(), targets(batch, recipe.size_px), recipe.peak_weight)
        optimizer.zero_grad()
        torch.autograd.backward(loss)
        torch.nn.utils.clip_grad_norm_(network.parameters(), 5.0)
        optimizer.step()
        average.update(iteration)
        losses.append(loss.item())
        done, scores = iteration + 1, None
        if done % recipe.validate_every == 0 or done == recipe.iterations:
            with average.swapped_in():
                seconds = round(time.monotonic() - began, 1)
                scores = measure(network, exam, done, float(np.mean(losses)), seconds)
                save_weights(network, folder / "last.safetensors")
            losses.clear()
            history.append(scores)
            entries = [asdict(entry) for entry in history]
            with write_atomically(folder / "log.jsonl") as stream:
                stream.writelines(json.dumps(entry) + "\n" for entry in entries)
            state.save(network, average, optimizer, done, entries)
        watch(done, loss.item(), scores)
    return history[-1]


def _batches(
    sources: Sequence[Source], recipe: LocaliserRecipe, *, seed: int, start: int
) -> Iterator[tuple[int, list[Composite]]]:
    """The batches from ``start`` on; two are drawn ahead, beside the network."""

    def drawn(iteration: int) -> list[Composite]:
        return [
            compose(sources, recipe.size_px, np.random.default_rng((seed, 0, iteration, place)))
            for place in range(recipe.batch_size)
        ]

    with ThreadPoolExecutor(1) as pool:
        ahead = [pool.submit(drawn, i) for i in range(start, min(start + 2, recipe.iterations))]
        for iteration in range(start, recipe.iterations):
            batch = ahead.pop(0).result()
            if iteration + 2 < recipe.iterations:
                ahead.append(pool.submit(drawn, iteration + 2))
            yield iteration, batch


def targets(batch: Sequence[Composite], size_px: int) -> Tensor:
    """(B, K, h, w): a Gaussian around every landmark, wider on larger knees."""
    cells = size_px // STRIDE
    axis = np.arange(cells, dtype=np.float32)
    maps = np.zeros((len(batch), len(LANDMARKS), cells, cells), dtype=np.float32)
    for film, of_film in zip(batch, maps, strict=True):
        for knee in film.knees:
            sigma = _sigma(knee)
            for place, (x, y) in enumerate((knee + 0.5) / STRIDE - 0.5):
                if math.isfinite(x):
                    across = np.exp(-(((axis - x) / sigma) ** 2) / 2.0)
                    down = np.exp(-(((axis - y) / sigma) ** 2) / 2.0)
                    np.maximum(of_film[place], np.outer(down, across), out=of_film[place])
    return torch.from_numpy(maps)


def _sigma(knee: NDArray[np.float32]) -> float:
    width = float(np.hypot(*(knee[_RIGHT] - knee[_LEFT])))
    return float(np.clip(0.05 * width / STRIDE, 0.9, 2.0)) if math.isfinite(width) else 1.5


def objective(logits: Tensor, wanted: Tensor, peak_weight: float) -> Tensor:
    """Cross-entropy against the Gaussians, the cells near a landmark counting more."""
    each = functional.binary_cross_entropy_with_logits(logits, wanted, reduction="none")
    return (each * (1.0 + peak_weight * wanted)).mean()


@torch.inference_mode()
def measure(
    network: LandmarkNet, films: Sequence[Composite], iteration: int, loss: float, seconds: float
) -> FirstLook:
    """Look once at every film and compare with what was put there."""
    network.eval()
    there = found = scaled = detections = true_detections = 0
    for film in films:
        heat = network(torch.from_numpy(film.pixels)[None, None]).sigmoid()[0].numpy()
        seen = joints(heat, LANDMARKS, threshold=0.3)
        detections += len(seen)
        whole = film.knees[np.isfinite(film.knees[:, [_LEFT, _RIGHT, _MIDDLE]]).all((1, 2))]
        there += len(whole)
        true_detections += sum(
            any(_hit(joint, knee)[0] for knee in film.knees if np.isfinite(knee[_MIDDLE]).all())
            for joint in seen
        )
        for knee in whole:
            hits = [_hit(joint, knee) for joint in seen]
            found += any(near for near, _ in hits)
            scaled += any(near and alike for near, alike in hits)
    return FirstLook(
        iteration=iteration,
        loss=round(loss, 5),
        found=found / max(there, 1),
        scaled=scaled / max(found, 1),
        false=(detections - true_detections) / max(detections, 1),
        seconds=seconds,
    )


def _hit(joint: Joint, knee: NDArray[np.float32]) -> tuple[bool, bool]:
    """Whether a joint's middle, and its width, are those of a knee."""
    x, y = ((np.array(joint.places[MIDDLE]) + 0.5) * STRIDE - 0.5).tolist()
    width = float(np.hypot(*(knee[_RIGHT] - knee[_LEFT])))
    if not math.isfinite(width):
        width = joint.width * STRIDE
    near = float(np.hypot(x - knee[_MIDDLE][0], y - knee[_MIDDLE][1])) < 0.15 * 1.25 * width
    return near, abs(joint.width * STRIDE / width - 1.0) < 0.15
