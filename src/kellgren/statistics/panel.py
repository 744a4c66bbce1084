"""Several readers of the same knees, a model among them as one more."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from kellgren import errors
from kellgren.anatomy import Task
from kellgren.datasets.table import TRUTH, Row
from kellgren.statistics.units import unit_of


@dataclass(frozen=True, slots=True, eq=False)
class Panel:
    """The knees that all readers graded, by ascending `Row.key`.

    Parameters
    ----------
    readers
        By name.
    grades
        (knees, readers) class indices.
    patients
        (knees,) whom each belongs to, `Row.resampled_by`.
    units
        (knees,) which of `units.UNITS` that is.
    left_out
        Reader → knees that he graded and that are not among these, because another did not.
    unusable
        Reader → his rows without a grade, or with a status other than ok.
    """

    task: Task
    readers: tuple[str, ...]
    grades: NDArray[np.int64]
    patients: NDArray[np.str_]
    units: NDArray[np.str_]
    left_out: dict[str, int]
    unusable: dict[str, int]

    @property
    def has_truth(self) -> bool:
        """Whether the truth is one of the readers."""
        return TRUTH in self.readers

    @property
    def strata(self) -> NDArray[np.int64]:
        """The truth's grade of each knee (knees,), or else the one that most readers gave.

        Of several that as many gave it is the lowest.
        """
        if self.has_truth:
            return self.grades[:, self.readers.index(TRUTH)]
        given = self.grades[:, :, np.newaxis] == np.arange(len(self.task.classes))
        return np.asarray(given.sum(axis=1).argmax(axis=1))


def panel(rows: Sequence[Row], *, task: Task, readers: Sequence[str] | None = None) -> Panel:
    """Bring the readers of a table together.

    Parameters
    ----------
    rows
        Of any tasks and readers.
    readers
        Only these; all of the task if None.

    Raises
    ------
    TableError
        Fewer than two readers, one whom the table does not have, no knee that all of them graded,
        or a value that is no class of the task.
    DuplicateRows
        A reader answers twice for one knee.
    """
    chosen = [row for row in rows if row.task == task.name]
    there = sorted({row.reader for row in chosen})
    names = tuple(readers) if readers is not None else tuple(there)
    names = tuple(dict.fromkeys(names))
    strangers = [name for name in names if name not in there]
    if strangers or len(names) < 2:
        raise errors.TableError(
            f"Agreement on {task.name!r} needs two readers or more"
            + (f", and there is no {strangers[0]!r}" if strangers else "")
            + f". The table has: {', '.join(there) or 'none'}."
        )
    answers: dict[str, dict[tuple[str, ...], Row]] = {name: {} for name in names}
    unusable = dict.fromkeys(names, 0)
    for row in chosen:
        if row.reader not in answers:
            continue
        if row.status != "ok" or row.value is None:
            unusable[row.reader] += 1
            continue
        if not 0 <= row.value < len(task.classes):
            raise errors.TableError(
                f"Reader {row.reader!r} gives patient {row.patient!r}, {row.laterality}, the value "
                f"{row.value}; {task.name!r} has the classes 0 to {len(task.classes) - 1}."
            )
        if row.key in answers[row.reader]:
            raise errors.DuplicateRows(
                f"Reader {row.reader!r} answers twice for patient {row.patient!r}, picture "
                f"{row.picture!r}, {row.laterality}. Keep one."
            )
        answers[row.reader][row.key] = row
    common = sorted(set.intersection(*(set(given) for given in answers.values())))
    if not common:
        raise errors.TableError(
            f"No knee was graded for {task.name!r} by all of {', '.join(names)}. Rows are joined "
            "on patient, exam, image and laterality: see that they are spelt alike."
        )
    first = [answers[names[0]][key] for key in common]
    return Panel(
        task=task,
        readers=names,
        grades=np.array(
            [[answers[name][key].value for name in names] for key in common], dtype=np.int64
        ),
        patients=np.array([row.resampled_by for row in first], dtype=np.str_),
        units=np.array([unit_of(row) for row in first], dtype=np.str_),
        left_out={name: len(given) - len(common) for name, given in answers.items()},
        unusable=unusable,
    )
