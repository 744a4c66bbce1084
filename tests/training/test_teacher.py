"""A teacher is asked about every view that its student will meet, once."""

import importlib.util
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from numpy.typing import NDArray

from kellgren import errors
from kellgren.anatomy import KL, Laterality
from kellgren.bundles.record import TrainedOn
from kellgren.datasets.splits import Part
from kellgren.datasets.table import Row
from kellgren.grading import Bundle, Grader
from kellgren.grading.backend import Backend
from kellgren.imaging import Region
from kellgren.systems import Distillation, Recipe, system
from kellgren.training import teacher as place
from kellgren.training.augmentation import apply, sample_distortion, view_stream
from kellgren.training.export import export_run
from kellgren.training.loop import Samples, Validation, distorted, objective
from kellgren.training.regions import load_regions
from kellgren.training.sampling import Batch, earlier_draws
from kellgren.training.teacher import teacher_logits

pytestmark = pytest.mark.usefixtures("one_thread")

VIEWS = 3
ELSEWHERE = TrainedOn(
    name="elsewhere",
    kind="real",
    source="another hospital",
    licence="CC0",
    counts={"knees": 7},
    split_sha256="7" * 64,
)

Seen = Callable[[Row, Grader], Region]
Teach = Callable[..., list[Validation]]
Told = dict[str, list[tuple[float, ...]]]
Ask = Callable[..., NDArray[np.float32]]


class Witness(Backend):
    """A graph that remembers what it was shown, and whose logits are the means of five columns."""

    def __init__(self) -> None:
        self.shown: list[NDArray[np.float32]] = []
        self.precisions: list[str] = []
        self.patience = 1_000

    def run(self, **inputs: NDArray[np.float32]) -> dict[str, NDArray[np.float32]]:
        if len(self.shown) == self.patience:
            raise KeyboardInterrupt
        self.shown.append(inputs["region"])
        return {"logits/kl": said_of(inputs["region"])[:, np.newaxis]}

    def open(self, _bundle: Bundle, *, precision: str, threads: int | None) -> "Witness":
        assert threads is None
        self.precisions.append(precision)
        return self

    def views(self, n: int) -> NDArray[np.float32]:
        """(views, n, H, W): what it was shown."""
        pictures = np.concatenate(self.shown)
        return pictures.reshape(-1, n, *pictures.shape[-2:])


def said_of(region: NDArray[np.float32]) -> NDArray[np.float32]:
    columns = np.array_split(region, len(KL.classes), axis=-1)
    return 20 * np.stack([column.mean((-3, -2, -1)) for column in columns], axis=-1)


@pytest.fixture
def witness(monkeypatch: pytest.MonkeyPatch) -> Witness:
    """Answers in place of whatever bundle is asked."""
    found = Witness()
    monkeypatch.setattr(place, "open_backend", found.open)
    monkeypatch.setattr(place, "_BATCH", 4)  # the cohort's six knees are two batches
    return found


@pytest.fixture
def without_openvino(monkeypatch: pytest.MonkeyPatch) -> None:
    find = importlib.util.find_spec
    monkeypatch.setattr(
        importlib.util, "find_spec", lambda name: None if name == "openvino" else find(name)
    )


@pytest.fixture
def ask(exported: Bundle, recipe: Recipe, manifest: Path, tmp_path: Path) -> Ask:
    """The exported bundle's answers, kept in a folder of the test's own."""

    def teach(
        rows: list[Row],
        *,
        bundle: Bundle = exported,
        recipe: Recipe = recipe,
        root: Path = manifest.parent,
        folder: Path = tmp_path / "answers",
    ) -> NDArray[np.float32]:
        return teacher_logits(
            bundle, rows, recipe, root=root, folder=folder, watch=lambda _done, _all: None
        )

    return teach


def changed(bundle: Bundle, **fields: object) -> Bundle:
    """The same graph under another record."""
    return Bundle(bundle.record.model_copy(update=fields), bundle.sha256, bundle.contents)


def knees(rows: list[Row], recipe: Recipe, root: Path, cache: Path) -> Samples:
    """A student's, of whom no teacher has said anything yet."""
    regions = load_regions(rows, recipe.region, root=root, cache=cache, watch=lambda *_: None)
    return Samples(regions, np.array([row.value for row in rows]))


def drawn(order: list[int], *, epoch: int) -> Batch:
    return Batch(0, epoch, np.array(order), earlier_draws(np.array(order)))


