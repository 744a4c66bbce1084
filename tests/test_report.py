"""From tables on disk to a report: what the verbs read, adopt and refuse."""

import json
from dataclasses import replace
from pathlib import Path

import pytest
from as_typed import run

import kellgren
from kellgren import errors
from kellgren.datasets.phantom import write_cohort
from kellgren.datasets.table import read_table, write_table
from kellgren.report import adopted, report_tables
from kellgren.reporting.tables import is_grades, read_grades
from kellgren.statistics.reports.writing import is_card

FEW = ("--resamples", "40")


@pytest.fixture(scope="module")
def graded(
    tmp_path_factory: pytest.TempPathFactory, synthetic_bundle: Path
) -> tuple[Path, Path, Path]:
    """A manifest of phantoms, the folder of a batch that graded them, and its bundle."""
    place = tmp_path_factory.mktemp("graded")
    manifest = write_cohort(place / "cohort", 40, seed=11)
    kellgren.grade(
        place / "cohort" / "images",
        cropped=True,
        manifest=manifest,
        bundle=synthetic_bundle,
        output=place / "out",
    )
    return manifest, place / "out", synthetic_bundle


class TestGrades:
    def test_the_wide_table_reads_back(self, graded: tuple[Path, Path, Path]) -> None:
        manifest, out, _ = graded
        path = out / "grades.csv"
        assert is_grades(path)
        assert not is_grades(manifest)
        rows = read_grades(path)
        results = kellgren.grade(
            manifest.parent / "images", cropped=True, manifest=manifest, bundle=graded[2]
        )
        knees = {r.source: k.kl for r in results for k in r.knees}
        assert len(rows) == len(knees) == 40
        for row in rows:
            answer = knees[row.path]
            assert answer is not None
            assert (row.value, row.probabilities) == (answer.grade, answer.probabilities)
            assert row.reader == "model:tiny-synthetic@0.1.0"

    def test_what_no_batch_wrote_is_named(self, tmp_path: Path) -> None:
        head = "source,subject,laterality,laterality_source,status,message,kl"
        (tmp_path / "g.csv").write_text(f"{head}\na.png,,left,given,ok,,two\n", "utf-8")
        with pytest.raises(errors.TableError, match="row 2"):
            read_grades(tmp_path / "g.csv")


