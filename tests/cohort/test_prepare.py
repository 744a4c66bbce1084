"""Films become regions, a manifest and rejects: nothing is lost or guessed."""

import csv
import hashlib
import json
import shutil
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
import pydicom
import pytest
from PIL import Image

from kellgren.anatomy import KL, Laterality
from kellgren.bundles import DEFAULT_LOCALISER, FOLDER
from kellgren.bundles.store import RECORD
from kellgren.cohort.journal import NAME
from kellgren.cohort.labelled import NO_TRUTH
from kellgren.cohort.prepare import MANIFEST, REJECTS, Cutting, Prepared
from kellgren.datasets.table import TRUTH, Row, read_table, write_table
from kellgren.imaging import Frame, RegionSpec, cut_region, read_film
from kellgren.localise import LearnedLocaliser, load_localiser
from kellgren.reporting import from_json
from kellgren.training.regions import load_regions

L, R, UNKNOWN = Laterality.LEFT, Laterality.RIGHT, Laterality.UNKNOWN
SEEN = RegionSpec(side=None, side_unit="whole_picture", size_px=224)

Draw = Callable[..., None]
Answer = Callable[..., Row]
Prepare = Callable[..., Prepared]

pytestmark = pytest.mark.usefixtures("fixed_time")

REJECTED = [
    ("films/empty.dcm", "left", "file.empty"),
    ("films/empty.dcm", "right", "file.empty"),
    ("films/fog.png", "right", "NO_KNEE"),
    ("films/gone.dcm", "left", "file.missing"),
    ("films/half.dcm", "left", "NO_TRUTH"),
    ("films/letter.dcm", "", "file.format"),
    ("films/more.dcm", "right", "NO_KNEE"),
    ("films/other.dcm", "left", "table.invalid"),
    ("films/unsided.dcm", "right", "NO_TRUTH"),
    ("films/unsided.dcm", "left", "NO_TRUTH"),
    ("films/unsided.dcm", "unknown", "LATERALITY_UNKNOWN"),
    ("films/wrong.dcm", "left", "LATERALITY_CONFLICT"),
]
KEPT = [
    ("films/both.dcm", R, KL.name, TRUTH, 1),
    ("films/both.dcm", L, KL.name, TRUTH, 2),
    ("films/both.dcm", L, KL.name, "AB", 3),
    ("films/cut.png", L, KL.name, TRUTH, 0),
    ("films/cut.png", L, "jsn_medial", TRUTH, 2),
    ("films/half.dcm", R, KL.name, TRUTH, 2),
    ("films/half.dcm", L, "", "", None),
    ("films/left.dcm", L, KL.name, TRUTH, 4),
    ("films/more.dcm", L, KL.name, TRUTH, 3),
    ("films/unsided.dcm", R, "", "", None),
    ("films/unsided.dcm", L, "", "", None),
]


def contents(folder: Path) -> dict[str, bytes]:
    files = (path for path in folder.rglob("*") if path.is_file())
    return {path.relative_to(folder).as_posix(): path.read_bytes() for path in files}


def rejects(folder: Path) -> list[tuple[str, str, str]]:
    with (folder / REJECTS).open(newline="", encoding="utf-8") as stream:
        rows = list(csv.DictReader(stream))
    assert all(row["what_to_do"].endswith(".") for row in rows)
    return [(row["source"], row["laterality"], row["code"]) for row in rows]


def film_of(row: Row) -> str:
    return row.covariates.get("film") or "films/" + Path(row.path).name


