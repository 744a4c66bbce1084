"""What a ledger says of how often a split was looked at, and what it cannot say."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from kellgren.anatomy import Task
from kellgren.datasets.ledger import ledger_of, looks
from kellgren.datasets.splits import split_sha256
from kellgren.datasets.table import Row
from kellgren.statistics.document import Section

UNKNOWN = (
    "A ledger knows the scorings by 'kellgren evaluate' beside its own table. It does not know of "
    "looks elsewhere, at copies or at parts of the split, nor of what was chosen by eye."
)


@dataclass(frozen=True, slots=True)
class Selection:
    """Whether one may have chosen on these knees.

    Parameters
    ----------
    bundles
        How many distinct bundles were scored on exactly these knees.
    kept
        Whether there is a ledger at all.
    """

    bundles: int
    kept: bool

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
        return (said, UNKNOWN)


def selection(truth: Path, rows: Sequence[Row], tasks: Sequence[Task]) -> Selection:
    """Read the ledger beside a table of truth, for its labelled rows of these tasks."""
    ledger = ledger_of(truth)
    names = {task.name for task in tasks}
    wanted = split_sha256([row for row in rows if row.value is not None and row.task in names])
    seen = {look.bundle_sha256 for look in looks(ledger) if look.split_sha256 == wanted}
    return Selection(len(seen), ledger.exists())
