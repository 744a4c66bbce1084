"""``report`` and ``compare`` on tables alone: strata, and the ledger beside the truth."""

import json
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import numpy as np
import pytest
from as_typed import run

from kellgren.anatomy import Laterality
from kellgren.datasets.ledger import ledger_of, record_look
from kellgren.datasets.splits import split_sha256
from kellgren.datasets.table import TRUTH, Row, read_table, write_table


@pytest.fixture
def written(tmp_path: Path) -> tuple[Path, Path, Path]:
    """The truth about both knees of forty patients, and the answers of two readers."""
    rng = np.random.default_rng(2)
    truth = [
        Row(
            dataset="made-up",
            patient=f"P{number:02}",
            image=f"{number}{side}",
            laterality=side,
            split="val",
            task="kl",
            reader=TRUTH,
            value=int(rng.integers(0, 5)),
        )
        for number in range(40)
        for side in (Laterality.LEFT, Laterality.RIGHT)
    ]
    paths = tuple(tmp_path / f"{name}.csv" for name in ("truth", "first", "second"))
    write_table(truth, paths[0])
    for path, reader in zip(paths[1:], ("AB", "CD"), strict=True):
        answers = [
            replace(
                row, reader=reader, value=int(np.clip((row.value or 0) + rng.integers(-1, 2), 0, 4))
            )
            for row in truth
        ]
        write_table(answers, path)
    return paths[0], paths[1], paths[2]


def methods(folder: Path, metric: str) -> set[str]:
    rows = json.loads((folder / "metrics.json").read_text("utf-8"))
    return {row["method"] for row in rows if (row["metric"], row["low"] is None) == (metric, False)}


@pytest.mark.parametrize(
    ("verb", "metric"), [("report", "accuracy"), ("compare", "accuracy_difference")]
)
def test_strata_are_asked_for_and_said(
    written: tuple[Path, Path, Path], tmp_path: Path, verb: str, metric: str
) -> None:
    truth, *answers = written
    tables = answers if verb == "compare" else answers[:1]
    words = (verb, *tables, "--truth", truth, "--resamples", "100")
    status, said, err = run(*words, "--stratified", "-o", tmp_path / "tied")
    assert (status, err) == (0, "")
    assert "The bootstrap was stratified" in said
    assert "take the grades' shares as fixed" in said
    page = (tmp_path / "tied" / "report.html").read_text("utf-8")
    assert "The bootstrap was stratified" in page
    found = methods(tmp_path / "tied", metric)
    assert found
    assert all("100 stratified resamples" in method for method in found)
    status, said, _ = run(*words, "-o", tmp_path / "free")
    assert status == 0
    assert "stratified" not in said
    assert not any("stratified" in method for method in methods(tmp_path / "free", metric))


def test_what_is_lost_elsewhere_has_no_strata_and_says_so(
    written: tuple[Path, Path, Path], tmp_path: Path
) -> None:
    truth, first, _ = written
    home = tmp_path / "home"
    home.mkdir()
    for path in (truth, first):
        text = path.read_text("utf-8").replace(",P", ",H")
        (home / path.name).write_text(text, "utf-8")
    status, said, err = run(
        *("report", first, "--truth", truth, "--resamples", "60", "--stratified"),
        *("--internal", home / "first.csv", "--internal-truth", home / "truth.csv"),
        *("-o", tmp_path / "r"),
    )
    assert (status, err) == (0, "")
    assert "What is lost from another cohort, of another mix, is not stratified." in said
    assert not any("stratified" in method for method in methods(tmp_path / "r", "accuracy_drop"))


@pytest.fixture
def look(written: tuple[Path, Path, Path]) -> Callable[[str], int]:
    """Count a bundle's look at the knees, as ``evaluate`` does."""
    truth, first, _ = written

    def look(bundle: str) -> int:
        return record_look(
            ledger_of(truth),
            split_sha256=split_sha256(read_table(truth)),
            predictions=first,
            bundle_sha256=bundle,
            time=datetime(2026, 1, 2, tzinfo=UTC),
        )

    return look


def test_a_comparison_reads_the_ledger_and_adds_nothing(
    written: tuple[Path, Path, Path], look: Callable[[str], int], tmp_path: Path
) -> None:
    truth, first, second = written
    words = ("compare", first, second, "--truth", truth, "--resamples", "40", "-o", tmp_path / "r")
    assert "What these numbers are: use unknown" in run(*words)[1]
    assert not ledger_of(truth).exists()
    look("one")
    assert "test, as far as the ledger knows" in run(*words)[1]
    assert look("two") == 2
    there = ledger_of(truth).read_bytes()
    _, said, _ = run(*words)
    assert "What these numbers are: selected on" in said
    assert "Distinct bundles that were scored on these knees so far: 2." in said
    assert ledger_of(truth).read_bytes() == there
