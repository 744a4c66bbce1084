"""Folders as they come: every file is accounted for, and no name in them becomes a path."""

import csv
import io
import os
from pathlib import Path

import numpy as np
import pydicom
import pytest
from PIL import Image
from PIL.PngImagePlugin import PngInfo
from pydicom.uid import BasicTextSRStorage
from typer.testing import CliRunner

import kellgren
from kellgren.anatomy import Laterality
from kellgren.cli import app
from kellgren.cohort.journal import NAME
from kellgren.datasets.phantom import (
    Leg,
    PhantomFilm,
    draw_film,
    draw_knee,
    sample_knee,
    write_film,
)
from kellgren.imaging.raster import SYNTHETIC_KEY
from kellgren.records import FilmResult
from kellgren.reporting import from_json

GRADED, REFUSED = "ok", "by the gate"

EXPECTED = {
    "both.dcm": GRADED,
    "site/one/left.dcm": GRADED,
    "site/one/left.png": GRADED,
    "without a suffix": GRADED,
    "link/other.dcm": GRADED,
    "crop.png": None,
    "noise.png": REFUSED,
    "blank.png": "file.blank",
    "photo.jpg": "file.colour",
    "pages.tif": "file.frames",
    "icon.png": "file.too_small",
    "letter.txt": "file.format",
    "letter.dcm": "file.format",
    "archive.zip": "file.format",
    "site/empty.dcm": "file.empty",
    "site/cut.dcm": "file.truncated",
    "site/head only.dcm": "file.truncated",
    "site/frames.dcm": "file.frames",
    "site/colour.dcm": "file.colour",
    "site/report.dcm": "file.no_picture",
    "site/noise.dcm": "file.format",
    "gone.dcm": "file.missing",
    "itself.dcm": "file.unreadable",
}
"""Source → status; None where a crop may be taken for a small film, or refused."""


def small(*sides: Laterality, seed: int = 5) -> PhantomFilm:
    """A phantom film whose plateaus are 100 pixels wide."""
    rng = np.random.default_rng(seed)
    legs = tuple(
        Leg(sample_knee(rng, laterality=side), (130.0 + 200.0 * index, 240.0), 80.0)
        for index, side in enumerate(sides)
    )
    size = (480, 260 + 200 * (len(legs) - 1))
    return PhantomFilm(legs=legs, size=size, spacing_mm=0.8, seed=seed)


LEFT = small(Laterality.LEFT)


def encoded(film: PhantomFilm, folder: Path, **tags: object) -> bytes:
    """The bytes of a film's file whose tags were changed; None takes one away."""
    path = folder / "encoded.dcm"
    write_film(film, path)
    dataset = pydicom.dcmread(path)
    for keyword, value in tags.items():
        if value is None:
            delattr(dataset, keyword)
        else:
            setattr(dataset, keyword, value)
    dataset.save_as(path)
    content = path.read_bytes()
    path.unlink()
    return content


def picture(pixels: object, kind: str = "PNG", **words: object) -> bytes:
    stream = io.BytesIO()
    mark = PngInfo()
    mark.add_text(SYNTHETIC_KEY, "yes")
    marks = {"pnginfo": mark} if kind == "PNG" else {}
    Image.fromarray(np.asarray(pixels, np.uint8)).save(stream, kind, **marks, **words)
    return stream.getvalue()


def contents(folder: Path, *, beside: Path | None = None) -> dict[Path, bytes | None]:
    """Every path below a folder, with its bytes if it is a file; ``beside`` is passed over."""
    return {
        path: path.read_bytes() if path.is_file() else None
        for path in folder.rglob("*")
        if beside is None or beside not in {path, *path.parents}
    }


def artefacts(results: list[FilmResult]) -> list[str]:
    """The pictures of some results."""
    paths = [knee.attention_png for result in results for knee in result.knees]
    return [path for path in (*paths, *(result.film_png for result in results)) if path]


def journal(folder: Path) -> list[FilmResult]:
    lines = (folder / NAME).read_text("utf-8").splitlines()[1:]
    return [from_json(line) for line in lines]


