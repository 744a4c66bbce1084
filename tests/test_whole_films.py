"""Whole films through the pipeline and the command line, with boxes and a stand-in localiser."""

import csv
import json
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from PIL.PngImagePlugin import PngInfo
from typer.testing import CliRunner

from kellgren import errors
from kellgren.anatomy import Laterality
from kellgren.bundles import store
from kellgren.cli import app
from kellgren.cohort import Options, Output, Settings, find_films, grade_films, loop
from kellgren.grading import Grader
from kellgren.imaging import Frame, Radiograph, RegionSpec
from kellgren.imaging.raster import SYNTHETIC_KEY
from kellgren.localise import Box, Found
from kellgren.pipeline import FORCED, UNKNOWN_SIDE, Film, GradedFilm, grade_film
from kellgren.records import BundleReference, Gate
from kellgren.reporting import from_json, to_json

NOON = datetime(2026, 1, 2, tzinfo=UTC)
HEADER = "source,laterality,x0,y0,x1,y1\n"

pytestmark = pytest.mark.usefixtures("fixed_time")


REFERENCE = BundleReference("finder", "1.0.0", "1" * 64)


@dataclass(frozen=True)
class Finder:
    """Finds what it is told to."""

    found: tuple[tuple[float, Gate], ...] = ((250.0, Gate()),)
    error: errors.KellgrenError | None = None
    reference: BundleReference | None = REFERENCE
    synthetic: bool = False

    def find(
        self, film: Radiograph, spec: RegionSpec, *, laterality: Laterality | None
    ) -> tuple[Found, ...]:
        del film
        if self.error is not None:
            raise self.error
        return tuple(
            Found(
                frame=Frame.of_box(x - 150, 100, x + 150, 400, size_px=spec.size_px),
                laterality=laterality or Laterality.UNKNOWN,
                laterality_source="user" if laterality else "unknown",
                scale_source="plateau_width",
                confidence=0.9,
                gate=gate,
                landmarks={"joint_middle": (x, 250.0)},
            )
            for x, gate in self.found
        )


REFUSED = ((250.0, Gate(False, ("UNDEREXPOSED",))),)


@pytest.fixture
def picture(tmp_path: Path, make_picture: Callable[..., bytes]) -> Path:
    """A knee in the middle of a film of 500 pixels, marked as a phantom."""
    folder = tmp_path / "films"
    folder.mkdir()
    (folder / "knee.png").write_bytes(make_picture(0))
    knee = np.asarray(Image.open(folder / "knee.png"))
    canvas = np.zeros((500, 500), dtype=np.uint8)
    canvas[100:399, 100:399] = knee
    mark = PngInfo()
    mark.add_text(SYNTHETIC_KEY, "yes")
    Image.fromarray(canvas).save(folder / "knee.png", pnginfo=mark)
    return folder / "knee.png"


def grade(
    path: Path,
    grader: Grader,
    finder: Finder | None = None,
    *,
    force: bool = False,
    allow_synthetic: bool = False,
    **said: object,
) -> GradedFilm:
    graded = grade_film(
        Film(path, path.name, **said),  # type: ignore[arg-type] # a factory of keywords
        grader,
        localiser=finder or Finder(),
        clock=lambda: NOON,
        options=Options(force=force, allow_synthetic=allow_synthetic),
    )
    assert from_json(to_json(graded.result)) == graded.result
    return graded


