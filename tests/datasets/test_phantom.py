import dataclasses
import hashlib
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from kellgren import errors
from kellgren.anatomy import JSN_LATERAL, JSN_MEDIAL, KL, OARSI_FEATURES, VIEW, Laterality, Task
from kellgren.datasets.landmarks import read_landmarks
from kellgren.datasets.phantom import (
    PhantomKnee,
    draw_knee,
    landmarks,
    sample_knee,
    write_cohort,
)
from kellgren.datasets.phantom.geometry import CONTACT, Bones, Lookup, Placement
from kellgren.datasets.phantom.knee import OSTEOPHYTES
from kellgren.datasets.table import TRUTH, read_table
from kellgren.imaging import read_raster

SIZE_PX = 299
SEEDS = st.integers(0, 2**31 - 1)
GRADES = st.sampled_from(range(5))
JOINT_SPACES = st.floats(0.0, 0.08)
OSTEOPHYTE_SIZES = st.floats(0.0, 0.1)
WIDTH_OF = {JSN_LATERAL: "joint_space_lateral", JSN_MEDIAL: "joint_space_medial"}

# Pictures take some 10 ms each.
few = settings(max_examples=15, deadline=None)


def sampled(seed: int, kl: int | None = None) -> PhantomKnee:
    return sample_knee(np.random.default_rng(seed), kl=kl)


def changed(knee: PhantomKnee, **values: Any) -> PhantomKnee:  # noqa: ANN401 – any field
    return dataclasses.replace(knee, **values)


def grades(knee: PhantomKnee) -> list[int]:
    return [knee.grade(task) for task in (KL, *OARSI_FEATURES)]


@st.composite
def any_knee(draw: st.DrawFn) -> PhantomKnee:
    """Joint spaces and osteophytes, whether they are likely together or not."""
    return PhantomKnee(
        Laterality.RIGHT,
        draw(JOINT_SPACES),
        draw(JOINT_SPACES),
        draw(OSTEOPHYTE_SIZES),
        draw(OSTEOPHYTE_SIZES),
        draw(OSTEOPHYTE_SIZES),
        draw(OSTEOPHYTE_SIZES),
    )


class TestGrades:
    @given(seed=SEEDS, kl=GRADES)
    def test_a_knee_sampled_for_a_grade_has_it(self, seed: int, kl: int) -> None:
        assert sampled(seed, kl).kl == kl

    def test_every_grade_and_side_is_sampled_when_none_is_asked_for(self) -> None:
        rng = np.random.default_rng(0)
        knees = [sample_knee(rng) for _ in range(100)]
        assert {knee.kl for knee in knees} == {0, 1, 2, 3, 4}
        assert {knee.laterality for knee in knees} == {Laterality.LEFT, Laterality.RIGHT}

    @given(knee=any_knee(), other=JOINT_SPACES, task=st.sampled_from(tuple(WIDTH_OF)))
    def test_narrowing_never_lowers_a_grade(
        self, knee: PhantomKnee, other: float, task: Task
    ) -> None:
        name = WIDTH_OF[task]
        worse = changed(knee, **{name: min(other, getattr(knee, name))})
        assert all(new >= old for new, old in zip(grades(worse), grades(knee), strict=True))

    @given(knee=any_knee(), other=OSTEOPHYTE_SIZES, task=st.sampled_from(OSTEOPHYTES))
    def test_a_larger_osteophyte_never_lowers_a_grade(
        self, knee: PhantomKnee, other: float, task: Task
    ) -> None:
        name = task.name
        worse = changed(knee, **{name: max(other, getattr(knee, name))})
        assert all(new >= old for new, old in zip(grades(worse), grades(knee), strict=True))

    @pytest.mark.parametrize(
        ("medial", "spurs", "kl"),
        [
            (0.060, (0.000, 0.000), 0),
            (0.060, (0.020, 0.000), 1),  # possible lipping
            (0.052, (0.000, 0.000), 1),  # doubtful narrowing
            (0.020, (0.000, 0.000), 1),  # no osteophyte, no grade beyond doubtful
            (0.060, (0.040, 0.000), 2),
            (0.060, (0.070, 0.070), 2),  # large ones, but nothing narrowed
            (0.040, (0.040, 0.000), 2),  # a single one
            (0.040, (0.040, 0.040), 3),
            (0.000, (0.040, 0.040), 3),  # bone on bone, but no large one
            (0.020, (0.070, 0.070), 3),  # large ones, but not bone on bone
            (0.000, (0.070, 0.040), 4),
        ],
    )
    def test_the_rule(self, medial: float, spurs: tuple[float, float], kl: int) -> None:
        tibial, femoral = spurs
        knee = PhantomKnee(
            Laterality.LEFT,
            0.06,
            medial,
            osteophyte_tibial_medial=tibial,
            osteophyte_femoral_medial=femoral,
        )
        assert knee.kl == kl

    @pytest.mark.parametrize(
        ("width", "grade"), [(0.060, 0), (0.051, 0), (0.040, 1), (0.020, 2), (0.011, 2), (0.009, 3)]
    )
    def test_narrowing_is_graded_in_its_own_compartment(self, width: float, grade: int) -> None:
        knee = PhantomKnee(Laterality.RIGHT, width, 0.07)
        assert (knee.grade(JSN_LATERAL), knee.grade(JSN_MEDIAL)) == (grade, 0)

    def test_what_is_not_known_is_refused(self) -> None:
        with pytest.raises(ValueError, match="view is not known of a phantom"):
            sampled(0).grade(VIEW)
        with pytest.raises(ValueError, match="the grades are 0 to 4"):
            sampled(0, kl=5)
        with pytest.raises(ValueError, match="laterality is unknown"):
            changed(sampled(0), laterality=Laterality.UNKNOWN)
        with pytest.raises(ValueError, match=r"joint_space_medial is -0\.1"):
            changed(sampled(0), joint_space_medial=-0.1)


