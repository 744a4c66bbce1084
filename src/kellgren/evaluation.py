"""A bundle against the truth: the shipped runtime predicts, `kellgren.statistics` counts."""

import importlib.util
from collections.abc import Callable, Collection, Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from kellgren import errors
from kellgren.anatomy import TASKS, Laterality, Task
from kellgren.datasets.ledger import ledger_of, record_look
from kellgren.datasets.splits import split_sha256
from kellgren.datasets.table import TRUTH, Row, read_table, write_table
from kellgren.files import refuse_foreign
from kellgren.grading import Bundle, Grader
from kellgren.localise import Localiser
from kellgren.pipeline import Film, Options, grade_film
from kellgren.records import FilmResult, Prediction

if TYPE_CHECKING:
    from kellgren.statistics.summary import Summary

PREDICTIONS = "predictions.csv"
METRICS = "metrics.json"
CONFUSION = "confusion"
RELIABILITY = "reliability"

SEED = 0
"""Of the bootstrap: the same predictions give the same intervals."""


@dataclass(frozen=True, slots=True, eq=False)
class Evaluation:
    """What an evaluation found.

    Parameters
    ----------
    summaries
        One for each task.
    looks
        How many distinct bundles this split has scored so far, this one included.
    """

    summaries: tuple["Summary", ...]
    looks: int


def evaluate(
    grader: Grader,
    manifest: Path,
    folder: Path,
    *,
    split: str,
    localiser: Localiser,
    clock: Callable[[], datetime],
    watch: Callable[[int, int], None],
    allow_synthetic: bool = False,
) -> Evaluation:
    """Grade a split and compare with its truth.

    Writes ``predictions.csv``, figures and, last, ``metrics.json`` to ``folder``, where they
    replace those of an earlier evaluation, and appends to the manifest's ledger.

    Raises
    ------
    OutputError
        The folder holds something, but no evaluation.
    TableError
        The split has no truth for the bundle's tasks, or none of its pictures could be graded.
    WholeFilmsUnsupported
        It lists whole films.
    ExtraMissing
        Without the extra ``stats``.
    """
    if importlib.util.find_spec("sklearn") is None:
        raise errors.ExtraMissing("stats", "kellgren evaluate")
    from kellgren.statistics.figures import confusion_figure, reliability_figure, write_figure
    from kellgren.statistics.metrics import write_metrics

    refuse_foreign(folder, ours=_is_evaluation(folder), what="evaluation")
    tasks = grader.bundle.record.tasks
    truth = _truth(manifest, split, tasks)
    films = {row.path: _film(row, manifest.parent) for row in truth}
    results = {}
    for number, (path, film) in enumerate(films.items(), start=1):
        results[path] = grade_film(
            film,
            grader,
            localiser=localiser,
            clock=clock,
            options=Options(allow_synthetic=allow_synthetic),
        ).result
        watch(number, len(films))
    _refuse_if_nothing_graded(manifest, split, results.values())
    predictions = tuple(_answer(row, results[row.path], grader.bundle) for row in truth)
    summaries = tuple(_summary(truth, predictions, results, grader.bundle, task) for task in tasks)
    _remove(folder)
    written = folder / PREDICTIONS
    write_table(predictions, written)
    for summary in summaries:
        task, reader = summary.task, summary.reader
        confusion = confusion_figure(summary.confusion, task=task, reader=reader)
        write_figure(confusion, folder / f"{CONFUSION}-{task.name}")
        reliability = reliability_figure(summary.bins, task=task, reader=reader)
        write_figure(reliability, folder / f"{RELIABILITY}-{task.name}")
    write_metrics([m for summary in summaries for m in summary.metrics], folder / METRICS)
    looks = record_look(
        ledger_of(manifest),
        split_sha256=split_sha256(truth),
        predictions=written,
        bundle_sha256=grader.bundle.sha256,
        time=clock(),
    )
    return Evaluation(summaries, looks)


def _summary(
    truth: Sequence[Row],
    predictions: Sequence[Row],
    results: dict[str, FilmResult],
    bundle: Bundle,
    task: Task,
) -> "Summary":
    from kellgren.statistics.summary import summarise

    chosen = [row for row in predictions if row.task == task.name]
    return summarise(
        [row for row in truth if row.task == task.name],
        chosen,
        task=task,
        rng=np.random.default_rng(SEED),
        sets=_sets(chosen, results, task),
        coverage=bundle.record.conformal[task.name].coverage,
    )


def _is_evaluation(folder: Path) -> bool:
    try:
        rows = read_table(folder / PREDICTIONS)
    except errors.TableError:
        return False
    return (folder / METRICS).is_file() and all(row.reader.startswith("model:") for row in rows)


def _remove(folder: Path) -> None:
    """Take away an earlier evaluation; a bundle of fewer tasks would leave its figures."""
    figures = [
        f"{figure}-{task}.{kind}"
        for figure in (CONFUSION, RELIABILITY)
        for task in TASKS
        for kind in ("png", "svg")
    ]
    for name in (METRICS, PREDICTIONS, *figures):
        (folder / name).unlink(missing_ok=True)


def _truth(manifest: Path, split: str, tasks: Iterable[Task]) -> tuple[Row, ...]:
    names = {task.name for task in tasks}
    rows = read_table(manifest)
    chosen = tuple(
        row
        for row in rows
        if row.split == split
        and row.reader == TRUTH
        and row.task in names
        and row.value is not None
    )
    if not chosen:
        there = ", ".join(sorted({row.split for row in rows})) or "none"
        raise errors.TableError(
            f"{manifest}: no truth for {', '.join(sorted(names))} in the split {split!r}. "
            f"It has the splits: {there}."
        )
    if any(row.kind == "film" for row in chosen):
        raise errors.WholeFilmsUnsupported
    return chosen


def _refuse_if_nothing_graded(manifest: Path, split: str, results: Collection[FilmResult]) -> None:
    """Raise before numbers about nothing are written, and before the look is counted."""
    first = next((result.error for result in results if result.error is not None), None)
    if first is not None and not any(result.complete for result in results):
        raise errors.TableError(
            f"{manifest}: none of the {len(results)} pictures of the split {split!r} was graded. "
            f"The first: {first.code}: {first.message}"
        )


def _film(row: Row, root: Path) -> Film:
    said = None if row.laterality is Laterality.UNKNOWN else row.laterality
    return Film(root / row.path, row.path, said, row.patient or None)


def _prediction(result: FilmResult, task: str) -> Prediction | None:
    return result.knees[0].grades.get(task) if result.knees else None


def _answer(row: Row, result: FilmResult, bundle: Bundle) -> Row:
    record = bundle.record
    asked = replace(row, reader=f"model:{record.name}@{record.version}", covariates={})
    prediction = _prediction(result, row.task)
    if prediction is None:
        code = result.error.code if result.error else result.gate.reasons[0]
        return replace(asked, value=None, status=code)
    return replace(asked, value=prediction.grade, probabilities=prediction.probabilities)


def _sets(rows: Sequence[Row], results: dict[str, FilmResult], task: Task) -> NDArray[np.bool_]:
    members = np.zeros((len(rows), len(task.classes)), dtype=np.bool_)
    for index, row in enumerate(rows):
        prediction = _prediction(results[row.path], task.name)
        if prediction is not None:
            members[index, list(prediction.set)] = True
    return members
