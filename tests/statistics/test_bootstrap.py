import time

import numpy as np
import pytest
from numpy.typing import NDArray
from sklearn.metrics import cohen_kappa_score, roc_auc_score

from kellgren.statistics import bootstrap, discrimination, weighted
from kellgren.statistics.bootstrap import intervals, replicates


def knees(
    seed: int, n: int
) -> tuple[NDArray[np.int64], NDArray[np.int64], NDArray[np.float64], NDArray[np.str_]]:
    """Truth, predictions, probabilities and patients, of whom some have one knee and some three."""
    rng = np.random.default_rng(seed)
    truth = rng.integers(0, 5, n)
    powers = np.exp(rng.normal(size=(n, 5)) + 1.5 * np.eye(5)[truth])
    probabilities = powers / powers.sum(axis=1, keepdims=True)
    patients = np.array([f"P{number}" for number in rng.integers(0, n // 2, n)])
    return truth, probabilities.argmax(axis=1), probabilities, patients


def test_kappa_and_auc_are_those_of_a_plain_loop_over_patients() -> None:
    truth, predicted, probabilities, patients = knees(0, 120)
    scores = probabilities[:, 2:].sum(axis=1)
    names = sorted(set(patients.tolist()))
    rows_of = {name: np.flatnonzero(patients == name) for name in names}
    rng = np.random.default_rng(1)
    expected = []
    for _ in range(200):
        drawn = rng.integers(0, len(names), len(names))
        rows = np.concatenate([rows_of[names[index]] for index in drawn])
        expected.append(
            (
                cohen_kappa_score(truth[rows], predicted[rows], weights="quadratic"),
                roc_auc_score(truth[rows] >= 2, scores[rows]),
            )
        )
    values = replicates(
        [
            weighted.quadratic_kappa(truth, predicted, classes=5),
            weighted.auc(truth >= 2, scores),
        ],
        patients,
        rng=np.random.default_rng(1),
        resamples=200,
    )
    np.testing.assert_allclose(values, expected)
    kappa, area = intervals(values)
    assert (kappa.low, kappa.high) == pytest.approx(
        tuple(np.percentile([pair[0] for pair in expected], [2.5, 97.5]))
    )
    assert (area.low, area.high) == pytest.approx(
        tuple(np.percentile([pair[1] for pair in expected], [2.5, 97.5]))
    )


def test_twice_the_same_rows_of_every_patient_change_nothing() -> None:
    truth, predicted, _, patients = knees(2, 90)
    once = replicates(
        [weighted.quadratic_kappa(truth, predicted, classes=5), weighted.mean(truth == predicted)],
        patients,
        rng=np.random.default_rng(3),
        resamples=50,
    )
    rows = np.tile(np.arange(90), 2)
    twice = replicates(
        [
            weighted.quadratic_kappa(truth[rows], predicted[rows], classes=5),
            weighted.mean((truth == predicted)[rows]),
        ],
        patients[rows],
        rng=np.random.default_rng(3),
        resamples=50,
    )
    np.testing.assert_allclose(once, twice)


def test_counting_knees_instead_would_narrow_the_interval() -> None:
    correct = np.repeat(np.random.default_rng(4).random(200) < 0.6, 2)
    statistic = weighted.mean(correct)

    def width(units: NDArray[np.str_]) -> float:
        rng = np.random.default_rng(5)
        (interval,) = intervals(replicates([statistic], units, rng=rng, resamples=1000))
        return interval.high - interval.low

    patients = np.repeat(np.arange(200), 2).astype(str)
    every_knee = np.arange(400).astype(str)
    # Two knees that never differ are one observation: √2 wider.
    assert width(patients) / width(every_knee) == pytest.approx(np.sqrt(2.0), rel=0.15)


def test_the_interval_of_a_mean_is_the_normal_one() -> None:
    values = np.random.default_rng(6).normal(size=400)
    error = values.std() / np.sqrt(400)
    units = np.arange(400).astype(str)
    (interval,) = intervals(
        replicates([weighted.mean(values)], units, rng=np.random.default_rng(7), resamples=4000)
    )
    assert interval.low == pytest.approx(values.mean() - 1.96 * error, abs=0.15 * error)
    assert interval.high == pytest.approx(values.mean() + 1.96 * error, abs=0.15 * error)


def test_the_order_of_rows_and_the_size_of_a_batch_do_not_matter(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    truth, predicted, _, patients = knees(8, 60)

    def values(order: NDArray[np.int64]) -> NDArray[np.float64]:
        statistic = weighted.quadratic_kappa(truth[order], predicted[order], classes=5)
        rng = np.random.default_rng(9)
        return replicates([statistic], patients[order], rng=rng, resamples=30)

    expected = values(np.arange(60))
    np.testing.assert_allclose(values(np.random.default_rng(10).permutation(60)), expected)
    monkeypatch.setattr(bootstrap, "CELLS", 60 * 7)
    np.testing.assert_array_equal(values(np.arange(60)), expected)


def test_resamples_without_a_value_are_counted_and_left_out() -> None:
    values = np.array([[1.0, np.nan], [np.nan, np.nan], [3.0, np.nan]])
    some, none = intervals(values, level=0.5)
    assert (some.low, some.high, some.undefined) == (1.5, 2.5, 1)
    assert np.isnan([none.low, none.high]).all()
    assert none.undefined == 3


def test_two_thousand_resamples_of_a_cohort_take_seconds() -> None:
    truth, predicted, probabilities, patients = knees(11, 12_000)
    statistics = [
        weighted.mean(truth == predicted),
        weighted.balanced_accuracy(truth, predicted, classes=5),
        weighted.quadratic_kappa(truth, predicted, classes=5),
        weighted.mean(np.abs(truth - predicted)),
        weighted.mean((truth - predicted) ** 2),
        weighted.precision_recall_f1(truth, predicted, classes=5, average="macro")[2],
        weighted.matthews_correlation(truth, predicted, classes=5),
        weighted.auc(truth >= 2, discrimination.probability_of_cut(probabilities, 2)),
    ]
    # The processor's time, which a busy machine does not lengthen.
    start = time.process_time()
    values = replicates(statistics, patients, rng=np.random.default_rng(12), resamples=2000)
    assert time.process_time() - start < 20.0
    assert values.shape == (2000, 8)
    assert np.isfinite(values).all()


def drawn(patients: NDArray[np.str_], strata: NDArray[np.int64] | None = None) -> NDArray[np.int64]:
    """How often each knee is in each of 200 resamples."""
    one = np.eye(len(patients))
    counts = [weighted.Sums(row[:, None], lambda sums: sums[:, 0]) for row in one]
    rng = np.random.default_rng(13)
    values = replicates(counts, patients, rng=rng, resamples=200, strata=strata)
    return values.astype(np.int64)


def test_each_stratum_keeps_its_number_of_patients() -> None:
    patients = np.repeat([f"P{number:02}" for number in range(20)], 2)
    # The left knee has nothing; the right ones have a grade of their own, or none either.
    worse = np.repeat([0, 1, 3], [9, 10, 1])
    grades = np.stack([np.zeros(20, dtype=np.int64), worse], axis=1).ravel()
    counts = drawn(patients, grades)
    for grade, number in ((0, 9), (1, 10), (3, 1)):
        # A patient's highest grade decides, for the knee without one too.
        members = np.repeat(worse == grade, 2)
        np.testing.assert_array_equal(counts[:, members].sum(axis=1), 2 * number)
    # Who is a stratum alone is in all resamples, others are not.
    assert (counts[:, np.repeat(worse == 3, 2)] == 1).all()
    assert set(counts[:, 0].tolist()) >= {0, 1, 2}
    # Without strata their number is left to chance.
    assert len(set(drawn(patients)[:, np.repeat(worse == 1, 2)].sum(axis=1).tolist())) > 3


def test_the_spread_of_a_stratified_mean_is_the_one_within_strata() -> None:
    rng = np.random.default_rng(14)
    strata = np.repeat([0, 1, 2], [200, 150, 50])
    values = 3.0 * strata + rng.normal(size=400) * (1.0 + strata)
    units = np.arange(400).astype(str)
    statistic = weighted.mean(values)
    (found,) = replicates([statistic], units, rng=rng, resamples=4000, strata=strata).std(axis=0)
    parts = [((strata == h).sum() * values[strata == h].var()) for h in range(3)]
    assert found == pytest.approx(np.sqrt(sum(parts)) / 400, rel=0.05)
    (free,) = replicates([statistic], units, rng=rng, resamples=4000).std(axis=0)
    assert free == pytest.approx(values.std() / np.sqrt(400), rel=0.05)


def test_strata_know_no_order_of_rows_and_no_size_of_a_batch(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    truth, predicted, _, patients = knees(15, 60)

    def values(order: NDArray[np.int64]) -> NDArray[np.float64]:
        statistic = weighted.quadratic_kappa(truth[order], predicted[order], classes=5)
        rng = np.random.default_rng(16)
        return replicates([statistic], patients[order], rng=rng, resamples=30, strata=truth[order])

    expected = values(np.arange(60))
    np.testing.assert_allclose(values(np.random.default_rng(17).permutation(60)), expected)
    monkeypatch.setattr(bootstrap, "CELLS", 60 * 7)
    np.testing.assert_array_equal(values(np.arange(60)), expected)


@pytest.mark.parametrize("stratified", [False, True])
def test_drawing_knees_forgets_whose_they_are(stratified: bool) -> None:
    truth, predicted, _, patients = knees(18, 80)
    statistics = [weighted.mean(truth == predicted)]
    strata = truth if stratified else None
    naive = replicates(
        statistics, patients, rng=np.random.default_rng(19), strata=strata, unit="knee"
    )
    alone = np.array([f"{row:03}" for row in range(80)])
    expected = replicates(statistics, alone, rng=np.random.default_rng(19), strata=strata)
    np.testing.assert_array_equal(naive, expected)


def test_the_width_of_an_interval() -> None:
    assert bootstrap.Interval(0.25, 0.75, undefined=0).width == 0.5


def test_how_an_interval_was_made_is_said() -> None:
    assert bootstrap.method() == "percentile bootstrap, 2000 resamples of patients, 95 %"
    assert (
        bootstrap.method(resamples=bootstrap.RESAMPLES_OF_TIULPIN2020, stratified=True)
        == "percentile bootstrap, 100 stratified resamples of patients, 95 %"
    )
    assert bootstrap.method(unit="knee").endswith("resamples of knees, 95 %")
