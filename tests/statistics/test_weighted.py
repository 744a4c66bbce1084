"""Weights are repetitions: every weighted statistic is its point estimate on repeated rows."""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from kellgren.statistics import agreement, calibration, coverage, discrimination, doubt, weighted

CLASSES = 4
CUT = 2


@dataclass(frozen=True, slots=True, eq=False)
class Knees:
    truth: NDArray[np.int64]
    predicted: NDArray[np.int64]
    probabilities: NDArray[np.float64]
    sets: NDArray[np.bool_]

    @property
    def correct(self) -> NDArray[np.bool_]:
        return np.asarray(self.truth == self.predicted)

    @property
    def confidence(self) -> NDArray[np.float64]:
        return self.probabilities[np.arange(len(self.truth)), self.predicted]

    def repeated(self, weights: NDArray[np.int64]) -> "Knees":
        rows = np.repeat(np.arange(len(self.truth)), weights)
        return Knees(
            self.truth[rows], self.predicted[rows], self.probabilities[rows], self.sets[rows]
        )


Point = Callable[[Knees], float]
Builder = Callable[[Knees], weighted.Statistic]

PAIRS: dict[str, tuple[Point, Builder]] = {
    "accuracy": (
        lambda k: agreement.accuracy(k.truth, k.predicted),
        lambda k: weighted.mean(k.correct),
    ),
    "recall": (
        lambda k: agreement.recall(k.truth, k.predicted, grade=1),
        lambda k: weighted.mean(k.correct, among=k.truth == 1),
    ),
    "balanced_accuracy": (
        lambda k: agreement.balanced_accuracy(k.truth, k.predicted),
        lambda k: weighted.balanced_accuracy(k.truth, k.predicted, classes=CLASSES),
    ),
    "quadratic_kappa": (
        lambda k: agreement.quadratic_kappa(k.truth, k.predicted, classes=CLASSES),
        lambda k: weighted.quadratic_kappa(k.truth, k.predicted, classes=CLASSES),
    ),
    "linear_kappa": (
        lambda k: agreement.cohen_kappa(k.truth, k.predicted, classes=CLASSES, weights="linear"),
        lambda k: weighted.cohen_kappa(k.truth, k.predicted, classes=CLASSES, weights="linear"),
    ),
    "unweighted_kappa": (
        lambda k: agreement.cohen_kappa(
            k.truth, k.predicted, classes=CLASSES, weights="unweighted"
        ),
        lambda k: weighted.cohen_kappa(k.truth, k.predicted, classes=CLASSES, weights="unweighted"),
    ),
    "macro_precision": (
        lambda k: agreement.precision_recall_f1(k.truth, k.predicted, average="macro")[0],
        lambda k: weighted.precision_recall_f1(
            k.truth, k.predicted, classes=CLASSES, average="macro"
        )[0],
    ),
    "weighted_precision": (
        lambda k: agreement.precision_recall_f1(k.truth, k.predicted, average="weighted")[0],
        lambda k: weighted.precision_recall_f1(
            k.truth, k.predicted, classes=CLASSES, average="weighted"
        )[0],
    ),
    "macro_recall": (
        lambda k: agreement.precision_recall_f1(k.truth, k.predicted, average="macro")[1],
        lambda k: weighted.precision_recall_f1(
            k.truth, k.predicted, classes=CLASSES, average="macro"
        )[1],
    ),
    "macro_f1": (
        lambda k: agreement.precision_recall_f1(k.truth, k.predicted, average="macro")[2],
        lambda k: weighted.precision_recall_f1(
            k.truth, k.predicted, classes=CLASSES, average="macro"
        )[2],
    ),
    "matthews_correlation": (
        lambda k: agreement.matthews_correlation(k.truth, k.predicted),
        lambda k: weighted.matthews_correlation(k.truth, k.predicted, classes=CLASSES),
    ),
    "average_precision": (
        lambda k: discrimination.average_precision(
            k.truth >= CUT, discrimination.probability_of_cut(k.probabilities, CUT)
        ),
        lambda k: weighted.average_precision(
            k.truth >= CUT, discrimination.probability_of_cut(k.probabilities, CUT)
        ),
    ),
    "mean_absolute_error": (
        lambda k: agreement.mean_absolute_error(k.truth, k.predicted),
        lambda k: weighted.mean(np.abs(k.truth - k.predicted)),
    ),
    "mean_squared_error": (
        lambda k: agreement.mean_squared_error(k.truth, k.predicted),
        lambda k: weighted.mean((k.truth - k.predicted) ** 2),
    ),
    "auc": (
        lambda k: discrimination.auc(k.truth, k.probabilities, cut=CUT),
        lambda k: weighted.auc(
            k.truth >= CUT, discrimination.probability_of_cut(k.probabilities, CUT)
        ),
    ),
    "expected_calibration_error": (
        lambda k: calibration.expected_calibration_error(k.confidence, k.correct),
        lambda k: weighted.expected_calibration_error(k.confidence, k.correct),
    ),
    "area_under_risk_coverage": (
        lambda k: doubt.risk_coverage(k.confidence, (~k.correct).astype(float)).area,
        lambda k: weighted.area_under_risk_coverage(k.confidence, (~k.correct).astype(float)),
    ),
    "set_coverage": (
        lambda k: coverage.set_coverage(k.truth, k.sets),
        lambda k: weighted.mean(coverage.covered(k.truth, k.sets)),
    ),
    "mean_set_size_of_a_grade": (
        lambda k: coverage.mean_set_size(k.truth, k.sets, grade=2),
        lambda k: weighted.mean(coverage.sizes(k.sets), among=k.truth == 2),
    ),
}


