"""What a confusion matrix can be, against matrices that are known."""

import math
from collections.abc import Mapping
from fractions import Fraction
from itertools import product

import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray
from scipy.optimize import OptimizeResult

from kellgren.statistics.claims import margins
from kellgren.statistics.claims.confusion import FIGURES, Figure, check_confusion, measure
from kellgren.statistics.claims.margins import MEASURES, Measure, check_margins, possible
from kellgren.statistics.claims.rounding import Interval, Printed
from kellgren.statistics.claims.verdict import Outcome

F, C, N, X = Outcome.FOLLOWS, Outcome.CONSISTENT, Outcome.NOT_CHECKABLE, Outcome.CONTRADICTS
P = Printed.rounded


def measured(matrix: NDArray[np.int64], name: Figure) -> float:
    true, given_ = (axis.ravel().repeat(matrix.ravel()) for axis in np.indices(matrix.shape))
    return measure(name, true, given_, classes=len(matrix))


def as_printed(matrix: NDArray[np.int64], places: int) -> Mapping[Measure, Printed]:
    return {name: P(f"{measured(matrix, name):.{places}f}") for name in MEASURES}


MATRICES = st.builds(
    lambda seed, n: np.random.default_rng(seed).integers(0, 30, (n, n)),
    st.integers(0, 2**32 - 1),
    st.integers(2, 4),
)


@given(MATRICES, st.integers(1, 3), st.sampled_from(MEASURES))
@settings(deadline=None, max_examples=60)
def test_measures_of_one_matrix_never_contradict(
    matrix: NDArray[np.int64], places: int, claimed: Measure
) -> None:
    assume((matrix.sum(axis=1) > 0).all())
    printed = as_printed(matrix, places)
    (reading,) = check_margins(matrix.sum(axis=1).tolist(), printed, claimed=claimed)
    assert reading.outcome in {F, C}


@given(MATRICES)
@settings(deadline=None, max_examples=30)
def test_rows_in_per_cent_narrow_the_range_and_never_contradict(
    matrix: NDArray[np.int64],
) -> None:
    assume((matrix.sum(axis=1) > 0).all())
    truth = matrix.sum(axis=1)
    percent = [[P(f"{100 * n / row.sum():.1f}") for n in row] for row in matrix]
    printed: dict[Measure, Printed] = {
        "quadratic_kappa": P(f"{measured(matrix, 'quadratic_kappa'):.2f}")
    }
    (reading,) = check_margins(
        truth.tolist(), printed, claimed="quadratic_kappa", row_percent=percent
    )
    assert reading.outcome in {F, C}
    wrong: dict[Measure, Printed] = {
        "quadratic_kappa": P(f"{measured(matrix, 'quadratic_kappa') - 0.1:.2f}")
    }
    (reading,) = check_margins(
        truth.tolist(), wrong, claimed="quadratic_kappa", row_percent=percent
    )
    assert reading.outcome is X


def test_the_range_is_that_of_every_matrix_with_these_grades() -> None:
    truth = (3, 2)
    values = [
        measured(np.array([[3 - a, a], [b, 2 - b]]), "kappa")
        for a, b in product(range(4), range(3))
    ]
    found = possible(truth, {}, of="kappa")
    assert found is not None
    low, high = np.nanmin(values), np.nanmax(values)
    # Fractions of knees reach no further here: the extremes are whole.
    assert [float(end) for end in found.ends] == pytest.approx([low, high], abs=1e-5)


def test_without_errors_kappa_is_one() -> None:
    nought = Interval(Fraction(0), Fraction(0))
    found = possible((5, 3, 2), {"mean_squared_error": nought}, of="quadratic_kappa")
    assert found is not None
    assert [float(end) for end in found.ends] == pytest.approx([1.0, 1.0], abs=1e-5)


def test_equal_margins_fix_kappa_by_the_variance() -> None:
    # Grades 0 and 2, half each: variance 1, so that kappa is 1 - MSE / 2.
    readings = check_margins(
        (50, 0, 50),
        {"quadratic_kappa": P("0.90"), "mean_squared_error": P("0.20")},
        claimed="quadratic_kappa",
        equal_margins=True,
    )
    assert readings[1].stretched
    assert readings[1].rows[0].recomputed == "0.897 to 0.903"
    assert readings[0].outcome is C


def test_measures_that_exclude_one_another() -> None:
    printed: dict[Measure, Printed] = {
        "accuracy": P("0.99"),
        "mean_squared_error": P("1.50"),
        "quadratic_kappa": P("0.80"),
    }
    (reading,) = check_margins((60, 40), printed, claimed="quadratic_kappa")
    assert reading.outcome is X
    assert "exclude one another" in reading.rows[0].note


def test_a_solver_that_gives_up_accuses_nobody(monkeypatch: pytest.MonkeyPatch) -> None:
    gave_up = OptimizeResult(status=4, success=False, message="numerical difficulties")
    monkeypatch.setattr(margins, "linprog", lambda *_, **__: gave_up)
    printed: dict[Measure, Printed] = {"kappa": P("0.80"), "accuracy": P("0.90")}
    (reading,) = check_margins((60, 40), printed, claimed="kappa")
    assert reading.outcome is N
    assert "numerical difficulties" in reading.rows[0].note


def test_accuracies_may_be_per_cent() -> None:
    for accuracy in ("0.75", "75"):
        printed = {"accuracy": P(accuracy), "mean_absolute_error": P("0.25")}
        (reading,) = check_margins((60, 40), printed, claimed="accuracy")  # type: ignore[arg-type] # not of its words
        assert reading.rows[0].recomputed == "0.745 to 0.755"
        assert reading.outcome is C


@given(MATRICES, st.integers(1, 4), st.sampled_from(FIGURES))
@settings(deadline=None, max_examples=60)
def test_a_matrix_confirms_its_own_measures(
    matrix: NDArray[np.int64], places: int, figure: Figure
) -> None:
    value = measured(matrix, figure)
    assume(math.isfinite(value))
    (row,) = check_confusion(matrix.tolist(), {figure: P(f"{value:.{places}f}")})
    assert row.outcome is F
    far = value - 3 * 10**-places
    (other,) = check_confusion(matrix.tolist(), {figure: P(f"{far:.{places}f}")})
    assert other.outcome is X


def test_measures_of_a_matrix_by_hand() -> None:
    # 9 of 10 right; expected by chance 0.5; F1 of both grades 8/9 and 10/11.
    matrix = [[4, 1], [0, 5]]
    measures: dict[Figure, Printed] = {
        "accuracy": P("90"),
        "kappa": P("0.80"),
        "macro_f1": P("0.899"),
        "macro_precision": P("91.7"),
        "mean_squared_error": P("0.1"),
    }
    assert {row.name: row.outcome for row in check_confusion(matrix, measures)} == dict.fromkeys(
        measures, F
    )


def test_kappa_of_one_grade_throughout_cannot_be_checked() -> None:
    (row,) = check_confusion([[5, 0], [0, 0]], {"kappa": P("1.00")})
    assert row.outcome is N
