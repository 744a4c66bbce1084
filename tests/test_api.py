"""Five lines of Python do what the command line does."""

from pathlib import Path

import pytest
from typer.testing import CliRunner

import kellgren
from kellgren import Laterality, errors
from kellgren.cli import app
from kellgren.cohort.journal import NAME
from kellgren.reporting import to_json

pytestmark = pytest.mark.usefixtures("fixed_time")


@pytest.fixture
def films(phantoms: Path) -> list[Path]:
    return sorted((phantoms.parent / "images").iterdir())


def test_a_folder_a_file_and_several(films: list[Path], real_bundle: Path) -> None:
    folder = films[0].parent
    of_folder = kellgren.grade(folder, cropped=True, bundle=real_bundle)
    of_text = kellgren.grade(str(folder), cropped=True, bundle=str(real_bundle))
    of_list = kellgren.grade(map(str, films), cropped=True, bundle=real_bundle)
    assert of_folder == of_text == of_list
    assert [result.source for result in of_folder] == [path.name for path in films]
    assert kellgren.grade(films[0], cropped=True, bundle=real_bundle) == of_folder[:1]


def test_it_says_what_the_command_line_says(films: list[Path], real_bundle: Path) -> None:
    words = ["grade", "--cropped", str(films[0].parent), "--json", "--laterality", "left"]
    printed = CliRunner().invoke(app, [*words, "--bundle", str(real_bundle)]).stdout
    for side in ("left", Laterality.LEFT):
        results = kellgren.grade(films[0].parent, cropped=True, bundle=real_bundle, laterality=side)
        assert [to_json(result) for result in results] == printed.splitlines()


def test_a_manifest_lists_films_sides_and_subjects(phantoms: Path, real_bundle: Path) -> None:
    results = kellgren.grade([], cropped=True, bundle=real_bundle, manifest=phantoms)
    assert len(results) == 10
    assert {result.subject for result in results} == {f"phantom-7-{n:05d}" for n in range(5)}
    assert {result.knees[0].laterality for result in results} == {"left", "right"}


def test_results_are_written_where_asked_and_gone_on_with(
    films: list[Path], real_bundle: Path, tmp_path: Path
) -> None:
    out = str(tmp_path / "out")
    first = kellgren.grade(films[:1], cropped=True, bundle=real_bundle, output=out)
    assert {path.name for path in (tmp_path / "out").iterdir()} == {
        NAME,
        "grades.csv",
        "overlays",
        "report.html",
    }
    with pytest.raises(errors.OutputError):
        kellgren.grade(films, cropped=True, bundle=real_bundle, output=out)
    both = kellgren.grade(films[:2], cropped=True, bundle=real_bundle, output=out, resume=True)
    assert both[0] == first[0]
    assert len(both) == 2


def test_a_broken_film_is_a_result(tmp_path: Path, real_bundle: Path) -> None:
    (tmp_path / "a.png").touch()
    (result,) = kellgren.grade(tmp_path, cropped=True, bundle=real_bundle)
    assert result.error is not None
    assert result.error.code == "file.empty"


def test_whole_films_are_searched_by_the_localiser_named(
    films: list[Path], real_bundle: Path
) -> None:
    with pytest.raises(kellgren.KellgrenError, match="nobody: neither a shipped bundle"):
        kellgren.grade(films, bundle=real_bundle, localiser="nobody")


def test_a_side_that_is_none_is_an_error(films: list[Path], real_bundle: Path) -> None:
    with pytest.raises(ValueError, match="both"):
        kellgren.grade(films, cropped=True, bundle=real_bundle, laterality="both")
