"""A run becomes a bundle: nothing is lost on the way, and nothing that is wrong gets through."""

import hashlib
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import timm
import torch
from numpy.typing import NDArray
from safetensors.torch import load_file, save_file

from kellgren import errors
from kellgren.anatomy import KL, Laterality
from kellgren.bundles.store import MODEL, RECORD
from kellgren.datasets.splits import Part
from kellgren.datasets.table import Row, read_table
from kellgren.grading import Bundle, Grader
from kellgren.grading.calibration import fit_calibration
from kellgren.grading.conformal import fit_quantile
from kellgren.imaging import Region, cut_region, read_raster, standardise, whole_picture
from kellgren.networks.siamese import DeepSiamese
from kellgren.selfcheck import answers
from kellgren.systems import system
from kellgren.training.export import COVERAGE, export_run
from kellgren.training.loop import Validation
from kellgren.training.run import load_run

pytestmark = pytest.mark.usefixtures("one_thread")

SIAMESE = system("tiulpin2018")

Seen = Callable[[Row, Grader], Region]
Teach = Callable[..., list[Validation]]


def member_logits(grader: Grader, regions: Sequence[Region]) -> NDArray[np.float32]:
    return grader.outputs(regions)["logits/kl"]


class TestBundle:
    def test_its_record_says_where_it_comes_from(
        self, kept: tuple[Path, list[Validation]], exported: Bundle
    ) -> None:
        record, run = exported.record, load_run(kept[0])
        assert (record.name, record.version) == ("tiny", "1.2.3")
        assert (record.system, record.fidelity, record.variant) == (
            "tiulpin2018",
            "modern",
            "n8-shared",
        )
        assert (record.doi, record.limits) == (SIAMESE.doi, SIAMESE.limits)
        assert record.region == run.recipe.region
        assert record.tasks == (KL,)
        assert [(m.seed, m.iteration) for m in record.members] == [
            (best.seed, best.iteration) for best in kept[1]
        ]
        assert (record.fusion, record.explanation) == ("sum_logits", "cam_exact")
        assert (record.taught_by, record.initialised_from) == (None, None)
        (source,) = record.trained_on
        assert (source.name, source.kind, source.licence) == ("phantom", "synthetic", "Apache-2.0")
        assert source.counts == run.counts["learning"]
        assert source.split_sha256 == run.split_sha256["learning"]
        assert record.synthetic

    def test_its_hashes_are_those_of_its_files(self, place: Path, exported: Bundle) -> None:
        assert {item.name for item in place.iterdir()} == {RECORD, MODEL}
        model = (place / MODEL).read_bytes()
        assert exported.record.files == {MODEL: hashlib.sha256(model).hexdigest()}
        assert exported.sha256 == hashlib.sha256((place / RECORD).read_bytes()).hexdigest()

    def test_it_says_what_the_kept_snapshots_say(
        self, run: Path, parts: dict[Part, list[Row]], exported: Bundle, seen: Seen
    ) -> None:
        grader = Grader(exported, threads=1)
        regions = [seen(row, grader) for row in parts["calibration"]]
        pixels = np.stack([region.pixels for region in regions])[:, np.newaxis]
        inputs = torch.from_numpy(standardise(pixels, exported.record.region))
        for place, seed in enumerate(load_run(run).seeds):
            network = SIAMESE.build("n8-shared", "modern")
            assert isinstance(network, DeepSiamese)
            weights = load_file(run / f"seed-{seed}" / "best.safetensors")
            network.load_state_dict(weights, strict=False)
            # The one branch is stored once, under its first name.
            assert len(weights) == len({id(t) for t in network.state_dict(keep_vars=True).values()})
            with torch.no_grad():
                expected = network.eval()(inputs)
            found = member_logits(grader, regions)[:, place]
            np.testing.assert_allclose(found, expected, rtol=0, atol=1e-4)

    def test_it_is_calibrated_on_the_held_back_tenth(
        self, parts: dict[Part, list[Row]], exported: Bundle, seen: Seen
    ) -> None:
        grader, record = Grader(exported, threads=1), exported.record
        halves = []
        for part in ("snapshot", "calibration"):
            regions = [seen(row, grader) for row in parts[part]]
            # Logits are summed over members.
            fused = member_logits(grader, regions).astype(np.float64).sum(axis=1)
            halves.append((fused, np.array([row.value for row in parts[part]])))
        logits, truth = (np.concatenate(part) for part in zip(*halves, strict=True))
        found = fit_calibration(logits, truth)
        assert record.temperature["kl"] == pytest.approx(found.temperature, rel=1e-3)
        np.testing.assert_allclose(record.bias["kl"], found.bias, atol=1e-3)
        # Each half's scores are those of knees that did not calibrate them.
        crossed = np.concatenate(
            [
                fit_calibration(*other)(mine)
                for (mine, _), other in zip(halves, halves[::-1], strict=True)
            ]
        )
        plan = record.conformal["kl"]
        assert plan.coverage == COVERAGE
        assert plan.q == pytest.approx(fit_quantile(crossed, truth, coverage=COVERAGE), abs=1e-5)

    def test_it_grades_who_was_never_learned_from(self, manifest: Path, exported: Bundle) -> None:
        grader = Grader(exported, threads=1)
        said = set()
        for row in read_table(manifest):
            if row.task != KL.name or row.split == "train":
                continue
            film = read_raster(manifest.parent / row.path)
            region = cut_region(
                film, whole_picture(film, exported.record.region), exported.record.region
            )
            graded = grader.grade(region, row.laterality)
            prediction = graded.predictions["kl"]
            assert sum(round(p * 1e6) for p in prediction.probabilities) == 1_000_000
            assert prediction.grade in prediction.set
            assert graded.attention is not None
            assert graded.attention.shape == (exported.record.region.size_px,) * 2
            said.add(prediction.probabilities)
        assert len(said) == 4  # two patients, two knees each, no two alike

    def test_its_self_test_is_its_own_answer(self, exported: Bundle) -> None:
        said = answers(Grader(exported, threads=1))
        assert exported.record.self_test.keys() == said.keys() == {"kl"}
        np.testing.assert_allclose(exported.record.self_test["kl"], said["kl"], rtol=0, atol=1e-4)

    def test_another_export_is_the_same_to_the_byte(
        self, run: Path, place: Path, exported: Bundle
    ) -> None:
        again = export_run(run, place, name="tiny", version="1.2.3")
        assert again.sha256 == exported.sha256
        assert [item.name for item in place.parent.iterdir()] == [place.name]


