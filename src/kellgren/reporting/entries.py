"""One line of a table or report: a knee, or a film without one, and how it ended."""

from collections.abc import Iterable
from dataclasses import dataclass

from kellgren.records import FilmResult, Knee
from kellgren.reporting.wording import GATE_WORDS

OK = "ok"


@dataclass(frozen=True, slots=True)
class Entry:
    """What became of one knee, or of one film in which no knee was found.

    Parameters
    ----------
    result
        The film.
    knee
        None where the film has none.
    status
        ``ok``, an error's code, or the first code of the gate.
    message
        What happened and what to do; empty if ok.
    warnings
        Of the film, then of the knee, then the gate's reasons in spite of which it was graded.
    """

    result: FilmResult
    knee: Knee | None
    status: str
    message: str
    warnings: tuple[str, ...]

    @property
    def graded(self) -> bool:
        """Whether there is a knee with grades."""
        return self.status == OK


def entries(results: Iterable[FilmResult]) -> tuple[Entry, ...]:
    """Every knee and every film without one, by source, then laterality, then place."""
    found = [_entry(result, knee) for result in results for knee in (result.knees or (None,))]
    return tuple(sorted(found, key=_order))


def _order(entry: Entry) -> tuple[str, str, tuple[float, ...]]:
    if entry.knee is None:
        return (entry.result.source, "", ())
    return (entry.result.source, str(entry.knee.laterality), entry.knee.box_px)


def _entry(result: FilmResult, knee: Knee | None) -> Entry:
    gates = (result.gate,) if knee is None else (knee.gate, result.gate)
    reasons = [reason for gate in gates if not gate.graded for reason in gate.reasons]
    warnings = [*result.warnings, *(knee.warnings if knee else ())]
    warnings += [reason for gate in gates if gate.graded for reason in gate.reasons]
    status, message = OK, ""
    if result.error is not None:
        status, message = result.error.code, result.error.message
    elif knee is None or reasons or not all(gate.graded for gate in gates):
        # A film without knees and without a reason has still not been graded.
        codes = reasons or ["NO_KNEE"]
        status, message = codes[0], " ".join(dict.fromkeys(GATE_WORDS[code] for code in codes))
    return Entry(result, knee, status, message, tuple(dict.fromkeys(warnings)))
