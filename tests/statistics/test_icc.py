import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from numpy.typing import NDArray
from scipy.stats import f_oneway

from kellgren.statistics.icc import Form, icc_statistic, intraclass_correlation

SHROUT_FLEISS = np.array(
    [[9, 2, 5, 8], [6, 1, 3, 2], [8, 4, 6, 8], [7, 1, 2, 6], [10, 5, 6, 9], [6, 2, 4, 7]],
    dtype=float,
)
"""Table 2 of Shrout and Fleiss (1979): six targets, four judges."""

FORMS: tuple[Form, ...] = ("2,1", "3,1")


@pytest.mark.parametrize(("form", "published"), [("2,1", 0.29), ("3,1", 0.71)])
def test_the_published_example(form: Form, published: float) -> None:
    assert round(intraclass_correlation(SHROUT_FLEISS, form=form), 2) == published


def test_two_readers_of_the_same_mean_and_spread_are_pearsons() -> None:
    rng = np.random.default_rng(1)
    a = rng.normal(size=300)
    b = 0.7 * a + rng.normal(size=300)
    a, b = ((x - x.mean()) / x.std() for x in (a, b))
    found = intraclass_correlation(np.stack([a, b], axis=1), form="3,1")
    assert found == pytest.approx(np.corrcoef(a, b)[0, 1], abs=1e-12)


def test_without_readers_of_their_own_the_error_is_the_one_way_analysis_of_variances() -> None:
    """Where readers have equal means, knees are groups, and F gives the correlation."""
    rng = np.random.default_rng(2)
    ratings = rng.normal(size=(40, 3)) + rng.normal(size=(40, 1))
    ratings -= ratings.mean(axis=0)
    n, k = ratings.shape
    f = f_oneway(*ratings).statistic
    # One-way error has n(k − 1) degrees of freedom, the two-way one (n − 1)(k − 1).
    f *= (n - 1) / n
    assert intraclass_correlation(ratings, form="3,1") == pytest.approx((f - 1) / (f + k - 1))


@pytest.mark.parametrize("form", FORMS)
@given(
    arrays(np.float64, (12, 3), elements=st.integers(0, 4).map(float)), st.permutations(range(12))
)
@settings(deadline=None, max_examples=50)
def test_order_changes_nothing_and_a_weight_is_a_copy(
    form: Form, ratings: NDArray[np.float64], order: list[int]
) -> None:
    whole = intraclass_correlation(ratings, form=form)
    assert intraclass_correlation(ratings[order][:, ::-1], form=form) == pytest.approx(
        whole, nan_ok=True
    )
    weights = np.array([[0, 2, 1, 0, 3, 1, 1, 1, 0, 1, 2, 1]], dtype=float)
    copies = np.repeat(ratings, weights[0].astype(int), axis=0)
    assert icc_statistic(ratings, form=form)(weights)[0] == pytest.approx(
        intraclass_correlation(copies, form=form), nan_ok=True
    )


@pytest.mark.parametrize("form", FORMS)
def test_a_reader_agrees_with_himself(form: Form) -> None:
    grades = np.random.default_rng(3).integers(0, 5, (30, 1)).astype(float)
    assert intraclass_correlation(np.repeat(grades, 3, axis=1), form=form) == pytest.approx(1.0)


def test_a_constant_shift_costs_agreement_but_no_consistency() -> None:
    grades = np.random.default_rng(4).integers(0, 5, (30, 1)).astype(float)
    ratings = np.concatenate([grades, grades + 1.0], axis=1)
    assert intraclass_correlation(ratings, form="3,1") == pytest.approx(1.0)
    assert intraclass_correlation(ratings, form="2,1") < 0.9


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize("ratings", [np.full((9, 2), 3.0), np.ones((1, 2)), np.ones((5, 1))])
def test_where_nothing_differs_there_is_none(form: Form, ratings: NDArray[np.float64]) -> None:
    assert np.isnan(intraclass_correlation(ratings, form=form))


def test_what_is_not_finite_is_refused() -> None:
    with pytest.raises(ValueError, match="finite"):
        intraclass_correlation(np.array([[1.0, np.nan], [0.0, 1.0]]), form="2,1")