class TestDrawing:
    @few
    @given(seed=SEEDS, kl=GRADES)
    def test_the_other_side_is_the_mirrored_picture(self, seed: int, kl: int) -> None:
        knee = sampled(seed, kl)
        other = changed(knee, laterality=knee.laterality.mirrored)
        np.testing.assert_array_equal(draw_knee(other), draw_knee(knee)[:, ::-1])

    def test_the_same_knee_is_the_same_picture(self) -> None:
        assert sampled(3) == sampled(3)
        np.testing.assert_array_equal(draw_knee(sampled(3)), draw_knee(sampled(3)))

    def test_noise_is_all_that_its_seed_changes_much(self) -> None:
        knee = changed(sampled(3), trabeculae=1.0, noise_sd=2.0)
        other = changed(knee, noise_seed=knee.noise_seed + 1)
        difference = np.abs(draw_knee(knee).astype(int) - draw_knee(other))
        assert 1.0 < difference.mean() < 20.0

    @few
    @given(seed=SEEDS, space=st.floats(0.02, 0.07), medial=st.booleans())
    def test_the_dark_gap_is_as_wide_as_the_joint_space(
        self, seed: int, space: float, medial: bool
    ) -> None:
        name = "joint_space_medial" if medial else "joint_space_lateral"
        knee = changed(plain(sampled(seed, kl=0)), **{name: space})
        expected = space * knee.scale * SIZE_PX
        assert gap_px(knee, medial=medial) == pytest.approx(expected, abs=2.5)

    def test_bone_on_bone_leaves_no_gap(self) -> None:
        knee = changed(plain(sampled(5, kl=0)), joint_space_medial=0.0)
        assert gap_px(knee, medial=True) == 0
        assert gap_px(knee, medial=False) > 10

    @pytest.mark.parametrize("task", OSTEOPHYTES)
    def test_an_osteophyte_is_bone_beyond_its_own_margin(self, task: Task) -> None:
        knee = plain(changed(sampled(5, kl=0), laterality=Laterality.RIGHT))
        grown = changed(knee, **{task.name: 0.065})
        brighter = draw_knee(grown).astype(int) - draw_knee(knee) > 15
        rows, columns = np.nonzero(brighter)
        assert len(rows) > 20
        on = {landmark.name: landmark for landmark in landmarks(knee)}
        side = "image_left" if "lateral" in task.name else "image_right"
        margin = on[f"tibial_plateau_{side}"]
        assert abs(np.median(columns) - margin.x) < 0.07 * SIZE_PX
        assert (np.median(rows) < margin.y - 5) == ("femoral" in task.name)

    def test_other_sizes_show_the_same(self) -> None:
        knee = plain(sampled(1))
        small, large = draw_knee(knee, size_px=100), draw_knee(knee, size_px=300)
        shrunk = large.reshape(100, 3, 100, 3).mean(axis=(1, 3))
        assert np.abs(shrunk - small).mean() < 3.0
        with pytest.raises(ValueError, match="pictures under 32 px"):
            draw_knee(knee, size_px=31)


