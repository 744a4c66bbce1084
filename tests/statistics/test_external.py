import numpy as np
import pytest
from sklearn.metrics import accuracy_score, cohen_kappa_score

from kellgren.statistics import weighted
from kellgren.statistics.external import drop, standardised


def cohort(seed: int, n: int, shares: list[float], right: float) -> tuple[np.ndarray, ...]:
    rng = np.random.default_rng(seed)
    truth = rng.choice(len(shares), n, p=shares)
    # The harder, the higher the grade.
    hit = rng.random(n) < right - 0.08 * truth
    predicted = np.where(hit, truth, np.clip(truth + rng.choice([-1, 1], n), 0, len(shares) - 1))
    return truth, predicted, np.repeat(np.arange((n + 1) // 2), 2)[:n].astype(np.str_)


INSIDE = cohort(0, 900, [0.4, 0.2, 0.2, 0.15, 0.05], 0.9)
OUTSIDE = cohort(1, 700, [0.1, 0.1, 0.3, 0.3, 0.2], 0.8)


def test_points_and_per_cent_are_two_things() -> None:
    statistics = [weighted.mean(truth == given) for truth, given, _ in (INSIDE, OUTSIDE)]
    found = drop(
        *statistics,
        internal_patients=INSIDE[2],
        external_patients=OUTSIDE[2],
        rng=np.random.default_rng(2),
    )
    inside, outside = (accuracy_score(*pair[:2]) for pair in (INSIDE, OUTSIDE))
    assert found.points == pytest.approx(inside - outside)
    assert found.percent == pytest.approx(100.0 * (inside - outside) / inside)
    low, high = found.points_interval.low, found.points_interval.high
    assert low < found.points < high
    # Of independent proportions the variances add.
    spread = np.sqrt(inside * (1 - inside) / 900 + outside * (1 - outside) / 700)
    assert high - low == pytest.approx(2 * 1.96 * spread, rel=0.2)


def test_a_cohort_against_itself_loses_nothing() -> None:
    statistic = weighted.mean(INSIDE[0] == INSIDE[1])
    found = drop(
        statistic,
        statistic,
        internal_patients=INSIDE[2],
        external_patients=INSIDE[2],
        rng=np.random.default_rng(3),
    )
    assert (found.points, found.percent) == (0.0, 0.0)
    assert found.points_interval.low < 0.0 < found.points_interval.high


def test_a_standardised_accuracy_is_the_mean_recall_of_the_other_mix() -> None:
    truth, given, _ = OUTSIDE
    alike = standardised(weighted.mean(truth == given), truth, INSIDE[0], classes=5)
    mix = np.bincount(INSIDE[0], minlength=5) / len(INSIDE[0])
    recall = np.array([(given[truth == g] == g).mean() for g in range(5)])
    assert alike(np.ones((1, len(truth))))[0] == pytest.approx((mix * recall).sum())


def test_a_standardised_kappa_is_scikit_learns_with_weights() -> None:
    truth, given, _ = OUTSIDE
    kappa = weighted.quadratic_kappa(truth, given, classes=5)
    alike = standardised(kappa, truth, INSIDE[0], classes=5)
    mix = np.bincount(INSIDE[0], minlength=5) / len(INSIDE[0])
    weights = (mix / np.bincount(truth, minlength=5))[truth]
    expected = cohen_kappa_score(truth, given, weights="quadratic", sample_weight=weights)
    assert alike(np.ones((1, len(truth))))[0] == pytest.approx(expected)


def test_the_same_mix_changes_nothing() -> None:
    truth, given, _ = OUTSIDE
    statistic = weighted.mean(truth == given)
    ones = np.ones((1, len(truth)))
    alike = standardised(statistic, truth, truth, classes=5)
    assert alike(ones) == pytest.approx(statistic(ones))


def test_a_grade_that_nobody_stands_for_leaves_no_number() -> None:
    truth = np.array([0, 1, 2])
    statistic = weighted.mean(np.array([True, False, True]))
    alike = standardised(statistic, truth, np.array([0, 1, 4]), classes=5)
    assert np.isnan(alike(np.ones((1, 3)))).all()
