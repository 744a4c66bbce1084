"""A cohort of phantoms becomes a run, which can be stopped, gone on with and not mistaken."""

import dataclasses
import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest
import torch

from kellgren import errors
from kellgren.datasets.splits import Part, split_sha256
from kellgren.datasets.table import Row
from kellgren.systems import Recipe
from kellgren.training.export import export_run
from kellgren.training.loop import Validation
from kellgren.training.run import load_run

pytestmark = pytest.mark.usefixtures("one_thread")

Teach = Callable[..., list[Validation]]
Told = dict[str, list[tuple[float, ...]]]


class TestRun:
    def test_a_run_is_what_the_contract_says(
        self,
        kept: tuple[Path, list[Validation]],
        told: Told,
        recipe: Recipe,
        parts: dict[Part, list[Row]],
    ) -> None:
        run, best = kept
        for seed, validation in zip(recipe.seeds, best, strict=True):
            place = run / f"seed-{seed}"
            files = {item.name for item in place.iterdir()}
            assert files == {"resume.pt", "best.safetensors", "log.jsonl"}
            log = [json.loads(line) for line in (place / "log.jsonl").read_text().splitlines()]
            assert [line["iteration"] for line in log] == [2, 4]
            assert dataclasses.asdict(validation) in log
            assert validation.cross_entropy == min(line["cross_entropy"] for line in log)
            assert torch.load(place / "resume.pt", weights_only=True)["iteration"] == 4
        record = load_run(run)
        assert record.seeds == recipe.seeds
        assert record.recipe == recipe
        assert record.synthetic
        assert record.dataset == "phantom"
        assert record.counts["learning"]["knees"] == 6
        for part, rows in parts.items():
            assert record.split_sha256[part] == split_sha256(rows)
            assert record.counts[part]["knees"] == len(rows)
            assert record.counts[part]["patients"] == len({row.patient for row in rows})
            assert sum(record.counts[part][f"kl_{grade}"] for grade in range(5)) == len(rows)
        assert told["cutting"] == [*((n, 6) for n in range(1, 7)), (1, 2), (2, 2)]
        assert "asking" not in told
        ((seconds,),) = told["estimated"]
        assert seconds > 0.0
        assert told["step"] == [(seed, step) for seed in recipe.seeds for step in range(1, 5)]

    def test_a_finished_run_is_not_run_again(
        self, kept: tuple[Path, list[Validation]], teach: Teach
    ) -> None:
        run, best = kept
        again: Told = {}
        assert teach(run, resume=True, told=again) == best
        assert again.keys() == {"estimated"}

    def test_a_run_is_not_gone_on_with_unasked(self, run: Path, teach: Teach) -> None:
        before = (run / "run.json").read_bytes()
        with pytest.raises(errors.OutputError, match="--resume"):
            teach(run)
        assert (run / "run.json").read_bytes() == before

    def test_other_settings_are_another_run(self, run: Path, recipe: Recipe, teach: Teach) -> None:
        shorter = replace(recipe, iterations=2)
        with pytest.raises(errors.RunMismatch, match=r"another recipe\."):
            teach(run, recipe=shorter, resume=True)
        with pytest.raises(errors.RunMismatch, match=r"another variant, seeds\."):
            teach(run, variant="n16-shared", seeds=(7,), resume=True)

    def test_other_data_are_another_run(
        self, run: Path, manifest: Path, other_truth: Path, teach: Teach, tmp_path: Path
    ) -> None:
        with pytest.raises(errors.RunMismatch, match="split_sha256"):
            teach(run, manifest=other_truth, resume=True)
        moved = tmp_path / "moved.csv"
        moved.write_bytes(manifest.read_bytes())
        assert teach(run, manifest=moved, resume=True) == teach(run, resume=True)

    def test_a_siamese_network_starts_from_nothing(self, teach: Teach, tmp_path: Path) -> None:
        with pytest.raises(errors.TrainingError, match="leave --init out"):
            teach(tmp_path / "run", init="mobilenetv2_100")


class TestUnfinished:
    def test_it_is_exported_only_when_it_was_gone_on_with(
        self, run: Path, recipe: Recipe, teach: Teach, tmp_path: Path
    ) -> None:
        folder, target = tmp_path / "run", tmp_path / "bundle"
        with pytest.raises(KeyboardInterrupt):
            teach(folder, kill_at=("step", 42, 3))
        with pytest.raises(errors.TrainingError, match=r"seed-42: 2 of 4 iterations.*--resume"):
            export_run(folder, target, name="early", version="0.1.0")
        assert not target.exists()

        rest: Told = {}
        teach(folder, resume=True, told=rest)
        assert rest["step"] == [(42, 3), (42, 4)]
        for seed in recipe.seeds:
            best = Path(f"seed-{seed}") / "best.safetensors"
            assert (folder / best).read_bytes() == (run / best).read_bytes()

    def test_a_seed_that_never_began(self, run: Path, tmp_path: Path) -> None:
        record = load_run(run).model_copy(update={"seeds": (84,)})
        (tmp_path / "run.json").write_text(record.model_dump_json())
        with pytest.raises(errors.TrainingError, match="seed-84: 0 of 4 iterations"):
            export_run(tmp_path, tmp_path / "bundle", name="early", version="0.1.0")
