"""Phantom films as DICOM files, and cohorts of them."""

import hashlib
from dataclasses import replace
from pathlib import Path
from typing import Literal, get_args

import numpy as np
import pydicom
import pytest

from kellgren import errors
from kellgren.anatomy import KL, OARSI_FEATURES, Laterality
from kellgren.datasets.landmarks import read_landmarks
from kellgren.datasets.phantom import (
    Collimation,
    Leg,
    PhantomFilm,
    draw_film,
    film_landmarks,
    sample_film,
    sample_knee,
    write_cohort,
    write_film,
)
from kellgren.datasets.table import TRUTH, Row, read_table
from kellgren.imaging import read_film, read_raster

SEED = 13
"""Of a cohort whose first film shows one knee and whose second shows two."""

TASKS = (KL, *OARSI_FEATURES)
CORE = {"tibial_plateau_image_left", "tibial_plateau_image_right", "joint_middle"}

Modality = Literal["DX", "CR"]
Photometric = Literal["MONOCHROME1", "MONOCHROME2"]
SOP_CLASSES = {
    "DX": pydicom.uid.DigitalXRayImageStorageForPresentation,
    "CR": pydicom.uid.ComputedRadiographyImageStorage,
}


def small(*, two: bool = False, seed: int = 1) -> PhantomFilm:
    """A film of few pixels: it is drawn in some 20 ms."""
    rng = np.random.default_rng(seed)
    sides = (Laterality.RIGHT, Laterality.LEFT) if two else (Laterality.LEFT,)
    knees = [sample_knee(rng, laterality=side) for side in sides]
    legs = tuple(
        Leg(knee, (100.0 + 180.0 * index, 220.0), 80.0) for index, knee in enumerate(knees)
    )
    return PhantomFilm(legs=legs, size=(450, 370), spacing_mm=0.9, seed=seed)


class TestFile:
    @pytest.mark.parametrize("two", [False, True])
    @pytest.mark.parametrize("modality", get_args(Modality))
    @pytest.mark.parametrize("photometric", get_args(Photometric))
    def test_it_is_dicom_with_the_pixels_that_were_drawn(
        self, tmp_path: Path, two: bool, modality: Modality, photometric: Photometric
    ) -> None:
        film = replace(small(two=two), modality=modality, photometric=photometric)
        path = tmp_path / "film.dcm"
        assert write_film(film, path) == hashlib.sha256(path.read_bytes()).hexdigest()
        dataset = pydicom.dcmread(path)
        assert dataset.file_meta.TransferSyntaxUID == pydicom.uid.ExplicitVRLittleEndian
        assert dataset.SOPClassUID == SOP_CLASSES[film.modality]
        assert (dataset.Rows, dataset.Columns) == film.size
        assert (dataset.BitsAllocated, dataset.BitsStored, dataset.HighBit) == (16, 12, 11)
        drawn = draw_film(film)
        stored = 4095 - drawn if film.photometric == "MONOCHROME1" else drawn
        np.testing.assert_array_equal(dataset.pixel_array, stored)
        # What is read for grading is dense bright again.
        read = read_film(path)
        np.testing.assert_array_equal(read.pixels, drawn)
        assert read.synthetic
        assert read.pixel_spacing_mm == (film.spacing_mm, film.spacing_mm)
        assert read.header.imager_pixel_spacing_mm == read.pixel_spacing_mm
        assert (read.header.view, read.header.body_part) == ("PA", "KNEE")
        assert read.header.modality == film.modality
        side = film.knees[0].laterality if not two else Laterality.UNKNOWN
        assert read.header.laterality is side
        assert read.header.bilateral == (two and film.modality == "DX")

    def test_it_names_nobody_and_no_day_of_ours(self, tmp_path: Path) -> None:
        film = small()
        write_film(film, tmp_path / "film.dcm")
        dataset = pydicom.dcmread(tmp_path / "film.dcm")
        assert dataset.PatientID == f"PHANTOM-{film.seed}"
        assert dataset.PatientName == f"Phantom^{film.seed}"
        dates = {e.value for e in dataset.iterall() if e.VR in {"DA", "TM", "DT"}}
        assert dates == {"", "20000101", "120000"}
        own = [
            element.value
            for element in (*dataset.iterall(), *dataset.file_meta)
            if element.VR == "UI" and not element.value.startswith("1.2.840.10008.")
        ]
        assert len(own) == 5  # the instance twice
        assert all(value.startswith("2.25.") and len(value) <= 64 for value in own)
        assert len(set(own)) == 4

    @pytest.mark.parametrize("modality", ["DX", "CR"])
    def test_every_required_attribute_has_a_value_or_may_be_empty(
        self, tmp_path: Path, modality: Modality
    ) -> None:
        film = replace(small(two=True), modality=modality)
        write_film(film, tmp_path / "film.dcm")
        dataset = pydicom.dcmread(tmp_path / "film.dcm")
        # DICOM PS3.3, A.2 and A.26: types 1 and 2.
        full = "StudyInstanceUID SeriesInstanceUID ImageType BurnedInAnnotation RescaleSlope"
        empty = "PatientBirthDate PatientSex StudyID AccessionNumber ReferringPhysicianName"
        if modality == "DX":
            full += " PresentationIntentType PixelIntensityRelationship PresentationLUTShape"
            full += " ImagerPixelSpacing ImageLaterality AnatomicRegionSequence ViewCodeSequence"
            empty += " DetectorType PositionerType AcquisitionContextSequence"
        else:
            empty += " Laterality"
        assert [keyword for keyword in full.split() if not dataset.get(keyword)] == []
        assert [keyword for keyword in empty.split() if keyword not in dataset] == []

    def test_the_same_film_is_the_same_file_and_another_has_other_uids(
        self, tmp_path: Path
    ) -> None:
        film = small()
        one, two = tmp_path / "one.dcm", tmp_path / "two.dcm"
        write_film(film, one)
        write_film(film, two)
        assert one.read_bytes() == two.read_bytes()
        write_film(replace(film, exposure=1.01 * film.exposure), two)
        first, second = pydicom.dcmread(one), pydicom.dcmread(two)
        assert first.SOPInstanceUID != second.SOPInstanceUID
        write_film(film, two, patient="phantom-of-another")
        second = pydicom.dcmread(two)
        assert second.PatientID == "PHANTOM-of-another"
        assert first.StudyInstanceUID != second.StudyInstanceUID
        assert first.SOPInstanceUID != second.SOPInstanceUID
        assert sorted(tmp_path.iterdir()) == [one, two]


