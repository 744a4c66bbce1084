"""What is written into a tidy table is what is read from it; what is no tidy table is refused."""

import csv
import tempfile
from dataclasses import replace
from pathlib import Path

import pyarrow
import pyarrow.parquet
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from kellgren import errors
from kellgren.anatomy import Laterality
from kellgren.datasets.table import COLUMNS, Row, read_table, refuse_duplicates, write_table

SUFFIXES = (".csv", ".parquet")
few = settings(max_examples=40, deadline=None)

# UTF-8 has no lone surrogates; everything else may stand in a cell.
TEXTS = st.text(st.characters(exclude_categories=["Cs"]), max_size=8) | st.sampled_from(
    ["a,b", 'say "so"', "two\nlines", "\r", "\r\n", "'", " lead", "NA", "0", "Kellgren–Lawrence"]
)
MILLIMETRES = st.none() | st.floats(1e-6, 1e3)
SHARES = st.lists(st.integers(0, 1_000_000).map(lambda n: n / 1e6), max_size=5)

ROWS = st.builds(
    Row,
    dataset=TEXTS,
    path=TEXTS,
    sha256=TEXTS,
    kind=st.sampled_from(["film", "region", ""]),
    patient=TEXTS,
    exam=TEXTS,
    visit=TEXTS,
    image=TEXTS,
    laterality=st.sampled_from(Laterality),
    cluster=TEXTS,
    split=TEXTS,
    synthetic=st.booleans(),
    pixel_spacing_row_mm=MILLIMETRES,
    pixel_spacing_column_mm=MILLIMETRES,
    task=TEXTS,
    reader=TEXTS,
    value=st.none() | st.integers(-1, 10),
    status=TEXTS.filter(bool),
    probabilities=SHARES.map(tuple),
    covariates=st.dictionaries(st.sampled_from(["age", "bmi", "site, of\n"]), TEXTS),
)

OTHER = dict(zip(Laterality, [*Laterality][1:] + [*Laterality][:1], strict=True))


def key(row: Row) -> tuple[str, ...]:
    return (row.dataset, *row.key, row.reader)


def with_every_column(rows: list[Row]) -> tuple[Row, ...]:
    """A covariate that one row has is an empty cell of the others."""
    names = sorted({name for row in rows for name in row.covariates})
    return tuple(
        replace(row, covariates={name: row.covariates.get(name, "") for name in names})
        for row in rows
    )


def written(text: str | bytes, folder: Path) -> Path:
    path = folder / "table.csv"
    path.write_bytes(text if isinstance(text, bytes) else text.encode())
    return path


@pytest.mark.parametrize("suffix", SUFFIXES)
@given(rows=st.lists(ROWS, max_size=4, unique_by=key))
@example(rows=[Row(patient="a\rb"), Row(patient="c", covariates={"age": "\r"})])
@few
def test_a_table_comes_back_as_it_was(suffix: str, rows: list[Row]) -> None:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / f"table{suffix}"
        write_table(rows, path)
        assert read_table(path) == with_every_column(rows)


@pytest.mark.parametrize("suffix", SUFFIXES)
def test_nothing_is_a_table_too(tmp_path: Path, suffix: str) -> None:
    write_table([], tmp_path / f"table{suffix}")
    assert read_table(tmp_path / f"table{suffix}") == ()


def test_any_csv_reader_sees_the_same_cells(tmp_path: Path) -> None:
    row = Row(patient='7, "the other"', image="two\nlines", probabilities=(0.25, 0.75), value=1)
    write_table([row], tmp_path / "table.csv")
    with (tmp_path / "table.csv").open(newline="", encoding="utf-8") as stream:
        (cells,) = csv.DictReader(stream)
    assert list(cells) == [*COLUMNS, "p_0", "p_1"]
    assert (cells["patient"], cells["image"]) == (row.patient, row.image)
    assert (cells["p_0"], cells["p_1"], cells["value"]) == ("0.250000", "0.750000", "1")
    assert (cells["synthetic"], cells["pixel_spacing_row_mm"]) == ("0", "")


def test_a_typed_parquet_file_is_read(tmp_path: Path) -> None:
    columns = {
        "patient": ["1", "2"],
        "laterality": ["left", None],
        "value": [3, None],
        "synthetic": [True, False],
        "pixel_spacing_row_mm": [0.15, None],
        "p_0": [0.25, None],
        "p_1": [0.75, None],
        "x_age": [61, None],
    }
    pyarrow.parquet.write_table(pyarrow.table(columns), tmp_path / "table.parquet")
    assert read_table(tmp_path / "table.parquet") == (
        Row(
            patient="1",
            laterality=Laterality.LEFT,
            value=3,
            synthetic=True,
            pixel_spacing_row_mm=0.15,
            probabilities=(0.25, 0.75),
            covariates={"age": "61"},
        ),
        Row(patient="2", covariates={"age": ""}),
    )


