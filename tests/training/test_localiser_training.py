"""Annotated phantoms teach a localiser for a few iterations; it becomes a bundle that looks.

What is shown is that nothing is lost on the way, not that it finds knees.
"""

import hashlib
import io
import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from numpy.typing import NDArray
from pydicom.dataset import Dataset, FileMetaDataset
from pydicom.uid import ComputedRadiographyImageStorage, ExplicitVRLittleEndian
from safetensors.torch import load_file
from typer.testing import CliRunner

from kellgren import errors
from kellgren.anatomy import Laterality
from kellgren.cli import app
from kellgren.datasets.landmarks import read_landmarks, write_landmarks
from kellgren.datasets.phantom import write_cohort
from kellgren.datasets.splits import part_of
from kellgren.datasets.table import read_table, write_table
from kellgren.imaging import RegionSpec, read_raster
from kellgren.localise import LearnedLocaliser, load_localiser
from kellgren.localise.landmarks import LANDMARKS, LEFT, MIDDLE, RIGHT, joints
from kellgren.networks.landmarks import STRIDE
from kellgren.training.annotated import Annotated, annotated, divided
from kellgren.training.composites import Composite
from kellgren.training.export_localiser import export_localiser
from kellgren.training.localiser import (
    FirstLook,
    LocaliserRecipe,
    LocaliserRun,
    is_localiser_run,
    measure,
    objective,
    region_centre,
    targets,
    train_localiser,
)

pytestmark = pytest.mark.usefixtures("one_thread")

RECIPE = LocaliserRecipe(
    size_px=64, batch_size=2, iterations=4, validate_every=2, held_back=2, bfloat16=False
)
Cohort = tuple[Path, Path]


@pytest.fixture(scope="module")
def cohort(tmp_path_factory: pytest.TempPathFactory) -> Cohort:
    """The manifest and the landmarks of five patients' training regions; two are held back."""
    folder = tmp_path_factory.mktemp("cohort")
    manifest = write_cohort(folder, 14, seed=98)
    rows = [row for row in read_table(manifest) if row.split == "train"]
    write_table(rows, folder / "train.csv")
    images = {row.image for row in rows}
    kept = [p for p in read_landmarks(folder / "landmarks.csv") if p.image in images]
    write_landmarks(kept, folder / "train-landmarks.csv")
    return folder / "train.csv", folder / "train-landmarks.csv"


@pytest.fixture(scope="module")
def pictures(cohort: Cohort) -> tuple[Annotated, ...]:
    return annotated([cohort[0]], [cohort[1]])


def learn(
    pictures: tuple[Annotated, ...],
    folder: Path,
    *,
    recipe: LocaliserRecipe = RECIPE,
    resume: bool = False,
    kill_at: int | None = None,
) -> FirstLook:
    def watch(done: int, loss: float, found: FirstLook | None) -> None:
        assert np.isfinite(loss)
        assert (found is not None) is (done % recipe.validate_every == 0)
        if done == kill_at:
            raise KeyboardInterrupt

    return train_localiser(pictures, folder, recipe=recipe, seed=21, resume=resume, watch=watch)


