"""``kellgren grade``: what it prints, where it writes, and how it ends."""

import csv
import json
import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

import jsonschema
import pytest
from PIL import Image
from typer.testing import CliRunner

from kellgren.cli import app
from kellgren.cohort.journal import NAME
from kellgren.reporting import schema

pytestmark = pytest.mark.usefixtures("fixed_time")

Kellgren = Callable[..., subprocess.CompletedProcess[str]]


@pytest.fixture
def grade(real_bundle: Path) -> Callable[..., tuple[int, str, str]]:
    """Exit status, stdout and stderr of ``kellgren grade`` with the fixture's bundle."""

    def run(*words: object) -> tuple[int, str, str]:
        line = ["grade", *map(str, words), "--bundle", str(real_bundle)]
        done = CliRunner().invoke(app, line)
        if done.exception is not None and not isinstance(done.exception, SystemExit):
            raise done.exception
        return done.exit_code, done.stdout, done.stderr

    return run


Grade = Callable[..., tuple[int, str, str]]


@pytest.fixture
def films(tmp_path: Path, phantoms: Path) -> Path:
    """Two phantoms."""
    folder = tmp_path / "films"
    folder.mkdir()
    for picture in sorted((phantoms.parent / "images").iterdir())[:2]:
        shutil.copy(picture, folder)
    return folder


def json_lines(text: str) -> list[dict[str, Any]]:
    return [json.loads(line) for line in text.splitlines()]


class TestPrinted:
    def test_one_line_a_picture_in_words(self, films: Path, grade: Grade) -> None:
        status, out, err = grade("--cropped", films, "--laterality", "left")
        assert (status, err) == (0, "")
        lines = out.splitlines()
        assert [line.split(": ")[0] for line in lines] == sorted(p.name for p in films.iterdir())
        assert all(": Left knee: KL " in line and "90 % set KL" in line for line in lines)

    def test_json_lines_follow_the_published_schema(self, films: Path, grade: Grade) -> None:
        (films / "empty.png").touch()
        status, out, err = grade("--cropped", films, "--json")
        assert status == 1
        found = json_lines(out)
        assert len(found) == 3
        for document in found:
            jsonschema.validate(document, schema())
        assert [document["source"] for document in found] == sorted(
            path.name for path in films.iterdir()
        )
        assert err.startswith("empty.png: not graded: file.empty: ")

    def test_piped_it_is_json_and_nothing_else(
        self, films: Path, real_bundle: Path, kellgren: Kellgren
    ) -> None:
        done = kellgren("grade", "--cropped", films, "--json", "--bundle", real_bundle)
        assert (done.returncode, done.stderr) == (0, "")
        assert len(json_lines(done.stdout)) == 2

    def test_with_a_folder_stdout_stays_empty(
        self, films: Path, real_bundle: Path, tmp_path: Path, kellgren: Kellgren
    ) -> None:
        words = ("grade", "--cropped", films, "--bundle", real_bundle, "-o", tmp_path / "out")
        done = kellgren(*words)
        assert (done.returncode, done.stdout) == (0, "")
        assert done.stderr == f"2 of 2 graded. Look at {tmp_path / 'out' / 'report.html'}\n"

    def test_json_and_a_folder_go_together(self, films: Path, tmp_path: Path, grade: Grade) -> None:
        status, out, _ = grade("--cropped", films, "--json", "-o", tmp_path / "out")
        assert status == 0
        assert out == "".join(
            (tmp_path / "out" / NAME).read_text("utf-8").splitlines(keepends=True)[1:]
        )

    def test_a_hostile_name_moves_no_cursor(self, films: Path, grade: Grade) -> None:
        shutil.copy(next(films.iterdir()), films / "a\x1b[2J\r\nok.png")
        (films / "b\x1b]0;owned\x07.png").touch()
        for words in ((), ("--json",)):
            _, out, err = grade("--cropped", films, *words)
            assert not set("\x1b\x07\r") & set(out + err)
            assert len(out.splitlines()) == 4


