"""What a ledger says of how often a split was looked at, and what it cannot say."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from pathlib import Path

from kellgren.anatomy import Task
from kellgren.datasets.ledger import Look, ledger_of, looks
from kellgren.datasets.splits import split_sha256
from kellgren.datasets.table import Row
from kellgren.statistics.document import Section

UNKNOWN = (
    "A ledger knows the scorings by 'kellgren evaluate' beside its own table. It does not know of "
    "looks elsewhere, at copies, at parts of the split or of its tasks, nor of what was chosen by "
    "eye."
)


@dataclass(frozen=True, slots=True)
class Selection:
    """Whether one may have chosen on these knees.

    Parameters
    ----------
    bundles
        How many distinct bundles were scored on exactly these knees, for any of the tasks.
    kept
        Whether there is a ledger at all.
    by_task
        Each task asked, and how many of the bundles are known to have answered it here.
    """

    bundles: int
    kept: bool
    by_task: tuple[tuple[str, int], ...] = ()

    @property
    def role(self) -> str:
        """What the numbers may be called."""
        if self.bundles > 1:
            return "selected on"
        return "test, as far as the ledger knows" if self.bundles else "use unknown"

    def section(self, *words: str) -> Section:
        """What a report begins with; ``words`` are what else is to be known of its numbers."""
        return Section(f"What these numbers are: {self.role}", (*self.words, *words))

    @property
    def warnings(self) -> tuple[str, ...]:
        """What a reader must know before he believes a number."""
        if self.bundles > 1:
            return ("These knees were selected on; see the first section.",)
        return ()

    @property
    def words(self) -> tuple[str, ...]:
        """For the report."""
        if not self.kept:
            return ("No ledger stands beside the truth: nobody counted the looks.", UNKNOWN)
        if self.bundles == 0:
            return ("The ledger beside the truth knows of no scoring of these knees.", UNKNOWN)
        said = f"Distinct bundles that were scored on these knees so far: {self.bundles}."
        if self.bundles > 1:
            said += (
                " One may have been chosen for its score here, so these are numbers on data that "
                "were selected on, not those of a test."
            )
        return (said, *self._apart, UNKNOWN)

    @property
    def _apart(self) -> tuple[str, ...]:
        """The tasks, where not all of them have seen the same number of bundles."""
        if all(count == self.bundles for _, count in self.by_task):
            return ()
        counts = ", ".join(f"{name} {count}" for name, count in self.by_task)
        return (f"That is over all tasks; task by task the ledger knows of these: {counts}.",)


def selection(truth: Path, rows: Sequence[Row], tasks: Sequence[Task]) -> Selection:
    """Read the ledger beside a table of truth, for its labelled rows of these tasks.

    A scoring is recorded by the hash of all tasks that its bundle answers. It is found here where
    these are the tasks asked, one of them alone, or all tasks that the rows have.

    Raises
    ------
    TableError
        A line of the ledger is none.
    """
    ledger = ledger_of(truth)
    seen = looks(ledger)
    labelled = [row for row in rows if row.value is not None]
    asked = [task.name for task in tasks]
    together = _bundles(seen, labelled, asked) | _bundles(
        seen, labelled, {row.task for row in labelled}
    )
    by_task = {name: together | _bundles(seen, labelled, [name]) for name in asked}
    return Selection(
        bundles=len(together.union(*by_task.values())),
        kept=ledger.exists(),
        by_task=tuple((name, len(bundles)) for name, bundles in by_task.items()),
    )


def _bundles(seen: Sequence[Look], rows: Sequence[Row], tasks: Collection[str]) -> set[str]:
    """Who was scored on the rows of exactly these tasks."""
    if not seen:
        return set()
    wanted = split_sha256(row for row in rows if row.task in tasks)
    return {look.bundle_sha256 for look in seen if look.split_sha256 == wanted}
