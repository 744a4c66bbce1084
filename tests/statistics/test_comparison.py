"""Two readers: laws first, then plain loops, SciPy, statsmodels and published examples."""

import itertools
import math
from collections.abc import Callable
from dataclasses import astuple

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray
from scipy import stats
from sklearn.metrics import cohen_kappa_score, roc_auc_score
from two_readers import Knees, knees

from kellgren.statistics import bootstrap, weighted
from kellgren.statistics.comparison import (
    Difference,
    clustered_mcnemar,
    compare,
    mcnemar,
)


def their_kappa(truth: NDArray[np.int64], given: NDArray[np.int64]) -> float:
    # With labels: a grade that nobody has would else not count in the distances.
    return float(cohen_kappa_score(truth, given, labels=range(5), weights="quadratic"))


def kappa(k: Knees) -> weighted.Statistic:
    given = np.concatenate([k.first, k.second])
    return weighted.quadratic_kappa(np.tile(k.truth, 2), given, classes=5)


def accuracy(k: Knees) -> weighted.Statistic:
    return weighted.mean(np.tile(k.truth, 2) == np.concatenate([k.first, k.second]))


def auc(k: Knees) -> weighted.Statistic:
    return weighted.auc(np.tile(k.truth >= 2, 2), k.scores.ravel())


def as_function(statistic: weighted.Statistic) -> weighted.Statistic:
    """The same, not known to be one of sums."""

    def function(weights: NDArray[np.float64]) -> NDArray[np.float64]:
        return statistic(weights)

    return function


def one(k: Knees, statistic: weighted.Statistic, seed: int = 0, exchanges: int = 999) -> Difference:
    rng = np.random.default_rng(seed)
    (found,) = compare([statistic], k.patients, rng=rng, resamples=200, exchanges=exchanges)
    return found


def loop_p(k: Knees, value: Callable[[NDArray[np.int64], NDArray[np.float64]], float]) -> float:
    """Every way to exchange patients, one after the other."""
    names = np.unique(k.patients)
    answers = np.stack([k.first, k.second])
    seen = []
    for way in itertools.product([False, True], repeat=len(names)):
        turned = np.isin(k.patients, names[list(way)])
        mine = np.where(turned, answers[::-1], answers)
        views = np.where(turned, k.scores[::-1], k.scores)
        seen.append(value(mine[0], views[0]) - value(mine[1], views[1]))
    # The first way exchanges nobody.
    return float(np.mean(np.abs(seen) >= abs(seen[0]) - 1e-12))


@pytest.mark.parametrize("through", [lambda s: s, as_function], ids=["sums", "function"])
def test_every_way_to_exchange_whole_patients_is_tried(
    through: Callable[[weighted.Statistic], weighted.Statistic],
) -> None:
    k = knees(1, 8)
    found = one(k, through(kappa(k)))
    assert found.p == loop_p(k, lambda given, _: their_kappa(k.truth, given))
    assert found.estimate == pytest.approx(
        their_kappa(k.truth, k.first) - their_kappa(k.truth, k.second)
    )
    area = one(k, through(auc(k)))
    assert area.p == loop_p(k, lambda _, views: roc_auc_score(k.truth >= 2, views))
    assert (area.first, area.second) == pytest.approx(
        tuple(roc_auc_score(k.truth >= 2, views) for views in k.scores)
    )
    assert "all 128 exchanges of patients" in found.test


def test_with_one_knee_each_it_is_scipys_permutation_test() -> None:
    k = knees(2, 11, each=1)
    errors = [np.abs(k.truth - given).astype(np.float64) for given in (k.first, k.second)]
    theirs = stats.permutation_test(
        errors, lambda a, b: a.mean() - b.mean(), permutation_type="samples", n_resamples=np.inf
    )
    ours = one(k, weighted.mean(np.concatenate(errors)), exchanges=2000)
    assert ours.estimate == pytest.approx(theirs.statistic)
    assert ours.p == pytest.approx(theirs.pvalue)


def test_random_exchanges_come_near_to_all() -> None:
    k = knees(3, 12)
    far = weighted.mean(np.abs(k.scores - k.truth).ravel())
    exact = one(k, far, exchanges=2048)
    drawn = one(k, far, exchanges=2047)
    assert "all 2048" in exact.test
    assert "2047 random" in drawn.test
    assert 0.05 < exact.p < 0.95
    assert drawn.p == pytest.approx(exact.p, abs=4.0 * math.sqrt(0.25 / 2047))


