"""From files to the report of a reader's answers."""

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

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
from kellgren.statistics.reports.answers import Settings, report_answers
from kellgren.statistics.reports.selection import selection
from kellgren.statistics.reports.writing import Writer

CARD = "model_card.md"


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

    Raises
    ------
    TableError, DuplicateRows, BundleInvalid
        What the tables or the bundle do not have, and what to do.
    """
    labels = _labels(truth, split)
    answers = read_grades(predictions) if is_grades(predictions) else read_table(predictions)
    answers = adopted(answers, labels)
    tasks = _tasks(labels, answers, task)
    graders = None if bundle is None else load_bundle(bundle)
    settings = Settings(resamples=resamples, seed=seed)
    if graders is not None:
        settings = of_bundle(settings, graders, answers, tasks)
    looked = selection(truth, labels)
    document, summaries = report_answers(
        labels,
        answers,
        Writer(folder),
        tasks=tasks,
        looked=looked,
        settings=settings,
    )
    if graders is not None:
        write_card(graders, summaries, looked, folder / CARD)
    return document


def adopted(answers: Sequence[Row], labels: Sequence[Row]) -> tuple[Row, ...]:
    """Answers that name no patient take patient and examination of the truth's picture.

    Only where the truth has one such picture and side; otherwise they stay as they are.
    """
    known: dict[tuple[str, str, str], set[tuple[str, str]]] = {}
    for row in labels:
        for name in {row.picture, Path(row.path).stem} - {""}:
            key = (name, str(row.laterality), row.task)
            known.setdefault(key, set()).add((row.patient, row.exam))
    pictures = {Path(row.path).stem: row.picture for row in labels if row.path}

    def adopt(row: Row) -> Row:
        whose = known.get((row.picture, str(row.laterality), row.task), set())
        if row.patient or len(whose) != 1:
            return row
        ((patient, exam),) = whose
        return replace(
            row, patient=patient, exam=exam, image=pictures.get(row.picture, row.picture), path=""
        )

    return tuple(adopt(row) for row in answers)


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


def of_bundle(
    settings: Settings, bundle: Bundle, answers: Sequence[Row], tasks: Sequence[Task]
) -> Settings:
    """The settings with a bundle's operating points and, of its own answers, its sets."""
    reader = f"model:{bundle.record.name}@{bundle.record.version}"
    sets: dict[str, NDArray[np.bool_]] = {}
    for task in tasks:
        chosen = [row for row in answers if row.task == task.name and row.reader == reader]
        if not chosen or task.name not in bundle.record.conformal:
            continue
        q = bundle.record.conformal[task.name].q
        make = contiguous_sets if task.ordinal else nominal_sets
        members = np.zeros((len(chosen), len(task.classes)), dtype=np.bool_)
        for index, row in enumerate(chosen):
            if len(row.probabilities) == len(task.classes):
                members[index] = make([row.probabilities], q)[0]
        sets[task.name] = members
    return replace(
        settings,
        sets=sets,
        coverage={name: bundle.record.conformal[name].coverage for name in sets},
        operating_points={task.name: bundle.record.thresholds(task) for task in tasks},
    )