class TestViews:
    def test_the_student_meets_what_the_teacher_answered_about(
        self,
        witness: Witness,
        ask: Ask,
        parts: dict[Part, list[Row]],
        recipe: Recipe,
        manifest: Path,
        tmp_path: Path,
    ) -> None:
        rows = parts["learning"]
        # The same draws; only the student's pictures are blurred and noisy.
        unclear = replace(recipe.augmentation, noise_sd=0.1, blur_px=1.0, detail=(0.0, 2.0))
        noisy = replace(recipe, augmentation=unclear)
        answers = ask(rows, recipe=noisy)
        assert answers.shape == (VIEWS, len(rows), 5)
        assert answers.dtype == np.float32
        pictures = witness.views(len(rows))
        taught = replace(
            knees(rows, recipe, manifest.parent, tmp_path / "cache"), teacher_logits=answers
        )
        believing = replace(recipe, distillation=Distillation(1.0, 1.0, views=VIEWS))
        met = set()
        for epoch in range(2 * VIEWS):
            batch = drawn([4, 0, 5, 4], epoch=epoch)
            shown = distorted(taught, batch, recipe, seed=21)
            assert not torch.equal(shown, distorted(taught, batch, noisy, seed=21))
            views = batch.views(VIEWS, seed=21)
            for (picture,), view, index in zip(shown, views, batch.indices, strict=True):
                np.testing.assert_allclose(picture, pictures[view, index], rtol=0, atol=1e-5)
                met.add((int(view), int(index)))
            # A student that says of its pictures what the teacher said has nothing to learn.
            said = torch.from_numpy(said_of(shown.numpy()))
            assert objective(said, taught, batch, believing, seed=21).item() < 1e-5
            assert objective(said, taught, batch, believing, seed=22).item() > 1e-3
        assert met == {(view, index) for view in range(VIEWS) for index in (0, 4, 5)}

    def test_a_teacher_of_another_geometry_is_asked_about_the_same_views(
        self,
        witness: Witness,
        ask: Ask,
        exported: Bundle,
        parts: dict[Part, list[Row]],
        recipe: Recipe,
        manifest: Path,
        tmp_path: Path,
    ) -> None:
        rows = parts["learning"]
        spec = replace(
            recipe.region,
            size_px=recipe.region.size_px // 2,
            mirror_to=Laterality.LEFT,
            mean=0.3,
            sd=0.5,
        )
        answers = ask(rows, bundle=changed(exported, region=spec))
        pictures = witness.views(len(rows))[..., ::-1] * spec.sd + spec.mean
        assert pictures.shape == (VIEWS, len(rows), spec.size_px, spec.size_px)
        taught = replace(
            knees(rows, recipe, manifest.parent, tmp_path / "cache"), teacher_logits=answers
        )
        batch = drawn([*range(len(rows))], epoch=0)
        shown = distorted(taught, batch, recipe, seed=21) * recipe.region.sd + recipe.region.mean
        coarse = torch.nn.functional.avg_pool2d(shown, 2).numpy()
        view = int(batch.views(VIEWS, seed=21)[0])
        for index, (picture,) in enumerate(coarse):
            # Of all views of all knees this one is the nearest, and near.
            off = np.abs(pictures - picture).mean((-2, -1))
            assert np.unravel_index(off.argmin(), off.shape) == (view, index)
            assert off.min() < 0.03
            assert np.sort(off, axis=None)[1] > 2 * off.min()


class TestAnswers:
    @pytest.mark.usefixtures("without_openvino")
    def test_they_are_the_bundles(
        self,
        ask: Ask,
        exported: Bundle,
        parts: dict[Part, list[Row]],
        recipe: Recipe,
        seen: Seen,
    ) -> None:
        rows, grader = parts["calibration"], Grader(exported, threads=1)
        answers = ask(rows)
        for view in range(VIEWS):
            for index, row in enumerate(rows):
                region = seen(row, grader)
                ranges = recipe.augmentation
                distortion = sample_distortion(ranges, view_stream(view, index)).clear
                upright = torch.from_numpy(region.pixels)[None, None]
                (picture,) = apply(upright, [distortion], fill=recipe.region.fill).numpy()[0]
                met = Region(picture, region.frame, region.on_film)
                logits = grader.outputs([met])["logits/kl"][0]
                # The bundle adds up its members.
                np.testing.assert_allclose(
                    answers[view, index], logits.sum(axis=0), rtol=0, atol=1e-4
                )

    def test_short_formats_say_nearly_the_same(
        self, ask: Ask, parts: dict[Part, list[Row]], tmp_path: Path
    ) -> None:
        pytest.importorskip("openvino", reason="the extra 'fast' is not installed")
        rows = parts["calibration"]
        quick = ask(rows)
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(importlib.util, "find_spec", lambda _name: None)
            exact = ask(rows, folder=tmp_path / "exact")
        # bfloat16 has eight bits of mantissa.
        np.testing.assert_allclose(quick, exact, rtol=0, atol=0.05 * float(np.ptp(exact)))

    @pytest.mark.parametrize(("installed", "precision"), [(True, "fast"), (False, "default")])
    def test_short_formats_are_asked_for_where_they_are_installed(
        self,
        witness: Witness,
        ask: Ask,
        parts: dict[Part, list[Row]],
        monkeypatch: pytest.MonkeyPatch,
        installed: bool,
        precision: str,
    ) -> None:
        spec = object() if installed else None
        monkeypatch.setattr(importlib.util, "find_spec", lambda _name: spec)
        ask(parts["calibration"])
        assert witness.precisions == [precision]