class TestPipeline:
    def test_what_was_found_is_graded_and_said(self, picture: Path, grader: Grader) -> None:
        graded = grade(picture, grader, laterality=Laterality.LEFT)
        (knee,) = graded.result.knees
        assert knee.kl is not None
        assert knee.box_px == pytest.approx((100, 100, 400, 400))
        assert (knee.confidence, knee.scale_source) == (0.9, "plateau_width")
        assert knee.landmarks == {"joint_middle": (250.0, 250.0)}
        assert graded.result.localiser == Finder().reference
        assert graded.radiograph is not None

    def test_no_knee_is_a_gate_and_not_an_error(self, picture: Path, grader: Grader) -> None:
        result = grade(picture, grader, Finder(()), force=True).result
        assert (result.gate, result.error) == (Gate(False, ("NO_KNEE",)), None)
        assert not result.complete

    def test_a_refused_knee_is_graded_by_force_and_says_so(
        self, picture: Path, grader: Grader
    ) -> None:
        refused = grade(picture, grader, Finder(REFUSED)).result
        (knee,) = refused.knees
        assert (knee.gate, knee.kl, knee.grades) == (Gate(False, ("UNDEREXPOSED",)), None, {})
        assert knee.warnings == ()
        assert not refused.complete
        forced = grade(picture, grader, Finder(REFUSED), force=True).result
        (knee,) = forced.knees
        assert knee.gate == Gate(True, ("UNDEREXPOSED",))
        assert knee.warnings == (UNKNOWN_SIDE, FORCED)
        (free,) = grade(picture, grader).result.knees
        assert knee.kl == free.kl

    def test_one_refused_knee_does_not_cost_the_other(self, picture: Path, grader: Grader) -> None:
        finder = Finder((*REFUSED, (260.0, Gate())))
        graded = grade(picture, grader, finder)
        assert [knee.kl is None for knee in graded.result.knees] == [True, False]
        assert [shown.attention is None for shown in graded.shown] == [True, False]
        assert not graded.result.complete

    def test_boxes_come_before_any_localiser(self, picture: Path, grader: Grader) -> None:
        finder = Finder(error=errors.ScaleUnknown("never asked"))
        boxes = (Box(100, 100, 400, 400, Laterality.RIGHT),)
        result = grade(picture, grader, finder, boxes=boxes).result
        (knee,) = result.knees
        assert (knee.scale_source, knee.laterality_source) == ("boxes", "user")
        assert (knee.confidence, result.localiser) == (None, None)
        (found,) = grade(picture, grader, laterality=Laterality.RIGHT).result.knees
        assert knee.kl == found.kl

    def test_a_spacing_that_was_said_is_recorded(self, picture: Path, grader: Grader) -> None:
        result = grade(picture, grader, spacing_mm=(0.2, 0.1)).result
        assert (result.pixel_spacing_mm, result.spacing_source) == ((0.2, 0.1), "given")

    def test_a_film_that_cannot_be_searched_still_says_what_it_is(
        self, picture: Path, grader: Grader
    ) -> None:
        error = errors.ScaleUnknown("no spacing. Give --spacing-mm.")
        graded = grade(picture, grader, Finder(error=error), subject="S1", spacing_mm=(0.2, 0.1))
        result = graded.result
        assert result.error is not None
        assert (result.error.code, result.subject) == ("film.scale", "S1")
        assert result.synthetic
        assert result.spacing_source == "given"
        assert graded.radiograph is not None


