"""A bundle against the truth, on phantoms."""

import dataclasses
import hashlib
import json
import shutil
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

import pytest
import sklearn.metrics
from typer.testing import CliRunner

from kellgren import clock, errors
from kellgren.cli import app
from kellgren.datasets.ledger import Look, ledger_of, looks
from kellgren.datasets.phantom import write_cohort
from kellgren.datasets.splits import split_sha256
from kellgren.datasets.table import Row, read_table, write_table
from kellgren.evaluation import Evaluation, evaluate
from kellgren.grading import Grader, load_bundle
from kellgren.localise import WholePicture
from kellgren.pipeline import Film, grade_film

ARTEFACTS = {
    "predictions.csv",
    "metrics.json",
    "report.html",
    "model_card.md",
}
FIGURES = {"confusion", "reliability", "roc", "precision-recall", "risk-coverage"}
NOON = datetime(2026, 1, 2, 12, 0, tzinfo=UTC)


@pytest.fixture(scope="module")
def cohort(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Forty phantoms; ``val`` has eight knees of four patients."""
    return write_cohort(tmp_path_factory.mktemp("cohort"), 40, seed=11)


@pytest.fixture
def manifest(cohort: Path, tmp_path: Path) -> Path:
    """A copy with a ledger of its own."""
    return Path(shutil.copytree(cohort.parent, tmp_path / "cohort")) / cohort.name


@pytest.fixture(scope="module")
def taught_by_phantoms(synthetic_bundle: Path) -> Grader:
    return Grader(load_bundle(synthetic_bundle), threads=1)


def run(
    grader: Grader,
    manifest: Path,
    folder: Path,
    split: str = "val",
    watch: Callable[[int, int], None] = lambda *_: None,
) -> Evaluation:
    return evaluate(
        grader,
        manifest,
        folder,
        split=split,
        localiser=WholePicture(),
        clock=lambda: NOON,
        watch=watch,
    )


def truth_of(manifest: Path, split: str) -> list[Row]:
    return [row for row in read_table(manifest) if (row.split, row.task) == (split, "kl")]


def test_on_the_command_line(manifest: Path, synthetic_bundle: Path, tmp_path: Path) -> None:
    out = tmp_path / "out"
    words = ["evaluate", synthetic_bundle, "--data", manifest, "-o", out]
    done = CliRunner().invoke(app, [str(word) for word in words])
    assert (done.exit_code, done.stderr) == (0, "")
    assert {path.name for path in out.iterdir()} == {*ARTEFACTS, "figures"}
    drawn = {path.name for path in (out / "figures").iterdir()}
    assert drawn == {
        f"{figure}-kl-model-tiny-synthetic-0-1-0.{kind}"
        for figure in FIGURES
        for kind in ("png", "svg")
    }
    assert "Kellgren–Lawrence grade, model:tiny-synthetic@0.1.0\n" in done.stdout
    assert "8 knees of 4 patients" in done.stdout
    assert done.stdout.endswith(
        f"Bundles scored on this split so far: 1. See {out / 'report.html'}\n"
    )
    assert ledger_of(manifest).exists()


def test_a_hundred_stratified_draws_on_the_command_line(
    manifest: Path, synthetic_bundle: Path, tmp_path: Path
) -> None:
    out = tmp_path / "out"
    words = ["evaluate", synthetic_bundle, "--data", manifest, "-o", out]
    words += ["--resamples", "100", "--stratified"]
    done = CliRunner().invoke(app, [str(word) for word in words])
    assert (done.exit_code, done.stderr) == (0, "")
    assert "The bootstrap was stratified" in done.stdout
    rows = json.loads((out / "metrics.json").read_text("utf-8"))
    (accuracy,) = [row for row in rows if row["metric"] == "accuracy"]
    assert "100 stratified resamples of patients" in accuracy["method"]
    assert "100 stratified resamples of patients" in (out / "model_card.md").read_text("utf-8")


class TestPredictions:
    def test_they_are_what_grading_says(
        self, manifest: Path, taught_by_phantoms: Grader, tmp_path: Path
    ) -> None:
        seen = []
        run(
            taught_by_phantoms,
            manifest,
            tmp_path / "out",
            watch=lambda number, of: seen.append((number, of)),
        )
        assert seen == [(number, 8) for number in range(1, 9)]
        predictions = read_table(tmp_path / "out" / "predictions.csv")
        truth = truth_of(manifest, "val")
        assert [row.key for row in predictions] == [row.key for row in truth]
        for row in predictions:
            film = Film(manifest.parent / row.path, row.path, row.laterality)
            graded = grade_film(
                film, taught_by_phantoms, localiser=WholePicture(), clock=clock.now
            ).result
            (knee,) = graded.knees
            assert knee.kl is not None
            assert row.value == knee.kl.grade
            assert row.probabilities == knee.kl.probabilities
            assert row.reader == "model:tiny-synthetic@0.1.0"
            assert row.status == "ok"

    def test_the_numbers_are_those_of_scikit_learn(
        self, manifest: Path, taught_by_phantoms: Grader, tmp_path: Path
    ) -> None:
        found = run(taught_by_phantoms, manifest, tmp_path / "out", "train")
        (summary,) = found.summaries
        truth = [row.value for row in truth_of(manifest, "train")]
        given = [row.value for row in read_table(tmp_path / "out" / "predictions.csv")]
        assert len(truth) == 24
        oracle = sklearn.metrics.cohen_kappa_score(
            truth, given, labels=range(5), weights="quadratic"
        )
        assert summary.metric("quadratic_kappa").value == pytest.approx(oracle)
        assert summary.metric("accuracy").value == sklearn.metrics.accuracy_score(truth, given)
        rows = json.loads((tmp_path / "out" / "metrics.json").read_text("utf-8"))
        (written,) = [r for r in rows if (r["metric"], r["group"]) == ("quadratic_kappa", "all")]
        assert written["value"] == pytest.approx(oracle, abs=1e-6)
        # Twelve patients are too few for an interval.
        assert (written["low"], written["high"], written["status"]) == (None, None, "no_interval")
        assert (written["n_patients"], written["n_knees"]) == (12, 24)

    def test_the_sets_are_those_that_grading_gave(
        self, manifest: Path, taught_by_phantoms: Grader, tmp_path: Path
    ) -> None:
        (summary,) = run(taught_by_phantoms, manifest, tmp_path / "out").summaries
        sizes, covered = [], []
        for row in truth_of(manifest, "val"):
            film = Film(manifest.parent / row.path, row.path, row.laterality)
            graded = grade_film(
                film, taught_by_phantoms, localiser=WholePicture(), clock=clock.now
            ).result
            answer = graded.knees[0].grades["kl"]
            sizes.append(len(answer.set))
            covered.append(row.value in answer.set)
        assert summary.metric("mean_set_size").value == pytest.approx(sum(sizes) / 8)
        assert summary.metric("set_coverage").value == pytest.approx(sum(covered) / 8)
        assert summary.metric("set_coverage_promised").value == 0.9

    def test_twice_they_are_the_same_bytes(
        self, manifest: Path, taught_by_phantoms: Grader, tmp_path: Path
    ) -> None:
        for name in ("one", "two"):
            run(taught_by_phantoms, manifest, tmp_path / name)
        for name in ARTEFACTS:
            one, two = tmp_path / "one" / name, tmp_path / "two" / name
            assert one.read_bytes() == two.read_bytes()

    def test_a_broken_film_is_counted_and_named(
        self, manifest: Path, synthetic_bundle: Path, tmp_path: Path
    ) -> None:
        broken = truth_of(manifest, "val")[3]
        (manifest.parent / broken.path).write_bytes(b"")
        words = ["evaluate", synthetic_bundle, "--data", manifest, "-o", tmp_path / "out"]
        done = CliRunner().invoke(app, [str(word) for word in words])
        assert done.exit_code == 0
        assert "7 knees of 4 patients" in done.stdout
        assert "1 were refused (file.empty 1)" in done.stdout
        (row,) = [r for r in read_table(tmp_path / "out" / "predictions.csv") if r.status != "ok"]
        assert (row.path, row.status, row.value) == (broken.path, "file.empty", None)


class TestLedger:
    def test_every_look_is_written_and_bundles_are_counted(
        self, manifest: Path, taught_by_phantoms: Grader, grader: Grader, tmp_path: Path
    ) -> None:
        counted = [
            run(each, manifest, tmp_path / str(number), split).looks
            for number, (each, split) in enumerate(
                [(taught_by_phantoms, "val"), (taught_by_phantoms, "val"), (grader, "val"),
                 (grader, "test")]
            )
        ]  # fmt: skip
        assert counted == [1, 1, 2, 1]
        written = looks(ledger_of(manifest))
        assert len(written) == 4
        assert written[0] == written[1]
        predictions = tmp_path / "0" / "predictions.csv"
        assert written[0] == Look(
            time="2026-01-02T12:00:00Z",
            split_sha256=split_sha256(truth_of(manifest, "val")),
            predictions_sha256=hashlib.sha256(predictions.read_bytes()).hexdigest(),
            bundle_sha256=taught_by_phantoms.bundle.sha256,
        )


class TestFolder:
    def test_an_earlier_evaluation_is_replaced_as_a_whole_and_nothing_else(
        self, manifest: Path, taught_by_phantoms: Grader, tmp_path: Path
    ) -> None:
        run(taught_by_phantoms, manifest, tmp_path / "new", "test")
        out = tmp_path / "old"
        run(taught_by_phantoms, manifest, out)
        (out / "figures" / "roc-jsn_medial.png").write_bytes(b"of a bundle with more tasks")
        (out / "notes.txt").write_bytes(b"mine")
        run(taught_by_phantoms, manifest, out, "test")
        assert {path.name for path in out.iterdir()} == {*ARTEFACTS, "figures", "notes.txt"}
        figures = [{p.name for p in (f / "figures").iterdir()} for f in (out, tmp_path / "new")]
        assert figures[0] == figures[1]
        for name in ARTEFACTS:
            assert (out / name).read_bytes() == (tmp_path / "new" / name).read_bytes()

    @pytest.mark.parametrize(
        "there",
        [
            {"notes.txt": "mine"},
            {"metrics.json": "[]"},
            {"predictions.csv": "patient,reader\n7,model:m@1\n"},
            {"predictions.csv": "id,score\n7,0.5\n", "metrics.json": "{}"},
            {"predictions.csv": "patient,reader\n7,AB\n", "metrics.json": "[]"},
        ],
        ids=" ".join,
    )
    def test_what_is_none_is_refused_before_anything_is_graded(
        self, manifest: Path, taught_by_phantoms: Grader, tmp_path: Path, there: dict[str, str]
    ) -> None:
        (tmp_path / "out").mkdir()
        for name, text in there.items():
            (tmp_path / "out" / name).write_text(text, "utf-8")
        with pytest.raises(errors.OutputError, match="no earlier evaluation"):
            evaluate(
                taught_by_phantoms,
                manifest,
                tmp_path / "out",
                split="val",
                localiser=WholePicture(),
                clock=lambda: NOON,
                watch=lambda *_: pytest.fail("graded"),
            )
        after = {path.name: path.read_text("utf-8") for path in (tmp_path / "out").iterdir()}
        assert after == there
        assert not ledger_of(manifest).exists()


def test_pictures_that_only_their_paths_tell_apart(
    manifest: Path, taught_by_phantoms: Grader, tmp_path: Path
) -> None:
    rows = [dataclasses.replace(row, image="", patient="") for row in read_table(manifest)]
    write_table(rows, manifest)
    (summary,) = run(taught_by_phantoms, manifest, tmp_path / "out").summaries
    assert (summary.metric("n").value, summary.metric("n_patients").value) == (8, 8)


class TestRefused:
    def test_a_split_without_truth_names_those_there_are(
        self, manifest: Path, taught_by_phantoms: Grader, tmp_path: Path
    ) -> None:
        with pytest.raises(errors.TableError, match=r"'vall'.*test, train, val"):
            run(taught_by_phantoms, manifest, tmp_path / "out", "vall")
        assert not (tmp_path / "out").exists()

    def test_what_other_readers_say_is_no_truth(
        self, manifest: Path, taught_by_phantoms: Grader, tmp_path: Path
    ) -> None:
        rows = [dataclasses.replace(row, reader="AB") for row in read_table(manifest)]
        write_table(rows, manifest)
        with pytest.raises(errors.TableError, match="no truth"):
            run(taught_by_phantoms, manifest, tmp_path / "out")

    def test_whole_films_are_not_taken_for_regions(
        self, manifest: Path, taught_by_phantoms: Grader, tmp_path: Path
    ) -> None:
        rows = [dataclasses.replace(row, kind="film") for row in read_table(manifest)]
        write_table(rows, manifest)
        with pytest.raises(errors.WholeFilmsUnsupported):
            run(taught_by_phantoms, manifest, tmp_path / "out")

    def test_a_bundle_that_grades_none_of_them_is_no_look(
        self,
        manifest: Path,
        taught_by_phantoms: Grader,
        tmp_path: Path,
        make_picture: Callable[..., bytes],
    ) -> None:
        for index, row in enumerate(truth_of(manifest, "val")):
            (manifest.parent / row.path).write_bytes(make_picture(index))
        with pytest.raises(errors.TableError, match=r"none of the 8 pictures.*bundle\.refused"):
            run(taught_by_phantoms, manifest, tmp_path / "out")
        assert not ledger_of(manifest).exists()
        assert not (tmp_path / "out").exists()