class TestKept:
    def test_a_killed_run_goes_on_with_the_first_view_that_is_not_whole(
        self,
        witness: Witness,
        teach: Teach,
        exported: Bundle,
        recipe: Recipe,
        tmp_path: Path,
    ) -> None:
        short = replace(recipe, iterations=1, validate_every=1, seeds=(21,))
        folder, whole = tmp_path / "killed", tmp_path / "undisturbed"
        teach(whole, recipe=short, teacher=exported)
        assert [len(shown) for shown in witness.shown] == [4, 2] * VIEWS
        expected = list(witness.shown)

        witness.shown.clear()
        witness.patience = 3
        told: Told = {}
        with pytest.raises(KeyboardInterrupt):
            teach(folder, recipe=short, teacher=exported, told=told)
        assert told["asking"] == [(1, 3)]
        names = {item.name for item in (folder / "teacher").glob("[!r]*")}
        assert names == {"view-00.npy"}

        witness.shown.clear()
        witness.patience = 1_000
        again: Told = {}
        teach(folder, recipe=short, teacher=exported, resume=True, told=again)
        assert again["asking"] == [(1, 3), (2, 3), (3, 3)]
        for shown, of_whole in zip(witness.shown, expected[2:], strict=True):
            np.testing.assert_array_equal(shown, of_whole)
        for name in ("teacher/view-00.npy", "teacher/view-01.npy", "teacher/view-02.npy"):
            assert (folder / name).read_bytes() == (whole / name).read_bytes()
        best = "seed-21/best.safetensors"
        assert (folder / best).read_bytes() == (whole / best).read_bytes()

    def test_what_is_whole_is_not_asked_again(
        self, witness: Witness, ask: Ask, parts: dict[Part, list[Row]], tmp_path: Path
    ) -> None:
        rows = parts["calibration"]
        first = ask(rows)
        asked = len(witness.shown)
        np.testing.assert_array_equal(ask(rows, root=tmp_path / "nowhere"), first)
        assert len(witness.shown) == asked == VIEWS
        assert len(witness.precisions) == 1, "the graph was opened again"

    def test_answers_about_other_rows_are_refused(
        self, witness: Witness, ask: Ask, parts: dict[Part, list[Row]], tmp_path: Path
    ) -> None:
        rows = parts["calibration"]
        ask(rows)
        with pytest.raises(errors.TrainingError, match=r"view-00\.npy: of 2 knees, not 1"):
            ask(rows[:1])
        (tmp_path / "answers" / "view-00.npy").unlink()
        with pytest.raises(errors.TrainingError, match=r"view-01\.npy: of 2 knees, not 1"):
            ask(rows[:1])
        assert len(witness.precisions) == 1, "opened before what is kept was looked at"


class TestTeaching:
    @pytest.mark.usefixtures("without_openvino")
    def test_a_bundle_teaches_and_is_named(
        self, exported: Bundle, recipe: Recipe, teach: Teach, tmp_path: Path
    ) -> None:
        # As if it had learned from two data sets, of which this one is the first.
        record = exported.record
        teacher = changed(exported, trained_on=(*record.trained_on, ELSEWHERE))
        short = replace(recipe, iterations=2, seeds=(21,))
        folder, told = tmp_path / "student", Told()
        teach(folder, recipe=short, teacher=teacher, told=told)
        assert told["asking"] == [(1, VIEWS), (2, VIEWS), (3, VIEWS)]

        alone = tmp_path / "alone"
        teach(alone, recipe=short)
        best = Path("seed-21") / "best.safetensors"
        assert (folder / best).read_bytes() != (alone / best).read_bytes()

        with pytest.raises(errors.RunMismatch, match=r"another teacher, teacher_sha256\."):
            teach(folder, recipe=short, resume=True)
        student = export_run(folder, tmp_path / "bundle", name="student", version="0.1.0").record
        assert student.taught_by == "tiny@1.2.3"
        assert student.trained_on == (*record.trained_on, ELSEWHERE)
        assert student.synthetic

    def test_a_teacher_grades_what_is_taught(self, ask: Ask, exported: Bundle) -> None:
        other = changed(exported, tasks=(replace(KL, name="jsn_medial"),))
        with pytest.raises(errors.TrainingError, match="does not grade kl"):
            ask([], bundle=other)

    def test_a_teacher_needs_a_recipe_that_learns_from_one(
        self, ask: Ask, exported: Bundle, recipe: Recipe, teach: Teach, tmp_path: Path
    ) -> None:
        paper = replace(system("tiulpin2018").recipes["paper"], iterations=1)
        with pytest.raises(errors.TrainingError, match="fidelity paper, learns from no teacher"):
            teach(tmp_path / "run", fidelity="paper", recipe=paper, teacher=exported)
        assert not (tmp_path / "run").exists()
        with pytest.raises(errors.TrainingError, match="learns from no teacher"):
            ask([], recipe=replace(recipe, distillation=None))