class TestRefusedExports:
    def test_what_is_no_bundle_is_not_replaced(self, run: Path, tmp_path: Path) -> None:
        (tmp_path / "thesis.tex").write_text("Chapter 1")
        with pytest.raises(errors.OutputError, match="is no bundle"):
            export_run(run, tmp_path, name="tiny", version="0.1.0")
        assert [item.name for item in tmp_path.iterdir()] == ["thesis.tex"]
        assert not list(tmp_path.parent.glob(f".{tmp_path.name}.*"))

    @pytest.mark.parametrize(("name", "version"), [("My bundle", "0.1.0"), ("tiny", "1.0")])
    def test_a_name_or_version_that_no_bundle_has(
        self, run: Path, tmp_path: Path, name: str, version: str
    ) -> None:
        with pytest.raises(errors.BundleInvalid, match=r"name:|version:"):
            export_run(run, tmp_path / "bundle", name=name, version=version)
        assert not (tmp_path / "bundle").exists()

    def test_data_that_are_no_longer_the_runs(
        self, run: Path, other_truth: Path, tmp_path: Path
    ) -> None:
        folder = copy_of(run, tmp_path / "run", manifest=str(other_truth))
        with pytest.raises(errors.TrainingError, match=r"changed\.csv: has changed since the run"):
            export_run(folder, tmp_path / "bundle", name="tiny", version="0.1.0")

    def test_weights_of_another_network(self, run: Path, tmp_path: Path) -> None:
        folder = copy_of(run, tmp_path / "run", variant="n8-separate")
        with pytest.raises(errors.TrainingError, match="weights of another architecture"):
            export_run(folder, tmp_path / "bundle", name="tiny", version="0.1.0")


def copy_of(run: Path, folder: Path, **changes: str) -> Path:
    """The run with another record."""
    folder.mkdir()
    record = load_run(run)
    (folder / "run.json").write_text(record.model_copy(update=changes).model_dump_json())
    for seed in record.seeds:
        (folder / f"seed-{seed}").symlink_to(run / f"seed-{seed}", target_is_directory=True)
    return folder


def test_a_backbone_starts_from_given_weights_and_explains_nothing(
    parts: dict[Part, list[Row]], teach: Teach, seen: Seen, tmp_path: Path
) -> None:
    weights = tmp_path / "imagenet.safetensors"
    torch.manual_seed(0)
    save_file(timm.create_model("mobilenetv2_100", pretrained=False).state_dict(), weights)
    backbone = system("mobilenetv2")
    modern = backbone.recipes["modern"]
    recipe = replace(
        modern,
        region=replace(modern.region, size_px=64),
        iterations=1,
        validate_every=1,
        batch_size=4,
        bfloat16=False,
    )
    teach(
        tmp_path / "run",
        taught=backbone,
        variant=backbone.default_variant,
        recipe=recipe,
        seeds=(21,),
        init=str(weights),
    )
    bundle = export_run(tmp_path / "run", tmp_path / "bundle", name="backbone", version="0.1.0")
    digest = hashlib.sha256(weights.read_bytes()).hexdigest()
    assert bundle.record.initialised_from == f"imagenet.safetensors sha256:{digest}"
    assert (bundle.record.doi, bundle.record.explanation) == (None, "none")
    grader = Grader(bundle, threads=1)
    region = seen(parts["calibration"][0], grader)
    graded = grader.grade(region, Laterality.RIGHT)
    assert sum(graded.predictions["kl"].probabilities) == pytest.approx(1.0)
    assert graded.attention is None
