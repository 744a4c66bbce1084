import numpy as np
import pytest
from sklearn.metrics import accuracy_score, cohen_kappa_score

from kellgren.statistics import weighted
from kellgren.statistics.external import OnBoth, among, drops, standardised


def cohort(seed: int, n: int, shares: list[float], right: float) -> tuple[np.ndarray, ...]:
    rng = np.random.default_rng(seed)
    truth = rng.choice(len(shares), n, p=shares)
    # The harder, the higher the grade.
    hit = rng.random(n) < right - 0.08 * truth
    predicted = np.where(hit, truth, np.clip(truth + rng.choice([-1, 1], n), 0, len(shares) - 1))
    return truth, predicted, np.repeat(np.arange((n + 1) // 2), 2)[:n].astype(np.str_)


INSIDE = cohort(0, 900, [0.4, 0.2, 0.2, 0.15, 0.05], 0.9)
OUTSIDE = cohort(1, 700, [0.1, 0.1, 0.3, 0.3, 0.2], 0.8)


def accuracies(inside: tuple[np.ndarray, ...], outside: tuple[np.ndarray, ...]) -> OnBoth:
    """The accuracy on both, of weights of the internal knees and then the external ones."""
    n = len(inside[0]) + len(outside[0])
    internal = np.arange(n) < len(inside[0])
    one, other = (weighted.mean(each[0] == each[1]) for each in (inside, outside))
    return OnBoth(among(one, internal), among(other, ~internal), np.ones(n, dtype=bool))


def test_points_and_per_cent_are_two_things() -> None:
    (found,) = drops(
        [accuracies(INSIDE, OUTSIDE)],
        internal_patients=INSIDE[2],
        external_patients=OUTSIDE[2],
        rng=np.random.default_rng(2),
    )
    inside, outside = (accuracy_score(*pair[:2]) for pair in (INSIDE, OUTSIDE))
    assert (found.internal, found.external) == pytest.approx((inside, outside))
    assert found.points == pytest.approx(inside - outside)
    assert found.percent == pytest.approx(100.0 * (inside - outside) / inside)
    low, high = found.points_interval.low, found.points_interval.high
    assert low < found.points < high
    # Of independent proportions the variances add.
    of_inside, of_outside = inside * (1 - inside) / 900, outside * (1 - outside) / 700
    assert high - low == pytest.approx(2 * 1.96 * np.sqrt(of_inside + of_outside), rel=0.2)
    # Of a quotient of independent numbers, by the delta method.
    ratio = outside / inside
    spread = 100.0 * ratio * np.sqrt(of_inside / inside**2 + of_outside / outside**2)
    width = found.percent_interval.high - found.percent_interval.low
    assert width == pytest.approx(2 * 1.96 * spread, rel=0.2)


def test_a_cohort_against_itself_loses_nothing() -> None:
    (found,) = drops(
        [accuracies(INSIDE, INSIDE)],
        internal_patients=INSIDE[2],
        external_patients=INSIDE[2],
        rng=np.random.default_rng(3),
    )
    assert (found.points, found.percent) == (0.0, 0.0)
    assert found.points_interval.low < 0.0 < found.points_interval.high


def test_nothing_is_a_share_of_what_is_not_above_zero() -> None:
    n = 80
    (found,) = drops(
        [
            OnBoth(
                weighted.mean(np.full(2 * n, -0.2)),
                weighted.mean(np.full(2 * n, 0.1)),
                np.ones(2 * n, dtype=bool),
            )
        ],
        internal_patients=np.arange(n).astype(np.str_),
        external_patients=np.arange(n).astype(np.str_),
        rng=np.random.default_rng(3),
        resamples=20,
    )
    assert found.points == pytest.approx(-0.3)
    assert np.isnan([found.percent, found.percent_interval.low]).all()
    assert found.points_interval.low == pytest.approx(-0.3)


@pytest.mark.parametrize("few", ["internal", "external"])
def test_few_patients_of_either_have_no_interval(few: str) -> None:
    cohorts = {"internal": INSIDE, "external": OUTSIDE}
    cohorts[few] = tuple(each[:58] for each in cohorts[few])  # 29 patients
    (found,) = drops(
        [accuracies(cohorts["internal"], cohorts["external"])],
        internal_patients=cohorts["internal"][2],
        external_patients=cohorts["external"][2],
        rng=np.random.default_rng(3),
        resamples=20,
    )
    assert not np.isnan(found.points)
    assert np.isnan([found.points_interval.low, found.percent_interval.high]).all()


def ones() -> np.ndarray:
    return np.ones((1, len(INSIDE[0]) + len(OUTSIDE[0])))


def test_a_standardised_accuracy_is_the_mean_recall_of_the_other_mix() -> None:
    truth, given, _ = OUTSIDE
    alike = standardised(weighted.mean(truth == given), truth, INSIDE[0], classes=5)
    mix = np.bincount(INSIDE[0], minlength=5) / len(INSIDE[0])
    recall = np.array([(given[truth == g] == g).mean() for g in range(5)])
    assert alike(ones())[0] == pytest.approx((mix * recall).sum())


def test_a_standardised_kappa_is_scikit_learns_with_weights() -> None:
    truth, given, _ = OUTSIDE
    kappa = weighted.quadratic_kappa(truth, given, classes=5)
    alike = standardised(kappa, truth, INSIDE[0], classes=5)
    mix = np.bincount(INSIDE[0], minlength=5) / len(INSIDE[0])
    weights = (mix / np.bincount(truth, minlength=5))[truth]
    expected = cohen_kappa_score(truth, given, weights="quadratic", sample_weight=weights)
    assert alike(ones())[0] == pytest.approx(expected)


def test_a_weight_is_a_copy_in_the_reference_as_well() -> None:
    truth, given, _ = OUTSIDE
    alike = standardised(weighted.mean(truth == given), truth, INSIDE[0], classes=5)
    rng = np.random.default_rng(4)
    there, here = rng.integers(0, 3, len(INSIDE[0])), rng.integers(0, 3, len(truth))
    mix = np.bincount(np.repeat(INSIDE[0], there), minlength=5) / there.sum()
    truths, givens = np.repeat(truth, here), np.repeat(given, here)
    recall = np.array([(givens[truths == g] == g).mean() for g in range(5)])
    weights = np.concatenate([there, here])[np.newaxis].astype(np.float64)
    assert alike(weights)[0] == pytest.approx((mix * recall).sum())


def test_the_mix_that_is_taken_on_is_uncertain_too() -> None:
    """A reader who is always right inside, and outside at grade 0 only: only the mix varies."""
    rng = np.random.default_rng(6)
    inside, outside = rng.choice(2, 400, p=[0.7, 0.3]), np.repeat([0, 1], 150)
    alike = standardised(weighted.mean(outside == 0), outside, inside, classes=2)
    internal = np.arange(700) < 400
    right = among(weighted.mean(np.ones(400)), internal)
    (found,) = drops(
        [OnBoth(right, alike, np.ones(700, dtype=bool))],
        internal_patients=np.arange(400).astype(np.str_),
        external_patients=np.arange(300).astype(np.str_),
        rng=rng,
    )
    share = inside.mean()
    assert found.points == pytest.approx(share)
    width = found.points_interval.high - found.points_interval.low
    assert width == pytest.approx(2 * 1.96 * np.sqrt(share * (1 - share) / 400), rel=0.1)


def test_the_same_mix_changes_nothing() -> None:
    truth, given, _ = OUTSIDE
    statistic = weighted.mean(truth == given)
    alike = standardised(statistic, truth, truth, classes=5)
    once = np.ones((1, 2 * len(truth)))
    assert alike(once) == pytest.approx(statistic(once[:, : len(truth)]))


def test_a_grade_that_nobody_stands_for_leaves_no_number() -> None:
    truth = np.array([0, 1, 2])
    statistic = weighted.mean(np.array([True, False, True]))
    alike = standardised(statistic, truth, np.array([0, 1, 4]), classes=5)
    assert np.isnan(alike(np.ones((1, 6)))).all()
    # Where that grade is not drawn, the others have their number.
    assert alike(np.array([[1.0, 1.0, 0.0, 1.0, 1.0, 1.0]]))[0] == pytest.approx(0.5)