def test_no_p_is_below_what_the_exchanges_can_show() -> None:
    truth = np.tile([0, 1, 2, 3, 4], 20)
    patients = np.array([f"P{number:03}" for number in range(100)])
    # The first is always right, the second never.
    found = one(
        Knees(truth, truth, (truth + 1) % 5, np.zeros((2, 100)), patients),
        weighted.mean(np.repeat([True, False], 100)),
        exchanges=499,
    )
    assert found.p == 1 / 500


def test_two_knees_that_never_differ_are_one_observation() -> None:
    single, double = knees(4, 9, each=1), knees(4, 9, each=2)
    assert one(single, accuracy(single)).p == one(double, accuracy(double)).p
    # As if they were patients of their own, p would be smaller.
    apart = Knees(
        double.truth,
        double.first,
        double.second,
        double.scores,
        np.array([f"{row:02}" for row in range(18)]),
    )
    assert one(apart, accuracy(apart), exchanges=2**17).p < one(double, accuracy(double)).p


def test_the_interval_is_that_of_a_plain_loop_over_patients() -> None:
    k = knees(5, 40)
    names = np.unique(k.patients)
    rng = np.random.default_rng(6)
    differences = []
    for _ in range(200):
        drawn = names[rng.integers(0, 40, 40)]
        rows = np.concatenate([np.flatnonzero(k.patients == name) for name in drawn])
        kappas = [their_kappa(k.truth[rows], given[rows]) for given in (k.first, k.second)]
        differences.append(kappas[0] - kappas[1])
    found = one(k, kappa(k), seed=6)
    assert (found.low, found.high) == pytest.approx(tuple(np.percentile(differences, [2.5, 97.5])))
    assert (found.status, found.n_patients, found.n_knees) == ("ok", 40, 80)
    assert found.method == "percentile bootstrap, 200 resamples of patients, 95 %"


def test_an_interval_can_be_stratified() -> None:
    k = knees(7, 60)
    (found,) = compare(
        [kappa(k)],
        k.patients,
        rng=np.random.default_rng(8),
        resamples=100,
        exchanges=19,
        strata=k.truth,
    )
    halves = [weighted.quadratic_kappa(k.truth, given, classes=5) for given in (k.first, k.second)]
    values = bootstrap.replicates(
        halves, k.patients, rng=np.random.default_rng(8), resamples=100, strata=k.truth
    )
    low, high = np.percentile(values[:, 0] - values[:, 1], [2.5, 97.5])
    assert (found.low, found.high) == pytest.approx((low, high))
    assert "100 stratified resamples of patients" in found.method


@given(seed=st.integers(0, 2**32 - 1), patients=st.integers(2, 40), each=st.integers(1, 3))
@settings(deadline=None, max_examples=15)
def test_a_reader_against_himself_differs_by_nothing(seed: int, patients: int, each: int) -> None:
    k = knees(seed, patients, each)
    same = Knees(k.truth, k.first, k.first, np.stack([k.scores[0]] * 2), k.patients)
    rng = np.random.default_rng(seed)
    statistics = [kappa(same), accuracy(same), auc(same), as_function(kappa(same))]
    for found in compare(statistics, same.patients, rng=rng, resamples=20, exchanges=50):
        if found.status == "undefined":
            assert math.isnan(found.first)
            continue
        assert (found.estimate, found.p) == (0.0, 1.0)
        if patients >= bootstrap.FEWEST:
            assert (found.low, found.high) == (0.0, 0.0)


@given(seed=st.integers(0, 2**32 - 1))
@settings(deadline=None, max_examples=10)
def test_who_comes_first_turns_the_sign_only(seed: int) -> None:
    k = knees(seed, 32)
    turned = Knees(k.truth, k.second, k.first, k.scores[::-1], k.patients)
    for statistic in (kappa, auc):
        forth, back = (
            one(k, statistic(k), exchanges=99),
            one(turned, statistic(turned), exchanges=99),
        )
        assert back.p == forth.p
        assert (back.estimate, back.low, back.high) == pytest.approx(
            (-forth.estimate, -forth.high, -forth.low), abs=1e-12
        )


