"""A manifest or a folder becomes films, each with its rows."""

from collections.abc import Callable
from pathlib import Path

import pytest

from kellgren import errors
from kellgren.anatomy import Laterality
from kellgren.cohort.listed import list_films
from kellgren.datasets.table import Row, write_table

L, R, UNKNOWN = Laterality.LEFT, Laterality.RIGHT, Laterality.UNKNOWN

Answer = Callable[..., Row]


@pytest.fixture
def listed(tmp_path: Path) -> Callable[..., Path]:
    """A table beside files in which nothing is."""

    def write(*rows: Row) -> Path:
        for row in rows:
            if row.path:
                (tmp_path / row.path).parent.mkdir(exist_ok=True)
                (tmp_path / row.path).touch()
        write_table(rows, tmp_path / "manifest.csv")
        return tmp_path / "manifest.csv"

    return write


def test_rows_of_one_file_are_one_film_in_the_tables_order(
    listed: Callable[..., Path], answer: Answer
) -> None:
    rows = [
        answer("b.png", R, 1),
        answer("a.png", L, 2),
        answer("b.png", L, 3, path="films/../films/b.png"),
    ]
    films = list_films(listed(*rows))
    assert [each.film.source for each in films] == ["films/b.png", "films/a.png"]
    assert [each.rows for each in films] == [(rows[0], rows[2]), (rows[1],)]
    assert [each.film.subject for each in films] == ["P-b", "P-a"]


@pytest.mark.parametrize(
    ("sides", "said"),
    [((L,), L), ((L, UNKNOWN), L), ((R, L), None), ((UNKNOWN,), None)],
)
def test_a_side_counts_for_the_film_if_the_table_gives_one(
    listed: Callable[..., Path], answer: Answer, sides: tuple[Laterality, ...], said: Laterality
) -> None:
    manifest = listed(*(answer("a.png", side, 1) for side in sides))
    (one,) = list_films(manifest)
    assert one.film.laterality == said
    (one,) = list_films(manifest, laterality=R)
    assert one.film.laterality == R


def test_of_a_folder_only_the_names_are_known(tmp_path: Path) -> None:
    (tmp_path / "knees" / "deep").mkdir(parents=True)
    for name in ("b.png", "deep/a.dcm", "notes.csv"):
        (tmp_path / "knees" / name).touch()
    films = list_films(tmp_path / "knees", laterality=L, spacing_mm=0.2)
    assert [each.film.source for each in films] == ["b.png", "deep/a.dcm"]
    for each in films:
        assert each.rows == (Row(dataset="knees", path=each.film.source, kind="film"),)
        assert (each.film.laterality, each.film.spacing_mm) == (L, (0.2, 0.2))
        assert (each.cropped, each.labelled, each.answers) == (False, False, ())


def test_a_region_is_one_unless_somebody_marked_a_knee_on_it(
    listed: Callable[..., Path], answer: Answer, tmp_path: Path
) -> None:
    manifest = listed(answer("a.png", L, 1, kind="region"), answer("b.png", L, 1, kind=""))
    assert [each.cropped for each in list_films(manifest)] == [True, False]
    boxes = tmp_path / "boxes.csv"
    boxes.write_text("source,laterality,x0,y0,x1,y1\nfilms/a.png,left,1,1,9,9\n", "utf-8")
    assert [each.cropped for each in list_films(manifest, boxes=boxes)] == [False, False]


def test_an_answer_about_no_file_is_an_error(listed: Callable[..., Path], answer: Answer) -> None:
    with pytest.raises(errors.TableError, match=r"'P-gone'.*names no file"):
        list_films(listed(answer("a.png", L, 1), answer("gone.png", L, 1, path="")))
    assert len(list_films(listed(answer("a.png", L, 1), answer("gone.png", L, path="")))) == 1