@pytest.fixture(scope="module")
def run(pictures: tuple[Annotated, ...], tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("runs") / "finder"
    learn(pictures, folder)
    return folder


def as_dicom(pixels: NDArray[np.uint16]) -> bytes:
    """An uncompressed film of 12 bits."""
    data = Dataset()
    data.SOPClassUID, data.SOPInstanceUID = ComputedRadiographyImageStorage, "1.2.3"
    data.SamplesPerPixel, data.PhotometricInterpretation = 1, "MONOCHROME2"
    data.Rows, data.Columns = pixels.shape
    data.BitsAllocated, data.BitsStored, data.HighBit, data.PixelRepresentation = 16, 12, 11, 0
    data.add_new("PixelData", "OW", pixels.tobytes())
    data.file_meta = FileMetaDataset()
    data.file_meta.TransferSyntaxUID = ExplicitVRLittleEndian
    stream = io.BytesIO()
    data.save_as(stream, enforce_file_format=True)
    return stream.getvalue()


class TestAnnotated:
    def test_pictures_come_with_their_landmarks(
        self, pictures: tuple[Annotated, ...], cohort: Cohort
    ) -> None:
        placed = {(p.image, p.landmark): (p.x, p.y) for p in read_landmarks(cohort[1])}
        assert len(pictures) == 10
        for picture in pictures:
            assert picture.source.knees.shape == (1, len(LANDMARKS), 2)
            assert not picture.source.whole
            assert picture.source.laterality is picture.row.laterality
            expected = [placed[picture.row.image, name] for name in LANDMARKS]
            assert picture.source.knees[0] == pytest.approx(np.array(expected), abs=1e-3)

    def test_patients_are_held_back_as_everywhere(self, pictures: tuple[Annotated, ...]) -> None:
        learning, held_back = divided(pictures)
        assert len(learning) + len(held_back) == len(pictures)
        assert {part_of(p.row.patient) for p in learning} == {"learning"}
        assert {part_of(p.row.patient) for p in held_back} == {"snapshot", "calibration"}

    def test_what_is_not_visible_does_not_teach(self, cohort: Cohort, tmp_path: Path) -> None:
        hidden = [
            replace(p, visible=p.landmark != MIDDLE and p.visible)
            for p in read_landmarks(cohort[1])
        ]
        write_landmarks(hidden, tmp_path / "l.csv")
        for picture in annotated([cohort[0]], [tmp_path / "l.csv"]):
            (knee,) = picture.source.knees
            assert np.isnan(knee[LANDMARKS.index(MIDDLE)]).all()
            assert np.isfinite(knee[LANDMARKS.index(LEFT)]).all()

    def test_dicom_teaches_as_pictures_do(self, cohort: Cohort, tmp_path: Path) -> None:
        first = min(read_table(cohort[0]), key=lambda row: row.image)
        picture = read_raster(cohort[0].parent / first.path).pixels
        path = tmp_path / "film.dcm"
        path.write_bytes(as_dicom(picture.astype(np.uint16) * 16))
        sha256 = hashlib.sha256(path.read_bytes()).hexdigest()
        row = replace(first, path=path.name, sha256=sha256, kind="film")
        write_table([row], tmp_path / "m.csv")
        own = [place for place in read_landmarks(cohort[1]) if place.image == first.image]
        write_landmarks(own, tmp_path / "l.csv")
        (film,) = annotated([tmp_path / "m.csv"], [tmp_path / "l.csv"])
        assert film.sha256 == sha256
        assert film.source.whole
        assert film.source.pixels.dtype == np.uint8
        places = {place.landmark: (place.x, place.y) for place in own}
        expected = np.array([places[name] for name in LANDMARKS], dtype=np.float64)
        assert film.source.knees[0] == pytest.approx(expected, abs=1e-3)
        # deep pixels are stretched to eight bits, and are the same picture
        seen = film.source.pixels.ravel().astype(float)
        assert np.corrcoef(seen, picture.ravel())[0, 1] > 0.99
        assert (seen.min(), seen.max()) == (0.0, 255.0)
        spoilt = path.read_bytes()[:-1000]
        path.write_bytes(spoilt)
        with pytest.raises(errors.FileTruncated, match=r"film\.dcm"):
            annotated([tmp_path / "m.csv"], [tmp_path / "l.csv"])

    def test_strangers_and_other_pictures_are_refused(self, cohort: Cohort) -> None:
        rows = read_table(cohort[0])
        write_table([r for r in rows if r.image != rows[0].image], cohort[0].parent / "fewer.csv")
        with pytest.raises(errors.TrainingError, match="no manifest lists"):
            annotated([cohort[0].parent / "fewer.csv"], [cohort[1]])
        changed = [replace(r, sha256="0" * 64) for r in rows]
        write_table(changed, cohort[0].parent / "changed.csv")
        with pytest.raises(errors.TrainingError, match="SHA-256"):
            annotated([cohort[0].parent / "changed.csv"], [cohort[1]])

    @pytest.mark.parametrize("split", ["val", "test"])
    def test_no_official_test_teaches(
        self, pictures: tuple[Annotated, ...], split: str, tmp_path: Path
    ) -> None:
        first = replace(pictures[0], row=replace(pictures[0].row, split=split))
        with pytest.raises(errors.TrainingError, match=f"split '{split}'"):
            learn((first, *pictures[1:]), tmp_path / "run")
        assert not (tmp_path / "run").exists()


class TestObjective:
    def test_targets_are_found_again_where_the_landmarks_are(
        self, pictures: tuple[Annotated, ...]
    ) -> None:
        knee = pictures[0].source.knees[0] * (192 / 299)
        films = [
            Composite(np.zeros((192, 192), np.float32), knee[None]),
            Composite(np.zeros((192, 192), np.float32), np.zeros((0, 6, 2), np.float32)),
        ]
        wanted = targets(films, 192)
        assert wanted.shape == (2, len(LANDMARKS), 48, 48)
        assert wanted.min() >= 0.0
        assert wanted.max() <= 1.0
        assert wanted[1].max() == 0.0
        (joint,) = joints(wanted[0].numpy(), LANDMARKS, threshold=0.3)
        for name in (LEFT, RIGHT, MIDDLE):
            place = (np.array(joint.places[name]) + 0.5) * STRIDE - 0.5
            assert place == pytest.approx(knee[LANDMARKS.index(name)], abs=0.2)

    def test_a_landmark_that_is_not_there_has_an_empty_map(self) -> None:
        knee = np.full((1, 6, 2), 30.0, np.float32)
        knee[0, 5] = np.nan
        wanted = targets([Composite(np.zeros((64, 64), np.float32), knee)], 64)
        assert wanted[0, 5].max() == 0.0
        assert wanted[0, 4].max() > 0.9

    def test_the_truth_costs_least_and_peaks_cost_more(self) -> None:
        wanted = targets(
            [Composite(np.zeros((64, 64), np.float32), np.full((1, 6, 2), 31.5, np.float32))], 64
        )
        right = torch.logit(wanted.clamp(1e-4, 1 - 1e-4))
        empty = torch.full_like(wanted, -9.0)
        assert objective(right, wanted, 40.0) < objective(empty, wanted, 40.0)
        assert objective(empty, wanted, 0.0) < objective(empty, wanted, 40.0)

    def test_the_centre_of_regions_is_a_median(self, pictures: tuple[Annotated, ...]) -> None:
        sources = [picture.source for picture in pictures]
        across, down = region_centre(sources)
        assert across == 0.0
        assert abs(down) < 0.3
        with pytest.raises(errors.TrainingError, match="no annotated regions"):
            region_centre([replace(source, whole=True) for source in sources])
        nowhere = [replace(s, knees=np.full_like(s.knees, np.nan)) for s in sources]
        with pytest.raises(errors.TrainingError, match="no annotated regions"):
            region_centre(nowhere)

    def test_nothing_found_is_nothing_false(self) -> None:
        class Silent(torch.nn.Module):
            def forward(self, film: torch.Tensor) -> torch.Tensor:
                return torch.full((1, len(LANDMARKS), *(n // 4 for n in film.shape[2:])), -9.0)

        film = Composite(np.zeros((64, 64), np.float32), np.zeros((0, 6, 2), np.float32))
        scores = measure(Silent(), [film], 1, 0.5, 0.0)  # type: ignore[arg-type] # as the network
        assert (scores.found, scores.scaled, scores.false) == (0.0, 0.0, 0.0)


class TestRun:
    def test_a_killed_run_ends_as_an_undisturbed_one(
        self, pictures: tuple[Annotated, ...], run: Path, tmp_path: Path
    ) -> None:
        folder = tmp_path / "killed"
        with pytest.raises(KeyboardInterrupt):
            learn(pictures, folder, kill_at=3)
        with pytest.raises(errors.TrainingError, match="2 of 4 iterations"):
            LocaliserRun.read(folder)
        learn(pictures, folder, resume=True)
        whole, gone_on = (load_file(each / "last.safetensors") for each in (run, folder))
        assert whole.keys() == gone_on.keys()
        assert all(torch.equal(whole[name], gone_on[name]) for name in whole)
        assert (run / "run.json").read_bytes() == (folder / "run.json").read_bytes()
        logs = [
            [
                {**json.loads(line), "seconds": 0}
                for line in (each / "log.jsonl").read_text("utf-8").splitlines()
            ]
            for each in (run, folder)
        ]
        assert logs[0] == logs[1]
        assert [entry["iteration"] for entry in logs[0]] == [2, 4]

    def test_a_finished_run_has_nothing_to_go_on_with(
        self, pictures: tuple[Annotated, ...], run: Path
    ) -> None:
        before = {path.name: path.read_bytes() for path in run.iterdir()}
        assert learn(pictures, run, resume=True).iteration == 4
        assert {path.name: path.read_bytes() for path in run.iterdir()} == before

    def test_it_goes_on_only_as_it_began(
        self, pictures: tuple[Annotated, ...], run: Path, tmp_path: Path
    ) -> None:
        with pytest.raises(errors.OutputError, match="--resume"):
            learn(pictures, run)
        (tmp_path / "films").mkdir()
        (tmp_path / "films" / "a.png").write_bytes(b"x")
        for resume in (False, True):
            with pytest.raises(errors.OutputError, match="holds no earlier run"):
                learn(pictures, tmp_path / "films", resume=resume)
        assert [path.name for path in (tmp_path / "films").iterdir()] == ["a.png"]
        with pytest.raises(errors.RunMismatch, match="other settings"):
            learn(pictures, run, recipe=replace(RECIPE, iterations=5), resume=True)
        source = pictures[0].source
        moved = replace(pictures[0], source=replace(source, knees=source.knees + 0.5))
        with pytest.raises(errors.RunMismatch, match="pictures"):
            learn((moved, *pictures[1:]), run, resume=True)
        (tmp_path / "run.json").write_text('{"system": "tiulpin2018"}', "utf-8")
        with pytest.raises(errors.RunMismatch, match="another kind"):
            learn(pictures, tmp_path, resume=True)

    def test_without_anybody_held_back_nothing_begins(
        self, pictures: tuple[Annotated, ...], tmp_path: Path
    ) -> None:
        learning, held_back = divided(pictures)
        for some in (learning, held_back):
            with pytest.raises(errors.TrainingError, match="no annotated"):
                learn(tuple(some), tmp_path / "run")
        assert not (tmp_path / "run").exists()


class TestExport:
    def test_export_load_find(self, run: Path, phantoms: Path, tmp_path: Path) -> None:
        assert is_localiser_run(run)
        bundle = export_localiser(run, tmp_path / "finder", name="finder", version="0.2.0")
        assert load_localiser(tmp_path / "finder").sha256 == bundle.sha256
        record = bundle.record
        assert (record.landmarks, record.film.size_px) == (LANDMARKS, RECIPE.size_px)
        assert record.centre == LocaliserRun.read(run).centre
        (source,) = record.trained_on
        assert (source.name, source.kind) == ("phantom", "synthetic")
        film = read_raster(next((phantoms.parent / "images").iterdir()))
        spec = RegionSpec(None, "whole_picture", 64)
        for knee in LearnedLocaliser(bundle, threads=1).find(film, spec, laterality=None):
            assert knee.laterality in Laterality
        again = export_localiser(run, tmp_path / "again", name="finder", version="0.2.0")
        assert again.sha256 == bundle.sha256

    @pytest.mark.parametrize(("name", "version"), [("My Finder", "0.1.0"), ("finder", "new")])
    def test_what_no_bundle_can_be_called_is_an_error(
        self, run: Path, tmp_path: Path, name: str, version: str
    ) -> None:
        with pytest.raises(errors.BundleInvalid, match="no bundle can say this"):
            export_localiser(run, tmp_path / "finder", name=name, version=version)
        assert not (tmp_path / "finder").exists()


def say(*words: object) -> tuple[int, str, str]:
    done = CliRunner().invoke(app, [str(word) for word in words])
    if done.exception is not None and not isinstance(done.exception, SystemExit):
        raise done.exception
    return done.exit_code, done.stdout, done.stderr


class TestWords:
    def test_train_and_export(
        self, cohort: Cohort, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        from kellgren.training import localiser as module

        monkeypatch.setattr(module, "LocaliserRecipe", lambda: RECIPE)
        tables = ("--data", cohort[0], "--landmarks", cohort[1])
        words = ("train", "localiser", *tables, "-o", tmp_path / "run", "--iterations", 1)
        status, out, err = say(*words)
        assert status == 0, err
        assert out.startswith("held-back composites: ")
        assert "iteration 1/1" in err
        status, out, err = say("export", tmp_path / "run", "-o", tmp_path / "finder")
        assert status == 0, err
        assert out.startswith(f"{tmp_path / 'finder'}: finder 0.1.0, ")
        assert say(*words)[0] == 2
        assert say(*words, "--resume")[0] == 0

    @pytest.mark.parametrize(
        ("words", "said"),
        [
            (("--variant", "n8"), "--variant"),
            (("--seeds", "1"), "--seeds"),
            (("--init", "x"), "--init"),
            (("--teacher", "x"), "--teacher"),
            (("--device", "cuda"), "processor"),
            (("--fidelity", "paper"), "one recipe"),
            ((), "--landmarks"),
        ],
        ids=str,
    )
    def test_what_a_localiser_has_not_is_refused(
        self, cohort: Cohort, tmp_path: Path, words: tuple[str, ...], said: str
    ) -> None:
        line = ("train", "localiser", "--data", cohort[0], "-o", tmp_path / "run", *words)
        status, out, err = say(*line)
        assert (status, out) == (2, "")
        assert said in err
        assert not (tmp_path / "run").exists()

    def test_landmarks_teach_no_system(self, cohort: Cohort, tmp_path: Path) -> None:
        words = ("--data", cohort[0], "--landmarks", cohort[1], "-o", tmp_path / "run")
        status, _, err = say("train", "tiulpin2018", *words)
        assert (status, "teach the localiser only" in err) == (2, True)


def test_the_fixture_has_patients_for_all_parts(pictures: tuple[Annotated, ...]) -> None:
    # Or the tests above would say nothing.
    learning, held_back = divided(pictures)
    assert learning
    assert held_back