class TestTables:
    def test_every_knee_and_every_answer_is_somewhere(
        self, prepared: Path, listed_rows: Sequence[Row]
    ) -> None:
        rows = read_table(prepared / MANIFEST)
        kept = [(film_of(r), r.laterality, r.task, r.reader, r.value) for r in rows]
        assert kept == KEPT
        assert rejects(prepared) == REJECTED
        answers = {(row.path, row.laterality) for row in listed_rows if row.value is not None}
        taught = {(film, side) for film, side, _, _, value in kept if value is not None}
        lost = {(film, side) for film, side, code in REJECTED if code != NO_TRUTH}
        left = {a for a in answers - taught if (a[0], str(a[1])) not in lost}
        # the view is the film's; the one answer without a side found its only knee
        assert left == {("films/both.dcm", UNKNOWN), ("films/left.dcm", UNKNOWN)}
        assert not {(film, str(side)) for film, side in taught} & lost

    def test_the_manifest_says_what_the_films_own_said(self, prepared: Path) -> None:
        rows = read_table(prepared / MANIFEST)
        for row in rows:
            stem = Path(film_of(row)).stem
            assert (row.kind, row.dataset, row.exam) == ("region", "drawn", "baseline")
            assert (row.patient, row.split, row.synthetic) == (f"P-{stem}", "train", True)
            assert row.image == ("IM-1" if stem == "both" else film_of(row))
            content = (prepared / row.path).read_bytes()
            assert row.sha256 == hashlib.sha256(content).hexdigest()
        assert {row.covariates["sex"] for row in rows if film_of(row) == "films/half.dcm"} == {"f"}

    def test_a_region_has_the_spacing_of_its_own_pixels(self, prepared: Path) -> None:
        for line in (prepared / NAME).read_text("utf-8").splitlines()[1:]:
            film = from_json(line)
            rows = [r for r in read_table(prepared / MANIFEST) if film_of(r) == film.source]
            for knee in film.knees:
                x0, y0, x1, y1 = knee.box_px
                for row in rows:
                    if row.laterality is knee.laterality and knee.scale_source != "whole_picture":
                        assert row.pixel_spacing_row_mm == pytest.approx(
                            0.9 * (y1 - y0) / 512, abs=1e-6
                        )
                        assert row.pixel_spacing_column_mm == pytest.approx(
                            0.9 * (x1 - x0) / 512, abs=1e-6
                        )

    def test_a_picture_that_is_a_region_stays_where_it_is(
        self, listed_films: Path, prepared: Path
    ) -> None:
        (path,) = {r.path for r in read_table(prepared / MANIFEST) if film_of(r) == "films/cut.png"}
        assert (prepared / path).resolve() == (listed_films.parent / "films" / "cut.png").resolve()
        assert len(list((prepared / "regions").iterdir())) == 8

    def test_knees_without_truth_are_no_reject_where_there_is_none(
        self, listed_films: Path, tmp_path: Path, prepare: Prepare
    ) -> None:
        found = prepare(listed_films.parent / "films", tmp_path / "out")
        codes = {reject.code for reject in found.rejects}
        # the region is searched like any film: nothing says that it is one
        assert codes == {"file.empty", "file.format", "NO_KNEE"}
        assert found.lost
        assert {row.task for row in found.rows} == {""}
        assert {row.patient for row in found.rows} == {""}
        assert {row.dataset for row in found.rows} == {"films"}
        assert {row.image for row in found.rows} >= {"both.dcm", "left.dcm"}
        assert all(row.synthetic for row in found.rows)

    def test_nobody_is_named_who_was_not_in_the_table(
        self, listed_films: Path, prepared: Path, tmp_path: Path, prepare: Prepare
    ) -> None:
        prepare(listed_films.parent / "films", tmp_path / "out")
        inside = (listed_films.parent / "films" / "both.dcm").read_bytes()
        assert b"Phantom^" in inside
        assert b"PHANTOM-" in inside
        for folder in (prepared, tmp_path / "out"):
            written = b"".join(contents(folder).values())
            assert b"Phantom^" not in written
            assert b"PHANTOM-" not in written


