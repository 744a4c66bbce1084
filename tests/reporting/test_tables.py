import csv
import unicodedata
from collections.abc import Callable
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from kellgren.anatomy import Laterality
from kellgren.datasets.table import read_table, write_table
from kellgren.records import (
    RESEARCH_USE,
    BundleReference,
    FilmResult,
    Gate,
    Knee,
    Prediction,
    Problem,
)
from kellgren.reporting import tidy_rows, write_grades
from kellgren.reporting.tables import read_grades, safe_cell
from kellgren.reporting.wording import printable

Film = Callable[..., FilmResult]
BUNDLE = BundleReference("kl-tiulpin2018", "1.0.0", "0" * 64)
KL_COLUMNS = ["kl", "kl_expected", "kl_set", *(f"kl_p_{index}" for index in range(5))]


def read_back(path: Path) -> list[dict[str, str]]:
    with path.open(newline="", encoding="utf-8") as stream:
        return list(csv.DictReader(stream))


@pytest.fixture
def films(
    make_film: Film, make_knee: Callable[..., Knee], predict: Callable[..., Prediction]
) -> list[FilmResult]:
    jsn = predict(7, 2, 0.5, 0.5, members=(0, 1))
    return [
        make_film(
            "two.png",
            subject="P-7",
            knees=(
                make_knee(laterality=Laterality.RIGHT, grades={"jsn_medial": jsn}),
                make_knee(laterality=Laterality.LEFT, warnings=("REGION_CUT",)),
            ),
            image_grades={"view": predict(9, 1, 0, 0, 0, ordinal=False)},
            pixel_spacing_mm=(0.143, 0.15),
            synthetic=True,
        ),
        make_film("broken.dcm", knees=(), error=Problem("file.empty", "broken.dcm: no bytes.")),
        make_film("cut.png", knees=(make_knee(kl=None, gate=Gate(False, ("REGION_CUT",))),)),
        make_film("hip.png", knees=(), gate=Gate(False, ("NO_KNEE",))),
    ]


def test_grades_are_one_row_a_knee_and_read_back(films: list[FilmResult], tmp_path: Path) -> None:
    write_grades(films, tmp_path / "grades.csv")
    rows = read_back(tmp_path / "grades.csv")
    assert [(row["source"], row["laterality"], row["status"]) for row in rows] == [
        ("broken.dcm", "unknown", "file.empty"),
        ("cut.png", "right", "REGION_CUT"),
        ("hip.png", "unknown", "NO_KNEE"),
        ("two.png", "left", "ok"),
        ("two.png", "right", "ok"),
    ]
    last = rows[-1]
    assert [last[name] for name in KL_COLUMNS] == [
        "2",
        "1.680000",
        "1-2",
        "0.050000",
        "0.280000",
        "0.620000",
        "0.040000",
        "0.010000",
    ]
    assert (last["jsn_medial"], last["jsn_medial_set"]) == ("0", "0-1")
    assert (last["view"], last["view_expected"]) == ("0", "")
    assert (rows[-2]["jsn_medial"], rows[-2]["view"]) == ("", "0")
    assert rows[-2]["warnings"] == "REGION_CUT"
    assert (last["subject"], last["box"]) == ("P-7", "[-3.5 10.0 1020.5 1034.0]")
    assert (last["bundle"], last["bundle_version"]) == ("kl-tiulpin2018", "1.0.0")
    assert (last["synthetic"], rows[0]["synthetic"]) == ("1", "0")
    assert {row["notice"] for row in rows} == {RESEARCH_USE}
    for row in rows[:3]:
        assert row["message"]
        assert not any(row[name] for name in KL_COLUMNS)


def test_kl_has_its_columns_even_where_nothing_was_graded(
    films: list[FilmResult], tmp_path: Path
) -> None:
    write_grades(films[1:2], tmp_path / "grades.csv")
    (row,) = read_back(tmp_path / "grades.csv")
    names = list(row)
    assert names[:6] == [
        "source",
        "subject",
        "laterality",
        "laterality_source",
        "status",
        "message",
    ]
    assert names[6:14] == KL_COLUMNS
    assert names[14:16] == ["warnings", "box"]


def test_the_order_given_does_not_matter(films: list[FilmResult], tmp_path: Path) -> None:
    write_grades(films, tmp_path / "one.csv")
    write_grades(reversed(films), tmp_path / "two.csv")
    assert (tmp_path / "one.csv").read_bytes() == (tmp_path / "two.csv").read_bytes()
    assert len(list(tmp_path.iterdir())) == 2


@given(st.text())
@example("=cmd|'/c calc'!A1")
@example(" \t=1")
@example("'")
def test_no_cell_begins_a_formula_and_names_come_back(text: str) -> None:
    cell = safe_cell(text)
    assert cell.lstrip(" ")[:1] not in tuple("=+-@＝＋－＠\t\r\n\0")
    assert cell.removeprefix("'") == printable(text)


