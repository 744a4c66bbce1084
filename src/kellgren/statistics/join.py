"""Bringing two tables of answers to the same questions together."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from kellgren import errors
from kellgren.anatomy import Task
from kellgren.datasets.table import Row
from kellgren.statistics.units import unit_of

_SUM_TOLERANCE = 1e-4
"""Chosen: rounding to six decimals moves the sum of a dozen classes by 6e-6 at most."""

Key = tuple[str, str, str, str, str]


@dataclass(frozen=True, slots=True, eq=False)
class Joined:
    """The knees that both tables answer, by ascending `Row.key`, and the count of all others.

    Parameters
    ----------
    task
        The one question.
    reader
        Who gave the answers; empty where there are none.
    truth, predicted
        (n,) class indices.
    probabilities
        (n, classes), or None where the reader gave none.
    patients
        (n,) `Row.resampled_by` of the truth.
    units
        (n,) which of `units.UNITS` that is.
    answered
        (n,) where in the table of answers each row stood.
    missing
        Labelled knees without any answer.
    refused
        The status of each answer that is a refusal or an error, of labelled knees.
    unlabelled
        Rows of the truth without a usable value.
    unmatched
        Answers about knees that the truth does not label.
    """

    task: Task
    reader: str
    truth: NDArray[np.int64]
    predicted: NDArray[np.int64]
    probabilities: NDArray[np.float64] | None
    patients: NDArray[np.str_]
    units: NDArray[np.str_]
    answered: NDArray[np.int64]
    missing: int
    refused: tuple[str, ...]
    unlabelled: int
    unmatched: int

    def part(self, members: NDArray[np.bool_]) -> "Joined":
        """Only the knees that ``members`` (n,) marks; the counts of others stay."""
        return replace(
            self,
            truth=self.truth[members],
            predicted=self.predicted[members],
            probabilities=None if self.probabilities is None else self.probabilities[members],
            patients=self.patients[members],
            units=self.units[members],
            answered=self.answered[members],
        )

    def confidence(self, probabilities: NDArray[np.float64]) -> NDArray[np.float64]:
        """Probability (n,) of the grade that was given, of probabilities (n, classes)."""
        return probabilities[np.arange(len(self.predicted)), self.predicted]

    @property
    def not_likeliest(self) -> int:
        """How many grades are not the most probable ones of their own probabilities."""
        if self.probabilities is None or not len(self.predicted):
            return 0
        return int((self.confidence(self.probabilities) < self.probabilities.max(axis=1)).sum())


def join(truth: Sequence[Row], answers: Sequence[Row], *, task: Task) -> Joined:
    """Pair the rows of one task on patient, exam, picture, laterality and task.

    Parameters
    ----------
    truth
        What is held to be right; rows of other tasks are passed over.
    answers
        Of one reader; rows of other tasks are passed over.
    task
        The question.

    Raises
    ------
    DuplicateRows
        Two rows of one table answer for the same knee.
    TableError
        The answers are of several readers, a value is no class of the task, or probabilities are
        given for some answers only, are of another number than the classes or do not sum to one.
    """
    labels = _by_key(truth, task, "the truth")
    given = _by_key(answers, task, "the answers")
    readers = sorted({answers[index].reader for index in given.values()})
    if len(readers) > 1:
        raise errors.TableError(
            f"The answers for {task.name!r} are of several readers ({', '.join(readers)}). "
            "Give those of one."
        )
    usable = sorted(key for key, index in labels.items() if _labelled(truth[index]))
    both = [key for key in usable if key in given]
    ok = [key for key in both if answers[given[key]].status == "ok"]
    knees = [answers[given[key]] for key in ok]
    probabilities = _probabilities(knees, task)
    return Joined(
        task=task,
        reader=readers[0] if readers else "",
        truth=_grades([truth[labels[key]].value for key in ok], ok, task, "the truth"),
        predicted=_predicted(knees, probabilities, ok, task),
        probabilities=probabilities,
        patients=np.array([truth[labels[key]].resampled_by for key in ok], dtype=np.str_),
        units=np.array([unit_of(truth[labels[key]]) for key in ok], dtype=np.str_),
        answered=np.array([given[key] for key in ok], dtype=np.int64),
        missing=len(usable) - len(both),
        refused=tuple(
            answers[given[key]].status for key in both if answers[given[key]].status != "ok"
        ),
        unlabelled=len(labels) - len(usable),
        unmatched=len(given) - len(both),
    )


def _by_key(rows: Iterable[Row], task: Task, table: str) -> dict[Key, int]:
    places: dict[Key, int] = {}
    for index, row in enumerate(rows):
        if row.task != task.name:
            continue
        if row.key in places:
            raise errors.DuplicateRows(
                f"Two rows of {table} are about {_named(row.key)}. Keep one; a table of several "
                "readers or data sets is first split."
            )
        places[row.key] = index
    return places


def _labelled(row: Row) -> bool:
    return row.status == "ok" and row.value is not None


def _predicted(
    knees: Sequence[Row],
    probabilities: NDArray[np.float64] | None,
    keys: Sequence[Key],
    task: Task,
) -> NDArray[np.int64]:
    """The grade each row states, or the most probable one where it states none."""
    stated = [row.value for row in knees]
    if probabilities is not None:
        likeliest = probabilities.argmax(axis=1)
        stated = [
            int(likely) if value is None else value
            for value, likely in zip(stated, likeliest, strict=True)
        ]
    return _grades(stated, keys, task, "the answers")


def _grades(
    values: Sequence[int | None], keys: Sequence[Key], task: Task, table: str
) -> NDArray[np.int64]:
    grades: list[int] = []
    for value, key in zip(values, keys, strict=True):
        if value is None or not 0 <= value < len(task.classes):
            raise errors.TableError(
                f"A row of {table}, {_named(key)}, has the value {value}; {task.name!r} has the "
                f"classes 0 to {len(task.classes) - 1}. A refusal needs a status other than ok."
            )
        grades.append(value)
    return np.array(grades, dtype=np.int64)


def _probabilities(knees: Sequence[Row], task: Task) -> NDArray[np.float64] | None:
    if not any(row.probabilities for row in knees):
        return None
    for row in knees:
        if len(row.probabilities) != len(task.classes):
            raise errors.TableError(
                f"A row of the answers, {_named(row.key)}, has {len(row.probabilities)} "
                f"probabilities; {task.name!r} has {len(task.classes)} classes. Give one for each "
                "class in every row, or none at all."
            )
        total = sum(row.probabilities)
        if min(row.probabilities) < 0.0 or not abs(total - 1.0) <= _SUM_TOLERANCE:
            raise errors.TableError(
                f"A row of the answers, {_named(row.key)}, has probabilities that sum to "
                f"{total:.6f} or are below 0. Give them from 0 to 1, summing to one."
            )
    return np.array([row.probabilities for row in knees], dtype=np.float64)


def _named(key: Key) -> str:
    patient, exam, picture, laterality, task = key
    return f"patient {patient!r}, exam {exam!r}, picture {picture!r}, {laterality}, task {task!r}"