class TestSides:
    """Of a film of which the table says one side, while the other knee may be the one found."""

    @pytest.fixture
    def halved(self, tmp_path: Path, draw_film: Draw) -> Path:
        """The right knee of a film whose tag says that it shows both."""
        path = tmp_path / "films" / "a.dcm"
        draw_film(path, R, L)
        data = pydicom.dcmread(path)
        assert data.ImageLaterality == "B"
        data.PixelData = np.ascontiguousarray(data.pixel_array[:, :190]).tobytes()
        data.Columns = 190
        data.save_as(path)
        return path

    @pytest.mark.parametrize(("said", "taught"), [(L, 0), (R, 1)])
    def test_the_fibula_must_not_contradict_the_table(
        self,
        halved: Path,
        said: Laterality,
        taught: int,
        tmp_path: Path,
        prepare: Prepare,
        answer: Answer,
    ) -> None:
        write_table([answer(halved.name, said, 2)], tmp_path / "manifest.csv")
        found = prepare(tmp_path / "manifest.csv", tmp_path / "out")
        assert len([row for row in found.rows if row.value is not None]) == taught
        codes = [(reject.laterality, reject.code) for reject in found.rejects]
        assert codes == ([] if taught else [(said, "LATERALITY_CONFLICT")])

    def test_where_both_are_said_to_be_there_the_word_alone_is_not_enough(
        self,
        halved: Path,
        tmp_path: Path,
        prepare: Prepare,
        answer: Answer,
        monkeypatch: pytest.MonkeyPatch,
    ) -> None:
        monkeypatch.setattr("kellgren.localise.landmarks.Joint.fibula_side", 0.0)
        write_table([answer(halved.name, R, 2)], tmp_path / "manifest.csv")
        found = prepare(tmp_path / "manifest.csv", tmp_path / "out")
        assert [reject.code for reject in found.rejects] == ["LATERALITY_CONFLICT"]
        data = pydicom.dcmread(halved)
        data.ImageLaterality = ""
        data.save_as(halved)
        found = prepare(tmp_path / "manifest.csv", tmp_path / "again")
        assert found.rejects == ()
        assert [row.laterality for row in found.rows] == [R]

    def test_a_box_drawn_on_the_film_has_the_last_word(
        self, halved: Path, tmp_path: Path, prepare: Prepare, answer: Answer
    ) -> None:
        (tmp_path / "boxes.csv").write_text(
            f"source,laterality,x0,y0,x1,y1\nfilms/{halved.name},left,45,165,155,275\n", "utf-8"
        )
        write_table([answer(halved.name, L, 2)], tmp_path / "manifest.csv")
        found = prepare(tmp_path / "manifest.csv", tmp_path / "out", boxes=tmp_path / "boxes.csv")
        assert found.rejects == ()
        assert [(row.laterality, row.value) for row in found.rows] == [(L, 2)]


