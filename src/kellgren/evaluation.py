"""A bundle against the truth: the shipped runtime predicts, `kellgren.statistics` counts."""

import importlib.util
from collections.abc import Callable, Collection, Iterable
from dataclasses import dataclass, replace
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING

from kellgren import errors
from kellgren.anatomy import Laterality, Task
from kellgren.datasets.ledger import ledger_of, record_look
from kellgren.datasets.splits import split_sha256
from kellgren.datasets.table import TRUTH, Row, read_table, write_table
from kellgren.files import refuse_foreign
from kellgren.grading import Bundle, Grader
from kellgren.localise import Localiser
from kellgren.pipeline import Film, Options, grade_film
from kellgren.records import FilmResult, Prediction

if TYPE_CHECKING:
    from kellgren.statistics.document import Document
    from kellgren.statistics.summary import Summary

PREDICTIONS = "predictions.csv"


@dataclass(frozen=True, slots=True, eq=False)
class Evaluation:
    """What an evaluation found.

    Parameters
    ----------
    document
        The report, as it stands in ``report.html``.
    summaries
        One for each task.
    looks
        How many distinct bundles this split has scored so far, this one included.
    """

    document: "Document"
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
    resamples: int | None = None,
    stratified: bool = False,
) -> Evaluation:
    """Grade a split and compare with its truth.

    Writes ``predictions.csv`` to ``folder``, appends to the manifest's ledger, and writes the
    report of the answers and a model card, which replace those of an earlier evaluation.

    Parameters
    ----------
    resamples, stratified
        Of patients, as a report's `Settings`; None: as many as are usual.

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
    from kellgren.model_card import write_card
    from kellgren.report import of_bundle
    from kellgren.statistics.bootstrap import RESAMPLES
    from kellgren.statistics.reports.answers import report_answers
    from kellgren.statistics.reports.selection import selection
    from kellgren.statistics.reports.settings import Settings
    from kellgren.statistics.reports.writing import CARD, METRICS, Writer

    refuse_foreign(folder, ours=_is_evaluation(folder), what="evaluation")
    bundle = grader.bundle
    tasks = bundle.record.tasks
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
    predictions = tuple(_answer(row, results[row.path], bundle) for row in truth)
    (folder / METRICS).unlink(missing_ok=True)  # what is half replaced is no evaluation
    written = folder / PREDICTIONS
    write_table(predictions, written)
    looks = record_look(
        ledger_of(manifest),
        split_sha256=split_sha256(truth),
        predictions=written,
        bundle_sha256=bundle.sha256,
        time=clock(),
    )
    looked = selection(manifest, truth, tasks)
    settings = Settings(resamples=resamples or RESAMPLES, stratified=stratified)
    document, summaries = report_answers(
        truth,
        predictions,
        Writer(folder, ours=True),
        tasks=tasks,
        looked=looked,
        settings=of_bundle(settings, bundle, predictions, tasks),
    )
    write_card(bundle, summaries, looked, folder / CARD)
    return Evaluation(document, summaries, looks)


def _is_evaluation(folder: Path) -> bool:
    from kellgren.statistics.reports.writing import METRICS

    try:
        rows = read_table(folder / PREDICTIONS)
    except errors.TableError:
        return False
    return (folder / METRICS).is_file() and all(row.reader.startswith("model:") for row in rows)


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
