"""A cohort of phantoms becomes a run, the run a bundle, and the bundle grades and teaches.

The networks are narrow and learn for four iterations: what is shown is that nothing is lost on the
way, not that they can grade.
"""

import dataclasses
import hashlib
import json
from collections.abc import Sequence
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
from kellgren.datasets.phantom import write_cohort
from kellgren.datasets.splits import split_sha256
from kellgren.datasets.table import Row, read_table, write_table
from kellgren.grading import Bundle, Grader, load_bundle
from kellgren.grading.bundle import MODEL, RECORD, TrainedOn
from kellgren.grading.calibration import fit_temperature, softmax
from kellgren.grading.conformal import contiguous_sets, fit_quantile
from kellgren.imaging import Region, cut_region, read_raster, standardise, whole_picture
from kellgren.networks.siamese import DeepSiamese
from kellgren.selfcheck import answers
from kellgren.systems import Fidelity, Recipe, System, system
from kellgren.training import export
from kellgren.training.export import COVERAGE, export_run
from kellgren.training.loop import Step, Validation
from kellgren.training.run import Watcher, load_run, parts_of, train
from kellgren.training.teacher import teacher_logits

pytestmark = pytest.mark.usefixtures("one_thread")

SIAMESE = system("tiulpin2018")
RECIPE = replace(
    SIAMESE.recipes["modern"], iterations=4, validate_every=2, batch_size=4, bfloat16=False
)
SEEDS = (21, 42)
CPU = torch.device("cpu")


class KilledError(Exception):
    """Stands for a power cut."""


@dataclasses.dataclass
class Notes:
    """What a run told, and where to pull the plug."""

    kill_at: tuple[int, int] | None = None
    cut: int = 0
    estimates: list[float] = dataclasses.field(default_factory=list)
    steps: list[Step] = dataclasses.field(default_factory=list)

    def cutting(self, _done: int, _everyone: int) -> None:
        self.cut += 1

    def step(self, step: Step) -> None:
        self.steps.append(step)
        if (step.seed, step.iteration) == self.kill_at:
            raise KilledError

    @property
    def watcher(self) -> Watcher:
        return Watcher(self.cutting, self.estimates.append, self.step)


def teach(
    folder: Path,
    manifest: Path,
    notes: Notes | None = None,
    *,
    taught: System = SIAMESE,
    variant: str = "n8-shared",
    fidelity: Fidelity = "modern",
    recipe: Recipe = RECIPE,
    seeds: tuple[int, ...] = SEEDS,
    init: str | None = None,
    teacher: Bundle | None = None,
    resume: bool = False,
) -> list[Validation]:
    return train(
        taught,
        manifest,
        folder,
        fidelity=fidelity,
        variant=variant,
        seeds=seeds,
        init=init,
        teacher=teacher,
        device=CPU,
        resume=resume,
        watch=(notes or Notes()).watcher,
        recipe=recipe,
    )


@pytest.fixture(scope="module")
def manifest(tmp_path_factory: pytest.TempPathFactory) -> Path:
    # The hash puts three of this cohort's patients to learning and one to either other part.
    return write_cohort(tmp_path_factory.mktemp("cohort"), 14, seed=98)


@pytest.fixture(scope="module")
def notes() -> Notes:
    return Notes()


@pytest.fixture(scope="module")
def kept(
    tmp_path_factory: pytest.TempPathFactory, manifest: Path, notes: Notes, one_thread: None
) -> tuple[Path, list[Validation]]:
    del one_thread
    folder = tmp_path_factory.mktemp("runs") / "siamese"
    return folder, teach(folder, manifest, notes)


@pytest.fixture(scope="module")
def run(kept: tuple[Path, list[Validation]]) -> Path:
    return kept[0]


@pytest.fixture(scope="module")
def place(run: Path) -> Path:
    target = run.parent / "bundles" / "tiny"
    export_run(run, target, name="tiny", version="1.2.3")
    return target


@pytest.fixture(scope="module")
def exported(place: Path) -> Bundle:
    return load_bundle(place)


def rows_of(manifest: Path, part: str) -> list[Row]:
    return {str(name): rows for name, rows in parts_of(read_table(manifest)).items()}[part]


