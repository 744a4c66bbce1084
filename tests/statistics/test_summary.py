import json
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray
from sklearn.metrics import cohen_kappa_score, confusion_matrix, log_loss, roc_auc_score

from kellgren.anatomy import KL, OSTEONECROSIS, VIEW, Laterality, Task
from kellgren.datasets.table import TRUTH, Row
from kellgren.statistics.bootstrap import FEWEST
from kellgren.statistics.metrics import Metric, write_metrics
from kellgren.statistics.questions import cut_of
from kellgren.statistics.summary import Summary, summarise

READER = "model:m@1"


def tables(task: Task = KL, n: int = 120, seed: int = 0) -> tuple[list[Row], list[Row]]:
    """Truth and predictions of both knees of n / 2 patients."""
    rng = np.random.default_rng(seed)
    classes = len(task.classes)
    grades = rng.integers(0, classes, n)
    powers = np.exp(rng.normal(size=(n, classes)) + 1.5 * np.eye(classes)[grades])
    probabilities = np.round(powers / powers.sum(axis=1, keepdims=True), 6)
    truth = [
        Row(
            patient=f"P{index // 2:03}",
            laterality=(Laterality.LEFT, Laterality.RIGHT)[index % 2],
            task=task.name,
            reader=TRUTH,
            value=int(grade),
        )
        for index, grade in enumerate(grades)
    ]
    predictions = [
        replace(row, reader=READER, value=int(given.argmax()), probabilities=tuple(given.tolist()))
        for row, given in zip(truth, probabilities, strict=True)
    ]
    return truth, predictions


def summary(
    truth: Sequence[Row],
    predictions: Sequence[Row],
    task: Task = KL,
    sets: NDArray[np.bool_] | None = None,
    resamples: int = 100,
) -> Summary:
    return summarise(
        truth,
        predictions,
        task=task,
        sets=sets,
        coverage=None if sets is None else 0.9,
        rng=np.random.default_rng(1),
        resamples=resamples,
    )


def test_point_estimates_are_scikit_learns() -> None:
    truth, predictions = tables()
    grades = np.array([row.value for row in truth])
    given = np.array([row.value for row in predictions])
    probabilities = np.array([row.probabilities for row in predictions])
    found = summary(truth, predictions)
    np.testing.assert_array_equal(found.confusion, confusion_matrix(grades, given))
    expected = {
        "n": 120,
        "n_patients": 60,
        "accuracy": (grades == given).mean(),
        "quadratic_kappa": cohen_kappa_score(grades, given, weights="quadratic"),
        "mean_squared_error": ((grades - given) ** 2).mean(),
        "auc": roc_auc_score(grades >= 2, probabilities[:, 2:].sum(axis=1)),
        "negative_log_likelihood": log_loss(
            grades, probabilities / probabilities.sum(axis=1, keepdims=True)
        ),
    }
    assert {name: found.metric(name).value for name in expected} == pytest.approx(
        expected, abs=1e-6
    )
    assert found.metric("auc").cut == 2
    assert sum(b.n for b in found.bins) == 120


def test_every_number_has_an_interval_around_it_and_what_it_rests_on() -> None:
    truth, predictions = tables(n=600)
    found = summary(truth, predictions, sets=np.ones((600, 5), bool))
    measured = [row for row in found.metrics if row.method.startswith("percentile")]
    # Chance alone adds to a calibration error, so its interval may lie above it.
    within = [row for row in measured if row.metric != "expected_calibration_error"]
    assert all(row.low <= row.value <= row.high for row in within)
    assert all((row.task, row.reader, row.status) == ("kl", READER, "ok") for row in measured)
    assert "100 resamples of patients, 95 %" in measured[0].method
    recall = found.metric("recall", group="grade=2")
    true_twos = [row for row in truth if row.value == 2]
    assert recall.n_knees == len(true_twos)
    assert recall.n_patients == len({row.patient for row in true_twos})


def test_a_recall_is_its_row_of_the_confusion() -> None:
    found = summary(*tables())
    for grade in range(5):
        share = found.confusion[grade, grade] / found.confusion[grade].sum()
        assert found.metric("recall", group=f"grade={grade}").value == pytest.approx(share)
    cell = found.metric("confusion", group="grade=2,predicted=3")
    assert cell.value == found.confusion[2, 3]


def test_the_order_of_rows_changes_nothing() -> None:
    truth, predictions = tables()
    sets = np.random.default_rng(2).random((120, 5)) < 0.7
    order = np.random.default_rng(3).permutation(120)
    shuffled = summary(
        truth[::-1], [predictions[index] for index in order], sets=np.asarray(sets[order])
    )
    assert shuffled.metrics == summary(truth, predictions, sets=sets).metrics