def knees(seed: int, n: int) -> Knees:
    rng = np.random.default_rng(seed)
    # Coarse probabilities, so that scores tie and confidences lie on the edges of bins.
    tenths = rng.multinomial(10, np.full(CLASSES, 1 / CLASSES), n)
    probabilities = tenths / 10
    return Knees(
        truth=rng.integers(0, CLASSES, n),
        predicted=probabilities.argmax(axis=1),
        probabilities=probabilities,
        sets=rng.random((n, CLASSES)) < 0.5,
    )


@pytest.mark.parametrize("name", PAIRS)
@given(
    seed=st.integers(0, 2**32 - 1),
    weights=st.lists(st.integers(0, 3), min_size=1, max_size=25).filter(lambda w: sum(w) > 0),
)
@settings(deadline=None, max_examples=30)
def test_weights_are_repetitions(name: str, seed: int, weights: list[int]) -> None:
    point, builder = PAIRS[name]
    sample = knees(seed, len(weights))
    counts = np.array(weights)
    values = builder(sample)(np.stack([np.ones(len(counts)), counts]))
    expected = [point(sample), point(sample.repeated(counts))]
    # A statistic that is undefined is so in both.
    np.testing.assert_allclose(values, expected, atol=1e-12)


@pytest.mark.parametrize("name", PAIRS)
def test_only_the_ratio_of_weights_matters(name: str) -> None:
    sample = knees(7, 40)
    statistic = PAIRS[name][1](sample)
    weights = np.random.default_rng(8).integers(0, 4, (3, 40)).astype(np.float64)
    np.testing.assert_allclose(statistic(weights), statistic(2.0 * weights))


@pytest.mark.parametrize("name", PAIRS)
def test_without_weight_nothing_is_defined(name: str) -> None:
    sample = knees(9, 10)
    assert np.isnan(PAIRS[name][1](sample)(np.zeros((1, 10)))).all()


def test_statistics_of_the_confusion_matrix_share_their_sums() -> None:
    sample = knees(10, 30)
    shared = [
        weighted.balanced_accuracy(sample.truth, sample.predicted, classes=CLASSES),
        weighted.quadratic_kappa(sample.truth, sample.predicted, classes=CLASSES),
        weighted.matthews_correlation(sample.truth, sample.predicted, classes=CLASSES),
        *weighted.precision_recall_f1(
            sample.truth, sample.predicted, classes=CLASSES, average="weighted"
        ),
    ]
    columns = [each.columns for each in shared if isinstance(each, weighted.Sums)]
    assert len(columns) == len(shared)
    assert all(np.array_equal(columns[0], each) for each in columns)


@given(
    seed=st.integers(0, 2**32 - 1),
    owner=st.lists(st.integers(0, 6), min_size=2, max_size=25),
)
@settings(deadline=None, max_examples=30)
def test_a_units_weight_is_that_of_all_its_knees(seed: int, owner: list[int]) -> None:
    sample = knees(seed, len(owner))
    _, unit = np.unique(owner, return_inverse=True)
    statistics = [builder(sample) for _, builder in PAIRS.values()]
    # One that is no sum of its own, and one that is there twice.
    statistics += [lambda weights: weights[:, 0], statistics[0]]
    weights = np.random.default_rng(seed).integers(0, 3, (4, unit.max() + 1)).astype(np.float64)
    found = weighted.by_unit(statistics, unit)(weights)
    expected = np.stack([each(weights[:, unit]) for each in statistics], axis=1)
    np.testing.assert_allclose(found, expected, atol=1e-12)
