"""One file in, one result out, whatever the file is."""

import hashlib
import io
import zlib
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from kellgren import clock, errors
from kellgren.anatomy import Laterality
from kellgren.grading import Grader, load_bundle
from kellgren.imaging import Radiograph, Region, RegionSpec
from kellgren.imaging.raster import MAX_PIXELS, MIN_SIDE_PX, SYNTHETIC_KEY
from kellgren.localise import Found, WholePicture
from kellgren.pipeline import Film, GradedFilm, Options, grade_film
from kellgren.reporting import from_json, to_json

NOON = datetime(2026, 1, 2, 12, 30, 45, 999_999, tzinfo=UTC)

MakePicture = Callable[..., bytes]
MakeRegion = Callable[[int], Region]


def grade(
    path: Path,
    grader: Grader,
    *,
    laterality: Laterality | None = None,
    subject: str | None = None,
    allow_synthetic: bool = False,
) -> GradedFilm:
    return grade_film(
        Film(path, f"folder/{path.name}", laterality, subject),
        grader,
        localiser=WholePicture(),
        clock=lambda: NOON,
        options=Options(allow_synthetic=allow_synthetic),
    )


def saved(picture: Image.Image, kind: str = "PNG", **options: object) -> bytes:
    stream = io.BytesIO()
    picture.save(stream, kind, **options)
    return stream.getvalue()


@pytest.fixture
def film(tmp_path: Path, make_picture: MakePicture) -> Path:
    path = tmp_path / "knee.png"
    path.write_bytes(make_picture(0))
    return path


