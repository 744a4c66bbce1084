"""Two readers of one task: the knees that both graded, and the count of those that one did not."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from kellgren import errors
from kellgren.anatomy import Task
from kellgren.datasets.table import Row
from kellgren.statistics.join import Joined, join


@dataclass(frozen=True, slots=True, eq=False)
class Pair:
    """The answers of two readers about the same knees.

    Parameters
    ----------
    first, second
        The knees that both graded, in one order; what either refused or left out stays counted.
    labelled
        Knees that the truth labels.
    first_only, second_only
        Labelled knees that the other refused, failed on or left out.
    """

    first: Joined
    second: Joined
    labelled: int
    first_only: int
    second_only: int

    @property
    def both(self) -> int:
        """Labelled knees that both graded."""
        return len(self.first.truth)

    @property
    def neither(self) -> int:
        """Labelled knees that nobody graded."""
        return self.labelled - self.both - self.first_only - self.second_only


def pair(truth: Sequence[Row], first: Sequence[Row], second: Sequence[Row], *, task: Task) -> Pair:
    """Pair two readers' answers on the knees that both graded.

    Raises
    ------
    TableError, DuplicateRows
        As `join` of either with the truth, or there is no such knee.
    """
    one, other = (join(truth, rows, task=task) for rows in (first, second))
    ours = [first[index].key for index in one.answered.tolist()]
    theirs = [second[index].key for index in other.answered.tolist()]
    common = set(ours) & set(theirs)
    if not common:
        raise errors.TableError(
            f"No knee that the truth labels for {task.name!r} was graded by both. Rows are joined "
            "on patient, exam, image, laterality and task: see that all tables spell them alike."
        )
    return Pair(
        first=one.part(np.array([key in common for key in ours], dtype=np.bool_)),
        second=other.part(np.array([key in common for key in theirs], dtype=np.bool_)),
        labelled=len(ours) + len(one.refused) + one.missing,
        first_only=len(ours) - len(common),
        second_only=len(theirs) - len(common),
    )