class TestReport:
    def test_on_the_command_line(self, graded: tuple[Path, Path, Path], tmp_path: Path) -> None:
        manifest, out, bundle = graded
        words = (out / "grades.csv", "--truth", manifest, "--split", "train", "--task", "kl")
        status, said, err = run("report", *words, "--bundle", bundle, "-o", tmp_path / "r", *FEW)
        assert (status, err) == (0, "")
        assert "24 knees of 12 patients" in said
        assert "Coverage of the sets" in said
        assert {path.name for path in (tmp_path / "r").iterdir()} == {
            "report.html",
            "metrics.json",
            "model_card.md",
            "figures",
        }
        card = (tmp_path / "r" / "model_card.md").read_text("utf-8")
        assert card.startswith("# tiny-synthetic 0.1.0\n")
        assert "| Kappa, quadratic weights |" in card

    def test_a_card_of_who_did_not_answer_goes(
        self, graded: tuple[Path, Path, Path], tmp_path: Path
    ) -> None:
        manifest, out, bundle = graded
        words = (out / "grades.csv", "--truth", manifest, "--task", "kl", "-o", tmp_path / "r")
        card = tmp_path / "r" / "model_card.md"
        assert run("report", *words, "--bundle", bundle, *FEW)[0] == 0
        assert is_card(card)
        assert run("report", *words, *FEW)[0] == 0
        assert not card.exists()

    @pytest.mark.parametrize(
        ("option", "value", "says"),
        [
            ("--conformal-q", "kl=0.9@0.9", "a bundle has its own quantiles"),
            ("--operating-point", "kl>=2=0.4", "a bundle has its own points"),
        ],
    )
    def test_by_hand_or_by_bundle_but_not_both(
        self, graded: tuple[Path, Path, Path], tmp_path: Path, option: str, value: str, says: str
    ) -> None:
        manifest, out, bundle = graded
        words = (out / "grades.csv", "--truth", manifest, "-o", tmp_path / "r", option, value)
        status, _, err = run("report", *words, "--bundle", bundle)
        assert status == 2
        assert says in " ".join(err.replace("│", " ").split())
        status, said, err = run("report", *words, "--task", "kl", *FEW)
        assert (status, err) == (0, "")
        assert "given by hand" in said

    def test_answers_without_a_patient_take_that_of_the_truths_picture(
        self, graded: tuple[Path, Path, Path]
    ) -> None:
        manifest, out, _ = graded
        labels = [row for row in read_table(manifest) if row.task == "kl"]
        bare = [replace(row, patient="", exam="") for row in read_grades(out / "grades.csv")]
        keys = {row.key for row in adopted(bare, labels)}
        assert keys == {row.key for row in labels}
        # Where two patients have a picture of that name, nobody's is guessed.
        twins = [*labels, *(replace(row, patient="other") for row in labels)]
        assert {row.patient for row in adopted(bare, twins)} == {""}

    def test_how_many_answers_took_it_is_said(
        self, graded: tuple[Path, Path, Path], tmp_path: Path
    ) -> None:
        manifest, out, _ = graded
        labels = [row for row in read_table(manifest) if row.task == "kl"]
        rows = adopted(read_grades(out / "grades.csv"), labels)
        nameless = [replace(row, patient="", exam="") for row in rows[:13]]
        write_table([*nameless, *rows[13:]], tmp_path / "some.csv")
        words = ("--truth", manifest, "--task", "kl", "-o", tmp_path / "r", *FEW)
        status, said, _ = run("report", tmp_path / "some.csv", *words)
        assert status == 0
        assert "13 answers were matched to the truth by file name" in said

    def test_an_external_cohort_beside_an_internal_one(
        self, graded: tuple[Path, Path, Path], tmp_path: Path
    ) -> None:
        manifest, out, _ = graded
        grades = out / "grades.csv"
        status, said, _ = run(
            *("report", grades, "--truth", manifest, "--split", "val", "--task", "kl"),
            *("--internal", grades, "--internal-split", "train", "-o", tmp_path / "r", *FEW),
        )
        assert status == 0
        assert "Internal: 24 knees of 12 patients; external: 8 knees of 4 patients." in said

    @pytest.mark.parametrize(
        ("split", "task", "says"),
        [("vall", None, "no rows of the reader"), ("val", "jsn_medial", "Both tables speak of")],
    )
    def test_what_the_tables_have_not_is_named(
        self,
        graded: tuple[Path, Path, Path],
        tmp_path: Path,
        split: str,
        task: str | None,
        says: str,
    ) -> None:
        manifest, out, _ = graded
        with pytest.raises(errors.TableError, match=says):
            report_tables(
                out / "grades.csv",
                manifest,
                tmp_path / "r",
                split=split,
                task=task,
                bundle=None,
                resamples=10,
                seed=0,
            )
        assert not (tmp_path / "r").exists()


def test_two_readers_on_the_command_line(graded: tuple[Path, Path, Path], tmp_path: Path) -> None:
    manifest, out, _ = graded
    other = [replace(row, reader="AB", probabilities=()) for row in read_grades(out / "grades.csv")]
    write_table(other, tmp_path / "other.csv")
    status, said, err = run(
        *("compare", out / "grades.csv", tmp_path / "other.csv", "--truth", manifest),
        *("--task", "kl", "-o", tmp_path / "r", *FEW),
    )
    assert (status, err) == (0, "")
    assert "First: model:tiny-synthetic@0.1.0. Second: AB." in said


def test_a_panel_on_the_command_line(graded: tuple[Path, Path, Path], tmp_path: Path) -> None:
    manifest, out, _ = graded
    truth = [row for row in read_table(manifest) if row.task == "kl"]
    answers = adopted(read_grades(out / "grades.csv"), truth)
    write_table([*truth, *answers], tmp_path / "readers.csv")
    status, said, err = run("agree", tmp_path / "readers.csv", "-o", tmp_path / "r", *FEW)
    assert (status, err) == (0, "")
    assert "40 knees of 20 patients were graded by all 2 readers" in said
    rows = json.loads((tmp_path / "r" / "metrics.json").read_text("utf-8"))
    groups = {row["group"].partition(",")[0] for row in rows}
    assert groups == {"against=truth", "all readers"}
    status, said, _ = run(
        "agree", tmp_path / "readers.csv", "-o", tmp_path / "r", "--stratified", *FEW
    )
    assert status == 0
    assert "The bootstrap was stratified: from the patients of each true grade" in said
    status, _, err = run(
        *("agree", tmp_path / "readers.csv", "-o", tmp_path / "s"),
        *("--stratified", "--millimetres", "jsw"),
    )
    assert status == 2
    assert "measurements have no grades" in err
    status, _, err = run("agree", tmp_path / "readers.csv", "--task", "knee", "-o", tmp_path / "s")
    assert status == 2
    assert "the table has" in err