class TestLandmarks:
    @given(seed=SEEDS, kl=GRADES)
    def test_they_lie_in_the_picture_and_on_the_side_of_their_name(
        self, seed: int, kl: int
    ) -> None:
        knee = sampled(seed, kl)
        points = {landmark.name: (landmark.x, landmark.y) for landmark in landmarks(knee)}
        assert len(points) == 6
        assert all(0 <= value <= SIZE_PX - 1 for point in points.values() for value in point)
        middle_x, middle_y = points["joint_middle"]
        for name in ("tibial_plateau", "femoral_condyle"):
            assert points[f"{name}_image_left"][0] < middle_x < points[f"{name}_image_right"][0]
        assert points["fibula_head"][1] > middle_y
        assert (points["fibula_head"][0] < middle_x) == (knee.laterality is Laterality.RIGHT)

    @given(seed=SEEDS)
    def test_they_are_mirrored_with_the_knee(self, seed: int) -> None:
        knee = sampled(seed)
        other = changed(knee, laterality=knee.laterality.mirrored)
        mirrored = {
            landmark.name: (SIZE_PX - 1 - landmark.x, landmark.y) for landmark in landmarks(other)
        }
        swap = {"image_left": "image_right", "image_right": "image_left"}
        for landmark in landmarks(knee):
            stem, _, end = landmark.name.partition("_image_")
            name = f"{stem}_{swap[f'image_{end}']}" if end else stem
            assert mirrored[name] == pytest.approx((landmark.x, landmark.y))

    @few
    @given(seed=SEEDS)
    def test_no_row_of_the_condyles_is_wider_than_their_ends(self, seed: int) -> None:
        knee = changed(
            plain(sampled(seed, kl=0)), **{task.name: 0.0 for task in OSTEOPHYTES}, soft_tissue=3.0
        )
        points = {landmark.name: landmark for landmark in landmarks(knee)}
        left, right = (points[f"femoral_condyle_image_{side}"] for side in ("left", "right"))
        joint = round(points["joint_middle"].y)
        # Soft tissue is level here, so that the outermost steep rise is bone.
        grey = draw_knee(knee)[joint - 130 : joint - 15].astype(float)
        from_left = (grey[:, 4:] - grey[:, :-4] > 20.0).argmax(axis=1) + 2.0
        from_right = SIZE_PX - 3.0 - (grey[:, :-4] - grey[:, 4:] > 20.0)[:, ::-1].argmax(axis=1)
        assert from_left.min() == pytest.approx(left.x, abs=2.5)
        assert from_right.max() == pytest.approx(right.x, abs=2.5)
        assert from_left[round(left.y) - joint + 130] == pytest.approx(left.x, abs=2.5)
        assert from_right[round(right.y) - joint + 130] == pytest.approx(right.x, abs=2.5)