def seen(manifest: Path, row: Row, grader: Grader) -> Region:
    spec = grader.bundle.record.region
    film = read_raster(manifest.parent / row.path)
    region = cut_region(film, whole_picture(film, spec), spec)
    return region if row.laterality == spec.mirror_to else region.mirror()


def member_logits(grader: Grader, regions: Sequence[Region]) -> NDArray[np.float32]:
    return grader.outputs(regions)["logits/kl"]


class TestRun:
    def test_a_run_is_what_the_contract_says(
        self, kept: tuple[Path, list[Validation]], manifest: Path, notes: Notes
    ) -> None:
        run, best = kept
        for seed, validation in zip(SEEDS, best, strict=True):
            place = run / f"seed-{seed}"
            files = {item.name for item in place.iterdir()}
            assert files == {"resume.pt", "best.safetensors", "log.jsonl"}
            log = [json.loads(line) for line in (place / "log.jsonl").read_text().splitlines()]
            assert [line["iteration"] for line in log] == [2, 4]
            assert dataclasses.asdict(validation) in log
            assert validation.cross_entropy == min(line["cross_entropy"] for line in log)
            assert torch.load(place / "resume.pt", weights_only=True)["iteration"] == 4
        assert [(step.seed, step.iteration) for step in notes.steps] == [
            (seed, iteration) for seed in SEEDS for iteration in range(1, 5)
        ]
        assert notes.cut == 8
        assert len(notes.estimates) == 1
        assert notes.estimates[0] > 0.0
        record = load_run(run)
        assert record.seeds == SEEDS
        assert record.recipe == RECIPE
        assert record.synthetic
        assert record.dataset == "phantom"
        assert record.counts["learning"]["knees"] == 6
        for part in ("learning", "snapshot", "calibration"):
            rows = rows_of(manifest, part)
            assert record.split_sha256[part] == split_sha256(rows)
            assert record.counts[part]["knees"] == len(rows)
            assert record.counts[part]["patients"] == len({row.patient for row in rows})
            assert sum(record.counts[part][f"kl_{grade}"] for grade in range(5)) == len(rows)

    def test_a_finished_run_is_not_run_again(
        self, kept: tuple[Path, list[Validation]], manifest: Path
    ) -> None:
        run, best = kept
        again = Notes()
        assert teach(run, manifest, again, resume=True) == best
        assert again.steps == []
        assert again.cut == 0

    def test_a_run_is_not_gone_on_with_unasked(self, run: Path, manifest: Path) -> None:
        before = (run / "run.json").read_bytes()
        with pytest.raises(errors.OutputError, match="--resume"):
            teach(run, manifest)
        assert (run / "run.json").read_bytes() == before

    def test_other_settings_are_another_run(self, run: Path, manifest: Path) -> None:
        shorter = replace(RECIPE, iterations=2)
        with pytest.raises(errors.RunMismatch, match=r"another recipe\."):
            teach(run, manifest, recipe=shorter, resume=True)
        with pytest.raises(errors.RunMismatch, match=r"another variant, seeds\."):
            teach(run, manifest, variant="n16-shared", seeds=(7,), resume=True)

    def test_other_data_are_another_run(self, run: Path, manifest: Path, tmp_path: Path) -> None:
        changed = with_other_truth(manifest, tmp_path / "changed.csv")
        with pytest.raises(errors.RunMismatch, match="split_sha256"):
            teach(run, changed, resume=True)
        moved = tmp_path / "moved.csv"
        moved.write_bytes(manifest.read_bytes())
        assert teach(run, moved, resume=True) == teach(run, manifest, resume=True)

    def test_a_teacher_needs_a_recipe_that_learns_from_one(
        self, exported: Bundle, manifest: Path, tmp_path: Path
    ) -> None:
        paper = replace(SIAMESE.recipes["paper"], iterations=1)
        with pytest.raises(errors.TrainingError, match="fidelity paper, learns from no teacher"):
            teach(tmp_path / "run", manifest, fidelity="paper", recipe=paper, teacher=exported)
        assert not (tmp_path / "run").exists()

    def test_a_siamese_network_starts_from_nothing(self, manifest: Path, tmp_path: Path) -> None:
        with pytest.raises(errors.TrainingError, match="leave --init out"):
            teach(tmp_path / "run", manifest, init="mobilenetv2_100")


