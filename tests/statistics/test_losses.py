"""What is lost from one cohort to another, recomputed knee by knee."""

from dataclasses import replace

import numpy as np
import pytest
from sklearn.metrics import cohen_kappa_score, mean_absolute_error, recall_score, roc_auc_score
from two_readers import knees

from kellgren.anatomy import KL
from kellgren.datasets.table import Row
from kellgren.statistics.join import Joined
from kellgren.statistics.losses import ALIKE, Loss, losses
from kellgren.statistics.metrics import ALL

SHOWN = 30


def cohort(seed: int, patients: int, prefix: str) -> tuple[Joined, list[Row]]:
    """A reader's answers, whose probability of KL 2 or more rises with what he saw."""
    made = knees(seed, patients)
    high = 1.0 / (1.0 + np.exp(-(made.scores[0] - 1.5)))
    probabilities = np.stack([0.6 * (1 - high), 0.4 * (1 - high), *[high / 3] * 3], axis=1)
    n = len(made.truth)
    both = Joined(
        task=KL,
        reader="model:m@1",
        truth=made.truth,
        predicted=made.first,
        probabilities=probabilities,
        patients=np.char.add(prefix, made.patients),
        units=np.full(n, "patient"),
        answered=np.arange(n),
        missing=0,
        refused=(),
        unlabelled=0,
        unmatched=0,
    )
    return both, [Row(covariates={"sex": "FM"[i % 6 // 2 == 0]}) for i in range(n)]


INSIDE, OUTSIDE = cohort(0, 200, "I"), cohort(1, 170, "E")


@pytest.fixture(scope="module")
def found() -> dict[tuple[str, str], Loss]:
    rows = (INSIDE[1], OUTSIDE[1])
    rng = np.random.default_rng(0)
    every, left_out = losses(INSIDE[0], OUTSIDE[0], rows=rows, rng=rng, resamples=60)
    assert left_out == ()
    return {(one.metric, one.group): one for one in every}


def values(both: Joined, weights: np.ndarray | None = None) -> dict[str, float]:
    truth, given = both.truth, both.predicted
    assert both.probabilities is not None
    scores = both.probabilities[:, 2:].sum(axis=1)
    return {
        "quadratic_kappa": cohen_kappa_score(
            truth, given, weights="quadratic", sample_weight=weights
        ),
        "accuracy": np.average(truth == given, weights=weights),
        "balanced_accuracy": recall_score(truth, given, average="macro", sample_weight=weights),
        "mean_absolute_error": mean_absolute_error(truth, given, sample_weight=weights),
        "auc": roc_auc_score(truth >= 2, scores, sample_weight=weights),
    }


def agrees(loss: Loss, internal: float, external: float) -> None:
    drop = loss.drop
    expected = (internal, external, internal - external, 100 * (internal - external) / internal)
    assert (drop.internal, drop.external, drop.points, drop.percent) == pytest.approx(expected)
    assert drop.points_interval.low < drop.points < drop.points_interval.high
    assert drop.percent_interval.low < drop.percent < drop.percent_interval.high


def test_every_headline_is_lost_as_scikit_learn_counts_it(
    found: dict[tuple[str, str], Loss],
) -> None:
    inside, outside = values(INSIDE[0]), values(OUTSIDE[0])
    assert {name for name, group in found if group == ALL} == set(inside)
    for name in inside:
        agrees(found[name, ALL], inside[name], outside[name])
        assert found[name, ALL].cut == (2 if name == "auc" else None)


def test_one_mix_of_grades_is_a_weight_of_each_external_knee(
    found: dict[tuple[str, str], Loss],
) -> None:
    truth = OUTSIDE[0].truth
    mix = np.bincount(INSIDE[0].truth, minlength=5) / np.bincount(truth, minlength=5)
    inside, outside = values(INSIDE[0]), values(OUTSIDE[0], mix[truth])
    for name in inside:
        agrees(found[name, ALIKE], inside[name], outside[name])


def test_each_grade_has_its_recall(found: dict[tuple[str, str], Loss]) -> None:
    for grade in range(5):
        loss = found["recall", f"grade={grade}"]
        sides = [both.truth == grade for both, _ in (INSIDE, OUTSIDE)]
        inside, outside = (
            (both.predicted[side] == grade).mean()
            for (both, _), side in zip((INSIDE, OUTSIDE), sides, strict=True)
        )
        assert (loss.drop.internal, loss.drop.external) == pytest.approx((inside, outside))
        assert (loss.internal_knees, loss.external_knees) == tuple(side.sum() for side in sides)
        assert (loss.internal_patients, loss.external_patients) == tuple(
            len(np.unique(both.patients[side]))
            for (both, _), side in zip((INSIDE, OUTSIDE), sides, strict=True)
        )
        few = min(
            len(np.unique(both.patients[side]))
            for (both, _), side in zip((INSIDE, OUTSIDE), sides, strict=True)
        )
        assert np.isnan(loss.drop.points_interval.low) == (few < SHOWN)


def test_each_group_of_both_has_its_own(found: dict[tuple[str, str], Loss]) -> None:
    for sex in "FM":
        inside, outside = (
            values(both.part(np.array([row.covariates["sex"] == sex for row in rows])))
            for both, rows in (INSIDE, OUTSIDE)
        )
        for name in inside:
            agrees(found[name, f"sex={sex}"], inside[name], outside[name])


def test_a_grade_of_few_is_named_and_not_printed() -> None:
    both, rows = OUTSIDE
    kept = (both.truth != 3) | (np.cumsum(both.truth == 3) < SHOWN)
    few = both.part(kept)
    assert (few.truth == 3).sum() == SHOWN - 1
    every, left_out = losses(
        INSIDE[0],
        few,
        rows=(INSIDE[1], [row for row, keep in zip(rows, kept, strict=True) if keep]),
        rng=np.random.default_rng(0),
        resamples=10,
    )
    assert left_out == ("recall of 3: fewer than 30 knees in a cohort",)
    assert {one.group for one in every if one.metric == "recall"} == {
        *("grade=0", "grade=1", "grade=2", "grade=4")
    }


def test_points_and_per_cent_are_rows_of_their_own(found: dict[tuple[str, str], Loss]) -> None:
    loss = found["accuracy", "sex=F"]
    inside, outside, points, percent = loss.metrics(OUTSIDE[0], resamples=60)
    assert (inside.metric, inside.value) == ("accuracy_internal", loss.drop.internal)
    assert (inside.n_knees, inside.n_patients) == (loss.internal_knees, loss.internal_patients)
    assert (outside.metric, outside.value) == ("accuracy_external", loss.drop.external)
    for row, interval in (
        (inside, loss.drop.internal_interval),
        (outside, loss.drop.external_interval),
    ):
        assert (row.low, row.high) == (interval.low, interval.high)
        assert row.low < row.value < row.high
    assert (points.metric, points.group) == ("accuracy_drop", "sex=F")
    assert percent.metric == "accuracy_drop_percent"
    assert percent.value == pytest.approx(100.0 * points.value / loss.drop.internal)
    assert (points.low, points.high) == (
        loss.drop.points_interval.low,
        loss.drop.points_interval.high,
    )
    assert points.n_knees == loss.external_knees


def test_without_probabilities_there_is_no_curve_to_lose() -> None:
    bare = replace(OUTSIDE[0], probabilities=None)
    every, _ = losses(
        INSIDE[0], bare, rows=(INSIDE[1], OUTSIDE[1]), rng=np.random.default_rng(0), resamples=10
    )
    assert "accuracy" in {one.metric for one in every}
    assert "auc" not in {one.metric for one in every}
