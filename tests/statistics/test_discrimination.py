import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.stats import mannwhitneyu

from kellgren.statistics.discrimination import auc, probability_of_cut


@given(st.integers(0, 2**32 - 1), st.integers(1, 4))
@settings(deadline=None, max_examples=40)
def test_auc_is_the_share_of_pairs_in_order(seed: int, cut: int) -> None:
    rng = np.random.default_rng(seed)
    truth = np.concatenate([np.arange(5), rng.integers(0, 5, 30)])
    # Few distinct values, so that many scores tie.
    weights = rng.integers(1, 4, (35, 5)).astype(np.float64)
    probabilities = weights / weights.sum(axis=1, keepdims=True)
    scores = probabilities[:, cut:].sum(axis=1)
    positive, negative = scores[truth >= cut], scores[truth < cut]
    pairs = mannwhitneyu(positive, negative).statistic / (len(positive) * len(negative))
    assert auc(truth, probabilities, cut=cut) == pytest.approx(pairs)


def test_the_probability_of_a_cut_sums_the_grades_from_it_upwards() -> None:
    probabilities = np.array([[0.1, 0.2, 0.3, 0.25, 0.15]])
    assert probability_of_cut(probabilities, 2) == pytest.approx([0.7])


@pytest.mark.parametrize("cut", [0, 5])
def test_a_cut_has_grades_on_both_sides(cut: int) -> None:
    with pytest.raises(ValueError, match="cut"):
        probability_of_cut(np.full((1, 5), 0.2), cut)


@pytest.mark.parametrize("grade", [0, 4])
def test_auc_of_one_side_only_is_undefined_without_a_warning(grade: int) -> None:
    assert np.isnan(auc(np.full(3, grade), np.full((3, 5), 0.2), cut=2))
