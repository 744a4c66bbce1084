"""The landmarks table goes out and comes back, and says where it is wrong."""

from dataclasses import replace
from pathlib import Path

import pytest

from kellgren import errors
from kellgren.anatomy import Laterality
from kellgren.datasets.landmarks import COLUMNS, Placed, read_landmarks, write_landmarks

PLACED = Placed(
    dataset="d",
    image="a, b",
    knee=1,
    landmark="joint_middle",
    x=1.5,
    y=-0.125,
    visible=True,
    laterality=Laterality.LEFT,
    annotator="AB",
    date="2026-01-02",
)
HIDDEN = replace(PLACED, landmark="fibula_head", x=None, y=None, visible=False, date="")
LINE = "d,i,0,joint_middle,1.0,2.0,1,left,AB,2026-01-02"


def test_what_is_written_is_what_was_read(tmp_path: Path) -> None:
    write_landmarks([PLACED, HIDDEN], tmp_path / "l.csv")
    assert read_landmarks(tmp_path / "l.csv") == (PLACED, HIDDEN)
    content = (tmp_path / "l.csv").read_bytes()
    write_landmarks(read_landmarks(tmp_path / "l.csv"), tmp_path / "l.csv")
    assert (tmp_path / "l.csv").read_bytes() == content


def test_a_spreadsheets_mark_does_not_matter(tmp_path: Path) -> None:
    (tmp_path / "l.csv").write_text(",".join(COLUMNS) + "\n" + LINE, "utf-8-sig")
    assert len(read_landmarks(tmp_path / "l.csv")) == 1


@pytest.mark.parametrize(
    ("was", "now"),
    [
        ("1.0", "one"),
        ("1.0", "nan"),
        ("1.0", ""),
        ("1.0,2.0", ","),
        (",1,left", ",yes,left"),
        ("left", "Left"),
        (",0,", ",first,"),
        (",AB", ""),
        (",AB", ",AB,AC"),
    ],
)
def test_a_wrong_cell_is_named_by_its_row(tmp_path: Path, was: str, now: str) -> None:
    lines = [",".join(COLUMNS), LINE, LINE.replace(was, now, 1)]
    (tmp_path / "l.csv").write_text("\n".join(lines), "utf-8")
    with pytest.raises(errors.TableError, match=r"^l\.csv, row 3: "):
        read_landmarks(tmp_path / "l.csv")


def test_what_is_no_landmarks_table_is_said(tmp_path: Path) -> None:
    with pytest.raises(errors.TableError, match="no such table"):
        read_landmarks(tmp_path / "none.csv")
    (tmp_path / "l.csv").write_text("image,x,y\n", "utf-8")
    with pytest.raises(errors.TableError, match="not a landmarks table"):
        read_landmarks(tmp_path / "l.csv")
    (tmp_path / "l.csv").write_bytes(",".join(COLUMNS).encode() + b"\n\xff\xfe")
    with pytest.raises(errors.TableError, match="cannot be read"):
        read_landmarks(tmp_path / "l.csv")
