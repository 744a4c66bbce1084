"""The ledger: how often a split was looked at, so that nobody chooses on it unnoticed."""

import hashlib
import json
from dataclasses import asdict, dataclass
from datetime import datetime
from pathlib import Path


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
    """Append one look, and return how many distinct bundles have been scored on this split."""
    look = Look(
        time=time.strftime("%Y-%m-%dT%H:%M:%SZ"),
        split_sha256=split_sha256,
        predictions_sha256=hashlib.sha256(predictions.read_bytes()).hexdigest(),
        bundle_sha256=bundle_sha256,
    )
    with ledger.open("a", encoding="utf-8") as stream:
        stream.write(json.dumps(asdict(look)) + "\n")
    return len({seen.bundle_sha256 for seen in looks(ledger) if seen.split_sha256 == split_sha256})


def looks(ledger: Path) -> tuple[Look, ...]:
    """Every look so far, oldest first."""
    if not ledger.exists():
        return ()
    return tuple(Look(**json.loads(line)) for line in ledger.read_text("utf-8").splitlines())