@pytest.fixture(scope="module")
def mixed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Films, crops, text, broken DICOM, tables, and links to all and nothing."""
    root = tmp_path_factory.mktemp("mixed")
    folder, elsewhere = root / "films", root / "elsewhere"
    rng = np.random.default_rng(0)
    both = encoded(small(Laterality.RIGHT, Laterality.LEFT), root)
    left = encoded(LEFT, root)
    noise = rng.integers(0, 256, (300, 240), dtype=np.uint8)
    files = {
        "both.dcm": both,
        "site/one/left.dcm": left,
        "site/one/left.png": picture(draw_film(LEFT) // 16),
        "without a suffix": left,
        "crop.png": picture(draw_knee(sample_knee(rng))),
        "noise.png": picture(noise),
        "blank.png": picture(np.full((300, 240), 7)),
        "photo.jpg": picture(rng.integers(0, 256, (80, 60, 3)), "JPEG"),
        "pages.tif": picture(
            noise, "TIFF", save_all=True, append_images=[Image.fromarray(noise[::-1])]
        ),
        "icon.png": picture(noise[:16, :16]),
        "letter.txt": b"Dear colleague",
        "letter.dcm": b"Dear colleague",
        "archive.zip": b"PK\x03\x04" + noise.tobytes(),
        "site/empty.dcm": b"",
        "site/cut.dcm": both[: len(both) // 2],
        "site/head only.dcm": both[:400],
        "site/frames.dcm": encoded(LEFT, root, NumberOfFrames=2),
        "site/colour.dcm": encoded(
            LEFT, root, SamplesPerPixel=3, PhotometricInterpretation="RGB", PlanarConfiguration=0
        ),
        "site/report.dcm": encoded(LEFT, root, SOPClassUID=BasicTextSRStorage, PixelData=None),
        "site/noise.dcm": bytes(128) + b"DICM" + noise.tobytes(),
        # Plainly no films.
        "manifest.csv": b"path,laterality\nboth.dcm,left\n",
        ".DS_Store": b"\0",
    }
    for name, content in files.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)
    elsewhere.mkdir()
    (elsewhere / "other.dcm").write_bytes(left)
    (elsewhere / "back").symlink_to(folder)
    (folder / "link").symlink_to(elsewhere)
    (folder / "site" / "up").symlink_to("..")
    (folder / "gone.dcm").symlink_to("nowhere.dcm")
    (folder / "itself.dcm").symlink_to("itself.dcm")
    return folder


@pytest.fixture(scope="module")
def graded(mixed: Path) -> tuple[int, Path]:
    """The exit status of the batch, and its output."""
    out = mixed.parent / "out"
    done = CliRunner().invoke(app, ["grade", str(mixed), "-o", str(out)])
    return done.exit_code, out


class TestEveryFile:
    def test_each_is_there_once_with_its_grade_or_its_reason(
        self, graded: tuple[int, Path]
    ) -> None:
        status, out = graded
        assert status == 1
        results = {result.source: result for result in journal(out)}
        assert results.keys() == EXPECTED.keys()
        assert len(journal(out)) == len(EXPECTED)
        for source, expected in EXPECTED.items():
            result = results[source]
            if expected == GRADED:
                assert result.complete, source
                assert all(knee.kl for knee in result.knees), source
            elif expected is not None:
                assert not result.complete, source
                assert not any(knee.kl for knee in result.knees), source
                assert result.error is not None or result.gate.reasons
                assert (result.error.code if result.error else REFUSED) == expected, source

    def test_table_and_report_have_them_all(self, graded: tuple[int, Path]) -> None:
        _, out = graded
        with (out / "grades.csv").open(newline="", encoding="utf-8") as stream:
            rows = list(csv.DictReader(stream))
        assert {row["source"] for row in rows} == EXPECTED.keys()
        statuses = {row["source"]: row["status"] for row in rows}
        for source, expected in EXPECTED.items():
            if expected not in {None, REFUSED}:
                assert statuses[source] == expected
        assert all(row["kl"] for row in rows if row["status"] == GRADED)
        assert all(row["message"] for row in rows if row["status"] != GRADED)
        report = (out / "report.html").read_text("utf-8")
        assert all(source in report for source in EXPECTED)


@pytest.mark.data
@pytest.mark.skipif(
    "KELLGREN_DATA" not in os.environ,
    reason="the real films are not public to commit; set KELLGREN_DATA to their folder",
)
def test_no_real_film_without_a_knee_is_graded() -> None:
    folder = Path(os.environ["KELLGREN_DATA"]).resolve() / "dicom"
    results = {result.source: result for result in kellgren.grade(folder)}
    assert results.keys() == {path.name for path in folder.iterdir()}
    # What is decoded, and which error the others give, is pinned beside the decoder's tests.
    undecoded = {name: result.error.code for name, result in results.items() if result.error}
    assert undecoded == {
        "RG2_JPLY.dcm": "file.transfer_syntax",
        "RG3_JPLY.dcm": "file.transfer_syntax",
        "pydicom_CR1_6154.dcm": "file.too_small",
    }
    for name, result in results.items():
        assert not result.complete, name
        assert not any(knee.kl for knee in result.knees), name


LONG = "x" * 251 + ".dcm"
"""The longest name that file systems take."""

HOSTILE = (
    b"a\nb.dcm",
    b"caf\xe9.dcm",
    # Letters that look like that byte.
    b"caf\\udce9.dcm",
    b"-o.dcm",
    b"$(touch evil).dcm",
    b"a\\..\\..\\evil.dcm",
    b"%2e%2e%2fevil.dcm",
    b"<script>.dcm",
    LONG.encode(),
    b"knee.dcm",
    b"knee.DCM",
    b"KNEE.dcm",
    b"knee",
    b"k-nee.dcm",
    b"k nee.dcm",
    b"overlays/knee.dcm",
    b"films/knee.dcm",
    b"/".join([b"deep" * 20] * 5) + b"/knee.dcm",
)
"""Names below a folder; half of them differ in what an artefact's name does not show."""


