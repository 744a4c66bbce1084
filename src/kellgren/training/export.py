"""From a finished run to a bundle: one graph, calibrated through the runtime that will serve it."""

import hashlib
import shutil
import tempfile
from collections.abc import Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from pydantic import ValidationError
from safetensors.torch import load_file
from torch import nn

from kellgren import errors
from kellgren.anatomy import Laterality, Task
from kellgren.bundles.record import Result, TrainedOn
from kellgren.bundles.store import MODEL, RECORD
from kellgren.datasets import sources
from kellgren.datasets.splits import split_sha256
from kellgren.datasets.table import Row, read_table
from kellgren.grading.bundle import (
    Bundle,
    BundleRecord,
    Conformal,
    Member,
    load_bundle,
    operating_point,
)
from kellgren.grading.calibration import fit_calibration
from kellgren.grading.conformal import fit_quantile
from kellgren.grading.fusion import fuse
from kellgren.grading.grader import Grader, rounded
from kellgren.imaging import cut_region, read_film, whole_picture
from kellgren.networks.export import write_onnx
from kellgren.selfcheck import answers
from kellgren.statistics.discrimination import best_threshold, probability_of_cut
from kellgren.statistics.questions import cut_of
from kellgren.systems import SYSTEMS
from kellgren.training.loop import Validation, best_of
from kellgren.training.run import RunRecord, load_run, parts_of
from kellgren.training.weights import Checkpoint

COVERAGE = 0.9
"""Of the shipped conformal sets. Chosen: the usual 1 − α with α = 0.1."""


def export_run(
    folder: Path, target: Path, *, name: str, version: str, results: Sequence[Result] = ()
) -> Bundle:
    """Fuse all seeds of a run into a bundle.

    Temperature, biases and conformal quantile come from the held-back tenth of ``train``, whose
    patients taught no network, through ONNX Runtime itself.

    Parameters
    ----------
    folder
        A finished run.
    target
        Folder of the bundle; appears whole or not at all.
    results
        Measured numbers to publish in the record.

    Raises
    ------
    TrainingError
        A seed is unfinished, or the data are no longer those of the run.
    OutputError
        Something stands at ``target`` that is not a bundle.
    BundleInvalid
        The name or the version is not one that a bundle can have.
    """
    run = load_run(folder)
    system = SYSTEMS[run.system]
    (task,) = system.tasks
    members = [_member(folder, run, seed) for seed in run.seeds]
    model = write_onnx(
        [network for network, _ in members],
        task=task.name,
        size_px=run.recipe.region.size_px,
        explained=system.explanation == "cam_exact",
    )
    manifest = Path(run.manifest)
    parts = parts_of(read_table(manifest))
    if {part: split_sha256(rows) for part, rows in parts.items()} != run.split_sha256:
        raise errors.TrainingError(
            f"{manifest}: has changed since the run began. Give it back its rows, or train again."
        )
    try:
        record = BundleRecord(
            kind="grader",
            name=name,
            version=version,
            system=system.name,
            doi=system.doi,
            fidelity=run.fidelity,
            variant=run.variant,
            statement_of_use=system.statement_of_use,
            limits=system.limits,
            region=run.recipe.region,
            tasks=(task,),
            members=tuple(Member(seed=kept.seed, iteration=kept.iteration) for _, kept in members),
            fusion=system.fusion,
            temperature={task.name: 1.0},
            conformal={task.name: Conformal(method="contiguous_mass", coverage=COVERAGE, q=1.0)},
            explanation=system.explanation,
            taught_by=run.teacher,
            initialised_from=run.initialised_from,
            trained_on=_trained_on(run),
            results=tuple(results),
            files={MODEL: hashlib.sha256(model).hexdigest()},
        )
    except ValidationError as error:
        problems = "; ".join(f"{'.'.join(map(str, e['loc']))}: {e['msg']}" for e in error.errors())
        raise errors.BundleInvalid(
            f"{target}: no bundle can say this of itself ({problems})."
        ) from error
    halves = [
        (_logits(record, model, parts[part], manifest.parent, task), _truth(parts[part]))
        for part in ("snapshot", "calibration")
    ]
    record = record.model_copy(update=_calibrated(halves, task))
    said = answers(Grader(Bundle(record, "0" * 64, {MODEL: model})))
    record = record.model_copy(update={"self_test": said})
    write_bundle(record.to_bytes(), {MODEL: model}, target)
    return load_bundle(target)


