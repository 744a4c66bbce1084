"""What every check has, whatever it asks."""

from abc import ABC, abstractmethod
from collections.abc import Iterable
from dataclasses import replace

from pydantic import StrictBool, StrictStr

from kellgren.statistics.claims.fields import Part
from kellgren.statistics.claims.verdict import Reading, Row


class Check(Part, ABC):
    """A question about printed numbers, the name of its reading, and whether that is stretched."""

    name: StrictStr = ""
    stretched: StrictBool = False

    @abstractmethod
    def _found(self) -> tuple[Reading, ...]:
        """Return what the numbers say, in one reading or more."""

    def readings(self) -> tuple[Reading, ...]:
        """Return `_found` under the name that the file gives."""
        return tuple(
            replace(
                reading,
                name=": ".join(part for part in (self.name, reading.name) if part),
                stretched=self.stretched or reading.stretched,
            )
            for reading in self._found()
        )


def one_reading(rows: Iterable[Row]) -> tuple[Reading, ...]:
    """Return rows that can be meant in one way only."""
    return (Reading("", tuple(rows)),)


def need(holds: bool, otherwise: str) -> None:
    """Raise ValueError, which pydantic tells the author of the file with its place."""
    if not holds:
        raise ValueError(otherwise)