class TestNoPath:
    @pytest.fixture
    def outside(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
        """Three folders deep, so that ``../../..`` is still seen; we stand in it."""
        place = tmp_path / "a" / "b" / "c"
        place.mkdir(parents=True)
        monkeypatch.chdir(place)
        return place

    def test_no_name_leaves_the_folder_and_none_takes_anothers(
        self, outside: Path, tmp_path: Path
    ) -> None:
        content, out = encoded(LEFT, outside), outside / "out"
        for name in HOSTILE:
            path = Path(os.fsdecode(os.fsencode(outside / "films") + b"/" + name))
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(content)
        before = contents(tmp_path)
        words = ["grade", "films", "-o", "out"]
        assert CliRunner().invoke(app, words).exit_code == 0
        results = journal(out)
        assert len({result.source for result in results}) == len(results) == len(HOSTILE)
        pictures = artefacts(results)
        # Each film has one knee, so one overlay beside its own.
        assert len(pictures) == len(set(map(str.lower, pictures))) == 2 * len(HOSTILE)
        places = {"overlays", "films", NAME, "grades.csv", "report.html", *pictures}
        assert contents(out).keys() == {out / place for place in places}
        assert contents(tmp_path, beside=out) == before
        # Nothing is done twice: every name is read from the journal as it was written.
        assert CliRunner().invoke(app, [*words, "--resume"]).exit_code == 0
        assert journal(out) == results

    def test_no_identifier_is_a_path(self, outside: Path, tmp_path: Path) -> None:
        content, out = encoded(LEFT, outside), outside / "out"
        dataset = pydicom.dcmread(io.BytesIO(content))
        for keyword in ("SOPInstanceUID", "StudyInstanceUID", "SeriesInstanceUID", "PatientID"):
            was = str(dataset[keyword].value).encode()
            assert was in content
            content = content.replace(was, (b"../" * 20)[: len(was) - 2] + b"/p")
        (outside / "films").mkdir()
        (outside / "films" / "parent.dcm").write_bytes(content)
        before = contents(tmp_path)
        options = ["-o", "out", "--keep-ids", "--json"]
        done = CliRunner().invoke(app, ["grade", "films", *options])
        assert done.exit_code == 0, done.output
        (result,) = journal(out)
        # What is no UID could not be looked up; the identifier is text that was asked for.
        assert (result.sop_uid, result.study_uid) == (None, None)
        assert result.subject is not None
        assert result.subject.startswith("../")
        assert all(path.split("/")[1].startswith("parent-") for path in artefacts([result]))
        assert contents(tmp_path, beside=out) == before

    @pytest.mark.parametrize(
        "name", ["x" * 260, "x" * 5000, "none/" + "x" * 260], ids=["long", "longer", "below"]
    )
    def test_a_name_that_no_file_can_have_is_a_result(self, tmp_path: Path, name: str) -> None:
        done = CliRunner().invoke(app, ["grade", str(tmp_path / name)])
        assert done.exit_code == 1
        assert isinstance(done.exception, SystemExit)
        assert "not graded: file." in done.stdout


class TestBoxes:
    def test_a_turned_box_is_gone_on_with_and_another_is_not(self, tmp_path: Path) -> None:
        films, out = tmp_path / "films", tmp_path / "out"
        films.mkdir()
        (films / "left.dcm").write_bytes(encoded(LEFT, tmp_path))
        table = tmp_path / "boxes.csv"

        def grade(angle: float, *, resume: bool = False) -> list[FilmResult]:
            header = "source,laterality,x0,y0,x1,y1,angle_deg\n"
            table.write_text(f"{header}left.dcm,left,60,170,200,300,{angle}\n", "utf-8")
            return kellgren.grade(films, boxes=table, output=out, resume=resume)

        first = grade(12.0)
        assert grade(12.0, resume=True) == first
        for other in (0.0, -12.0, 12.5):
            with pytest.raises(kellgren.KellgrenError, match="another box"):
                grade(other, resume=True)