class TestGood:
    @pytest.mark.parametrize("side", [Laterality.LEFT, Laterality.RIGHT])
    def test_a_result_says_what_was_graded_by_whom_and_how(
        self, film: Path, grader: Grader, make_region: MakeRegion, side: Laterality
    ) -> None:
        graded = grade(film, grader, laterality=side, subject="S1")
        result = graded.result
        assert result.error is None
        assert result.complete
        assert result.source == "folder/knee.png"
        assert result.sha256 == hashlib.sha256(film.read_bytes()).hexdigest()
        assert result.bundle == grader.bundle.reference
        assert result.subject == "S1"
        assert result.created == "2026-01-02T12:30:45Z"
        assert not result.synthetic
        assert (result.pixel_spacing_mm, result.spacing_source) == (None, "none")
        (knee,) = result.knees
        assert (knee.laterality, knee.laterality_source) == (side, "user")
        assert knee.warnings == ()
        assert knee.box_px == pytest.approx((0.0, 0.0, 299.0, 299.0))
        assert knee.scale_source == "whole_picture"
        assert knee.kl == knee.grades["kl"]
        assert knee.grades == grader.grade(make_region(0), side).predictions

    def test_an_unknown_side_is_said_and_warned_of(self, film: Path, grader: Grader) -> None:
        (knee,) = grade(film, grader).result.knees
        assert (knee.laterality, knee.laterality_source) == (Laterality.UNKNOWN, "unknown")
        assert knee.warnings == ("LATERALITY_UNKNOWN",)

    def test_the_pictures_are_the_region_and_its_attention(
        self, film: Path, grader: Grader, make_region: MakeRegion
    ) -> None:
        (shown,) = grade(film, grader, laterality=Laterality.LEFT).shown
        picture, attention = shown.picture, shown.attention
        expected = make_region(0)
        assert np.array_equal(picture, np.rint(expected.pixels * 255.0))
        assert picture.dtype == np.uint8
        assert attention is not None
        assert attention.shape == picture.shape
        answer = grader.grade(expected, Laterality.LEFT)
        assert np.array_equal(attention, answer.attention)  # type: ignore[arg-type] # is there

    def test_the_result_travels_as_json(self, film: Path, grader: Grader) -> None:
        result = grade(film, grader, laterality=Laterality.LEFT).result
        assert from_json(to_json(result)) == result

    @pytest.mark.parametrize("kind", ["PNG", "TIFF", "WEBP", "JPEG"])
    def test_every_kind_of_file_whatever_its_name(
        self, tmp_path: Path, grader: Grader, make_picture: MakePicture, kind: str
    ) -> None:
        path = tmp_path / "no-suffix"
        path.write_bytes(make_picture(0, kind))
        assert grade(path, grader).result.complete

    def test_sixteen_bits_are_no_other_knee(
        self, tmp_path: Path, film: Path, grader: Grader
    ) -> None:
        values = np.asarray(Image.open(film)).astype(np.uint16) * 257
        deep = tmp_path / "deep.png"
        deep.write_bytes(saved(Image.fromarray(values)))
        found, expected = (grade(path, grader).result.knees[0].kl for path in (deep, film))
        assert found is not None
        assert expected is not None
        assert found.probabilities == pytest.approx(expected.probabilities, abs=1e-4)

    def test_created_follows_the_clock(
        self, film: Path, grader: Grader, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setenv("SOURCE_DATE_EPOCH", "0")
        graded = grade_film(
            Film(film, "a"), grader, localiser=WholePicture(), clock=clock.now
        ).result
        assert graded.created == "1970-01-01T00:00:00Z"


def _noise(*shape: int) -> np.ndarray[tuple[int, ...], np.dtype[np.uint8]]:
    return np.random.default_rng(0).integers(0, 255, shape, dtype=np.uint8)


def _png_header(width: int, height: int) -> bytes:
    """A picture of this size according to its header, which is all of it that is right."""
    content = bytearray(saved(Image.fromarray(_noise(40, 40))))
    content[16:24] = width.to_bytes(4, "big") + height.to_bytes(4, "big")
    content[29:33] = zlib.crc32(content[12:29]).to_bytes(4, "big")
    return bytes(content)


BROKEN: dict[str, tuple[str, Callable[[], bytes]]] = {
    "nothing": ("file.empty", lambda: b""),
    "text": ("file.format", lambda: b"Dear colleague, here are the films."),
    "pdf": ("file.format", lambda: b"%PDF-1.7\n" + bytes(100)),
    "gif": ("file.format", lambda: saved(Image.fromarray(_noise(64, 64)), "GIF")),
    "dicom": ("file.format", lambda: bytes(128) + b"DICM" + bytes(100)),
    "half a png": ("file.truncated", lambda: saved(Image.fromarray(_noise(64, 64)))[:2000]),
    "half a jpeg": (
        "file.truncated",
        lambda: saved(Image.fromarray(_noise(64, 64)), "JPEG")[:1500],
    ),
    "half a tiff": (
        "file.truncated",
        lambda: saved(Image.fromarray(_noise(64, 64)), "TIFF", compression="tiff_lzw")[:3000],
    ),
    "a bomb": ("file.too_large", lambda: _png_header(MAX_PIXELS // 1000, 1001)),
    "a worse bomb": ("file.too_large", lambda: _png_header(2**30, 2**30)),
    "an icon": (
        "file.too_small",
        lambda: saved(Image.fromarray(_noise(MIN_SIDE_PX - 1, 300))),
    ),
    "a photograph": ("file.colour", lambda: saved(Image.fromarray(_noise(64, 64, 3)))),
    "pages": (
        "file.frames",
        lambda: saved(
            Image.fromarray(_noise(64, 64)),
            "TIFF",
            save_all=True,
            append_images=[Image.fromarray(_noise(64, 64))],
        ),
    ),
    "black": ("file.blank", lambda: saved(Image.new("L", (64, 64)))),
    "numbers below zero": (
        "file.format",
        lambda: saved(Image.fromarray(_noise(64, 64).astype(np.int32) - 128), "TIFF"),
    ),
}


class TestBroken:
    @pytest.mark.parametrize("what", BROKEN)
    def test_each_kind_has_its_code_and_says_what_to_do(
        self, tmp_path: Path, grader: Grader, what: str
    ) -> None:
        code, make = BROKEN[what]
        path = tmp_path / "film.png"
        path.write_bytes(make())
        graded = grade(path, grader, subject="S1")
        result = graded.result
        assert result.error is not None
        assert result.error.code == code
        assert result.error.message.startswith("film.png: ")
        assert str(tmp_path) not in result.error.message
        assert not result.complete
        assert not result.gate.graded
        assert (result.knees, graded.shown) == ((), ())
        assert result.subject == "S1"
        assert from_json(to_json(result)) == result
        # Whatever could be read is known by its content, so that a changed file is noticed.
        content = path.read_bytes()
        assert result.sha256 == (hashlib.sha256(content).hexdigest() if content else None)

    def test_nothing_a_folder_and_a_loop(self, tmp_path: Path, grader: Grader) -> None:
        (tmp_path / "folder").mkdir()
        (tmp_path / "dead").symlink_to(tmp_path / "nowhere")
        (tmp_path / "loop").symlink_to(tmp_path / "loop")
        codes = {}
        for name in ("absent", "folder", "dead", "loop"):
            result = grade(tmp_path / name, grader).result
            assert result.error is not None
            assert result.sha256 is None
            codes[name] = result.error.code
        assert codes == {
            "absent": "file.missing",
            "folder": "file.unreadable",
            "dead": "file.missing",
            "loop": "file.unreadable",
        }

    def test_a_file_that_the_system_keeps_back(
        self, film: Path, grader: Grader, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        def refuse(_: Path) -> bytes:
            raise PermissionError(13, "Permission denied")

        monkeypatch.setattr(Path, "read_bytes", refuse)
        result = grade(film, grader).result
        assert result.error is not None
        assert result.error.code == "file.unreadable"
        assert "Permission denied" in result.error.message


class Lost:
    """A localiser that cannot work with any film."""

    reference = None
    synthetic = False

    def find(
        self, film: Radiograph, spec: RegionSpec, *, laterality: Laterality | None
    ) -> tuple[Found, ...]:
        del film, spec, laterality
        raise errors.PictureTooSmall("knee.png: too coarse to find a knee on. Scan it anew.")


def test_what_a_localiser_refuses_is_a_result(film: Path, grader: Grader) -> None:
    graded = grade_film(
        Film(film, "knee.png", subject="S1"), grader, localiser=Lost(), clock=lambda: NOON
    )
    result = graded.result
    assert result.error is not None
    assert (result.error.code, result.subject) == ("file.too_small", "S1")
    assert result.error.message.startswith("knee.png: too coarse")
    assert result.sha256 == hashlib.sha256(film.read_bytes()).hexdigest()
    assert (result.knees, graded.shown) == ((), ())


@pytest.fixture(scope="module")
def taught_by_phantoms(synthetic_bundle: Path) -> Grader:
    return Grader(load_bundle(synthetic_bundle), threads=1)


class TestSynthetic:
    def test_a_phantoms_bundle_grades_no_person(
        self, film: Path, taught_by_phantoms: Grader
    ) -> None:
        result = grade(film, taught_by_phantoms).result
        assert result.error is not None
        assert result.error.code == "bundle.refused"
        assert "--allow-synthetic" in result.error.message
        assert result.knees == ()

    def test_unless_it_is_told_to_and_then_marks_the_result(
        self, film: Path, taught_by_phantoms: Grader
    ) -> None:
        result = grade(film, taught_by_phantoms, allow_synthetic=True).result
        assert result.complete
        assert result.synthetic

    @pytest.mark.parametrize(("mark", "recognised"), [("yes", True), ("no", False)])
    def test_it_grades_phantoms_by_their_mark(
        self,
        tmp_path: Path,
        make_picture: MakePicture,
        taught_by_phantoms: Grader,
        mark: str,
        recognised: bool,
    ) -> None:
        path = tmp_path / "phantom.png"
        path.write_bytes(make_picture(0, **{SYNTHETIC_KEY: mark}))
        result = grade(path, taught_by_phantoms).result
        assert result.complete is recognised
        assert result.synthetic is recognised

    def test_a_phantom_graded_by_any_bundle_is_marked(self, phantoms: Path, grader: Grader) -> None:
        path = next((phantoms.parent / "images").iterdir())
        assert grade(path, grader).result.synthetic
