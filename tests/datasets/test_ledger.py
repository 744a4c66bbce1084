"""Every look at a split is written down, and bundles are counted once."""

import hashlib
import json
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from kellgren import errors
from kellgren.datasets.ledger import Look, ledger_of, looks, record_look

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


WHOLE = json.dumps(
    {"time": "t", "split_sha256": "s", "predictions_sha256": "p", "bundle_sha256": "b"}
)


@pytest.mark.parametrize(
    "line",
    [
        WHOLE[:40] + "\n",
        WHOLE[:40],
        "not one of ours\n",
        "[1]\n",
        "7\n",
        '{"time": "t"}\n',
        WHOLE.replace('"b"', "3") + "\n",
        b"\xff\xfe\n",
    ],
    ids=["torn", "torn at the end", "words", "list", "number", "keys", "kind", "bytes"],
)
def test_a_line_that_is_no_look_is_named_and_nothing_is_appended(
    tmp_path: Path, line: str | bytes
) -> None:
    ledger, predictions = tmp_path / "knees.csv.ledger.jsonl", tmp_path / "predictions.csv"
    predictions.write_text("")
    content = f"{WHOLE}\n".encode() + (line if isinstance(line, bytes) else line.encode())
    ledger.write_bytes(content)
    with pytest.raises(errors.TableError, match=r"ledger\.jsonl, line 2: .*Put the line back"):
        looks(ledger)
    with pytest.raises(errors.TableError, match="line 2"):
        record_look(
            ledger, split_sha256="s", predictions=predictions, bundle_sha256="c", time=START
        )
    assert ledger.read_bytes() == content


def test_empty_lines_and_keys_of_later_versions_are_passed_over(tmp_path: Path) -> None:
    ledger = tmp_path / "knees.csv.ledger.jsonl"
    ledger.write_text(f'{WHOLE}\n\n{WHOLE[:-1]}, "later": 1}}\n')
    assert looks(ledger) == (Look("t", "s", "p", "b"),) * 2


def test_a_last_line_without_an_end_stays_a_line_of_its_own(tmp_path: Path) -> None:
    ledger, predictions = tmp_path / "knees.csv.ledger.jsonl", tmp_path / "predictions.csv"
    predictions.write_text("")
    ledger.write_text(WHOLE)
    count = record_look(
        ledger, split_sha256="s", predictions=predictions, bundle_sha256="c", time=START
    )
    assert count == 2
    assert [look.bundle_sha256 for look in looks(ledger)] == ["b", "c"]
