"""The ledger: how often a split was looked at, so that nobody chooses on it unnoticed."""

import hashlib
import json
from dataclasses import asdict, dataclass, fields
from datetime import datetime
from pathlib import Path

from kellgren import clock, errors


@dataclass(frozen=True, slots=True)
class Look:
    """One scoring of one split by one bundle."""

    time: str
    split_sha256: str
    predictions_sha256: str
    bundle_sha256: str


def ledger_of(manifest: Path) -> Path:
    """Where the ledger of a manifest is."""
    return manifest.with_name(f"{manifest.name}.ledger.jsonl")


def record_look(
    ledger: Path, *, split_sha256: str, predictions: Path, bundle_sha256: str, time: datetime
) -> int:
    """Append one look, and return how many distinct bundles have been scored on this split.

    Raises
    ------
    TableError
        As `looks`; then nothing is appended.
    """
    earlier = looks(ledger)
    look = Look(
        time=clock.written(time),
        split_sha256=split_sha256,
        predictions_sha256=hashlib.sha256(predictions.read_bytes()).hexdigest(),
        bundle_sha256=bundle_sha256,
    )
    # A last line may have lost its end in an editor: two looks in one line would both be lost.
    unended = bool(earlier) and not ledger.read_bytes().endswith(b"\n")
    with ledger.open("a", encoding="utf-8") as stream:
        stream.write("\n" * unended + json.dumps(asdict(look)) + "\n")
    return len(
        {seen.bundle_sha256 for seen in (*earlier, look) if seen.split_sha256 == split_sha256}
    )


def looks(ledger: Path) -> tuple[Look, ...]:
    """Every look so far, oldest first; empty lines are passed over.

    Raises
    ------
    TableError
        A line is torn or is no look.
    """
    if not ledger.exists():
        return ()
    lines = enumerate(ledger.read_bytes().split(b"\n"), start=1)
    return tuple(_look(line, ledger, number) for number, line in lines if line.strip())


def _look(line: bytes, ledger: Path, number: int) -> Look:
    """What a line says; keys that a later version added are passed over."""
    try:
        said = json.loads(line.decode("utf-8"))
        look = Look(**{each.name: said[each.name] for each in fields(Look)})
    except (ValueError, KeyError, TypeError) as error:
        raise _refused(ledger, number) from error
    if not all(isinstance(cell, str) for cell in asdict(look).values()):
        raise _refused(ledger, number)
    return look


def _refused(ledger: Path, number: int) -> errors.TableError:
    return errors.TableError(
        f"{ledger}, line {number}: is not one whole look, so nobody knows how often the split was "
        "looked at. Put the line back from a copy, or delete it and count one look more than the "
        "ledger says."
    )
