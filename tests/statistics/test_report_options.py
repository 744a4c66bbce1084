"""What reports of one reader and of several say beside their headlines."""

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from sklearn.metrics import average_precision_score, confusion_matrix

from kellgren import errors
from kellgren.anatomy import KL, OSTEONECROSIS, OSTEOPHYTE_FEMORAL_MEDIAL, Laterality
from kellgren.datasets.table import TRUTH, Row, write_table
from kellgren.report import report_tables
from kellgren.statistics.reports.given import Quantile, conformal_quantiles, operating_points
from kellgren.statistics.reports.millimetres import report_millimetres
from kellgren.statistics.reports.readers import report_agreement
from kellgren.statistics.reports.writing import Writer, from_cut

N = 80


def graded() -> tuple[list[Row], list[Row]]:
    rng = np.random.default_rng(4)
    grades = rng.integers(0, 5, N)
    powers = np.exp(rng.normal(size=(N, 5)) + np.eye(5)[grades])
    chances = np.round(powers / powers.sum(axis=1, keepdims=True), 6)
    truth = [
        Row(
            patient=f"P{i // 2:03}",
            image=f"{i // 2}.png",
            laterality=(Laterality.LEFT, Laterality.RIGHT)[i % 2],
            task="kl",
            reader=TRUTH,
            value=int(grade),
        )
        for i, grade in enumerate(grades)
    ]
    answers = [
        replace(row, reader=reader, value=int(np.argmax(each)), probabilities=tuple(each))
        for reader in ("model:a@1", "model:b@1")
        for row, each in zip(truth, chances.tolist(), strict=True)
    ]
    return truth, answers


def rows_of(folder: Path) -> list[dict[str, object]]:
    found: list[dict[str, object]] = json.loads((folder / "metrics.json").read_text("utf-8"))
    return found


def test_points_given_by_hand_hold_for_every_reader(tmp_path: Path) -> None:
    truth, answers = graded()
    write_table(truth, tmp_path / "truth.csv")
    write_table(answers, tmp_path / "answers.csv")

    def report(points: dict[str, dict[int, float]]) -> str:
        return report_tables(
            tmp_path / "answers.csv",
            tmp_path / "truth.csv",
            tmp_path / "r",
            split=None,
            task=None,
            bundle=None,
            resamples=5,
            seed=0,
            points=points,
        ).text()

    text = report({"kl": {2: 0.4}})
    assert "given by hand" in text
    assert "Sensitivity, KL ≥ 2 from 0.400" in text
    found = [row for row in rows_of(tmp_path / "r") if row["metric"] == "sensitivity"]
    assert [row["reader"] for row in found] == ["model:a@1", "model:b@1"]
    scores = np.array([sum(row.probabilities[2:]) for row in answers[:N]])
    positive = np.array([(row.value or 0) >= 2 for row in truth])
    assert found[0]["value"] == pytest.approx((scores[positive] >= 0.4).mean(), abs=1e-6)
    # A group has its average precision too.
    (own,) = [
        row
        for row in rows_of(tmp_path / "r")
        if (row["metric"], row["group"], row["reader"])
        == ("average_precision", "grades=1-3", "model:a@1")
    ]
    among = np.array([row.value in {1, 2, 3} for row in truth])
    chance = np.array([sum(row.probabilities[1:4]) for row in answers[:N]])
    assert own["value"] == pytest.approx(average_precision_score(among, chance), abs=1e-6)
    with pytest.raises(errors.TableError, match="the report is on kl"):
        report({"jsn_medial": {1: 0.4}})


def test_points_are_read_as_bundles_name_theirs() -> None:
    assert operating_points(["kl>=2=0.39", "kl>=3=.5", "jsn_medial>=1=5e-1"]) == {
        "kl": {2: 0.39, 3: 0.5},
        "jsn_medial": {1: 0.5},
    }


@pytest.mark.parametrize(
    ("given", "why"),
    [
        (["kl>=2"], "no point"),
        (["kl>=2=nan"], "no point"),
        (["kl >= 2 = 0.4"], "no point"),
        (["kl>=2=1.5"], "between 0 and 1"),
        (["kl>=2=0"], "between 0 and 1"),
        (["kl>=5=0.4"], "1 to 4"),
        (["kl>=0=0.4"], "1 to 4"),
        (["grade>=1=0.4"], "no task"),
        (["view>=1=0.4"], "no task"),
        (["kl>=2=0.4", "kl>=2=0.5"], "twice"),
    ],
)
def test_what_is_no_point_is_said(given: list[str], why: str) -> None:
    with pytest.raises(ValueError, match=why):
        operating_points(given)


