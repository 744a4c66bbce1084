"""A batch: artefacts, order, and going on where one was stopped."""

import csv
import importlib.util
import logging
import re
import shutil
from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from PIL.TiffImagePlugin import ImageFileDirectory_v2

from kellgren import errors
from kellgren.anatomy import Laterality
from kellgren.cohort import Journal, Output, Settings, find_films, grade_films, loop
from kellgren.cohort.journal import NAME
from kellgren.cohort.loop import overlay_name
from kellgren.imaging.raster import SYNTHETIC_KEY
from kellgren.pipeline import Film, Searched, search_film
from kellgren.records import FilmResult
from kellgren.reporting import from_json

MakePicture = Callable[..., bytes]

pytestmark = pytest.mark.usefixtures("fixed_time")


@pytest.fixture
def films(tmp_path: Path, phantoms: Path, make_picture: MakePicture) -> Path:
    """Three phantoms, a person, an empty file, and a text."""
    folder = tmp_path / "films"
    (folder / "deep").mkdir(parents=True)
    for name, picture in zip("abc", sorted(phantoms.parent.glob("images/*")), strict=False):
        shutil.copy(picture, folder / f"{name}.png")
    (folder / "deep" / "person.tif").write_bytes(make_picture(3, "TIFF"))
    (folder / "empty.png").touch()
    (folder / "letter.png").write_text("Dear colleague", encoding="utf-8")
    return folder


def listed(folder: Path, laterality: Laterality | None = Laterality.LEFT) -> Sequence[Film]:
    return find_films([folder], laterality=laterality, manifest=None)


def run(
    films: Sequence[Film],
    bundle: Path,
    folder: Path | None,
    *,
    resume: bool = False,
    workers: int = 1,
) -> list[FilmResult]:
    output = None if folder is None else Output(folder, resume)
    return list(grade_films(films, Settings(str(bundle), None), output=output, workers=workers))


def contents(folder: Path) -> dict[str, bytes]:
    """Every file below a folder, hidden ones too."""
    files = (path for path in folder.rglob("*") if path.is_file())
    return {path.relative_to(folder).as_posix(): path.read_bytes() for path in files}


def rows(folder: Path) -> dict[str, dict[str, str]]:
    with (folder / "grades.csv").open(newline="", encoding="utf-8") as stream:
        found = list(csv.DictReader(stream))
    assert len({row["source"] for row in found}) == len(found)
    return {row["source"]: row for row in found}


def codes(results: Sequence[FilmResult]) -> dict[str, str]:
    return {r.source: "ok" if r.error is None else r.error.code for r in results}


EXPECTED = {
    "a.png": "ok",
    "b.png": "ok",
    "c.png": "ok",
    "deep/person.tif": "ok",
    "empty.png": "file.empty",
    "letter.png": "file.format",
}


