"""A run: one system, one fidelity, some seeds, and a folder that can be gone on with.

``RUN/run.json`` says what was asked of whom; ``RUN/seed-<n>/`` holds what each network became.
"""

import hashlib
import platform
import time
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

import numpy as np
import torch
from pydantic import BaseModel, ConfigDict, Field, ValidationError
from torch import nn

import kellgren
from kellgren import errors
from kellgren.anatomy import KL
from kellgren.bundles.record import TrainedOn
from kellgren.datasets.splits import Part, part_of, split_sha256
from kellgren.datasets.table import TRUTH, Row, read_table
from kellgren.files import refuse_foreign, write_atomically
from kellgren.grading import Bundle
from kellgren.networks.backbone import Backbone
from kellgren.systems import Fidelity, Recipe, System
from kellgren.training.loop import Samples, Step, Validation, objective_step, train_network
from kellgren.training.regions import load_regions
from kellgren.training.teacher import teacher_logits

RECORD = "run.json"
PARTS: tuple[Part, ...] = ("learning", "snapshot", "calibration")


class RunRecord(BaseModel):
    """``run.json``: everything a run depends on, and where it ran."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    system: str
    variant: str
    fidelity: Fidelity
    seeds: tuple[int, ...]
    recipe: Recipe
    initialised_from: str | None
    teacher: str | None
    teacher_sha256: str | None
    teacher_trained_on: tuple[TrainedOn, ...] = ()
    manifest: str
    split_sha256: dict[str, str]
    counts: dict[str, dict[str, int]]
    dataset: str
    synthetic: bool
    code_version: str
    environment: Annotated[dict[str, str], Field(default_factory=dict)]

    def differences(self, other: "RunRecord") -> list[str]:
        """The names of the settings that would make a resumed run another run."""
        # What the teacher learned from is part of its hash.
        free = {"environment", "code_version", "manifest", "teacher_trained_on"}
        return [
            name
            for name in type(self).model_fields
            if name not in free and getattr(self, name) != getattr(other, name)
        ]


@dataclass(frozen=True, slots=True)
class Watcher:
    """What a run tells whoever watches: regions cut, views answered, the estimate, every step."""

    cutting: Callable[[int, int], None]
    asking: Callable[[int, int], None]
    estimated: Callable[[float], None]
    step: Callable[[Step], None]


def parts_of(rows: Sequence[Row]) -> dict[Part, list[Row]]:
    """The learning, snapshot and calibration rows of the official ``train`` split."""
    parts: dict[Part, list[Row]] = {part: [] for part in PARTS}
    for row in rows:
        if _teaches(row):
            parts[part_of(row.patient)].append(row)
    for part, members in parts.items():
        if not members:
            raise errors.TrainingError(
                f"the manifest has no knees with a KL grade in the {part} part of its 'train' "
                "split. A hash holds back a tenth of the patients; give more of them."
            )
    return parts


def train(
    system: System,
    manifest: Path,
    folder: Path,
    *,
    fidelity: Fidelity,
    variant: str,
    seeds: tuple[int, ...],
    init: str | None,
    teacher: Bundle | None,
    device: torch.device,
    resume: bool,
    watch: Watcher,
    recipe: Recipe | None = None,
) -> list[Validation]:
    """Teach every seed of a run, going on where a killed one stopped.

    Parameters
    ----------
    manifest
        Tidy table whose ``train`` split is learned from; ``val`` and ``test`` are never read.
    init
        Pretrained weights, for systems with a backbone.
    teacher
        A bundle to learn from beside the truth, where the recipe distils.
    recipe
        In place of the fidelity's own (fewer iterations for a trial, say).

    Returns
    -------
    list of Validation
        The kept snapshot of each seed.

    Raises
    ------
    TrainingError
        The system learns from no teacher or starts from nothing, a data set cannot teach it, or
        the manifest has too few knees.
    RunMismatch
        The folder holds a run with other settings or data.
    OutputError
        The folder holds a run and ``resume`` was not said, or something else.
    """
    recipe = recipe or system.recipes[fidelity]
    if teacher is not None and recipe.distillation is None:
        raise errors.TrainingError(f"{system.name}, fidelity {fidelity}, learns from no teacher.")
    if init is not None:
        _begin_from(system.build(variant, fidelity), init, system)
    rows = read_table(manifest)
    _refuse_what_cannot_teach(system, rows)
    parts = parts_of(rows)
    record = RunRecord(
        system=system.name,
        variant=variant,
        fidelity=fidelity,
        seeds=seeds,
        recipe=recipe,
        initialised_from=None if init is None else _name_and_hash(init),
        teacher=None
        if teacher is None
        else f"{teacher.reference.name}@{teacher.reference.version}",
        teacher_sha256=None if teacher is None else teacher.sha256,
        teacher_trained_on=() if teacher is None else teacher.record.trained_on,
        manifest=str(manifest.resolve()),
        split_sha256={part: split_sha256(rows) for part, rows in parts.items()},
        counts={part: _counts(rows) for part, rows in parts.items()},
        dataset=parts["learning"][0].dataset,
        synthetic=any(row.synthetic for rows in parts.values() for row in rows),
        code_version=kellgren.__version__,
        environment=_environment(device),
    )
    _begin(folder, record, resume=resume)
    learning, snapshot = (
        _samples(parts[part], recipe, manifest.parent, folder, watch)
        for part in ("learning", "snapshot")
    )
    if teacher is not None:
        taught = teacher_logits(
            teacher,
            parts["learning"],
            recipe,
            root=manifest.parent,
            folder=folder / "teacher",
            watch=watch.asking,
        )
        learning = Samples(learning.regions, learning.grades, taught)

    watch.estimated(
        estimate_seconds(system, recipe, variant, fidelity, learning, device) * len(seeds)
    )
    kept = []
    for seed in seeds:
        torch.manual_seed(seed)  # initial weights
        network = system.build(variant, fidelity)
        if init is not None:
            _begin_from(network, init, system)
        kept.append(
            train_network(
                network,
                recipe,
                learning,
                snapshot,
                seed=seed,
                folder=folder / f"seed-{seed}",
                device=device,
                watch=watch.step,
            )
        )
    return kept


def load_run(folder: Path) -> RunRecord:
    """Read ``run.json``."""
    path = folder / RECORD
    try:
        return RunRecord.model_validate_json(path.read_bytes())
    except FileNotFoundError as error:
        raise errors.TrainingError(
            f"{folder}: holds no run. Make one with 'kellgren train'."
        ) from error
    except ValidationError as error:
        raise errors.TrainingError(f"{path}: not a run's record ({error}).") from error


def estimate_seconds(
    system: System,
    recipe: Recipe,
    variant: str,
    fidelity: Fidelity,
    learning: Samples,
    device: torch.device,
) -> float:
    """Time a few steps of a network that is then thrown away, and count up."""
    network = system.build(variant, fidelity)
    network.to(device)
    network.to(memory_format=torch.channels_last)
    steps = 3
    objective_step(network, recipe, learning, device)  # the first one compiles and allocates
    began = time.monotonic()
    for _ in range(steps):
        objective_step(network, recipe, learning, device)
    return (time.monotonic() - began) / steps * recipe.iterations


def _teaches(row: Row) -> bool:
    """Whether a row is a true KL grade of the ``train`` split; a missing one teaches nothing."""
    asked = row.split == "train" and row.task == KL.name and row.reader == TRUTH
    return asked and row.value is not None


def _refuse_what_cannot_teach(system: System, rows: Sequence[Row]) -> None:
    # Where no row teaches, what ails the data set says more than that a part is empty.
    teaching = [row for row in rows if _teaches(row)] or rows
    for dataset in sorted({row.dataset for row in teaching}):
        answer = system.teaches_from.get(dataset, "yes")
        if answer != "yes":
            raise errors.TrainingError(
                f"{dataset} cannot teach {system.name}: {answer}. "
                f"'kellgren systems {system.name}' lists what can."
            )


def _begin_from(network: nn.Module, init: str, system: System) -> None:
    if not isinstance(network, Backbone):
        raise errors.TrainingError(f"{system.name} starts from nothing; leave --init out.")
    network.load_pretrained(init)


def _begin(folder: Path, record: RunRecord, *, resume: bool) -> None:
    if (folder / RECORD).exists():
        if not resume:
            raise errors.OutputError(
                f"{folder}: holds a run already. Say --resume to go on with it."
            )
        different = load_run(folder).differences(record)
        if different:
            raise errors.RunMismatch(
                f"{folder}: was started with another {', '.join(different)}. "
                "Give the same settings and data, or another folder."
            )
        return
    refuse_foreign(folder, ours=False, what="run")
    with write_atomically(folder / RECORD) as stream:
        stream.write(record.model_dump_json(indent=2) + "\n")


def _samples(
    rows: Sequence[Row], recipe: Recipe, root: Path, folder: Path, watch: Watcher
) -> Samples:
    regions = load_regions(
        rows, recipe.region, root=root, cache=folder / "cache", watch=watch.cutting
    )
    return Samples(regions, np.array([row.value for row in rows], dtype=np.int64))


def _counts(rows: Sequence[Row]) -> dict[str, int]:
    grades = Counter(str(row.value) for row in rows)
    return {"patients": len({row.patient for row in rows}), "knees": len(rows)} | {
        f"kl_{grade}": grades[grade] for grade in KL.classes
    }


def _name_and_hash(init: str) -> str:
    path = Path(init)
    if not path.is_file():
        return init
    return f"{path.name} sha256:{hashlib.sha256(path.read_bytes()).hexdigest()}"


def _environment(device: torch.device) -> dict[str, str]:
    return {
        "python": platform.python_version(),
        "torch": torch.__version__,
        "platform": platform.platform(terse=True),
        "device": torch.cuda.get_device_name(device)
        if device.type == "cuda"
        else platform.machine(),
        "threads": str(torch.get_num_threads()),
    }
