import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.integrate import trapezoid
from scipy.stats import mannwhitneyu

from kellgren.statistics.discrimination import (
    area_under_roc,
    auc,
    average_precision,
    best_threshold,
    operate,
    precision_recall_curve,
    probability_of_cut,
    probability_of_group,
    roc_curve,
)


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


def kinds(seed: int, n: int = 80) -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(seed)
    positive = rng.random(n) < 0.4
    positive[:2] = True, False
    return positive, np.round(rng.random(n) + 0.3 * positive, 2)


def test_a_group_sums_its_grades() -> None:
    probabilities = np.array([[0.1, 0.2, 0.3, 0.25, 0.15]])
    assert probability_of_group(probabilities, (1, 3)) == pytest.approx([0.45])


@pytest.mark.parametrize("group", [(), (0, 1, 2, 3, 4)])
def test_a_group_is_a_part(group: tuple[int, ...]) -> None:
    with pytest.raises(ValueError, match="no part"):
        probability_of_group(np.full((1, 5), 0.2), group)


@pytest.mark.parametrize("seed", range(5))
def test_the_areas_are_those_under_the_curves(seed: int) -> None:
    positive, scores = kinds(seed)
    roc, pr = roc_curve(positive, scores), precision_recall_curve(positive, scores)
    assert roc is not None
    assert pr is not None
    assert trapezoid(roc.y, roc.x) == pytest.approx(roc.area)
    assert roc.area == area_under_roc(positive, scores)
    # Average precision is the sum of steps, not of trapezia.
    assert (np.diff(pr.x) * pr.y[1:]).sum() == pytest.approx(pr.area, abs=1e-9)
    assert (np.diff(pr.x) >= 0.0).all()


def test_average_precision_by_hand() -> None:
    positive = np.array([True, False, True, False])
    scores = np.array([0.9, 0.8, 0.7, 0.1])
    assert average_precision(positive, scores) == pytest.approx((1 + 2 / 3) / 2)


@pytest.mark.parametrize("seed", range(5))
def test_an_operating_point_is_a_point_of_the_curve(seed: int) -> None:
    positive, scores = kinds(seed)
    threshold = best_threshold(positive, scores)
    best = operate(positive, scores, threshold)
    curve = roc_curve(positive, scores)
    assert curve is not None
    assert np.isclose(curve.x, 1.0 - best.specificity).any()
    every = [operate(positive, scores, t).youden for t in np.unique(scores)]
    assert best.youden == pytest.approx(max(every))
    assert best.sensitivity == pytest.approx((scores[positive] >= threshold).mean())
    assert best.specificity == pytest.approx((scores[~positive] < threshold).mean())


def test_of_one_kind_only_nothing_is_made_up() -> None:
    positive, scores = np.ones(4, bool), np.arange(4.0)
    assert roc_curve(positive, scores) is None
    assert precision_recall_curve(positive, scores) is None
    assert np.isnan(area_under_roc(positive, scores))
    assert np.isnan(average_precision(~positive, scores))
    found = operate(positive, scores, 2.0)
    assert found.sensitivity == 0.5
    assert np.isnan(found.specificity)
    assert np.isnan(found.youden)
    with pytest.raises(ValueError, match="positive and negative"):
        best_threshold(positive, scores)