class TestWritten:
    def test_the_artefacts_stand(self, films: Path, tmp_path: Path, grade: Grade) -> None:
        out = tmp_path / "deep" / "out"
        status, _, _ = grade("--cropped", films, "-o", out, "--laterality", "right")
        assert status == 0
        names = {path.relative_to(out).as_posix() for path in out.rglob("*") if path.is_file()}
        overlays = {name for name in names if name.startswith("overlays/")}
        assert names - overlays == {NAME, "grades.csv", "report.html"}
        assert len(overlays) == 2
        for name in overlays:
            with Image.open(out / name) as picture:
                assert picture.format == "PNG"
                assert picture.info["Disclaimer"] == "Research use only. Not a medical device."
        with (out / "grades.csv").open(newline="", encoding="utf-8") as stream:
            rows = list(csv.DictReader(stream))
        assert {row["laterality"] for row in rows} == {"right"}
        assert all(row["notice"] for row in rows)

    def test_a_manifest_gives_sides_and_subjects(self, phantoms: Path, grade: Grade) -> None:
        status, out, _ = grade("--cropped", "--manifest", phantoms, "--json")
        assert status == 0
        found = json_lines(out)
        assert len(found) == 10
        for document in found:
            source, subject = document["source"], document["subject"]
            assert source.startswith(f"images/{subject}")
            (knee,) = document["knees"]
            assert knee["laterality"] == ("left" if source.endswith("L.png") else "right")

    def test_two_folders_and_a_file(self, films: Path, phantoms: Path, grade: Grade) -> None:
        more = sorted((phantoms.parent / "images").iterdir())[4]
        status, out, _ = grade("--cropped", films, more, "--json")
        assert status == 0
        assert [document["source"] for document in json_lines(out)][-1] == more.name

    def test_results_below_the_films_are_not_graded(
        self, films: Path, grade: Grade, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.chdir(films)
        assert grade("--cropped", ".", "-o", "out")[0] == 0
        before = (films / "out" / "grades.csv").read_bytes()
        status, _, err = grade("--cropped", ".", "-o", "out", "--resume")
        assert (status, err.split(".")[0]) == (0, "2 of 2 graded")
        assert (films / "out" / "grades.csv").read_bytes() == before


class TestStatus:
    def test_one_that_was_not_graded_is_status_one(self, films: Path, grade: Grade) -> None:
        (films / "letter.txt").write_text("Dear colleague", encoding="utf-8")
        status, out, err = grade("--cropped", films)
        assert (status, err) == (1, "")
        assert "letter.txt: not graded: file.format: letter.txt: of no format that is read" in out

    def test_a_film_that_is_not_there_is_one_of_them(self, films: Path, grade: Grade) -> None:
        status, out, _ = grade("--cropped", films / "none.png")
        assert status == 1
        assert "file.missing" in out

    def test_a_phantoms_bundle_refuses_people(
        self, tmp_path: Path, make_picture: Callable[..., bytes], synthetic_bundle: Path
    ) -> None:
        (tmp_path / "person.png").write_bytes(make_picture(0))
        line = ["grade", "--cropped", str(tmp_path), "--bundle", str(synthetic_bundle), "--json"]
        refused = CliRunner().invoke(app, line)
        assert refused.exit_code == 1
        assert "--allow-synthetic" in refused.stderr
        allowed = CliRunner().invoke(app, [*line, "--allow-synthetic"])
        assert allowed.exit_code == 0
        assert json.loads(allowed.stdout)["synthetic"] is True

    @pytest.mark.parametrize(
        ("words", "said"),
        [
            (("--cropped",), "give films"),
            (("--cropped", "EMPTY"), "no films there"),
            (("--cropped", "FILMS", "--resume"), "needs -o"),
            (("--cropped", "FILMS", "--laterality", "both"), "both"),
            (("--cropped", "FILMS", "--laterality", "unknown"), "unknown"),
            (("--cropped", "FILMS", "--workers", "0"), "workers"),
            (("--cropped", "FILMS", "--precision", "int8"), "int8"),
            (("--cropped", "FILMS", "--spacing-mm", "0"), "spacing"),
            (("--cropped", "FILMS", "--manifest", "none.csv"), "no such table"),
            (("--cropped", "FILMS", "FILMS"), "both be called"),
            (("--cropped", "FILMS", "-o", "FILMS"), "is not empty"),
            (("--cropped", "FILMS", "-o", "FILMS", "--resume"), "holds no journal"),
            (("--cropped", "FILMS", "-o", "FILE"), "cannot be written"),
        ],
        ids=str,
    )
    def test_wrong_usage_is_status_two_and_a_sentence(
        self, films: Path, tmp_path: Path, grade: Grade, words: tuple[str, ...], said: str
    ) -> None:
        (tmp_path / "empty").mkdir()
        (tmp_path / "file").touch()
        before = sorted(tmp_path.rglob("*"))
        places = {"FILMS": films, "EMPTY": tmp_path / "empty", "FILE": tmp_path / "file"}
        status, out, err = grade(*(places.get(word, word) for word in words))
        assert (status, out) == (2, "")
        assert said in err
        assert "Traceback" not in err
        assert sorted(tmp_path.rglob("*")) == before

    def test_where_no_films_are_is_named(
        self, tmp_path: Path, grade: Grade, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.chdir(tmp_path)  # short names are not broken into lines
        for name in ("one", "two"):
            (tmp_path / name).mkdir()
        (tmp_path / "none.csv").write_text("path\n", encoding="utf-8")
        for words in (("one", "two"), ("--manifest", "none.csv")):
            status, _, err = grade("--cropped", *words)
            assert status == 2
            named = ", ".join(word for word in words if word[0] != "-")
            assert f"no films there: {named}" in err

    def test_a_manifest_of_other_pictures_is_an_error(
        self, films: Path, phantoms: Path, grade: Grade
    ) -> None:
        status, out, err = grade("--cropped", films, "--manifest", phantoms)
        assert (status, out) == (2, "")
        assert err.startswith(f"kellgren: table.invalid: {phantoms}: the manifest names 0 of 2 ")
        assert len(err.splitlines()) == 1

    def test_a_manifest_of_some_of_the_pictures_is_one_line(
        self, films: Path, real_bundle: Path, tmp_path: Path, kellgren: Kellgren
    ) -> None:
        known, _ = sorted(films.iterdir())
        table = tmp_path / "sides.csv"
        table.write_text(f"path,laterality\nfilms/{known.name},left\n", encoding="utf-8")
        words = ("grade", "--cropped", films, "--json", "--bundle", real_bundle)
        done = kellgren(*words, "--manifest", table)
        assert done.returncode == 0
        (line,) = done.stderr.splitlines()
        assert "the manifest names 1 of 2 pictures; the others are graded without " in line
        sides = [document["knees"][0]["laterality"] for document in json_lines(done.stdout)]
        assert sides == ["left", "unknown"]

    def test_a_bundle_that_is_none(self, films: Path) -> None:
        done = CliRunner().invoke(app, ["grade", "--cropped", str(films), "--bundle", "none"])
        assert (done.exit_code, done.stdout) == (2, "")
        assert done.stderr.startswith("kellgren: bundle.not_found: none: ")

    def test_a_clock_that_cannot_be_read_is_a_sentence(
        self, films: Path, tmp_path: Path, real_bundle: Path, kellgren: Kellgren
    ) -> None:
        words = ("grade", "--cropped", films, "--bundle", real_bundle, "-o", tmp_path / "out")
        done = kellgren(*words, SOURCE_DATE_EPOCH="yesterday")
        assert (done.returncode, done.stdout) == (2, "")
        assert done.stderr.startswith("kellgren: environment.invalid: SOURCE_DATE_EPOCH is ")
        assert len(done.stderr.splitlines()) == 1
        assert not (tmp_path / "out").exists()

    def test_a_folder_in_use_and_how_to_go_on(
        self, films: Path, tmp_path: Path, real_bundle: Path, kellgren: Kellgren
    ) -> None:
        words = ("grade", "--cropped", films, "--bundle", real_bundle, "-o", tmp_path / "out")
        assert kellgren(*words).returncode == 0
        again = kellgren(*words)
        assert (again.returncode, again.stdout) == (2, "")
        assert again.stderr.startswith("kellgren: output.refused: ")
        assert "--resume" in again.stderr
        resumed = kellgren(*words, "--resume")
        assert resumed.returncode == 0
        other = kellgren(*words, "--resume", "--laterality", "left")
        assert other.returncode == 2
        assert other.stderr.startswith("kellgren: output.journal: ")

    @pytest.mark.parametrize("workers", [1, 2])
    def test_the_short_formats_need_nothing_but_their_extra(
        self, films: Path, grade: Grade, workers: int
    ) -> None:
        pytest.importorskip("openvino", reason="the extra 'fast' is not installed")
        plain = json_lines(grade("--cropped", films, "--json")[1])
        status, out, _ = grade(
            "--cropped", films, "--json", "--precision", "fast", "--workers", workers
        )
        assert status == 0
        for one, other in zip(plain, json_lines(out), strict=True):
            (slow,), (fast,) = one["knees"], other["knees"]
            # bfloat16 has eight bits of mantissa.
            assert fast["kl"]["probabilities"] == pytest.approx(
                slow["kl"]["probabilities"], abs=0.1
            )
