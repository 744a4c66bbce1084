from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.patches import Rectangle

from kellgren.anatomy import KL
from kellgren.records import RESEARCH_USE
from kellgren.statistics.bland_altman import bland_altman
from kellgren.statistics.bootstrap import Interval
from kellgren.statistics.calibration import reliability_bins
from kellgren.statistics.discrimination import precision_recall_curve
from kellgren.statistics.external import Drop
from kellgren.statistics.figures import (
    Estimate,
    Shift,
    bland_altman_figure,
    confusion_figure,
    external_figure,
    forest_figure,
    precision_recall_figure,
    reliability_figure,
    write_figure,
)
from kellgren.statistics.figures.style import MAIN, MARKERS, SERIES, WIDTH

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


def test_a_point_of_a_reliability_diagram_is_as_large_as_its_knees() -> None:
    rng = np.random.default_rng(0)
    bins = reliability_bins(rng.random(50), rng.random(50) < 0.6)
    (points,) = reliability_figure(bins, task=KL, reader="m").axes[0].collections
    counts = np.array([one.n for one in bins if one.n])
    sizes = np.asarray(points.get_sizes())  # type: ignore[attr-defined] # of a scatter
    np.testing.assert_allclose(sizes / sizes.max(), counts / counts.max())


def test_a_value_without_an_interval_is_hollow_and_said_to_have_none() -> None:
    nan = float("nan")
    estimates = (
        Estimate("sure", 0.5, 0.4, 0.6),
        Estimate("few", 0.5, nan, nan),
        Estimate("none", nan, nan, nan, lower_is_better=True),
    )
    (axes,) = forest_figure(estimates, task=KL, label="d", ends=("a higher", "b $ higher")).axes
    marks = [line for line in axes.get_lines() if line.get_marker() == "s"]
    assert marks[0].get_markerfacecolor() == MAIN
    assert {mark.get_markerfacecolor() for mark in marks[1:]} == {"white"}
    assert [label.get_text() for label in axes.get_yticklabels()] == [
        "sure",
        "few (no interval)",
        "none (lower is better, not\nestimable)",
    ]
    assert "← a higher" in axes.get_xlabel()
    assert r"b \$ higher →" in axes.get_xlabel()


def test_each_precision_has_its_own_line_of_chance() -> None:
    rng = np.random.default_rng(1)
    scores, draws = rng.random(80), rng.random(80)
    found = [precision_recall_curve(draws < share, scores) for share in (0.2, 0.6)]
    curves = [(name, curve) for name, curve in zip("ab", found, strict=True) if curve]
    (axes,) = precision_recall_figure(curves, task=KL, prevalences=[0.2, 0.6]).axes
    levels = [float(np.asarray(line.get_ydata())[0]) for line in axes.get_lines()[:2]]
    assert levels == [0.2, 0.6]
    legend = axes.get_legend()
    assert legend is not None
    names = [text.get_text() for text in legend.get_texts()]
    assert [name.split(" of all")[0] for name in names] == ["a (20.0%", "b (60.0%"]


def test_differences_name_their_lines_and_show_zero() -> None:
    rng = np.random.default_rng(2)
    first = rng.normal(4.0, 1.0, 40)
    patients = np.array([f"P{i // 2}" for i in range(40)])
    found = bland_altman(first, first - 0.5, patients, rng=rng, resamples=20)
    (axes,) = bland_altman_figure(found, first="a", second="b").axes
    assert {text.get_text() for text in axes.texts} == {
        "mean +0.50",
        "lower limit +0.50",
        "upper limit +0.50",
    }
    assert any(set(np.ravel(line.get_ydata())) == {0.0} for line in axes.get_lines())


def drop(internal: float, external: float, reach: float) -> Drop:
    def about(value: float) -> Interval:
        return Interval(value - reach, value + reach, 0)

    points = internal - external
    percent = 100.0 * points / internal
    ends = (about(internal), about(external), about(points), about(percent))
    return Drop(internal, external, points, percent, *ends)


SHIFTS = (
    Shift("Kappa $", drop(0.8, 0.6, 0.05), drop(0.8, 0.7, 0.05)),
    Shift("Error", drop(0.3, 0.5, 0.05), lower_is_better=True),
    Shift("Recall of 4", drop(0.5, 0.25, float("nan"))),
)


def external() -> Figure:
    return external_figure(SHIFTS, task=KL)


def test_both_cohorts_and_what_is_lost_between_them_are_drawn() -> None:
    figure = external()
    values, lost = figure.axes

    def marks(axes: Axes) -> list[tuple[float, str, object]]:
        return [
            (float(np.ravel(line.get_xdata())[0]), str(line.get_marker()), line.get_color())
            for line in axes.get_lines()
            if line.get_marker() in MARKERS
        ]

    place = {0: (MARKERS[0], SERIES[0]), 1: (MARKERS[1], SERIES[1]), 2: (MARKERS[2], SERIES[2])}
    assert marks(values) == [
        *((0.8, *place[0]), (0.6, *place[1]), (0.7, *place[2])),
        *((0.3, *place[0]), (0.5, *place[1]), (0.5, *place[0]), (0.25, *place[1])),
    ]
    assert [round(each[0], 6) for each in marks(lost)] == [0.2, 0.1, -0.2, 0.25]
    # Of each mark its interval, and hollow what has none.
    spans = [
        line for line in lost.get_lines() if len(np.ravel(line.get_xdata())) == 2
    ]  # the line of no loss is the first
    assert np.ravel(spans[1].get_xdata()) == pytest.approx([0.15, 0.25])
    hollow = [line.get_markerfacecolor() for line in lost.get_lines()][-1]
    assert hollow == "white"
    assert [label.get_text() for label in values.get_yticklabels()] == [
        *(r"Kappa \$", "Error; lower is\nbetter", "Recall of 4")
    ]
    (legend,) = figure.legends
    assert [text.get_text() for text in legend.get_texts()] == [
        *("internal", "external", "external, internal mix of grades")
    ]
    assert legend.get_title().get_text() == KL.title


def test_without_one_mix_of_grades_there_is_no_third_mark() -> None:
    (legend,) = external_figure(SHIFTS[1:], task=KL).legends
    assert [text.get_text() for text in legend.get_texts()] == ["internal", "external"]


def test_a_readers_name_is_no_formula(tmp_path: Path) -> None:
    figure = confusion_figure(CONFUSION, task=KL, reader=r"_$\frac{$")
    png, _ = write_figure(figure, tmp_path / "figure")
    assert png.stat().st_size > 0


@pytest.mark.parametrize("draw", [confusion, reliability, external])
def test_files_are_the_same_each_time_and_unstamped(
    draw: Callable[[], Figure], tmp_path: Path
) -> None:
    figure = draw()
    assert figure.get_supxlabel() == RESEARCH_USE
    assert figure.get_figwidth() == pytest.approx(WIDTH)
    png, svg = write_figure(figure, tmp_path / "one.v1")
    assert (png.name, svg.name) == ("one.v1.png", "one.v1.svg")
    again = write_figure(draw(), tmp_path / "two")
    assert [path.read_bytes() for path in again] == [png.read_bytes(), svg.read_bytes()]
    assert png.read_bytes().startswith(b"\x89PNG")
    assert b"Matplotlib" not in png.read_bytes()
    text = svg.read_text("utf-8")
    assert "<svg" in text
    assert "dc:date" not in text