def test_a_spreadsheets_byte_order_mark_is_no_part_of_a_name(tmp_path: Path) -> None:
    (row,) = read_table(written("\ufeffpatient,value\r\n7,2\r\n", tmp_path))
    assert row == Row(patient="7", value=2)


@pytest.mark.parametrize(
    ("text", "flag"), [("1", True), ("true", True), ("True", True), ("0", False), ("FALSE", False)]
)
def test_flags_are_read_as_people_write_them(tmp_path: Path, text: str, flag: bool) -> None:
    (row,) = read_table(written(f"patient,synthetic\n7,{text}\n", tmp_path))
    assert row.synthetic is flag


@given(ROWS, st.integers(-1, 10))
@few
def test_two_answers_to_one_question_are_refused(row: Row, value: int) -> None:
    other = replace(row, value=value, path=row.path if not row.image else "moved", split="val")
    with pytest.raises(errors.DuplicateRows, match="Keep one"):
        refuse_duplicates([row, other], "table.csv")
    for question in (
        replace(other, reader=f"{row.reader}2"),
        replace(other, task=f"{row.task}2"),
        replace(other, image=f"{row.picture}2"),
        replace(other, exam=f"{row.exam}2"),
        replace(other, patient=f"{row.patient}2"),
        replace(other, dataset=f"{row.dataset}2"),
        replace(other, laterality=OTHER[row.laterality]),
    ):
        refuse_duplicates([row, question], "table.csv")


def test_pictures_without_an_identifier_are_known_by_their_paths(tmp_path: Path) -> None:
    first, second = read_table(written("path,laterality\na.png,left\nb.png,left\n", tmp_path))
    assert (first.picture, second.picture) == ("a.png", "b.png")
    assert first.key != second.key
    assert first.resampled_by != second.resampled_by
    with pytest.raises(errors.DuplicateRows, match=r"picture 'a\.png', left"):
        read_table(written("path,laterality\na.png,left\na.png,left\n", tmp_path))


@pytest.mark.parametrize("suffix", SUFFIXES)
def test_duplicates_are_seen_when_a_table_is_read(tmp_path: Path, suffix: str) -> None:
    rows = [Row(patient="7", task="kl", value=grade) for grade in (1, 2)]
    write_table(rows, tmp_path / f"table{suffix}")
    with pytest.raises(errors.DuplicateRows, match=rf"^table\{suffix}: .*patient '7'"):
        read_table(tmp_path / f"table{suffix}")


@pytest.mark.parametrize("name", ["kl", "Patient", "p_", "p_x", "", "y_age"])
def test_an_unknown_column_is_refused(tmp_path: Path, name: str) -> None:
    with pytest.raises(errors.TableError, match="unknown column"):
        read_table(written(f"patient,{name}\n7,1\n", tmp_path))


@pytest.mark.parametrize(
    ("column", "text"),
    [
        ("value", "two"),
        ("value", "2.0"),
        ("laterality", "L"),
        ("kind", "knee"),
        ("synthetic", "maybe"),
        ("pixel_spacing_row_mm", "0,15 mm"),
        ("pixel_spacing_column_mm", "inf"),
        ("p_0", "likely"),
        ("p_0", "nan"),
    ],
)
def test_a_cell_that_is_not_what_its_column_says_is_refused(
    tmp_path: Path, column: str, text: str
) -> None:
    path = written(f'patient,{column}\n6,\n7,"{text}"\n', tmp_path)
    with pytest.raises(errors.TableError, match=f"row 3: column '{column}' holds '{text}'"):
        read_table(path)


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        ("patient,value\n7\n", "more or fewer cells"),
        ("patient,value\n7,1,2\n", "more or fewer cells"),
        ("patient,value,patient\n7,1,8\n", "patient stands twice"),
        ("patient,p_0,p_2\n7,0.5,0.5\n", "a probability is missing"),
        ("patient,p_0,p_1\n7,,0.5\n", "a probability is missing"),
        ("patient\nJos\xe9\n".encode("latin-1"), "UTF-8"),
        (f"patient\n{'x' * 200_000}\n", "cannot be read"),
    ],
)
def test_what_is_no_table_is_refused(tmp_path: Path, content: str | bytes, reason: str) -> None:
    with pytest.raises(errors.TableError, match=reason):
        read_table(written(content, tmp_path))


def test_a_file_that_is_not_there_or_no_parquet(tmp_path: Path) -> None:
    with pytest.raises(errors.TableError, match="no such table"):
        read_table(tmp_path / "table.csv")
    (tmp_path / "table.parquet").write_text("patient,value\n7,1\n")
    with pytest.raises(errors.TableError, match="cannot be read"):
        read_table(tmp_path / "table.parquet")


def test_patients_are_resampled_or_what_stands_for_them() -> None:
    assert Row(patient="7", cluster="c", image="i").resampled_by == "7"
    assert Row(cluster="c", image="i").resampled_by == "c"
    assert Row(image="i").resampled_by == "i"