class TestTaughtByPhantoms:
    """A localiser that learned from phantoms only says nothing of people, unless it is told to."""

    @pytest.fixture
    def person(self, picture: Path) -> Path:
        """The same film without a phantom's mark."""
        path = picture.with_name("person.png")
        Image.fromarray(np.asarray(Image.open(picture))).save(path)
        return path

    def test_a_real_film_is_refused(self, person: Path, grader: Grader) -> None:
        graded = grade(person, grader, Finder(synthetic=True), force=True)
        assert graded.result.error is not None
        assert graded.result.error.code == "bundle.refused"
        assert "finder learned from phantoms" in graded.result.error.message
        assert "--allow-synthetic" in graded.result.error.message
        assert graded.result.knees == ()
        # nobody spoke of it, and it is no phantom
        assert not graded.result.synthetic
        assert grade(person, grader).result.complete

    def test_unless_it_is_allowed_and_then_the_result_is_marked(
        self, person: Path, grader: Grader
    ) -> None:
        assert not grade(person, grader).result.synthetic
        graded = grade(person, grader, Finder(synthetic=True), allow_synthetic=True)
        assert graded.result.complete
        assert graded.result.synthetic
        nothing = grade(person, grader, Finder((), synthetic=True), allow_synthetic=True)
        assert nothing.result.synthetic

    def test_phantoms_and_boxes_need_no_leave(
        self, picture: Path, person: Path, grader: Grader
    ) -> None:
        assert grade(picture, grader, Finder(synthetic=True)).result.complete
        marked = grade(
            person, grader, Finder(synthetic=True), boxes=(Box(100, 100, 400, 400),)
        ).result
        assert marked.complete
        assert not marked.synthetic

    def test_every_artefact_says_so(
        self,
        person: Path,
        real_bundle: Path,
        tmp_path: Path,
        monkeypatch: pytest.MonkeyPatch,
    ) -> None:
        @dataclass(frozen=True)
        class Loaded:
            sha256: str = "1" * 64

        monkeypatch.setattr(loop, "load_localiser", lambda _: Loaded())
        monkeypatch.setattr(loop, "LearnedLocaliser", lambda _, **__: Finder(synthetic=True))
        settings = Settings(str(real_bundle), "finder", options=Options(allow_synthetic=True))
        out = tmp_path / "out"
        (result,) = grade_films(find_films([person]), settings, output=Output(out))
        (knee,) = result.knees
        assert result.film_png is not None
        assert knee.attention_png is not None
        for name in (result.film_png, knee.attention_png):
            with Image.open(out / name) as drawn:
                assert drawn.info[SYNTHETIC_KEY] == "yes"
        assert "SYNTHETIC" in (out / "report.html").read_text("utf-8")
        with (out / "grades.csv").open(encoding="utf-8", newline="") as stream:
            assert [row["synthetic"] for row in csv.DictReader(stream)] == ["1"]
        assert json.loads((out / "journal.jsonl").read_text("utf-8").splitlines()[1])["synthetic"]