@pytest.fixture(scope="module")
def films(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The manifest of two films, of one knee and of two."""
    return write_cohort(tmp_path_factory.mktemp("films"), 2, seed=SEED, layout="films", sheet=True)


class TestCohort:
    def test_the_manifest_has_a_row_for_each_knee_and_task(self, films: Path) -> None:
        rows = read_table(films)
        expected = [
            (f"images/phantom-{SEED}-{index:05d}.dcm", knee.laterality, task.name, knee.grade(task))
            for index, film in enumerate(of_cohort())
            for knee in film.knees
            for task in TASKS
        ]
        assert [(row.path, row.laterality, row.task, row.value) for row in rows] == expected
        assert {(row.dataset, row.kind, row.reader) for row in rows} == {("phantom", "film", TRUTH)}
        assert all(row.synthetic for row in rows)
        assert len({(row.patient, row.image) for row in rows}) == 2
        assert [len(film.knees) for film in of_cohort()] == [1, 2]

    def test_the_files_are_those_that_it_lists(self, films: Path) -> None:
        for path, rows in by_path(read_table(films)).items():
            film = read_film(films.parent / path, keep_ids=True)
            assert {row.sha256 for row in rows} == {film.sha256}
            assert film.synthetic
            assert film.header.patient_id == rows[0].patient.replace("phantom-", "PHANTOM-")
            spacing = (rows[0].pixel_spacing_row_mm, rows[0].pixel_spacing_column_mm)
            assert film.pixel_spacing_mm == spacing

    def test_the_landmarks_are_those_of_the_knees_from_the_films_left(self, films: Path) -> None:
        written = iter(read_landmarks(films.parent / "landmarks.csv"))
        for index, film in enumerate(of_cohort()):
            for number, knee in enumerate(film_landmarks(film)):
                for landmark in knee:
                    placed = next(written)
                    assert (placed.image, placed.knee) == (f"phantom-{SEED}-{index:05d}", number)
                    assert placed.laterality is film.knees[number].laterality
                    assert (placed.landmark, placed.visible) == (landmark.name, True)
                    assert (placed.x, placed.y) == pytest.approx((landmark.x, landmark.y), abs=1e-3)
        assert next(written, None) is None

    def test_the_sheet_shows_the_films_and_is_marked(self, films: Path) -> None:
        sheet = read_raster(films.parent / "sheet.png")
        assert sheet.synthetic
        assert sheet.shape == (299, 2 * 299)

    def test_again_it_is_the_same_and_a_larger_one_begins_with_it(
        self, films: Path, tmp_path: Path
    ) -> None:
        write_cohort(tmp_path, 1, seed=SEED, layout="films")
        name = f"images/phantom-{SEED}-00000.dcm"
        assert (tmp_path / name).read_bytes() == (films.parent / name).read_bytes()
        table = (tmp_path / "landmarks.csv").read_text("utf-8")
        assert (films.parent / "landmarks.csv").read_text("utf-8").startswith(table)

    def test_films_replace_regions_and_regions_films(self, tmp_path: Path) -> None:
        write_cohort(tmp_path, 1, seed=SEED)
        write_cohort(tmp_path, 1, seed=SEED, layout="films")
        assert [path.suffix for path in (tmp_path / "images").iterdir()] == [".dcm"]
        write_cohort(tmp_path, 1, seed=SEED)
        assert [path.suffix for path in (tmp_path / "images").iterdir()] == [".png"]

    def test_a_hidden_landmark_has_no_place(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        film = small()
        (leg,) = film.legs
        below = film.size[0] - leg.origin[1] - 0.1 * leg.plateau_mm / film.spacing_mm
        hidden = replace(film, collimation=Collimation(0.0, 0.0, 0.0, below))
        monkeypatch.setattr("kellgren.datasets.phantom.cohort.sample_film", lambda _rng: hidden)
        write_cohort(tmp_path, 1, seed=SEED, layout="films")
        found = {row.landmark: row for row in read_landmarks(tmp_path / "landmarks.csv")}
        tip = found["fibula_head"]
        assert (tip.visible, tip.x, tip.y) == (False, None, None)
        assert all(found[name].visible for name in CORE)

    def test_a_folder_of_something_else_is_refused(self, tmp_path: Path) -> None:
        (tmp_path / "film.dcm").write_bytes(b"mine")
        with pytest.raises(errors.OutputError, match="no earlier cohort"):
            write_cohort(tmp_path, 1, seed=1, layout="films")


def of_cohort() -> list[PhantomFilm]:
    return [sample_film(np.random.default_rng((SEED, index))) for index in range(2)]


def by_path(rows: tuple[Row, ...]) -> dict[str, list[Row]]:
    found: dict[str, list[Row]] = {}
    for row in rows:
        found.setdefault(row.path, []).append(row)
    return found
