"""``--boxes``: a person's word, and how it is read."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from kellgren import errors
from kellgren.anatomy import Laterality
from kellgren.imaging import Header, Radiograph, RegionSpec, StatedSide, cut_region
from kellgren.localise import Box, Boxes, read_boxes
from kellgren.localise.localiser import Localiser

SPEC = RegionSpec(side=None, side_unit="whole_picture", size_px=64)
L, R, U = Laterality.LEFT, Laterality.RIGHT, Laterality.UNKNOWN
HEADER = "source,laterality,x0,y0,x1,y1"


def film(*sides: str) -> Radiograph:
    values = np.random.default_rng(0).integers(0, 255, (200, 300), dtype=np.uint8)
    stated = tuple(StatedSide(side, "X", coded=True) for side in sides)  # type: ignore[arg-type] # literals
    return Radiograph(values, "0" * 64, header=Header(sides=stated))


def table(path: Path, *lines: str, head: str = HEADER, encoding: str = "utf-8") -> Path:
    path.write_text("\n".join([head, *lines]), encoding)
    return path


class TestRead:
    def test_boxes_are_gathered_by_film(self, tmp_path: Path) -> None:
        lines = ("a.png,right,1,2,3.5,4", "b/c.dcm,,0,0,9,9", "a.png,left,5,5,8,8")
        boxes = read_boxes(table(tmp_path / "b.csv", *lines, encoding="utf-8-sig"))
        assert boxes == {
            "a.png": (Box(1, 2, 3.5, 4, R), Box(5, 5, 8, 8, L)),
            "b/c.dcm": (Box(0, 0, 9, 9, U),),
        }

    def test_an_angle_of_nothing_may_stand_there(self, tmp_path: Path) -> None:
        path = table(tmp_path / "b.csv", "a,left,0,0,9,9,", head=f"{HEADER},angle_deg")
        assert read_boxes(path) == {"a": (Box(0, 0, 9, 9, L),)}

    @pytest.mark.parametrize(
        ("line", "said"),
        [
            ("a,left,9,0,0,9", "no area"),
            ("a,left,0,0,0,9", "no area"),
            ("a,left,nan,0,9,9", "no area"),
            ("a,left,-inf,0,inf,9", "no area"),
            ("a,Left,0,0,9,9", "cannot be read"),
            ("a,left,zero,0,9,9", "cannot be read"),
            ("a,left,0,0,9", "more or fewer cells"),
            ("a,left,0,0,9,9,9,9", "more or fewer cells"),
            ("a,left,0,0,9,9,12", "more or fewer cells"),
        ],
    )
    def test_what_is_no_box_is_named_by_its_row(self, tmp_path: Path, line: str, said: str) -> None:
        with pytest.raises(errors.TableError, match=rf"b\.csv, row 3: .*{said}"):
            read_boxes(table(tmp_path / "b.csv", "a,left,0,0,9,9", line))

    def test_a_box_may_be_turned(self, tmp_path: Path) -> None:
        path = table(tmp_path / "b.csv", "a,left,0,0,9,9,-3.5", head=f"{HEADER},angle_deg")
        assert read_boxes(path) == {"a": (Box(0, 0, 9, 9, L, -3.5),)}

    @pytest.mark.parametrize("angle", ["181", "-180.5", "nan", "inf"])
    def test_a_turn_that_is_none_is_named_by_its_row(self, tmp_path: Path, angle: str) -> None:
        path = table(tmp_path / "b.csv", f"a,left,0,0,9,9,{angle}", head=f"{HEADER},angle_deg")
        with pytest.raises(errors.TableError, match=r"b\.csv, row 2: angle_deg"):
            read_boxes(path)

    @pytest.mark.parametrize("head", ["source,x0,y0,x1,y1", f"{HEADER},colour", ""])
    def test_other_columns_are_refused(self, tmp_path: Path, head: str) -> None:
        with pytest.raises(errors.TableError, match="the columns of boxes are"):
            read_boxes(table(tmp_path / "b.csv", head=head))

    def test_what_is_no_table_is_said(self, tmp_path: Path) -> None:
        with pytest.raises(errors.TableError, match="no such table"):
            read_boxes(tmp_path / "none.csv")
        (tmp_path / "b.csv").write_bytes(HEADER.encode() + b"\n\xff\xfe,left,0,0,9,9\n")
        with pytest.raises(errors.TableError, match="UTF-8"):
            read_boxes(tmp_path / "b.csv")


class TestFind:
    def test_a_box_is_squared_around_its_centre(self) -> None:
        finder: Localiser = Boxes([Box(50, 40, 150, 100, R)])
        (found,) = finder.find(film(), SPEC, laterality=None)
        assert found.frame.edges == pytest.approx((50, 20, 150, 120))
        assert (found.laterality, found.laterality_source) == (R, "user")
        assert (found.scale_source, found.confidence) == ("boxes", None)
        assert found.gate.graded
        assert finder.reference is None

    @pytest.mark.parametrize("angle", [12.0, -30.0, 180.0])
    def test_a_turned_box_is_the_square_turned_about_its_middle(self, angle: float) -> None:
        (found,) = Boxes([Box(50, 40, 150, 100, R, angle)]).find(film(), SPEC, laterality=None)
        corner, opposite, beside = found.frame.to_film([(-0.5, -0.5), (63.5, 63.5), (63.5, -0.5)])
        assert (corner + opposite) / 2.0 + 0.5 == pytest.approx((100, 70))
        along = beside - corner
        assert np.hypot(*along) == pytest.approx(100.0)
        # clockwise as the film is seen: to its right and down
        assert along == pytest.approx(
            (100 * np.cos(np.deg2rad(angle)), 100 * np.sin(np.deg2rad(angle)))
        )
        assert np.hypot(*(opposite - beside)) == pytest.approx(100.0)
        assert (opposite - beside) @ along == pytest.approx(0.0, abs=1e-6)
        assert cut_region(film(), found.frame, SPEC).pixels.shape == (64, 64)

    @pytest.mark.parametrize("x", [-5.0, 305.0])
    def test_a_turned_box_has_its_middle_on_the_film(self, x: float) -> None:
        box = Box(x - 60, 40, x + 60, 140, R)
        (found,) = Boxes([box]).find(film(), SPEC, laterality=None)
        assert found.gate.reasons == ("REGION_CUT",)
        with pytest.raises(errors.BoxInvalid, match="300×200"):
            Boxes([replace(box, angle_deg=45.0)]).find(film(), SPEC, laterality=None)

    @pytest.mark.parametrize("angle", [1.0, 30.0, 45.0, 90.0, 135.0])
    @pytest.mark.parametrize(("x", "y"), [(0, 0), (300, 200), (0, 100), (300, 0)])
    @pytest.mark.parametrize("half", [3.0, 40.0])
    def test_every_turned_box_on_the_film_can_be_cut(
        self, x: float, y: float, half: float, angle: float
    ) -> None:
        box = Box(x - half, y - half, x + half, y + half, R, angle)
        (found,) = Boxes([box]).find(film(), SPEC, laterality=None)
        assert cut_region(film(), found.frame, SPEC).on_film > 0.0

    @pytest.mark.parametrize(
        ("own", "given", "tag", "expected"),
        [
            (R, None, (), (R, "user", ())),
            (R, L, (), (R, "user", ())),
            (R, None, ("left",), (R, "user", ("LATERALITY_CONFLICT",))),
            (U, L, (), (L, "user", ())),
            (U, None, ("left",), (L, "tag", ())),
            (U, None, (), (U, "unknown", ())),
        ],
    )
    def test_the_side_of_one_box(
        self,
        own: Laterality,
        given: Laterality | None,
        tag: tuple[str, ...],
        expected: tuple[Laterality, str, tuple[str, ...]],
    ) -> None:
        (found,) = Boxes([Box(50, 40, 150, 140, own)]).find(film(*tag), SPEC, laterality=given)
        assert (found.laterality, found.laterality_source, found.warnings) == expected

    def test_two_boxes_without_sides_have_those_of_their_places(self) -> None:
        boxes = [Box(180, 40, 280, 140), Box(20, 40, 120, 140)]
        found = Boxes(boxes).find(film(), SPEC, laterality=None)
        assert [each.laterality for each in found] == [L, R]

    def test_what_reaches_past_the_edge_is_warned_of_or_refused_as_any_region(self) -> None:
        boxes = [Box(50, 40, 150, 140), Box(-25, 40, 75, 140), Box(-60, 40, 40, 140)]
        found = Boxes(boxes).find(film(), SPEC, laterality=None)
        assert [each.gate.reasons for each in found] == [(), (), ("REGION_CUT",)]
        assert ["REGION_CUT" in each.warnings for each in found] == [False, True, False]

    @pytest.mark.parametrize("box", [Box(-9, 0, 0, 9), Box(300, 0, 400, 9), Box(0, 200, 9, 300)])
    def test_a_box_off_the_film_is_an_error(self, box: Box) -> None:
        with pytest.raises(errors.BoxInvalid, match="300×200"):
            Boxes([box]).find(film(), SPEC, laterality=None)

    def test_the_smallest_box_on_the_film_can_be_cut(self) -> None:
        (found,) = Boxes([Box(299.5, 199.5, 299.9, 199.9)]).find(film(), SPEC, laterality=None)
        assert cut_region(film(), found.frame, SPEC).pixels.shape == (64, 64)
