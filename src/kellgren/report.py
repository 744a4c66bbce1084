"""From files to the report of a reader's answers."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path, PurePosixPath

import numpy as np
from numpy.typing import NDArray

from kellgren import errors
from kellgren.anatomy import TASKS, Task
from kellgren.datasets.table import TRUTH, Row, read_table
from kellgren.grading import Bundle, load_bundle
from kellgren.grading.conformal import contiguous_sets, nominal_sets
from kellgren.model_card import write_card
from kellgren.reporting.tables import is_grades, read_grades
from kellgren.statistics.document import Document
from kellgren.statistics.join import Key
from kellgren.statistics.reports.answers import report_answers
from kellgren.statistics.reports.comparison import report_comparison
from kellgren.statistics.reports.given import Quantile
from kellgren.statistics.reports.selection import selection
from kellgren.statistics.reports.settings import Settings
from kellgren.statistics.reports.writing import CARD, Writer


def report_tables(
    predictions: Path,
    truth: Path,
    folder: Path,
    *,
    split: str | None,
    task: str | None,
    bundle: str | None,
    resamples: int,
    seed: int,
    stratified: bool = False,
    internal: tuple[Path, Path, str | None] | None = None,
    points: Mapping[str, Mapping[int, float]] | None = None,
    quantiles: Mapping[str, Quantile] | None = None,
) -> Document:
    """Read both tables, compare them and write the report.

    Parameters
    ----------
    predictions
        Tidy, or the wide ``grades.csv``.
    split
        Of the truth; None for all of it.
    task
        By name; None for every task that both tables have.
    bundle
        Name or path of who answered: its quantile makes the conformal sets again, its operating
        points are reported, and a model card is written.
    stratified
        Whether patients are resampled within the true grades.
    internal
        Answers, truth and its split of the cohort that the readers come from: then the report says
        what is lost from there to here.
    points
        Task → cut → the operating point of every reader, fixed on other knees; not with a bundle,
        which has its own.
    quantiles
        Task → what makes the conformal sets of every reader with probabilities; likewise.

    Raises
    ------
    TableError, DuplicateRows, BundleInvalid
        What the tables or the bundle do not have, and what to do.
    """
    labels = _labels(truth, split)
    answers = _answers(predictions, truth)
    tasks = _tasks(labels, answers.rows, task)
    graders = None if bundle is None else load_bundle(bundle)
    settings = Settings(resamples=resamples, seed=seed, stratified=stratified)
    settings = replace(settings, by_name=answers.by_name)
    if graders is not None:
        settings = of_bundle(settings, graders, answers.rows, tasks)
    if points:
        settings = _with_points(settings, points, answers.rows, tasks)
    if quantiles:
        settings = _with_quantiles(settings, quantiles, answers.rows, tasks)
    if internal is not None:
        known = _labels(internal[1], internal[2])
        inside = _answers(internal[0], internal[1])
        settings = replace(
            settings, internal=(known, inside.rows), by_name=answers.by_name | inside.by_name
        )
    looked = selection(truth, labels, tasks)
    document, summaries = report_answers(
        labels,
        answers.rows,
        Writer(folder),
        tasks=tasks,
        looked=looked,
        settings=settings,
    )
    if graders is not None:
        write_card(graders, summaries, looked, folder / CARD)
    return document


def compare_tables(
    first: Path,
    second: Path,
    truth: Path,
    folder: Path,
    *,
    split: str | None,
    task: str | None,
    resamples: int,
    seed: int,
    stratified: bool = False,
) -> Document:
    """Compare two tables of answers, of one reader each, with one truth.

    The ledger beside the truth is read and not added to: it counts bundles by their hash, which
    ``evaluate`` did when it scored them, and a table of answers has no hash of its bundle.

    Raises
    ------
    TableError, DuplicateRows
        What the tables do not have, and what to do.
    """
    labels = _labels(truth, split)
    one, other = (_answers(path, truth) for path in (first, second))
    tasks = tuple(
        each
        for each in _tasks(labels, one.rows, task)
        if each.name in {row.task for row in other.rows}
    )
    if not tasks:
        raise errors.TableError(f"{first.name} and {second.name} answer no common task.")
    return report_comparison(
        labels,
        one.rows,
        other.rows,
        Writer(folder),
        tasks=tasks,
        looked=selection(truth, labels, tasks),
        rng=np.random.default_rng(seed),
        resamples=resamples,
        stratified=stratified,
        by_name=len(one.by_name) + len(other.by_name),
    )


@dataclass(frozen=True, slots=True)
class _Answers:
    """What a table answers, as the truth calls it, and which of it was matched by file name."""

    rows: tuple[Row, ...]
    by_name: frozenset[tuple[str, Key]]


def _answers(path: Path, truth: Path) -> _Answers:
    said = read_grades(path) if is_grades(path) else read_table(path)
    rows = adopted(said, _labels(truth, None))
    moved = (row for old, row in zip(said, rows, strict=True) if old.key != row.key)
    return _Answers(rows, frozenset((row.reader, row.key) for row in moved))


def adopted(answers: Sequence[Row], labels: Sequence[Row]) -> tuple[Row, ...]:
    """Answers as the truth calls them, where it calls the same picture and side otherwise.

    A picture is known by its file's name without folders and suffix. An answer that names a patient
    only becomes one of the same patient, one that names its picture's SHA-256 only one of the same
    content; where the truth has several such knees, in whatever split, nothing is guessed and the
    answer stays as it is.
    """
    keys = {row.key for row in labels}
    named: dict[tuple[str, str, str], list[Row]] = {}
    for row in labels:
        named.setdefault((_name(row), str(row.laterality), row.task), []).append(row)

    def adopt(row: Row) -> Row:
        if row.key in keys:
            return row
        whose = [
            label
            for label in named.get((_name(row), str(row.laterality), row.task), [])
            if row.patient in {"", label.patient} and row.sha256 in {"", label.sha256}
        ]
        if len(whose) != 1:
            return row
        (label,) = whose
        return replace(
            row, patient=label.patient, exam=label.exam, image=label.image, path=label.path
        )

    return tuple(adopt(row) for row in answers)


def _name(row: Row) -> str:
    return PurePosixPath(row.path or row.image).stem


def _labels(truth: Path, split: str | None) -> tuple[Row, ...]:
    rows = read_table(truth)
    chosen = tuple(
        row for row in rows if row.reader == TRUTH and (split is None or row.split == split)
    )
    if not chosen:
        there = ", ".join(sorted({row.split or "(none)" for row in rows})) or "none"
        raise errors.TableError(
            f"{truth}: no rows of the reader {TRUTH!r}"
            + (f" in the split {split!r}" if split is not None else "")
            + f". It has the splits: {there}."
        )
    return chosen


def _tasks(labels: Sequence[Row], answers: Sequence[Row], wanted: str | None) -> tuple[Task, ...]:
    both = {row.task for row in labels} & {row.task for row in answers}
    names = both if wanted is None else both & {wanted}
    unknown = sorted(names - TASKS.keys())
    if unknown or not names:
        raise errors.TableError(
            f"Both tables speak of: {', '.join(sorted(both)) or 'no common task'}. "
            + (f"{unknown[0]!r} is no task; " if unknown else "")
            + f"known are {', '.join(TASKS)}."
        )
    return tuple(task for name, task in TASKS.items() if name in names)


def _with_points(
    settings: Settings,
    points: Mapping[str, Mapping[int, float]],
    answers: Sequence[Row],
    tasks: Sequence[Task],
) -> Settings:
    """The settings with the same operating points for every reader."""
    _refuse_others("Operating points", points, tasks)
    readers = {row.reader for row in answers}
    by_reader = {(reader, name): cuts for reader in readers for name, cuts in points.items()}
    return replace(settings, operating_points=by_reader, points_given=True)


def _with_quantiles(
    settings: Settings,
    quantiles: Mapping[str, Quantile],
    answers: Sequence[Row],
    tasks: Sequence[Task],
) -> Settings:
    """The settings with the sets of every reader who gave probabilities."""
    _refuse_others("Conformal quantiles", quantiles, tasks)
    sets: dict[tuple[str, str], NDArray[np.bool_]] = {}
    for task in tasks:
        if task.name not in quantiles:
            continue
        chosen = [row for row in answers if row.task == task.name]
        sure = {row.reader for row in chosen if row.probabilities}
        if not sure:
            raise errors.TableError(
                f"A conformal quantile is given of {task.name}, but no answer to it has "
                f"probabilities. Give them in the columns p_0 to p_{len(task.classes) - 1}."
            )
        for reader in sorted(sure):
            own = [row for row in chosen if row.reader == reader]
            sets[reader, task.name] = _sets(own, task, quantiles[task.name].q)
    coverage = {key: quantiles[key[1]].coverage for key in sets}
    return replace(settings, sets=sets, coverage=coverage, quantiles_given=True)


def _refuse_others(what: str, given: Iterable[str], tasks: Sequence[Task]) -> None:
    asked = {task.name for task in tasks}
    if strange := sorted(set(given) - asked):
        raise errors.TableError(
            f"{what} are given of {', '.join(strange)}, but the report is on "
            f"{', '.join(sorted(asked))}."
        )


def _sets(answers: Sequence[Row], task: Task, q: float) -> NDArray[np.bool_]:
    """The set (answers, classes) of each of a reader's answers; none of one without all classes."""
    make = contiguous_sets if task.ordinal else nominal_sets
    members = np.zeros((len(answers), len(task.classes)), dtype=np.bool_)
    for index, row in enumerate(answers):
        if len(row.probabilities) == len(task.classes):
            members[index] = make([row.probabilities], q)[0]
    return members


def of_bundle(
    settings: Settings, bundle: Bundle, answers: Sequence[Row], tasks: Sequence[Task]
) -> Settings:
    """The settings with a bundle's operating points and, of its own answers, its sets."""
    reader = f"model:{bundle.record.name}@{bundle.record.version}"
    sets: dict[tuple[str, str], NDArray[np.bool_]] = {}
    for task in tasks:
        chosen = [row for row in answers if row.task == task.name and row.reader == reader]
        if not chosen or task.name not in bundle.record.conformal:
            continue
        sets[reader, task.name] = _sets(chosen, task, bundle.record.conformal[task.name].q)
    return replace(
        settings,
        sets=sets,
        coverage={key: bundle.record.conformal[key[1]].coverage for key in sets},
        operating_points={(reader, task.name): bundle.record.thresholds(task) for task in tasks},
    )