class TestArtefacts:
    def test_all_of_them_stand_and_agree(
        self, films: Path, real_bundle: Path, tmp_path: Path
    ) -> None:
        out = tmp_path / "out"
        results = run(listed(films), real_bundle, out)
        assert codes(results) == EXPECTED
        lines = (out / NAME).read_text("utf-8").splitlines()[1:]
        assert [from_json(line) for line in lines] == results
        assert {source: row["status"] for source, row in rows(out).items()} == EXPECTED
        assert all(row["message"] for row in rows(out).values() if row["status"] != "ok")
        overlays = {knee.attention_png for result in results for knee in result.knees}
        assert None not in overlays
        assert contents(out).keys() == {NAME, "grades.csv", "report.html", *overlays}
        for overlay in overlays:
            assert overlay is not None
            Image.open(out / overlay).verify()
            assert overlay in (out / "report.html").read_text("utf-8")

    def test_without_a_folder_nothing_is_written(
        self, films: Path, real_bundle: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        (tmp_path / "here").mkdir()
        monkeypatch.chdir(tmp_path / "here")
        before = contents(tmp_path)
        results = run(listed(films), real_bundle, None)
        assert codes(results) == EXPECTED
        assert all(knee.attention_png is None for result in results for knee in result.knees)
        assert contents(tmp_path) == before

    def test_twice_and_by_two_workers_they_are_the_same_bytes(
        self, films: Path, real_bundle: Path, tmp_path: Path
    ) -> None:
        first = run(listed(films), real_bundle, tmp_path / "first")
        again = run(listed(films), real_bundle, tmp_path / "again")
        shared = run(listed(films), real_bundle, tmp_path / "shared", workers=2)
        assert shared == again == first
        assert contents(tmp_path / "again") == contents(tmp_path / "first")
        assert contents(tmp_path / "shared") == contents(tmp_path / "first")

    def test_only_the_time_differs_without_a_fixed_one(
        self, films: Path, real_bundle: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        run(listed(films), real_bundle, tmp_path / "1")
        monkeypatch.setenv("SOURCE_DATE_EPOCH", "0")
        run(listed(films), real_bundle, tmp_path / "2")
        one, two = contents(tmp_path / "1"), contents(tmp_path / "2")
        different = {name for name in one if one[name] != two[name]}
        assert different == {NAME, "report.html"}
        for name in different:
            stamp = re.compile(rb"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ")
            assert stamp.sub(b"", one[name]) == stamp.sub(b"", two[name])

    def test_no_name_from_inside_a_picture_comes_out(
        self, tmp_path: Path, real_bundle: Path, make_picture: MakePicture
    ) -> None:
        folder, out = tmp_path / "films", tmp_path / "out"
        folder.mkdir()
        name = "Wilhelmina Ohnesorge"
        (folder / "1.png").write_bytes(
            make_picture(1, **{"Patient": name, "Comment": name, SYNTHETIC_KEY: name})
        )
        tags = ImageFileDirectory_v2()
        tags[270] = tags[315] = name  # ImageDescription, Artist
        with Image.open(folder / "1.png") as picture:
            picture.save(folder / "2.tif", tiffinfo=tags)
            exif = Image.Exif()
            exif[270] = name
            picture.convert("L").save(folder / "3.jpg", exif=exif, comment=name)
        # A file that is refused says why in its message.
        (folder / "4.tif").write_bytes((folder / "2.tif").read_bytes()[:-2000])
        (folder / "5.png").write_text(name, encoding="utf-8")
        assert all(name.encode() in path.read_bytes() for path in folder.iterdir())
        results = run(listed(folder), real_bundle, out)
        assert [r.error is None for r in results] == [True, True, True, False, False]
        written = b"".join(contents(out).values()) + repr(results).encode()
        assert b"Ohnesorge" not in written
        assert name.encode("utf-16-le") not in written

    def test_overlay_names_hold_nothing_that_a_system_acts_on(self) -> None:
        sources = ("a.png", "b/a.png", "a.tif", "../../etc/passwd", "CON", "a b;rm -rf ~.png", "膝")
        names = [overlay_name(source, 0) for source in sources]
        names += [overlay_name(source, 1) for source in sources]
        assert len(set(names)) == len(names)
        assert all(re.fullmatch(r"[A-Za-z0-9-]+-[0-9a-f]{10}\.png", name) for name in names)
        assert max(map(len, [overlay_name("x" * 500, 0), *names])) < 60


class TestResume:
    def test_a_finished_batch_is_not_graded_again(
        self,
        films: Path,
        real_bundle: Path,
        tmp_path: Path,
        monkeypatch: pytest.MonkeyPatch,
    ) -> None:
        first = run(listed(films), real_bundle, tmp_path / "out")
        before = contents(tmp_path / "out")
        monkeypatch.setattr(loop, "search_film", None)
        assert run(listed(films), real_bundle, tmp_path / "out", resume=True) == first
        assert contents(tmp_path / "out") == before

    @pytest.mark.parametrize("stopped_after", [0, 3, 5])
    def test_a_batch_that_was_stopped_ends_as_an_undisturbed_one(
        self, films: Path, real_bundle: Path, tmp_path: Path, stopped_after: int
    ) -> None:
        run(listed(films), real_bundle, tmp_path / "undisturbed")
        out = tmp_path / "stopped"
        batch = grade_films(listed(films), Settings(str(real_bundle), None), output=Output(out))
        for _ in range(stopped_after):
            next(batch)
        batch.close()  # type: ignore[attr-defined] # a generator
        assert not (out / "grades.csv").exists()
        results = run(listed(films), real_bundle, out, resume=True)
        assert codes(results) == EXPECTED
        assert contents(out) == contents(tmp_path / "undisturbed")

    def test_new_films_are_added(self, films: Path, real_bundle: Path, tmp_path: Path) -> None:
        run(listed(films)[:2], real_bundle, tmp_path / "out")
        run(listed(films), real_bundle, tmp_path / "out", resume=True)
        run(listed(films), real_bundle, tmp_path / "at once")
        assert rows(tmp_path / "out") == rows(tmp_path / "at once")

    @pytest.mark.parametrize("name", ["a.png", "letter.png", "empty.png"])
    def test_a_file_that_changed_is_refused(
        self, films: Path, real_bundle: Path, tmp_path: Path, name: str
    ) -> None:
        run(listed(films), real_bundle, tmp_path / "out")
        before = contents(tmp_path / "out")
        shutil.copy(films / "b.png", films / name)
        with pytest.raises(errors.JournalMismatch, match=f"{name}: has changed"):
            run(listed(films), real_bundle, tmp_path / "out", resume=True)
        assert contents(tmp_path / "out") == before

    @pytest.mark.parametrize("side", [Laterality.RIGHT, None])
    def test_another_side_is_refused(
        self, films: Path, real_bundle: Path, tmp_path: Path, side: Laterality | None
    ) -> None:
        run(listed(films), real_bundle, tmp_path / "out")
        with pytest.raises(errors.JournalMismatch, match=r"a\.png: .* another side"):
            run(listed(films, side), real_bundle, tmp_path / "out", resume=True)

    def test_another_subject_is_refused(
        self, films: Path, real_bundle: Path, tmp_path: Path
    ) -> None:
        film = Film(films / "a.png", "a.png", None, "P1")
        run([film], real_bundle, tmp_path / "out")
        other = Film(films / "a.png", "a.png", None, "P2")
        with pytest.raises(errors.JournalMismatch, match="another subject"):
            run([other], real_bundle, tmp_path / "out", resume=True)
        assert run([film], real_bundle, tmp_path / "out", resume=True)[0].subject == "P1"

    def test_another_bundle_is_refused(
        self, films: Path, real_bundle: Path, synthetic_bundle: Path, tmp_path: Path
    ) -> None:
        run(listed(films), real_bundle, tmp_path / "out")
        with pytest.raises(errors.JournalMismatch, match="bundle_sha256"):
            run(listed(films), synthetic_bundle, tmp_path / "out", resume=True)

    def test_what_the_system_kept_back_is_tried_again(
        self, films: Path, real_bundle: Path, tmp_path: Path
    ) -> None:
        target = tmp_path / "unplugged" / "c.png"
        (films / "c.png").rename(tmp_path / "c.png")
        (films / "c.png").symlink_to(target)
        assert codes(run(listed(films), real_bundle, tmp_path / "out"))["c.png"] == "file.missing"
        target.parent.mkdir()
        (tmp_path / "c.png").rename(target)
        results = run(listed(films), real_bundle, tmp_path / "out", resume=True)
        assert codes(results) == EXPECTED
        assert rows(tmp_path / "out")["c.png"]["status"] == "ok"

    def test_a_name_of_any_bytes_is_done_once(
        self, films: Path, real_bundle: Path, tmp_path: Path
    ) -> None:
        strange = Path(str(films) + "/caf\udce9.png")
        shutil.copy(films / "a.png", strange)
        run(listed(films), real_bundle, tmp_path / "out")
        before = contents(tmp_path / "out")
        run(listed(films), real_bundle, tmp_path / "out", resume=True)
        assert contents(tmp_path / "out") == before
        assert len(rows(tmp_path / "out")) == len(EXPECTED) + 1


class TestDefects:
    def test_a_defect_of_ours_costs_one_film_and_is_tried_again(
        self,
        films: Path,
        real_bundle: Path,
        tmp_path: Path,
        monkeypatch: pytest.MonkeyPatch,
        caplog: pytest.LogCaptureFixture,
    ) -> None:
        def fail_once(film: Film, *words: object, **options: object) -> Searched:
            if film.source == "b.png":
                raise ZeroDivisionError("never foreseen")
            return search_film(film, *words, **options)  # type: ignore[arg-type] # passed on

        monkeypatch.setattr(loop, "search_film", fail_once)
        with caplog.at_level(logging.ERROR):
            results = run(listed(films), real_bundle, tmp_path / "out")
        assert codes(results) == {**EXPECTED, "b.png": "internal"}
        assert "never foreseen" in rows(tmp_path / "out")["b.png"]["message"]
        (record,) = caplog.records
        assert record.exc_info is not None  # the traceback is kept for us
        monkeypatch.undo()
        monkeypatch.setenv("SOURCE_DATE_EPOCH", "0")
        again = run(listed(films), real_bundle, tmp_path / "out", resume=True)
        assert codes(again) == EXPECTED

    def test_an_overlay_that_cannot_be_drawn_costs_one_film(
        self,
        films: Path,
        real_bundle: Path,
        tmp_path: Path,
        monkeypatch: pytest.MonkeyPatch,
    ) -> None:
        def refuse(*_: object, source: str, **__: object) -> Image.Image:
            if source == "b.png":
                raise ValueError("of another shape")
            return Image.fromarray(np.zeros((8, 8, 3), dtype=np.uint8))

        monkeypatch.setattr(loop, "draw_overlay", refuse)
        results = run(listed(films), real_bundle, tmp_path / "out")
        assert codes(results) == {**EXPECTED, "b.png": "internal"}

    @pytest.mark.parametrize("workers", [1, 2])
    def test_a_bundle_that_cannot_run_stops_the_batch_by_its_name(
        self,
        films: Path,
        real_bundle: Path,
        monkeypatch: pytest.MonkeyPatch,
        workers: int,
    ) -> None:
        find = importlib.util.find_spec
        monkeypatch.setattr(
            importlib.util, "find_spec", lambda name: None if name == "openvino" else find(name)
        )
        settings = Settings(str(real_bundle), None, precision="fast")
        with pytest.raises(errors.ExtraMissing, match=r"kellgren\[fast\]"):
            list(grade_films(listed(films), settings, workers=workers))

    def test_an_unknown_bundle_stops_before_a_folder_is_made(
        self, films: Path, tmp_path: Path
    ) -> None:
        with pytest.raises(errors.BundleNotFound):
            run(listed(films), tmp_path / "none", tmp_path / "out")
        assert not (tmp_path / "out").exists()


def test_the_journal_of_a_batch_opens_as_any_journal(
    films: Path, real_bundle: Path, tmp_path: Path
) -> None:
    results = run(listed(films), real_bundle, tmp_path / "out")
    header = {
        "bundle_sha256": results[0].bundle.sha256,
        "localiser_sha256": None,
        "precision": "default",
        "force": False,
        "allow_synthetic": False,
        "keep_ids": False,
    }
    with Journal(tmp_path / "out", header, resume=True) as journal:
        assert journal.results == tuple(results)