def test_sets_follow_their_own_prediction() -> None:
    truth, predictions = tables()
    # Every set holds the true grade alone, but for the last knee's, which holds all others.
    sets = np.eye(5, dtype=bool)[[row.value for row in truth if row.value is not None]]
    sets[-1] = ~sets[-1]
    found = summary(truth, predictions, sets=sets)
    assert found.metric("set_coverage").value == pytest.approx(119 / 120)
    assert found.metric("mean_set_size").value == pytest.approx(123 / 120)
    last = truth[-1].value
    assert found.metric("set_coverage", group=f"grade={last}").value < 1.0
    assert found.metric("set_coverage_promised").value == 0.9


def test_sets_of_another_number_are_refused() -> None:
    truth, predictions = tables()
    with pytest.raises(ValueError, match="one row each"):
        summary(truth, predictions, sets=np.ones((119, 5), bool))


def test_what_was_not_compared_is_reported() -> None:
    truth, predictions = tables()
    refused = replace(predictions[1], value=None, probabilities=(), status="NO_KNEE")
    unread = replace(truth[2], value=None)
    found = summary([*truth[:2], unread, *truth[3:]], [refused, *predictions[2:]])
    counts = {
        name: found.metric(name).value for name in ("n", "n_missing", "n_refused", "n_unlabelled")
    }
    assert counts == {"n": 117, "n_missing": 1, "n_refused": 1, "n_unlabelled": 1}
    assert found.metric("n_unmatched").value == 1
    assert found.metric("n_refused", group="status=NO_KNEE").value == 1


def test_a_task_without_order_has_no_distances() -> None:
    names = {row.metric for row in summary(*tables(VIEW), task=VIEW).metrics}
    assert {"accuracy", "negative_log_likelihood"} <= names
    assert not names & {"quadratic_kappa", "mean_absolute_error", "mean_squared_error"}
    assert not names & {"ranked_probability_score", "adjacent"}


def test_a_finding_has_an_area_for_its_presence() -> None:
    found = summary(*tables(OSTEONECROSIS), task=OSTEONECROSIS)
    assert found.metric("auc").cut == 1
    with pytest.raises(KeyError, match="quadratic_kappa"):
        found.metric("quadratic_kappa")


def test_cuts() -> None:
    assert (cut_of(KL), cut_of(VIEW), cut_of(OSTEONECROSIS)) == (2, None, 1)


def test_a_reader_without_probabilities_has_no_calibration() -> None:
    truth, predictions = tables()
    found = summary(truth, [replace(row, probabilities=()) for row in predictions])
    assert found.bins == ()
    assert "quadratic_kappa" in {row.metric for row in found.metrics}
    assert not {"auc", "expected_calibration_error"} & {row.metric for row in found.metrics}


def statuses(rows: Sequence[Metric]) -> dict[tuple[str, str], str]:
    return {(row.metric, row.group): row.status for row in rows}


def test_an_absent_grade_and_a_single_side_say_so() -> None:
    truth, predictions = tables()
    low = [index for index, row in enumerate(truth) if row.value in {0, 1}]
    found = summary([truth[index] for index in low], [predictions[index] for index in low])
    status = statuses(found.metrics)
    assert status["recall", "grade=4"] == "no_knees"
    assert status["auc", "all"] == "undefined"
    assert np.isnan([found.metric("auc").value, found.metric("auc").low]).all()
    assert status["accuracy", "all"] == "ok"


def test_one_patient_has_no_interval() -> None:
    truth, predictions = tables()
    found = summary(truth[:2], predictions[:2])
    accuracy = found.metric("accuracy")
    assert accuracy.status == "no_interval"
    assert np.isnan([accuracy.low, accuracy.high]).all()
    assert np.isfinite(accuracy.value)


def test_a_grade_that_some_resamples_miss_says_so() -> None:
    truth, predictions = tables()
    truth = [replace(row, value=0) for row in truth[:-1]] + [replace(truth[-1], value=4)]
    found = summary(truth, predictions)
    # One patient of sixty is left out of a third of the resamples.
    assert found.metric("auc").status == "interval_partial"
    assert found.metric("recall", group="grade=0").status == "ok"


def test_few_patients_have_no_interval() -> None:
    found = summary(*tables(n=2 * FEWEST - 2))
    assert {row.status for row in found.metrics if row.method != "count"} == {"no_interval"}
    # Nor have the few of a grade that is rare among many.
    truth, predictions = tables()
    assert summary(truth, predictions).metric("recall", group="grade=1").status == "no_interval"


def test_without_a_common_knee_all_say_so(tmp_path: Path) -> None:
    truth, _ = tables()
    found = summary(truth, [], sets=np.ones((0, 5), bool))
    assert found.confusion.sum() == 0
    assert found.metric("n_missing").value == 120
    assert found.metric("quadratic_kappa").status == "no_knees"
    assert found.metric("set_coverage").status == "no_knees"
    write_metrics(found.metrics, tmp_path / "metrics.json")
    rows = json.loads((tmp_path / "metrics.json").read_text("utf-8"))
    assert len(rows) == len(found.metrics)
    assert {row["value"] for row in rows if row["status"] == "no_knees"} == {None}