def write_bundle(record: bytes, files: dict[str, bytes], target: Path) -> None:
    """Write a bundle's folder; an older bundle at the place is replaced as a whole."""
    if target.exists() and not (target / RECORD).exists():
        raise errors.OutputError(f"{target}: exists and is no bundle. Choose another place.")
    target.parent.mkdir(parents=True, exist_ok=True)
    staging = Path(tempfile.mkdtemp(dir=target.parent, prefix=f".{target.name}."))
    try:
        staging.chmod(0o755)
        for name, content in {**files, RECORD: record}.items():
            (staging / name).write_bytes(content)
        if target.exists():
            shutil.rmtree(target)
        staging.rename(target)
    except BaseException:
        shutil.rmtree(staging, ignore_errors=True)
        raise


def _member(folder: Path, run: RunRecord, seed: int) -> tuple[nn.Module, Validation]:
    place = folder / f"seed-{seed}"
    network = SYSTEMS[run.system].build(run.variant, run.fidelity)
    done, log = Checkpoint(place / "resume.pt").progress()
    best = best_of((Validation(**entry) for entry in log), run.recipe)
    if best is None or done < run.recipe.iterations:
        raise errors.TrainingError(
            f"{place}: {done} of {run.recipe.iterations} iterations. Go on with 'kellgren train … "
            "--resume' before exporting."
        )
    weights = load_file(place / "best.safetensors")
    missing, unexpected = network.load_state_dict(weights, strict=False)
    # A shared branch is stored once, under its first name.
    shared = {id(tensor) for tensor in network.state_dict(keep_vars=True).values()}
    if unexpected or len(shared) != len(weights):
        raise errors.TrainingError(f"{place}: weights of another architecture ({missing} missing).")
    return network.eval(), best


def _logits(
    record: BundleRecord, model: bytes, rows: Sequence[Row], root: Path, task: Task
) -> NDArray[np.float64]:
    grader = Grader(Bundle(record, "0" * 64, {MODEL: model}))
    fused = []
    for row in rows:
        film = read_film(root / row.path)
        region = cut_region(film, whole_picture(film, record.region), record.region)
        if row.laterality not in {record.region.mirror_to, Laterality.UNKNOWN}:
            region = region.mirror()
        fused.append(fuse(grader.outputs([region])[f"logits/{task.name}"], record.fusion)[0])
    return np.stack(fused)


def _calibrated(
    halves: Sequence[tuple[NDArray[np.float64], NDArray[np.int64]]], task: Task
) -> dict[str, object]:
    """The record's calibration, fitted to both halves of the held-back tenth.

    The quantile's scores are crossed: each half is calibrated by the other, as new knees will be
    by both.
    """
    crossed = [
        np.stack([rounded(p) for p in fit_calibration(*other)(logits)])
        for (logits, _), other in zip(halves, reversed(halves), strict=True)
    ]
    logits, truth = (np.concatenate(part) for part in zip(*halves, strict=True))
    q = fit_quantile(np.concatenate(crossed), truth, coverage=COVERAGE, ordinal=task.ordinal)
    found = fit_calibration(logits, truth)
    return {
        "operating_points": _operating_points(found(logits), truth, task),
        "temperature": {task.name: round(found.temperature, 6)},
        "bias": {task.name: tuple(round(bias, 6) for bias in found.bias)},
        "conformal": {task.name: Conformal(method="contiguous_mass", coverage=COVERAGE, q=q)},
    }


def _operating_points(
    probabilities: NDArray[np.float64], truth: NDArray[np.int64], task: Task
) -> dict[str, float]:
    """Where Youden's J is highest on the held-back knees, at the cut of disease."""
    cut = cut_of(task)
    if cut is None or (truth >= cut).all() or not (truth >= cut).any():
        return {}
    scores = probability_of_cut(probabilities, cut)
    return {operating_point(task, cut): round(best_threshold(truth >= cut, scores), 6)}


def _truth(rows: Sequence[Row]) -> NDArray[np.int64]:
    return np.array([row.value for row in rows], dtype=np.int64)


def _trained_on(run: RunRecord) -> tuple[TrainedOn, ...]:
    """The run's own data, and what its teacher brought from elsewhere."""
    source = sources.of(run.dataset)
    own = TrainedOn(
        name=run.dataset,
        kind="synthetic" if run.synthetic else "real",
        source=source.reference,
        licence=source.licence,
        counts=run.counts["learning"],
        split_sha256=run.split_sha256["learning"],
    )
    return own, *(other for other in run.teacher_trained_on if other != own)
