"""What the run on whole films draws, notes and says. No figure is judged here."""

import sys
from collections.abc import Callable
from pathlib import Path

import pydicom
import pytest
from benchmarks import commands, pictures
from benchmarks.commands import Pace
from pydicom.uid import ExplicitVRLittleEndian

from kellgren.cohort import find_films

SMALL = (240, 320)


@pytest.fixture
def film(tmp_path: Path) -> Path:
    return pictures.draw_film(tmp_path / "film.dcm", size=SMALL)


def test_the_film_is_uncompressed_16_bit_dicom(film: Path) -> None:
    header = pydicom.dcmread(film)
    assert header.file_meta.TransferSyntaxUID == ExplicitVRLittleEndian
    assert (header.Rows, header.Columns) == SMALL
    assert header.BitsAllocated == 16
    assert header.Columns * float(header.PixelSpacing[1]) == pytest.approx(pictures.FILM_WIDTH_MM)


def test_a_folder_repeats_ten_films_under_names_of_their_own(tmp_path: Path, film: Path) -> None:
    drawn = pictures.draw_films(tmp_path / "many", 23, first=film, size=(120, 160))
    assert len({path.name for path in drawn}) == len(find_films([tmp_path / "many"])) == 23
    contents = [path.read_bytes() for path in drawn]
    assert len(set(contents)) == pictures.DISTINCT_FILMS
    assert contents[:3] == contents[10:13] == contents[20:]
    assert contents[0] == film.read_bytes()
    assert drawn[3].samefile(drawn[13])


def test_links_are_one_film(tmp_path: Path, film: Path) -> None:
    links = pictures.link_films(tmp_path / "warm", 3, to=film)
    assert len(set(links)) == 3
    assert all(link.samefile(film) for link in links)


def test_the_first_lines_of_a_command_are_its_start() -> None:
    # The first of four lines comes late, because everything starts before it.
    assert Pace(12.0, (5.0, 7.0, 9.0, 11.0)).each == 2.0
    assert Pace(30.0, (5.0, 25.0, 26.0, 27.0)).each == 1.0
    assert Pace(3.0, (1.0, 2.5)).each == 1.5


def test_lines_are_noted_when_they_come() -> None:
    code = "import time\nfor _ in range(3): print('a', flush=True); time.sleep(0.2)"
    run = commands.pace([sys.executable, "-c", code])
    assert len(run.came) == 3
    assert list(run.came) == sorted(run.came)
    assert 0.4 <= run.came[2] <= run.seconds


@pytest.mark.parametrize("start", [commands.seconds, commands.pace])
def test_a_command_that_fails_says_why(start: Callable[[list[str]], object]) -> None:
    words = [sys.executable, "-c", "import sys; sys.exit('no such film')"]
    with pytest.raises(RuntimeError, match="ended with 1: no such film"):
        start(words)


def test_a_whole_run_prints_every_figure_beside_its_target(
    run_benchmark: Callable[..., str],
) -> None:
    few = ("--films", "2", "--shared", "2", "--rounds", "1", "--calls", "1", "--starts", "1")
    printed = run_benchmark("films", "--rows", "600", *few)
    said = printed.rpartition("\n\n")[2]
    for figure in (
        *("film to report, warm", "localisation of it", "kellgren grade film.dcm -o results"),
        *("films, most memory", "films, growth of memory", "two workers, times as fast as one"),
    ):
        (line,) = [line for line in said.splitlines() if line.startswith(figure)]
        # A film of another size judges nothing.
        assert line.endswith("not judged: a film of 600×800")
    for stage in ("reading and decoding", "localising", "cutting and grading", "drawing and"):
        assert f"\n{stage}" in printed