def test_a_hostile_name_is_one_harmless_cell(make_film: Film, hostile: str, tmp_path: Path) -> None:
    film = make_film(
        hostile, knees=(), subject=hostile, error=Problem("file.empty", f"{hostile}: no bytes.")
    )
    write_grades([film], tmp_path / "grades.csv")
    (row,) = read_back(tmp_path / "grades.csv")
    for name in ("source", "subject"):
        assert row[name].removeprefix("'") == printable(hostile)
    for cell in row.values():
        assert cell.strip(" ")[:1] not in tuple("=+-@＝\t")


@given(st.text(min_size=1))
@example("line\nbreak.png")
@example("page\x0cbreak\x85and\u2028more.png")
@example("\x1b[2J\r\x1c\x1d\x1e\x0b")
def test_a_reader_of_lines_sees_a_line_for_each_film(name: str) -> None:
    with TemporaryDirectory() as folder:
        path = Path(folder) / "grades.csv"
        problem = Problem("file.empty", f"{name}: no bytes.")
        films = [
            FilmResult(each, None, BUNDLE, "2026-01-02T00:00:00Z", subject=name, error=problem)
            for each in (name, f"{name}.png")
        ]
        write_grades(films, path)
        lines = path.read_bytes().decode().splitlines()
        assert len(lines) == 3
        assert all(unicodedata.category(char) not in {"Cc", "Cs"} for char in "".join(lines))
        # a name comes before the same name and more
        sources = [row.path for row in read_grades(path)]
        assert sources == [printable(name), printable(f"{name}.png")]


def test_no_results_give_a_header(tmp_path: Path) -> None:
    write_grades([], tmp_path / "grades.csv")
    assert read_back(tmp_path / "grades.csv") == []
    assert (tmp_path / "grades.csv").read_text(encoding="utf-8").startswith("source,subject,")


def test_tidy_rows_read_back(films: list[FilmResult], tmp_path: Path) -> None:
    rows = tidy_rows(films)
    write_table(rows, tmp_path / "predictions.csv")
    assert read_table(tmp_path / "predictions.csv") == rows


def test_tidy_rows_lose_no_film(films: list[FilmResult]) -> None:
    rows = tidy_rows(films)
    assert [(row.image, row.laterality, row.task, row.value, row.status) for row in rows] == [
        ("broken", "unknown", "kl", None, "file.empty"),
        ("broken", "unknown", "jsn_medial", None, "file.empty"),
        ("cut", "right", "kl", None, "REGION_CUT"),
        ("cut", "right", "jsn_medial", None, "REGION_CUT"),
        ("hip", "unknown", "kl", None, "NO_KNEE"),
        ("hip", "unknown", "jsn_medial", None, "NO_KNEE"),
        ("two", "left", "kl", 2, "ok"),
        ("two", "unknown", "view", 0, "ok"),
        ("two", "right", "kl", 2, "ok"),
        ("two", "right", "jsn_medial", 0, "ok"),
    ]
    assert {row.reader for row in rows} == {"model:kl-tiulpin2018@1.0.0"}
    right = rows[-2]
    assert (right.patient, right.path, right.synthetic) == ("P-7", "two.png", True)
    assert right.probabilities == (0.05, 0.28, 0.62, 0.04, 0.01)
    assert (right.pixel_spacing_row_mm, right.pixel_spacing_column_mm) == (0.143, 0.15)


def test_tidy_images_differ_where_only_folders_do(make_film: Film) -> None:
    rows = tidy_rows([make_film("a.b/1.png"), make_film("c/1.png"), make_film("d/none")])
    assert [row.image for row in rows] == ["a.b/1", "c/1", "d/none"]
    (dicom,) = tidy_rows([make_film("a/1.dcm", sop_uid="1.2.3", study_uid="1.2")])
    assert (dicom.image, dicom.exam) == ("1.2.3", "1.2")


def test_a_film_without_a_knee_keeps_the_answers_for_its_image(
    make_film: Film, predict: Callable[..., Prediction], tmp_path: Path
) -> None:
    view = predict(1, 9, 0, 0, 0, ordinal=False)
    film = make_film(knees=(), gate=Gate(False, ("NO_KNEE",)), image_grades={"view": view})
    rows = tidy_rows([film])
    assert [(row.task, row.value, row.status) for row in rows] == [
        ("kl", None, "NO_KNEE"),
        ("view", 1, "ok"),
    ]
    write_grades([film], tmp_path / "grades.csv")
    (cells,) = read_back(tmp_path / "grades.csv")
    assert (cells["status"], cells["kl"], cells["view"]) == ("NO_KNEE", "", "1")
