"""Stratified intervals as reports give them, against a plain loop over patients."""

from dataclasses import replace

import numpy as np
import pytest
from numpy.typing import NDArray
from sklearn.metrics import cohen_kappa_score

from kellgren.anatomy import KL, Laterality
from kellgren.datasets.table import TRUTH, Row
from kellgren.statistics.bootstrap import RESAMPLES_OF_TIULPIN2020
from kellgren.statistics.headlines import headline_metrics
from kellgren.statistics.join import join
from kellgren.statistics.summary import summarise

PATIENTS = 36
SEED = 5


def tables() -> tuple[list[Row], list[Row]]:
    """Patients whose two knees often differ in grade."""
    rng = np.random.default_rng(4)
    truth = [
        Row(
            patient=f"P{number:02}",
            laterality=side,
            task="kl",
            reader=TRUTH,
            value=int(rng.choice(5, p=[0.3, 0.3, 0.2, 0.1, 0.1])),
        )
        for number in range(PATIENTS)
        for side in (Laterality.LEFT, Laterality.RIGHT)
    ]
    answers = [
        replace(row, reader="a", value=int(np.clip((row.value or 0) + rng.integers(-1, 2), 0, 4)))
        for row in truth
    ]
    return truth, answers


def loop(truth: NDArray[np.int64], given: NDArray[np.int64]) -> NDArray[np.float64]:
    """Kappa and accuracy (resamples, 2) of knees (patients, 2), one patient after the other."""
    rng = np.random.default_rng(SEED)
    highest = truth.max(axis=1)
    values = []
    for _ in range(RESAMPLES_OF_TIULPIN2020):
        rows: list[int] = []
        for grade in range(5):
            members = np.flatnonzero(highest == grade)
            rows += [int(members[rng.integers(0, len(members))]) for _ in members]
        labels, answers = truth[rows].ravel(), given[rows].ravel()
        kappa = cohen_kappa_score(labels, answers, labels=range(5), weights="quadratic")
        values.append((kappa, (labels == answers).mean()))
    return np.array(values)


def test_a_hundred_stratified_draws_are_those_of_a_plain_loop() -> None:
    truth, answers = tables()
    grades, given = (
        np.array([row.value for row in rows]).reshape(-1, 2) for rows in (truth, answers)
    )
    # The rule for patients is put to the test only where knees differ.
    assert (grades[:, 0] != grades[:, 1]).sum() > PATIENTS // 2
    expected = np.percentile(loop(grades, given), [2.5, 97.5], axis=0).T
    summary = summarise(
        truth,
        answers,
        task=KL,
        rng=np.random.default_rng(SEED),
        resamples=RESAMPLES_OF_TIULPIN2020,
        stratified=True,
    )
    shown = {
        row.metric: row
        for row in headline_metrics(
            join(truth, answers, task=KL),
            rng=np.random.default_rng(SEED),
            resamples=RESAMPLES_OF_TIULPIN2020,
            stratified=True,
        )
    }
    for name, ends in zip(("quadratic_kappa", "accuracy"), expected, strict=True):
        for found in (summary.metric(name), shown[name]):
            assert (found.low, found.high) == pytest.approx(tuple(ends))
            assert found.method == (
                "percentile bootstrap, 100 stratified resamples of patients, 95 %"
            )