class TestCohort:
    def test_the_same_seed_writes_the_same_bytes(self, tmp_path: Path) -> None:
        for name in ("first", "second"):
            write_cohort(tmp_path / name, 4, seed=7, sheet=True)
        assert contents(tmp_path / "first") == contents(tmp_path / "second")
        write_cohort(tmp_path / "third", 4, seed=8, sheet=True)
        assert not set(contents(tmp_path / "first").values()) & {
            content for name, content in contents(tmp_path / "third").items() if "image" in name
        }

    def test_a_larger_cohort_begins_with_the_smaller(self, tmp_path: Path) -> None:
        small = read_table(write_cohort(tmp_path / "small", 3, seed=7))
        large = read_table(write_cohort(tmp_path / "large", 5, seed=7))
        assert large[: len(small)] == small
        few_files, many_files = contents(tmp_path / "small"), contents(tmp_path / "large")
        assert many_files["landmarks.csv"].startswith(few_files["landmarks.csv"])

    def test_the_manifest_tells_the_truth(self, tmp_path: Path) -> None:
        rows = read_table(write_cohort(tmp_path, 10, seed=1))
        assert len(rows) == 10 * 7
        for index, row in enumerate(rows):
            knee = sample_knee(np.random.default_rng((1, index // 7)), laterality=row.laterality)
            task = (KL, *OARSI_FEATURES)[index % 7]
            assert (row.task, row.value) == (task.name, knee.grade(task))
            assert (row.dataset, row.kind, row.reader) == ("phantom", "region", TRUTH)
            assert row.synthetic
            picture = tmp_path / row.path
            assert row.sha256 == hashlib.sha256(picture.read_bytes()).hexdigest()
            film = read_raster(picture)
            assert film.synthetic
            np.testing.assert_array_equal(film.pixels, draw_knee(knee))

    def test_patients_have_two_knees_and_one_split(self, tmp_path: Path) -> None:
        rows = read_table(write_cohort(tmp_path, 10, seed=1))
        knees = {(row.patient, row.laterality) for row in rows}
        patients = {patient for patient, _ in knees}
        assert (len(patients), len(knees)) == (5, 10)
        assert len({(row.patient, row.split) for row in rows}) == len(patients)
        assert {row.split for row in rows} == {"train", "val", "test"}

    def test_the_landmarks_are_those_of_the_knees(self, tmp_path: Path) -> None:
        write_cohort(tmp_path, 2, seed=1)
        written = read_landmarks(tmp_path / "landmarks.csv")
        assert len(written) == 12
        assert {(row.dataset, row.knee, row.visible) for row in written} == {("phantom", 0, True)}
        for image, side in (("phantom-1-00000R", "right"), ("phantom-1-00000L", "left")):
            index = 0 if side == "right" else 1
            knee = sample_knee(np.random.default_rng((1, index)), laterality=Laterality(side))
            found = {
                row.landmark: (row.x, row.y)
                for row in written
                if row.image == image and row.laterality == side
            }
            assert found == {
                landmark.name: pytest.approx((landmark.x, landmark.y), abs=1e-3)
                for landmark in landmarks(knee)
            }

    def test_the_sheet_is_marked_and_only_there_when_asked_for(self, tmp_path: Path) -> None:
        write_cohort(tmp_path, 2, seed=1)
        assert not (tmp_path / "sheet.png").exists()
        write_cohort(tmp_path, 2, seed=1, sheet=True)
        sheet = read_raster(tmp_path / "sheet.png")
        assert sheet.synthetic
        assert sheet.shape[0] == 5 * SIZE_PX
        write_cohort(tmp_path, 2, seed=1)
        assert not (tmp_path / "sheet.png").exists()

    def test_an_earlier_cohort_is_replaced_as_a_whole_and_nothing_else(
        self, tmp_path: Path
    ) -> None:
        write_cohort(tmp_path / "new", 2, seed=2)
        write_cohort(tmp_path / "old", 5, seed=1, sheet=True)
        beside = {
            "notes.txt": b"mine",
            "images/of a holiday.png": b"mine",
            "manifest.csv.ledger.jsonl": b"seen",
        }
        for name, content in beside.items():
            (tmp_path / "old" / name).write_bytes(content)
        write_cohort(tmp_path / "old", 2, seed=2)
        assert contents(tmp_path / "old") == contents(tmp_path / "new") | beside

    @pytest.mark.parametrize(
        "table",
        [None, "patient,value\n7,1\n", "dataset,synthetic\nphantom,0\n", "not,a,tidy,table\n", ""],
    )
    def test_a_folder_of_something_else_is_refused(self, tmp_path: Path, table: str | None) -> None:
        (tmp_path / "images").mkdir()
        if table is not None:
            (tmp_path / "manifest.csv").write_text(table, "utf-8")
        before = contents(tmp_path)
        with pytest.raises(errors.OutputError, match=r"no earlier cohort.*another folder"):
            write_cohort(tmp_path, 1, seed=1)
        assert contents(tmp_path) == before

    def test_nothing_half_written_is_left(self, tmp_path: Path) -> None:
        write_cohort(tmp_path, 1, seed=1, sheet=True)
        assert sorted(contents(tmp_path)) == [
            "images/phantom-1-00000R.png",
            "landmarks.csv",
            "manifest.csv",
            "sheet.png",
        ]

    def test_an_empty_cohort_is_refused(self, tmp_path: Path) -> None:
        with pytest.raises(ValueError, match="at least one picture"):
            write_cohort(tmp_path, 0, seed=1)


def plain(knee: PhantomKnee) -> PhantomKnee:
    """The same bones, upright and without noise or texture, so that grey levels can be compared."""
    return changed(knee, tilt_deg=0.0, trabeculae=0.0, noise_sd=0.0, exposure=1.0, contrast=1.3)


def gap_px(knee: PhantomKnee, *, medial: bool) -> int:
    """Rows as dark as soft tissue around the condyle's lowest point."""
    u = np.array([CONTACT if medial else -CONTACT], dtype=np.float32)
    lowest = float(Bones.of(knee).condyles.height(Lookup.of(u))[0])
    x, y = map(round, Placement.in_region(knee, SIZE_PX).pixel(float(u[0]), lowest))
    wide = changed(knee, joint_space_lateral=0.15, joint_space_medial=0.15)
    soft_tissue = float(draw_knee(wide)[:, x].astype(float)[y - 60 : y + 60].min())
    column = draw_knee(knee)[y - 30 : y + 45, x].astype(float)
    return int((column < (soft_tissue + float(np.median(column))) / 2.0).sum())


def contents(folder: Path) -> dict[str, bytes]:
    return {
        path.relative_to(folder).as_posix(): path.read_bytes()
        for path in folder.rglob("*")
        if path.is_file()
    }
