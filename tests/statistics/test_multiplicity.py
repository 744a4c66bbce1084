import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from statsmodels.stats.multitest import multipletests

from kellgren.statistics.multiplicity import AdjustedP, Family, benjamini_hochberg, holm

METHODS = {"holm": holm, "fdr_bh": benjamini_hochberg}
FAMILIES = st.lists(st.floats(0.0, 1.0), min_size=1, max_size=12)


@pytest.mark.parametrize("name", METHODS)
@given(FAMILIES)
@settings(deadline=None, max_examples=30)
def test_adjusted_as_statsmodels_does(name: str, family: list[float]) -> None:
    _, expected, _, _ = multipletests(family, method=name)
    assert METHODS[name](family).p == pytest.approx(expected)


@pytest.mark.parametrize("name", METHODS)
@given(FAMILIES, st.integers(0, 2**32 - 1))
@settings(deadline=None, max_examples=30)
def test_the_order_of_tests_changes_nothing(name: str, family: list[float], seed: int) -> None:
    order = np.random.default_rng(seed).permutation(len(family))
    shuffled = METHODS[name]([family[place] for place in order]).p
    np.testing.assert_allclose(shuffled, np.array(METHODS[name](family).p)[order])


@pytest.mark.parametrize("name", METHODS)
@given(FAMILIES)
@settings(deadline=None, max_examples=30)
def test_no_p_becomes_smaller_or_more_than_one(name: str, family: list[float]) -> None:
    adjusted = np.array(METHODS[name](family).p)
    assert (adjusted >= np.array(family) - 1e-15).all()
    assert (adjusted <= 1.0).all()


@pytest.mark.parametrize("name", METHODS)
def test_tests_without_a_p_are_counted_apart(name: str) -> None:
    found = METHODS[name]([0.01, math.nan, 0.04])
    assert (found.n_tests, found.not_estimable) == (2, 1)
    assert math.isnan(found.p[1])
    assert (found.p[0], found.p[2]) == METHODS[name]([0.01, 0.04]).p


def test_a_family_is_adjusted_in_both_ways() -> None:
    found = Family.of([0.01, math.nan, 0.04, 0.03])
    assert (found.n_tests, found.not_estimable) == (3, 1)
    # By hand: times three, two and one; by three over the rank.
    assert [each.holm for each in found.tests] == pytest.approx(
        [0.03, math.nan, 0.06, 0.06], nan_ok=True
    )
    assert [each.q for each in found.tests] == pytest.approx(
        [0.03, math.nan, 0.04, 0.04], nan_ok=True
    )
    assert Family.of([]).tests == ()
    assert Family.of([0.2]).tests == (AdjustedP(0.2, 0.2),)


@pytest.mark.parametrize("name", METHODS)
def test_a_family_of_none(name: str) -> None:
    assert METHODS[name]([]).p == ()
    assert METHODS[name]([math.nan]).n_tests == 0


@pytest.mark.parametrize("wrong", [-0.1, 1.1, math.inf])
def test_what_is_no_probability_is_refused(wrong: float) -> None:
    with pytest.raises(ValueError, match="give probabilities"):
        holm([0.5, wrong])
