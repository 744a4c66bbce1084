from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from matplotlib.figure import Figure
from matplotlib.patches import Rectangle

from kellgren.anatomy import KL
from kellgren.records import RESEARCH_USE
from kellgren.statistics.calibration import reliability_bins
from kellgren.statistics.figures import confusion_figure, reliability_figure, write_figure

CONFUSION = np.array(
    [[8, 2, 0, 0, 0], [3, 3, 3, 0, 0], [0, 1, 5, 1, 0], [0, 0, 1, 9, 0], [0, 0, 0, 0, 0]]
)


def confusion() -> Figure:
    return confusion_figure(CONFUSION, task=KL, reader="model:m@1")


def reliability() -> Figure:
    rng = np.random.default_rng(0)
    bins = reliability_bins(rng.random(50), rng.random(50) < 0.6)
    return reliability_figure(bins, task=KL, reader="model:m@1")


def test_a_confusion_shows_counts_and_the_share_of_their_row() -> None:
    (axes,) = confusion().axes
    cells = [text.get_text() for text in axes.texts]
    assert cells[:3] == ["8\n80 %", "2\n20 %", "0\n0 %"]
    # A grade that no knee has is a row of nothing, not of NaN.
    assert cells[-1] == "0\n0 %"
    assert [label.get_text() for label in axes.get_yticklabels()] == list(KL.classes)
    assert axes.get_ylabel() == "Truth"


def test_a_reliability_diagram_draws_filled_bins_and_counts_all_knees() -> None:
    upper, lower = reliability().axes
    drawn = np.asarray(upper.get_lines()[1].get_xdata())
    counts = [patch.get_height() for patch in lower.patches if isinstance(patch, Rectangle)]
    assert len(drawn) == sum(count > 0 for count in counts) > 0
    assert sum(counts) == 50


def test_a_readers_name_is_no_formula(tmp_path: Path) -> None:
    figure = confusion_figure(CONFUSION, task=KL, reader=r"_$\frac{$")
    png, _ = write_figure(figure, tmp_path / "figure")
    assert png.stat().st_size > 0


@pytest.mark.parametrize("draw", [confusion, reliability])
def test_files_are_the_same_each_time_and_unstamped(
    draw: Callable[[], Figure], tmp_path: Path
) -> None:
    figure = draw()
    assert figure.get_supxlabel() == RESEARCH_USE
    png, svg = write_figure(figure, tmp_path / "one.v1")
    assert (png.name, svg.name) == ("one.v1.png", "one.v1.svg")
    again = write_figure(draw(), tmp_path / "two")
    assert [path.read_bytes() for path in again] == [png.read_bytes(), svg.read_bytes()]
    assert png.read_bytes().startswith(b"\x89PNG")
    assert b"Matplotlib" not in png.read_bytes()
    text = svg.read_text("utf-8")
    assert "<svg" in text
    assert "dc:date" not in text
