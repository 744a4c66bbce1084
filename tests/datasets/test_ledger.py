"""Every look at a split is written down, and bundles are counted once."""

import hashlib
import json
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from kellgren.datasets.ledger import ledger_of, looks, record_look

START = datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("ledger")


@given(st.lists(st.tuples(st.sampled_from(["val", "test"]), st.sampled_from("abcd")), max_size=12))
@settings(max_examples=30, deadline=None)
def test_distinct_bundles_are_counted_for_each_split(
    folder: Path, scored: list[tuple[str, str]]
) -> None:
    ledger = folder / "knees.csv.ledger.jsonl"
    ledger.unlink(missing_ok=True)
    predictions = folder / "predictions.csv"
    for number, (split, bundle) in enumerate(scored):
        predictions.write_text(f"predictions {number}")
        count = record_look(
            ledger,
            split_sha256=split,
            predictions=predictions,
            bundle_sha256=bundle,
            time=START + timedelta(seconds=number),
        )
        assert count == len({b for s, b in scored[: number + 1] if s == split})
    seen = looks(ledger)
    assert [(look.split_sha256, look.bundle_sha256) for look in seen] == scored
    assert [look.predictions_sha256 for look in seen] == [
        hashlib.sha256(f"predictions {number}".encode()).hexdigest()
        for number in range(len(scored))
    ]


def test_a_look_is_a_line_of_the_contract(tmp_path: Path) -> None:
    manifest = tmp_path / "knees.csv"
    predictions = tmp_path / "predictions.csv"
    predictions.write_text("")
    record_look(
        ledger_of(manifest),
        split_sha256="s",
        predictions=predictions,
        bundle_sha256="b",
        time=START,
    )
    (line,) = (tmp_path / "knees.csv.ledger.jsonl").read_text().splitlines()
    assert json.loads(line) == {
        "time": "2026-01-02T03:04:05Z",
        "split_sha256": "s",
        "predictions_sha256": hashlib.sha256(b"").hexdigest(),
        "bundle_sha256": "b",
    }


def test_nobody_has_looked_yet(tmp_path: Path) -> None:
    assert looks(ledger_of(tmp_path / "knees.csv")) == ()