@pytest.mark.parametrize(
    ("given", "why"),
    [
        (["kl=0.9"], "no quantile"),
        (["kl=nan@0.9"], "no quantile"),
        (["kl=-0.1@0.9"], "no quantile"),
        (["kl=1.1@0.9"], "above 0, up to 1"),
        (["kl=0@0.9"], "above 0, up to 1"),
        (["kl=0.9@0"], "between 0 and 1"),
        (["kl=0.9@1"], "between 0 and 1"),
        (["grade=0.9@0.9"], "no task"),
        (["kl=0.9@0.9", "kl=0.8@0.9"], "twice"),
    ],
)
def test_what_is_no_quantile_is_said(given: list[str], why: str) -> None:
    with pytest.raises(ValueError, match=why):
        conformal_quantiles(given)


def test_quantiles_are_read_task_by_task() -> None:
    assert conformal_quantiles(["kl=0.953@0.9", "view=1@.95"]) == {
        "kl": Quantile(0.953, 0.9),
        "view": Quantile(1.0, 0.95),
    }


def sets_reported(folder: Path, quantiles: dict[str, Quantile]) -> str:
    return report_tables(
        folder / "answers.csv",
        folder / "truth.csv",
        folder / "r",
        split=None,
        task=None,
        bundle=None,
        resamples=5,
        seed=0,
        quantiles=quantiles,
    ).text()


def test_a_quantile_given_by_hand_makes_the_sets_of_whoever_gave_probabilities(
    tmp_path: Path,
) -> None:
    truth, answers = graded()
    # The second reader gives grades alone.
    bare = [replace(row, probabilities=()) for row in answers[N:]]
    write_table(truth, tmp_path / "truth.csv")
    write_table([*answers[:N], *bare], tmp_path / "answers.csv")
    text = sets_reported(tmp_path, {"kl": Quantile(0.8, 0.85)})
    assert "promise to hold 85% of true grades" in text
    assert "Their q was given by hand" in text
    found = {
        (row["reader"], row["metric"]): row["value"]
        for row in rows_of(tmp_path / "r")
        if row["group"] == "all" and str(row["metric"]).startswith(("set_", "mean_set"))
    }
    assert {reader for reader, _ in found} == {"model:a@1"}
    assert found["model:a@1", "set_coverage_promised"] == 0.85
    # Grown from the likeliest grade to the likelier neighbour until the mass reaches 0.8.
    held, size = [], []
    for label, row in zip(truth, answers[:N], strict=True):
        low = high = int(np.argmax(row.probabilities))
        while sum(row.probabilities[low : high + 1]) < 0.8 - 1e-9:
            below = row.probabilities[low - 1] if low else -1.0
            above = row.probabilities[high + 1] if high < 4 else -1.0
            low, high = (low - 1, high) if below >= above else (low, high + 1)
        held.append(low <= (label.value or 0) <= high)
        size.append(high - low + 1)
    assert found["model:a@1", "set_coverage"] == pytest.approx(np.mean(held), abs=1e-6)
    assert found["model:a@1", "mean_set_size"] == pytest.approx(np.mean(size), abs=1e-6)


def test_a_quantile_needs_probabilities_and_its_task(tmp_path: Path) -> None:
    truth, answers = graded()
    write_table(truth, tmp_path / "truth.csv")
    write_table([replace(row, probabilities=()) for row in answers], tmp_path / "answers.csv")
    with pytest.raises(errors.TableError, match="no answer to it has probabilities"):
        sets_reported(tmp_path, {"kl": Quantile(0.8, 0.85)})
    with pytest.raises(errors.TableError, match="Conformal quantiles are given of jsn_medial"):
        sets_reported(tmp_path, {"jsn_medial": Quantile(0.8, 0.85)})
    assert not (tmp_path / "r").exists()


def nameless() -> list[Row]:
    """Two readers of eighty knees, of which ten have no patient."""
    truth, answers = graded()
    rows = [
        *(replace(row, reader="a", covariates={"jsw": f"{i % 7}"}) for i, row in enumerate(truth)),
        *(replace(row, reader="b", covariates={"jsw": "4"}) for row in answers[:N]),
    ]
    return [replace(row, patient="") if row.patient < "P005" else row for row in rows]