def with_other_truth(manifest: Path, target: Path) -> Path:
    """The same table with another grade for the first knee that calibrates."""
    first = rows_of(manifest, "calibration")[0]
    rows = [
        replace(row, value=4 - (row.value or 0)) if row.key == first.key else row
        for row in read_table(manifest)
    ]
    write_table(rows, target)
    return target


class TestUnfinished:
    def test_it_is_exported_only_when_it_was_gone_on_with(
        self, run: Path, manifest: Path, tmp_path: Path
    ) -> None:
        folder, target = tmp_path / "run", tmp_path / "bundle"
        killed = Notes(kill_at=(42, 3))
        with pytest.raises(KilledError):
            teach(folder, manifest, killed)
        with pytest.raises(errors.TrainingError, match=r"seed-42: 2 of 4 iterations.*--resume"):
            export_run(folder, target, name="early", version="0.1.0")
        assert not target.exists()

        rest = Notes()
        teach(folder, manifest, rest, resume=True)
        assert [(step.seed, step.iteration) for step in rest.steps] == [(42, 3), (42, 4)]
        for seed in SEEDS:
            best = Path(f"seed-{seed}") / "best.safetensors"
            assert (folder / best).read_bytes() == (run / best).read_bytes()

    def test_a_seed_that_never_began(self, run: Path, tmp_path: Path) -> None:
        record = load_run(run).model_copy(update={"seeds": (84,)})
        (tmp_path / "run.json").write_text(record.model_dump_json())
        with pytest.raises(errors.TrainingError, match="seed-84: 0 of 4 iterations"):
            export_run(tmp_path, tmp_path / "bundle", name="early", version="0.1.0")


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
        assert record.region == RECIPE.region
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
        self, run: Path, manifest: Path, exported: Bundle
    ) -> None:
        grader = Grader(exported, threads=1)
        regions = [seen(manifest, row, grader) for row in rows_of(manifest, "calibration")]
        pixels = np.stack([region.pixels for region in regions])[:, np.newaxis]
        inputs = torch.from_numpy(standardise(pixels, exported.record.region))
        for place, seed in enumerate(SEEDS):
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

    def test_it_is_calibrated_on_the_part_that_did_nothing_else(
        self,
        run: Path,
        manifest: Path,
        exported: Bundle,
        tmp_path: Path,
        monkeypatch: pytest.MonkeyPatch,
    ) -> None:
        shown: list[tuple[NDArray[np.float64], NDArray[np.int64]]] = []

        def fit(logits: NDArray[np.float64], grades: NDArray[np.int64]) -> float:
            shown.append((logits, grades))
            return fit_temperature(logits, grades)

        monkeypatch.setattr(export, "fit_temperature", fit)
        export_run(run, tmp_path / "bundle", name="tiny", version="1.2.3")
        grader, rows = Grader(exported, threads=1), rows_of(manifest, "calibration")
        regions = [seen(manifest, row, grader) for row in rows]
        # Logits are summed over members.
        fused = member_logits(grader, regions).astype(np.float64).sum(axis=1)
        truth = np.array([row.value for row in rows])
        ((logits, grades),) = shown
        np.testing.assert_allclose(logits, fused, rtol=0, atol=1e-4)
        np.testing.assert_array_equal(grades, truth)
        temperature = exported.record.temperature["kl"]
        assert temperature == pytest.approx(fit_temperature(fused, truth), rel=1e-3)
        probabilities = softmax(fused / temperature)
        plan = exported.record.conformal["kl"]
        assert plan.coverage == COVERAGE
        assert plan.q == pytest.approx(
            fit_quantile(probabilities, truth, coverage=COVERAGE), abs=1e-5
        )
        # So few knees cannot promise nine tenths but by sets of everything.
        assert len(rows) == 2
        assert contiguous_sets(probabilities, plan.q).all()

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
            assert graded.attention.shape == (RECIPE.region.size_px,) * 2
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
        self, run: Path, manifest: Path, tmp_path: Path
    ) -> None:
        changed = with_other_truth(manifest, manifest.with_name("changed.csv"))
        folder = copy_of(run, tmp_path / "run", manifest=str(changed))
        with pytest.raises(errors.TrainingError, match=r"changed\.csv: has changed since the run"):
            export_run(folder, tmp_path / "bundle", name="tiny", version="0.1.0")

    def test_weights_of_another_network(self, run: Path, tmp_path: Path) -> None:
        folder = copy_of(run, tmp_path / "run", variant="n8-separate")
        with pytest.raises(errors.TrainingError, match="weights of another architecture"):
            export_run(folder, tmp_path / "bundle", name="tiny", version="0.1.0")


