"""What a run says of its figures. Nothing here is timed."""

import numpy as np
import pytest
from benchmarks.agreement import compare
from benchmarks.commands import Run
from benchmarks.figures import Figure, Target, table
from benchmarks.turns import Timed


@pytest.mark.parametrize(
    ("value", "said"), [(1.99, "NO"), (2.0, "yes, not the goal"), (2.5, "yes, and the goal")]
)
def test_a_lower_bound_with_a_goal(value: float, said: str) -> None:
    assert Target("at least", 2.0, 2.5).judge(value) == said


@pytest.mark.parametrize(("value", "said"), [(1.5, "yes"), (1.51, "NO")])
def test_an_upper_bound(value: float, said: str) -> None:
    assert Target("at most", 1.5).judge(value) == said


def test_what_a_run_cannot_judge_is_neither_met_nor_missed() -> None:
    target = Target("at least", 6.0, unless="no AMX here")
    assert target.judge(7.0) == target.judge(5.0) == "not judged: no AMX here"


def test_a_figure_stands_beside_its_target() -> None:
    figure = Figure("x", 2.345, "{:.2f} ×", Target("at least", 2.0, 2.5), "of 3")
    assert figure.row() == ("x", "2.35 × (of 3)", "≥ 2.00 ×, goal 2.50 ×", "yes, not the goal")
    assert Figure("x", 0.5, "{:.0%}").row() == ("x", "50%", "", "")


def test_columns_line_up() -> None:
    assert table(("a", "b"), [("long", "1"), ("c", "22")]) == "a     b\nlong  1\nc     22"


def test_ratios_are_taken_round_by_round() -> None:
    # Twice as slow a machine in the second round changes no ratio.
    reference, other = Timed((4.0, 8.0, 6.0)), Timed((2.0, 4.0, 2.0))
    assert other.ratios(reference).rounds == (2.0, 2.0, 3.0)
    assert other.ratios(reference).median == 2.0
    assert other.range("{:.0f}", 1e3) == "2000–4000"


def test_agreement_counts_grades_and_differences() -> None:
    ours = np.array([[0.5, 0.3, 0.2], [0.1, 0.2, 0.7], [0.4, 0.35, 0.25], [0.0, 1.0, 0.0]])
    theirs = ours.copy()
    theirs[2] = [0.35, 0.4, 0.25]
    theirs[0] += [0.02, -0.01, -0.01]
    found = compare(ours, theirs)
    assert (found.knees, found.same_grade) == (4, 0.75)
    assert found.largest == pytest.approx(0.05)
    assert found.percentile_99 == pytest.approx(np.percentile([0.02, 0.0, 0.05, 0.0], 99))


def test_answers_about_other_knees_are_not_compared() -> None:
    with pytest.raises(ValueError, match="cannot be compared"):
        compare(np.zeros((3, 5)), np.zeros((2, 5)))


def test_memory_grows_from_the_second_eighth_to_the_last() -> None:
    loading, steady = [10.0] * 10, [100.0] * 60
    assert Run(1.0, (*loading, *steady, *[110.0] * 10)).growth == pytest.approx(0.1)
    assert Run(1.0, (*loading, *steady, *[100.0] * 10)).growth == 0.0


@pytest.mark.parametrize("looks", [1, 3, 8, 100])
def test_a_short_run_has_points_too(looks: int) -> None:
    run = Run(1.0, (100.0,) * looks)
    assert set(run.points_mb()) == {100.0}
    assert run.growth == 0.0