class TestRegions:
    def test_they_are_marked_pictures_of_sixteen_bits(self, prepared: Path) -> None:
        for path in (prepared / "regions").iterdir():
            film = read_film(path)
            assert film.shape == (512, 512)
            assert film.pixels.dtype == np.uint16
            assert (film.pixels.min(), film.pixels.max()) == (0, 65535)
            assert len(np.unique(film.pixels)) > 10_000
            assert film.synthetic

    @pytest.mark.parametrize("size_px", [192, 224, 300])
    def test_training_sees_in_them_what_grading_sees_on_the_film(
        self, listed_films: Path, prepared: Path, tmp_path: Path, size_px: int
    ) -> None:
        spec = replace(SEEN, size_px=size_px)
        rows = [r for r in read_table(prepared / MANIFEST) if r.path.startswith("regions/")]
        levels = load_regions(rows, spec, root=prepared, cache=tmp_path, watch=lambda *_: None)
        localiser = LearnedLocaliser(load_localiser(), threads=1)
        seen = {L: 0, R: 0}
        for row, learned in zip(rows, levels, strict=True):
            film = read_film(listed_films.parent / film_of(row))
            (knee,) = [
                knee
                for knee in localiser.find(film, spec, laterality=None)
                if knee.laterality is row.laterality
            ]
            region = cut_region(film, knee.frame, spec)
            graded = region if row.laterality == spec.mirror_to else region.mirror()
            difference = np.abs(learned - 255.0 * graded.pixels)
            # the film has a pixel for two of the region's
            assert difference.mean() < 1.5
            assert np.abs(learned - 255.0 * graded.mirror().pixels).mean() > 3 * difference.mean()
            seen[row.laterality] += 1
        assert min(seen.values()) >= 3

    def test_what_is_off_the_film_is_as_dark_as_it_is_when_grading(
        self, listed_films: Path, tmp_path: Path, prepare: Prepare
    ) -> None:
        """The film's own percentiles, not those of the fill."""
        (tmp_path / "boxes.csv").write_text(
            "source,laterality,x0,y0,x1,y1\nfilms/left.dcm,left,80,160,260,340\n", "utf-8"
        )
        found = prepare(listed_films, tmp_path / "out", boxes=tmp_path / "boxes.csv")
        rows = [row for row in found.rows if film_of(row) == "films/left.dcm"]
        film = read_film(listed_films.parent / "films" / "left.dcm")
        spec = replace(SEEN, mirror_to=Laterality.LEFT)
        graded = cut_region(film, Frame.of_box(80, 160, 260, 340, size_px=224), spec)
        assert 0.6 < graded.on_film < 0.85
        (learned,) = load_regions(
            rows, spec, root=tmp_path / "out", cache=tmp_path, watch=lambda *_: None
        )
        assert np.abs(learned - 255.0 * graded.pixels).mean() < 2.5
        assert learned[:, 190:].max() == 0

    @pytest.mark.parametrize(
        ("cutting", "ratio"),
        [
            (Cutting(side=1.25, side_unit="plateau_width"), 1.0),
            (Cutting(side=2.0, side_unit="plateau_width", size_px=256), 1.6),
            (Cutting(side=90.0, side_unit="mm_detector"), None),
        ],
    )
    def test_they_show_as_much_as_is_asked_for(
        self,
        listed_films: Path,
        prepared: Path,
        tmp_path: Path,
        cutting: Cutting,
        ratio: float | None,
        prepare: Prepare,
    ) -> None:
        found = prepare(listed_films, tmp_path / "out", cutting=cutting)
        path = next(row.path for row in found.rows if row.covariates)
        assert read_film(tmp_path / "out" / path).shape == (cutting.size_px, cutting.size_px)

        def sides(folder: Path) -> list[float]:
            films = [from_json(x) for x in (folder / NAME).read_text("utf-8").splitlines()[1:]]
            boxes = [k.box_px for f in films for k in f.knees if f.source != "films/cut.png"]
            return [x1 - x0 for x0, _, x1, _ in boxes]

        wanted = [100.0] * 10 if ratio is None else [ratio * side for side in sides(prepared)]
        assert sides(tmp_path / "out") == pytest.approx(wanted)

    def test_without_a_scale_a_film_has_no_millimetres(
        self, tmp_path: Path, make_picture: Callable[..., bytes], prepare: Prepare
    ) -> None:
        (tmp_path / "films").mkdir()
        (tmp_path / "films" / "a.png").write_bytes(make_picture(0))
        cutting = Cutting(side=130.0, side_unit="mm_detector")
        found = prepare(tmp_path / "films", tmp_path / "out", cutting=cutting)
        assert [reject.code for reject in found.rejects] == ["film.scale"]
        assert found.rows == ()

    def test_a_box_that_shows_nothing_is_refused(self, tmp_path: Path, prepare: Prepare) -> None:
        pixels = np.zeros((200, 200), dtype=np.uint8)
        pixels[:10, :10] = 200
        (tmp_path / "films").mkdir()
        Image.fromarray(pixels).save(tmp_path / "films" / "a.png")
        (tmp_path / "boxes.csv").write_text(
            "source,laterality,x0,y0,x1,y1\na.png,left,50,50,150,150\n", "utf-8"
        )
        found = prepare(tmp_path / "films", tmp_path / "out", boxes=tmp_path / "boxes.csv")
        assert [reject.code for reject in found.rejects] == ["file.blank"]

    def test_a_localiser_that_knows_phantoms_only_refuses_people(
        self, tmp_path: Path, make_picture: Callable[..., bytes], prepare: Prepare, draw_film: Draw
    ) -> None:
        finder = Path(shutil.copytree(FOLDER / DEFAULT_LOCALISER, tmp_path / "finder"))
        record = json.loads((finder / RECORD).read_bytes())
        record["trained_on"] = [each | {"kind": "synthetic"} for each in record["trained_on"]]
        (finder / RECORD).write_text(json.dumps(record), "utf-8")
        draw_film(tmp_path / "films" / "drawn.dcm", L)
        (tmp_path / "films" / "person.png").write_bytes(make_picture(0))
        cutting = Cutting(str(finder))
        found = prepare(tmp_path / "films", tmp_path / "out", cutting=cutting)
        assert [(r.source, r.code) for r in found.rejects] == [("person.png", "bundle.refused")]
        allowed = replace(cutting, allow_synthetic=True)
        found = prepare(tmp_path / "films", tmp_path / "allowed", cutting=allowed)
        assert "bundle.refused" not in {reject.code for reject in found.rejects}