def copy_of(run: Path, folder: Path, **changes: str) -> Path:
    """The run with another record."""
    folder.mkdir()
    (folder / "run.json").write_text(load_run(run).model_copy(update=changes).model_dump_json())
    for seed in SEEDS:
        (folder / f"seed-{seed}").symlink_to(run / f"seed-{seed}", target_is_directory=True)
    return folder


ELSEWHERE = TrainedOn(
    name="elsewhere",
    kind="real",
    source="another hospital",
    licence="CC0",
    counts={"knees": 7},
    split_sha256="7" * 64,
)


class TestTeacher:
    def test_a_bundle_teaches_and_is_named(
        self, exported: Bundle, manifest: Path, tmp_path: Path
    ) -> None:
        # As if it had learned from two data sets, of which this one is the first.
        record = exported.record
        teacher = Bundle(
            record.model_copy(update={"trained_on": (*record.trained_on, ELSEWHERE)}),
            exported.sha256,
            exported.contents,
        )
        recipe = replace(RECIPE, iterations=2)
        folder = tmp_path / "student"
        teach(folder, manifest, recipe=recipe, seeds=(21,), teacher=teacher)
        taught = np.load(folder / "teacher.npy", allow_pickle=False)
        grader, rows = Grader(teacher, threads=1), rows_of(manifest, "learning")
        assert taught.shape == (len(rows), 5)
        for said, row in zip(taught, rows, strict=True):
            region = seen(manifest, row, grader)
            both = member_logits(grader, [region, region.mirror()]).sum(axis=1)
            np.testing.assert_allclose(said, both.mean(axis=0), rtol=0, atol=1e-3)

        alone = tmp_path / "alone"
        teach(alone, manifest, recipe=recipe, seeds=(21,))
        best = Path("seed-21") / "best.safetensors"
        assert (folder / best).read_bytes() != (alone / best).read_bytes()

        with pytest.raises(errors.RunMismatch, match=r"another teacher, teacher_sha256\."):
            teach(folder, manifest, recipe=recipe, seeds=(21,), resume=True)
        student = export_run(folder, tmp_path / "bundle", name="student", version="0.1.0").record
        assert student.taught_by == "tiny@1.2.3"
        assert student.trained_on == (*record.trained_on, ELSEWHERE)
        assert student.synthetic

    def test_what_was_kept_of_another_teacher_is_not_used(
        self, exported: Bundle, manifest: Path, tmp_path: Path
    ) -> None:
        rows = rows_of(manifest, "calibration")
        first = teacher_logits(exported, rows, root=manifest.parent, kept=tmp_path / "kept.npy")
        # Nothing is graded again.
        again = teacher_logits(exported, rows, root=tmp_path, kept=tmp_path / "kept.npy")
        np.testing.assert_array_equal(first, again)
        with pytest.raises(errors.TrainingError, match=r"kept\.npy: of 2 knees, not 1"):
            teacher_logits(exported, rows[:1], root=manifest.parent, kept=tmp_path / "kept.npy")

    def test_a_teacher_grades_what_is_taught(self, exported: Bundle, tmp_path: Path) -> None:
        other = exported.record.model_copy(update={"tasks": (replace(KL, name="jsn_medial"),)})
        with pytest.raises(errors.TrainingError, match="does not grade kl"):
            teacher_logits(
                Bundle(other, exported.sha256, exported.contents),
                [],
                root=tmp_path,
                kept=tmp_path / "kept.npy",
            )


def test_a_backbone_starts_from_given_weights_and_explains_nothing(
    manifest: Path, tmp_path: Path
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
        manifest,
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
    row = rows_of(manifest, "calibration")[0]
    graded = grader.grade(seen(manifest, row, grader), Laterality.RIGHT)
    assert sum(graded.predictions["kl"].probabilities) == pytest.approx(1.0)
    assert graded.attention is None
