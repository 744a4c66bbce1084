"""Reports of made-up answers: what is written, said and refused."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from made_up_answers import FEW, READER, UNSEEN, rows_of, tables

from kellgren import errors
from kellgren.anatomy import KL
from kellgren.statistics.document import Document, Picture, Section, Table
from kellgren.statistics.reports.answers import report_answers
from kellgren.statistics.reports.millimetres import report_millimetres
from kellgren.statistics.reports.readers import report_agreement
from kellgren.statistics.reports.selection import Selection
from kellgren.statistics.reports.writing import Writer, basis


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("report") / "r"
    report_answers(*tables(), Writer(folder), tasks=(KL,), looked=UNSEEN, settings=FEW)
    return folder


class TestAnswers:
    def test_every_picture_that_the_page_shows_is_there_twice(self, folder: Path) -> None:
        page = (folder / "report.html").read_text("utf-8")
        drawn = sorted((folder / "figures").iterdir())
        vector = [path for path in drawn if path.suffix == ".svg"]
        assert len(vector) >= 5
        assert {path.stem for path in vector} == {p.stem for p in drawn if p.suffix == ".png"}
        assert all(f'src="figures/{path.name}"' in page for path in vector)
        assert page.count("<img") == len(vector)
        assert "<script" not in page

    def test_the_numbers_hold_patients_knees_and_groups(self, folder: Path) -> None:
        rows = rows_of(folder)
        groups = {row["group"] for row in rows if row["metric"] == "quadratic_kappa"}
        assert groups == {
            *("all", "all, as if knees were independent", "laterality=left", "laterality=right"),
            *("sex=F", "sex=M", "site=A"),
        }
        by_knee = next(r for r in rows if r["group"] == "all, as if knees were independent")
        assert "resamples of knees" in str(by_knee["method"])

    def test_a_cell_of_few_is_not_printed(self, folder: Path) -> None:
        page = (folder / "report.html").read_text("utf-8")
        assert "Not shown: site=B: fewer than 30 knees." in page
        assert not any(row["group"] == "site=B" for row in rows_of(folder))


def test_a_split_that_was_selected_on_is_called_so(tmp_path: Path) -> None:
    looked = Selection(bundles=3, kept=True)
    document, _ = report_answers(
        *tables(), Writer(tmp_path / "r"), tasks=(KL,), looked=looked, settings=FEW
    )
    assert "selected on" in document.sections[0].title
    assert document.warnings
    assert "not those of a test" in document.text()
    # What nobody wrote down is said as well.
    assert "does not know" in document.text()


def test_sets_and_operating_points_are_reported(tmp_path: Path) -> None:
    truth, answers = tables()
    members = np.ones((len(answers), 5), dtype=bool)
    settings = replace(
        FEW,
        sets={(READER, "kl"): members},
        coverage={(READER, "kl"): 0.9},
        operating_points={(READER, "kl"): {2: 0.4}},
    )
    document, (found,) = report_answers(
        truth, answers, Writer(tmp_path / "r"), tasks=(KL,), looked=UNSEEN, settings=settings
    )
    assert found.metric("set_coverage").value == 1.0
    assert "promise to hold 90%" in document.text()
    scores = np.array([sum(row.probabilities[2:]) for row in answers])
    positive = np.array([(row.value or 0) >= 2 for row in truth])
    assert found.metric("sensitivity").value == pytest.approx((scores[positive] >= 0.4).mean())
    youden = found.metric("youden")
    assert youden.value == pytest.approx(
        (scores[positive] >= 0.4).mean() + (scores[~positive] < 0.4).mean() - 1.0
    )
    assert youden.low < youden.value < youden.high


def test_tables_without_a_common_knee_are_refused(tmp_path: Path) -> None:
    truth, answers = tables()
    strangers = [replace(row, patient="X" + row.patient) for row in answers]
    with pytest.raises(errors.TableError, match="spell them alike"):
        report_answers(
            truth, strangers, Writer(tmp_path / "r"), tasks=(KL,), looked=UNSEEN, settings=FEW
        )


def test_ten_knees_of_one_grade_are_not_estimable(tmp_path: Path) -> None:
    truth, answers = tables(10)
    flat = [replace(row, value=2) for row in truth]
    document, (found,) = report_answers(
        flat, answers, Writer(tmp_path / "r"), tasks=(KL,), looked=UNSEEN, settings=FEW
    )
    assert found.metric("auc").status == "undefined"
    assert "not estimable" in document.text()
    assert all(row["status"] != "ok" for row in rows_of(tmp_path / "r") if row["value"] is None)


def test_readers_names_reach_no_path_and_no_page_as_markup(tmp_path: Path) -> None:
    truth, answers = tables()
    evil = [replace(row, reader="../<script>$x$") for row in answers]
    report_answers(truth, evil, Writer(tmp_path / "r"), tasks=(KL,), looked=UNSEEN, settings=FEW)
    assert {path.name for path in tmp_path.iterdir()} == {"r"}
    assert "<script>" not in (tmp_path / "r" / "report.html").read_text("utf-8")


def test_agreement_is_written_whole(tmp_path: Path) -> None:
    truth, answers = tables()
    people = [replace(row, reader=name) for row in truth for name in ("a", "b")]
    document = report_agreement(
        [*people, *answers],
        Writer(tmp_path / "r"),
        task=KL,
        readers=None,
        rng=np.random.default_rng(0),
        resamples=60,
    )
    text = document.text()
    assert "a and b" in text
    assert f"{READER} as one more reader" in text
    assert "ICC(2,1), absolute agreement" in text
    assert len(list((tmp_path / "r" / "figures").glob("*.svg"))) == 4


def test_a_document_escapes_what_it_shows(tmp_path: Path) -> None:
    table = Table(("<a>",), (("<b>",),), "<c>")
    section = Section("<d>", ("<e>",), (table,), (Picture("f/x y.svg", "<g>"),))
    document = Document("<h>", (section,), ("<i>",))
    document.write(tmp_path / "page.html")
    page = (tmp_path / "page.html").read_text("utf-8")
    for letter in "cdegi":
        assert f"<{letter}>" not in page
        assert f"&lt;{letter}&gt;" in page
    assert 'src="f/x%20y.svg"' in page


def test_a_table_has_a_cell_for_each_head() -> None:
    with pytest.raises(ValueError, match="cells"):
        Table(("a", "b"), (("1",),), "odd")


def test_an_interval_without_width_is_no_certainty(tmp_path: Path) -> None:
    truth, answers = tables()
    right = [replace(row, value=t.value) for row, t in zip(answers, truth, strict=True)]
    document, (found,) = report_answers(
        truth, right, Writer(tmp_path / "r"), tasks=(KL,), looked=UNSEEN, settings=FEW
    )
    accuracy = found.metric("accuracy")
    assert (accuracy.low, accuracy.high) == (1.0, 1.0)
    assert basis(accuracy).endswith("which is no certainty")
    assert basis(accuracy) in document.text()


def test_measurements_are_compared_pair_by_pair(tmp_path: Path) -> None:
    rng = np.random.default_rng(3)
    truth, _ = tables(60)
    rows = [
        replace(
            row, reader=name, value=None, covariates={"jsw": f"{4.0 + shift + rng.normal():.3f}"}
        )
        for row in truth
        for name, shift in (("a", 0.0), ("b", 0.5))
    ]
    document = report_millimetres(
        rows, Writer(tmp_path / "r"), column="jsw", readers=None, rng=rng, resamples=77
    )
    assert "intervals by 77 resamples" in document.text()
    methods = {row["metric"]: str(row["method"]) for row in rows_of(tmp_path / "r")}
    assert "77 resamples of patients" in methods["difference_per_mm"]
    assert "cluster-robust" in methods["difference_per_mm_p"]
    assert "Lower limit of agreement" in document.text()
    bias = next(r for r in rows_of(tmp_path / "r") if r["metric"] == "mean_difference_mm")
    values = {name: [float(r.covariates["jsw"]) for r in rows if r.reader == name] for name in "ab"}
    assert bias["value"] == pytest.approx(np.mean(values["a"]) - np.mean(values["b"]), abs=1e-5)
    assert (tmp_path / "r" / "figures" / "bland-altman-a-b.svg").is_file()
    with pytest.raises(errors.TableError, match="Two readers"):
        report_millimetres(rows, Writer(tmp_path / "s"), column="x", readers=None, rng=rng)
    odd = [*rows, replace(rows[0], reader="c", covariates={"jsw": "wide"})]
    with pytest.raises(errors.TableError, match="no finite number"):
        report_millimetres(odd, Writer(tmp_path / "s"), column="jsw", readers=None, rng=rng)


def test_what_is_lost_outside_is_said_in_points_and_per_cent(tmp_path: Path) -> None:
    truth, answers = tables()
    rng = np.random.default_rng(5)
    worse = [
        replace(row, value=int(rng.integers(0, 5)), probabilities=())
        if rng.random() < 0.5
        else replace(row, probabilities=())
        for row in answers
    ]
    inside = [replace(row, probabilities=()) for row in answers]
    at_home = [
        [replace(row, patient=f"H{row.patient}") for row in rows] for rows in (truth, inside)
    ]
    settings = replace(FEW, internal=(at_home[0], at_home[1]))
    document, _ = report_answers(
        truth, worse, Writer(tmp_path / "r"), tasks=(KL,), looked=UNSEEN, settings=settings
    )
    lost = {(row["metric"], row["group"]): row["value"] for row in rows_of(tmp_path / "r")}
    own = np.mean([a.value == t.value for a, t in zip(inside, truth, strict=True)])
    there = np.mean([a.value == t.value for a, t in zip(worse, truth, strict=True)])
    # The same knees have the same mix of grades.
    for group in ("all", "all, internal mix of grades"):
        assert lost["accuracy_drop", group] == pytest.approx(own - there, abs=1e-6)
        share = 100.0 * (own - there) / own
        assert lost["accuracy_drop_percent", group] == pytest.approx(share, abs=1e-6)
    (section,) = [one for one in document.sections if one.title == "External validation"]
    plain, alike, grades, groups = section.tables
    for table in (plain, alike):
        assert "not estimable" not in str(table.rows)
        assert f"{own - there:.3f}" in next(row for row in table.rows if row[0] == "Accuracy")
    labels = [row.value for row in truth]
    shown = [f"Recall of {grade}" for grade in range(5) if labels.count(grade) >= 30]
    assert [row[0] for row in grades.rows] == shown
    assert {row[0] for row in groups.rows} == {
        *("laterality=left", "laterality=right", "sex=F", "sex=M", "site=A")
    }
    assert "Not shown: site=B: fewer than 30 knees in a cohort." in section.words
    (picture,) = section.pictures
    assert (tmp_path / "r" / picture.file).is_file()
    assert lost["n_without_patient_internal", "all"] == 0
    assert lost["accuracy_internal", "all"] == pytest.approx(own, abs=1e-6)


def test_errors_of_two_grades_and_more_are_counted(tmp_path: Path) -> None:
    truth, answers = tables()
    document, _ = report_answers(
        truth, answers, Writer(tmp_path / "r"), tasks=(KL,), looked=UNSEEN, settings=FEW
    )
    off = [abs((a.value or 0) - (t.value or 0)) for a, t in zip(answers, truth, strict=True)]
    counts = [off.count(0), off.count(1), sum(one >= 2 for one in off)]
    assert counts[2] > 0
    (table,) = [t for s in document.sections for t in s.tables if t.caption.startswith("How far")]
    assert [row[1] for row in table.rows] == [str(count) for count in counts]
    assert [row[2] for row in table.rows] == [f"{count / len(off):.3f}" for count in counts]
    rows = {str(row["metric"]): row for row in rows_of(tmp_path / "r")}
    assert rows["n_extreme"]["value"] == counts[2]
    assert rows["extreme"]["value"] == pytest.approx(counts[2] / len(off), abs=1e-6)


def test_answers_that_were_matched_by_file_name_are_counted(tmp_path: Path) -> None:
    truth, answers = tables()
    inside = [
        [replace(row, patient=f"H{row.patient}") for row in rows] for rows in (truth, answers)
    ]
    moved = [*answers[:7], *inside[1][:4]]
    strange = replace(answers[0], patient="X")  # matched in a split that is not reported
    settings = replace(
        FEW,
        by_name=frozenset((row.reader, row.key) for row in [*moved, strange]),
        internal=(inside[0], inside[1]),
    )
    document, _ = report_answers(
        truth, answers, Writer(tmp_path / "r"), tasks=(KL,), looked=UNSEEN, settings=settings
    )
    assert "7 answers were matched to the truth by file name" in document.text()
    assert "4 internal answers were matched to the truth by file name" in document.text()


def test_knees_without_a_patient_are_warned_of_once_for_all_readers(tmp_path: Path) -> None:
    truth, answers = (
        [replace(row, patient="", image=f"{i}") for i, row in enumerate(rows)]
        for rows in tables(80)
    )
    both = [*answers, *(replace(row, reader="model:n@1") for row in answers)]
    document, _ = report_answers(
        truth, both, Writer(tmp_path / "r"), tasks=(KL,), looked=UNSEEN, settings=FEW
    )
    (warning,) = document.warnings
    assert ": 80 of 80 knees have no patient and are resampled otherwise: 80 by picture." in warning
    assert "80 knees of 80 pictures; " in document.text()
    counts = {
        (row["reader"], row["group"]): row["value"]
        for row in rows_of(tmp_path / "r")
        if row["metric"] == "n_without_patient"
    }
    readers = (READER, "model:n@1")
    groups = ("all", "unit=picture")
    assert counts == {(reader, group): 80 for reader in readers for group in groups}
    assert 'class="banner"' in (tmp_path / "r" / "report.html").read_text("utf-8")


def test_grades_against_their_own_probabilities_are_counted(tmp_path: Path) -> None:
    truth, answers = tables(80)
    turned = [
        replace(row, value=(row.value or 0) // 2) if i < 9 else row for i, row in enumerate(answers)
    ]
    changed = sum(a.value != b.value for a, b in zip(turned, answers, strict=True))
    assert changed > 0
    document, _ = report_answers(
        truth, turned, Writer(tmp_path / "r"), tasks=(KL,), looked=UNSEEN, settings=FEW
    )
    assert f"{changed} of 80 grades of {READER} are not the most probable" in document.text()
    counts = {row["metric"]: row["value"] for row in rows_of(tmp_path / "r")}
    assert (counts["n_not_likeliest"], counts["n_without_patient"]) == (changed, 0)


def test_the_area_under_risk_and_coverage_has_an_interval(tmp_path: Path) -> None:
    truth, answers = tables()
    document, (found,) = report_answers(
        truth, answers, Writer(tmp_path / "r"), tasks=(KL,), looked=UNSEEN, settings=FEW
    )
    sure = np.array([max(row.probabilities) for row in answers])
    wrong = np.array([a.value != t.value for a, t in zip(answers, truth, strict=True)])
    assert len(set(sure)) == len(sure)
    order = np.argsort(-sure)
    # The mean over every share of the surest knees of the errors among them.
    expected = np.mean([wrong[order[:n]].mean() for n in range(1, len(order) + 1)])
    area = found.metric("aurc")
    assert area.value == pytest.approx(expected)
    assert area.low < area.value < area.high
    assert f"{area.value:.3f} ({area.low:.3f} to {area.high:.3f})" in document.text()