class TestBatch:
    @pytest.fixture
    def settings(self, real_bundle: Path, monkeypatch: pytest.MonkeyPatch) -> Settings:
        """A batch of whole films with the stand-in."""

        @dataclass(frozen=True)
        class Loaded:
            sha256: str = "1" * 64

        monkeypatch.setattr(loop, "load_localiser", lambda _: Loaded())
        monkeypatch.setattr(loop, "LearnedLocaliser", lambda _, **__: Finder(REFUSED))
        return Settings(str(real_bundle), "finder")

    def test_refused_films_have_an_overlay_and_stand_in_the_report(
        self, picture: Path, settings: Settings, tmp_path: Path
    ) -> None:
        out = tmp_path / "out"
        (result,) = grade_films(find_films([picture.parent]), settings, output=Output(out))
        assert result.film_png is not None
        with Image.open(out / result.film_png) as drawn:
            assert max(drawn.size) <= 1600
        assert f'<img class="thumbnail" src="{result.film_png}"' in (out / "report.html").read_text(
            "utf-8"
        )
        header = json.loads((out / "journal.jsonl").read_text("utf-8").splitlines()[0])
        assert header["localiser_sha256"] == "1" * 64
        assert header["force"] is False

    def test_a_batch_goes_on_with_what_was_said_and_with_nothing_else(
        self, picture: Path, settings: Settings, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        gates = ((240.0, Gate()), (260.0, Gate()))
        monkeypatch.setattr(loop, "LearnedLocaliser", lambda _, **__: Finder(gates))
        film = Film(picture, "knee.png")
        box = Box(100, 100, 400, 380, Laterality.LEFT)
        said = {
            "two knees": replace(film, laterality=Laterality.LEFT),
            "a box": replace(film, boxes=(box,)),
            "a spacing": replace(film, spacing_mm=(0.2, 0.2)),
        }
        for name, each in said.items():
            output = Output(tmp_path / name)
            first = list(grade_films([each], settings, output=output))
            again = Output(output.folder, resume=True)
            assert list(grade_films([each], settings, output=again)) == first
        moved = replace(box, x0=101.0)
        other = {
            "a box": [film, replace(film, boxes=(moved,)), replace(film, boxes=(box, box))],
            "a spacing": [film, replace(film, spacing_mm=(0.2, 0.3))],
        }
        for name, films in other.items():
            for each in films:
                again = Output(tmp_path / name, resume=True)
                with pytest.raises(errors.JournalMismatch, match=r"another (box|spacing)"):
                    list(grade_films([each], settings, output=again))


def say(*words: object) -> tuple[int, str, str]:
    done = CliRunner().invoke(app, ["grade", *map(str, words)])
    if done.exception is not None and not isinstance(done.exception, SystemExit):
        raise done.exception
    return done.exit_code, done.stdout, done.stderr


class TestWords:
    def test_boxes_and_a_spacing(self, picture: Path, real_bundle: Path, tmp_path: Path) -> None:
        boxes = tmp_path / "boxes.csv"
        boxes.write_text(HEADER + "knee.png,left,100,100,400,400\n", "utf-8")
        words = ("--cropped", picture.parent, "-b", real_bundle, "--json", "--boxes", boxes)
        status, out, err = say(*words, "--spacing-mm", 0.15)
        assert status == 0, err
        document = json.loads(out)
        (knee,) = document["knees"]
        assert (knee["laterality"], knee["scale_source"]) == ("left", "boxes")
        assert (document["pixel_spacing_mm"], document["spacing_source"]) == ([0.15, 0.15], "given")

    def test_by_force_and_not(self, picture: Path, real_bundle: Path, tmp_path: Path) -> None:
        boxes = tmp_path / "boxes.csv"
        boxes.write_text(HEADER + "knee.png,left,300,100,700,500\n", "utf-8")
        words = ("--cropped", picture, "-b", real_bundle, "--boxes", boxes)
        status, out, _ = say(*words)
        assert (status, "REGION_CUT" in out) == (1, True)
        status, out, _ = say(*words, "--force", "--json")
        assert status == 0
        assert FORCED in json.loads(out)["knees"][0]["warnings"]

    @pytest.mark.parametrize(
        ("words", "said"),
        [
            (("--boxes", "STRANGER"), "not among the films"),
            (("--boxes", "NONE"), "no such table"),
            (("--spacing-mm", "nan"), "spacing"),
            (("--spacing-mm", "-1"), "spacing"),
            (("--spacing-mm", "9"), "spacing"),
        ],
        ids=str,
    )
    def test_wrong_usage_is_a_sentence(
        self,
        picture: Path,
        real_bundle: Path,
        tmp_path: Path,
        words: tuple[str, str],
        said: str,
    ) -> None:
        (tmp_path / "b.csv").write_text(HEADER + "other.png,left,0,0,9,9\n", "utf-8")
        places = {"STRANGER": tmp_path / "b.csv", "NONE": tmp_path / "none.csv"}
        option, value = words
        line = ("--cropped", picture, "-b", real_bundle, option, places.get(value, value))
        status, out, err = say(*line)
        assert (status, out) == (2, "")
        assert said in err

    @pytest.mark.parametrize("spacing", [0.0, -0.1, float("nan"), float("inf")])
    def test_no_length_is_no_spacing(self, picture: Path, spacing: float) -> None:
        with pytest.raises(errors.ScaleUnknown, match="no distance"):
            find_films([picture], spacing_mm=spacing)

    def test_a_localiser_that_is_none(
        self, picture: Path, real_bundle: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
    ) -> None:
        monkeypatch.setattr(store, "SHIPPED", tmp_path / "none")
        status, out, err = say(picture, "-b", real_bundle, "--localiser", "nobody")
        assert (status, out) == (2, "")
        assert err.startswith("kellgren: bundle.not_found: nobody: ")