@given(seed=st.integers(0, 2**32 - 1))
@settings(deadline=None, max_examples=10)
def test_the_order_of_rows_and_the_names_of_grades_change_nothing(seed: int) -> None:
    k = knees(seed, 32)
    order = np.random.default_rng(seed).permutation(64)
    named = np.random.default_rng(seed).permutation(5)
    again = Knees(
        named[k.truth[order]],
        named[k.first[order]],
        named[k.second[order]],
        k.scores[:, order],
        k.patients[order],
    )

    def statistics(k: Knees) -> list[weighted.Statistic]:
        truth, given = np.tile(k.truth, 2), np.concatenate([k.first, k.second])
        return [
            weighted.mean(truth == given),
            weighted.matthews_correlation(truth, given, classes=5),
            weighted.precision_recall_f1(truth, given, classes=5, average="macro")[2],
            weighted.cohen_kappa(truth, given, classes=5, weights="unweighted"),
        ]

    found = [
        compare(
            statistics(each),
            each.patients,
            rng=np.random.default_rng(9),
            resamples=50,
            exchanges=99,
        )
        for each in (k, again)
    ]
    for before, after in zip(*found, strict=True):
        numbers = [astuple(each)[:6] for each in (before, after)]
        assert numbers[1] == pytest.approx(numbers[0], abs=1e-12)


def test_renaming_patients_does_not_move_an_exact_p() -> None:
    k = knees(10, 9)
    names = np.random.default_rng(11).permutation(np.unique(k.patients))
    renamed = names[np.unique(k.patients, return_inverse=True)[1]]
    again = Knees(k.truth, k.first, k.second, k.scores, renamed)
    assert one(again, kappa(again)).p == one(k, kappa(k)).p


def test_ten_patients_have_a_p_but_no_interval() -> None:
    k = knees(12, 10)
    found = one(k, kappa(k))
    assert found.status == "no_interval"
    assert np.isnan([found.low, found.high]).all()
    assert 0.0 < found.p <= 1.0
    assert np.isfinite(found.estimate)


def test_one_grade_only_is_undefined() -> None:
    k = knees(13, 40)
    same = np.zeros_like(k.truth)
    found = one(
        Knees(same, same, same, k.scores, k.patients),
        weighted.auc(np.tile(same >= 2, 2), k.scores.ravel()),
    )
    assert found.status == "undefined"
    assert np.isnan([found.first, found.estimate, found.low, found.high, found.p]).all()


def test_a_resample_without_a_value_is_told() -> None:
    k = knees(14, 40)
    rare = np.repeat(np.arange(40) == 0, 2)
    found = one(k, weighted.auc(np.tile(rare, 2), k.scores.ravel()))
    assert found.status == "interval_partial"


def test_an_exchange_without_a_value_counts_as_extreme() -> None:
    k = knees(15, 6)

    def fragile(weights: NDArray[np.float64]) -> NDArray[np.float64]:
        values = accuracy(k)(weights)
        values[weights[:, 0] != weights[:, 2]] = np.nan
        return values

    # Half of the ways exchange one of the first two patients without the other.
    assert one(k, fragile).p >= 0.5


def test_without_a_knee_all_say_so() -> None:
    nobody = knees(16, 0)
    assert one(nobody, accuracy(nobody)).status == "no_knees"
    none = np.array([], dtype=np.bool_)
    for found in (
        mcnemar(none, none, nobody.patients),
        clustered_mcnemar(none, none, nobody.patients),
    ):
        assert found.status == "no_knees"
        assert np.isnan([found.estimate, found.p, found.low]).all()


def test_readers_of_other_knees_are_refused() -> None:
    k = knees(17, 5)
    with pytest.raises(ValueError, match="20 rows; 8 knees read twice have 16"):
        compare([kappa(k)], k.patients[:8], rng=np.random.default_rng(0))
    right = k.truth == k.first
    with pytest.raises(ValueError, match="10 and 9 answers about 10 knees"):
        mcnemar(right, right[:9], k.patients)


def test_a_p_stands_where_there_is_one_and_only_there() -> None:
    with pytest.raises(ValueError, match="status 'ok'"):
        Difference(0.5, 0.4, 0.1, 0.0, 0.2, math.nan, "", "", 40, 80, "ok")