def test_readers_of_unknown_patients_are_warned_of(tmp_path: Path) -> None:
    rng = np.random.default_rng(0)
    kinds = {
        "grades": report_agreement(
            nameless(), Writer(tmp_path / "g"), task=KL, readers=None, rng=rng, resamples=5
        ),
        "millimetres": report_millimetres(
            nameless(), Writer(tmp_path / "m"), column="jsw", readers=None, rng=rng, resamples=5
        ),
    }
    for document in kinds.values():
        (warning,) = document.warnings
        assert ": 10 of 80 knees have no patient" in warning
        assert "80 knees of 35 patients, 5 pictures" in document.text()
    for folder in ("g", "m"):
        (row,) = [r for r in rows_of(tmp_path / folder) if r["metric"] == "n_without_patient"]
        assert row["value"] == 10


def test_readers_strata_are_said_by_whose_grades(tmp_path: Path) -> None:
    truth, answers = graded()
    people = [replace(row, reader="a") for row in truth]
    for rows, by in (
        ([*people, *answers], "each grade that most readers gave"),
        ([*truth, *answers], "each true grade"),
    ):
        document = report_agreement(
            rows,
            Writer(tmp_path / "r"),
            task=KL,
            readers=None,
            rng=np.random.default_rng(0),
            resamples=5,
            stratified=True,
        )
        assert f"The bootstrap was stratified: from the patients of {by}" in document.text()


def test_cuts_are_called_as_people_do() -> None:
    assert from_cut(KL, 2) == "KL ≥ 2"
    assert from_cut(OSTEOPHYTE_FEMORAL_MEDIAL, 1) == "Femoral osteophyte, medial ≥ 1"
    assert from_cut(OSTEONECROSIS, 1) == "Osteonecrosis: present"


def test_what_two_readers_gave_together_is_in_rows_and_in_a_table(tmp_path: Path) -> None:
    truth, answers = graded()
    people = [replace(row, reader="a") for row in truth]
    others = [replace(row, reader="b") for row in answers[:N]]
    rng = np.random.default_rng(0)
    document = report_agreement(
        [*people, *others], Writer(tmp_path / "r"), task=KL, readers=None, rng=rng, resamples=5
    )
    first, second = ([row.value or 0 for row in rows] for rows in (people, others))
    expected = confusion_matrix(first, second, labels=range(5))
    counts = {str(row["group"]): row["value"] for row in rows_of(tmp_path / "r")}
    for (grade, theirs), count in np.ndenumerate(expected):
        assert counts[f"against=b,grade={grade},theirs={theirs}"] == count
    distance = np.abs(np.subtract(first, second))
    for apart in range(5):
        assert counts[f"against=b,distance={apart}"] == (distance == apart).sum()
    (table,) = [t for s in document.sections for t in s.tables if t.head[0] == "a \\ b"]
    shares = expected / np.maximum(expected.sum(axis=1, keepdims=True), 1)
    assert [row[1:] for row in table.rows] == [
        tuple(f"{count} ({share:.0%})" for count, share in zip(*pair, strict=True))
        for pair in zip(expected.tolist(), shares.tolist(), strict=True)
    ]


def measured(*values: str) -> list[Row]:
    truth, _ = graded()
    return [
        replace(row, reader=name, task=task, value=None, covariates={"jsw": value})
        for name in ("a", "b")
        for row in truth[:8]
        for task, value in zip(("kl", "jsn_medial"), values, strict=False)
    ]


def compared(rows: list[Row], folder: Path) -> None:
    rng = np.random.default_rng(0)
    report_millimetres(rows, Writer(folder), column="jsw", readers=None, rng=rng, resamples=5)


def test_a_measurement_may_stand_on_the_row_of_every_task(tmp_path: Path) -> None:
    compared(measured("4.0", "4.00"), tmp_path / "r")
    bias = next(r for r in rows_of(tmp_path / "r") if r["metric"] == "mean_difference_mm")
    assert (bias["value"], bias["n_knees"]) == (0.0, 8)
    with pytest.raises(errors.DuplicateRows, match="unlike"):
        compared(measured("4.0", "4.1"), tmp_path / "s")


def test_nothing_is_narrower_than_zero(tmp_path: Path) -> None:
    compared(measured("0"), tmp_path / "r")
    with pytest.raises(errors.TableError, match="narrower than 0"):
        compared(measured("-0.1"), tmp_path / "s")
