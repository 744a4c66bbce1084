"""Phantom films, prepared with the localiser that ships, teach a network and measure a bundle."""

from dataclasses import replace
from pathlib import Path

import pytest
from typer.testing import CliRunner

from kellgren.cli import app
from kellgren.cohort.prepare import MANIFEST
from kellgren.datasets.phantom import write_cohort
from kellgren.datasets.table import read_table
from kellgren.systems import system


@pytest.fixture(scope="module")
def as_shipped(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Three patients to learn from, by the hash one of each part, and one of ``val``."""
    root = tmp_path_factory.mktemp("films")
    films = write_cohort(root / "cohort", 4, seed=434, layout="films")
    words = ["prepare", str(films), "-o", str(root / "out"), "--workers", "1"]
    done = CliRunner().invoke(app, words)
    assert (done.exit_code, done.stderr) == (0, "")
    assert "7 regions of 4 films, 7 with truth" in done.stdout
    truth = {(r.patient, r.laterality, r.task, r.value, r.split) for r in read_table(films)}
    found = read_table(root / "out" / MANIFEST)
    assert {(r.patient, r.laterality, r.task, r.value, r.split) for r in found} == truth
    return root / "out" / MANIFEST


class TestFromFilmsToNumbers:
    @pytest.mark.usefixtures("one_thread")
    def test_a_network_learns_from_them(self, as_shipped: Path, tmp_path: Path) -> None:
        import torch

        from kellgren.training.run import Watcher, load_run, train

        siamese = system("tiulpin2018")
        recipe = replace(
            siamese.recipes["modern"],
            iterations=2, validate_every=2, batch_size=2, bfloat16=False,
        )  # fmt: skip
        (kept,) = train(
            siamese,
            as_shipped,
            tmp_path / "run",
            fidelity="modern",
            variant="n8-shared",
            seeds=(21,),
            init=None,
            teacher=None,
            device=torch.device("cpu"),
            resume=False,
            watch=Watcher(*[lambda *_: None] * 4),
            recipe=recipe,
        )
        assert kept.iteration == 2
        record = load_run(tmp_path / "run")
        assert record.synthetic
        assert [record.counts[part]["knees"] for part in sorted(record.counts)] == [2, 2, 2]

    def test_a_bundle_is_measured_on_them(
        self, as_shipped: Path, synthetic_bundle: Path, tmp_path: Path
    ) -> None:
        words = ["evaluate", str(synthetic_bundle), "--data", str(as_shipped)]
        words += ["-o", str(tmp_path / "numbers"), "--split", "train"]
        done = CliRunner().invoke(app, words)
        assert done.exit_code == 0, done.output
        predictions = read_table(tmp_path / "numbers" / "predictions.csv")
        assert [row.status for row in predictions] == ["ok"] * 6
