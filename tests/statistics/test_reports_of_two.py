"""The report of two readers: what is counted, tested, adjusted and said."""

import json
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from sklearn.metrics import cohen_kappa_score
from statsmodels.stats.contingency_tables import mcnemar as their_mcnemar
from statsmodels.stats.multitest import multipletests

from kellgren.anatomy import JSN_MEDIAL, KL, Laterality, Task
from kellgren.datasets.table import TRUTH, Row
from kellgren.statistics.document import Document
from kellgren.statistics.reports.comparison import report_comparison
from kellgren.statistics.reports.selection import Selection
from kellgren.statistics.reports.writing import Writer

UNSEEN = Selection(0, kept=False)
SIDES = (Laterality.LEFT, Laterality.RIGHT)

Tables = tuple[list[Row], list[Row], list[Row]]


def tables(task: Task = KL, n: int = 160, seed: int = 0, second: float = 0.5) -> Tables:
    """Truth, a reader who is right in seven knees of ten, and one who is in ``second`` of them."""
    rng = np.random.default_rng(seed)
    classes = len(task.classes)
    grades = rng.integers(0, classes, n)

    def read(reader: str, right: float) -> list[Row]:
        given = np.where(rng.random(n) < right, grades, rng.integers(0, classes, n))
        return [
            replace(row, reader=reader, value=value)
            for row, value in zip(truth, given.tolist(), strict=True)
        ]

    truth = [
        Row(
            patient=f"P{i // 2:03}",
            laterality=SIDES[i % 2],
            task=task.name,
            reader=TRUTH,
            value=int(grade),
        )
        for i, grade in enumerate(grades)
    ]
    return truth, read("model:m@1", 0.7), read("model:n@1", second)


def compared(
    found: Tables,
    folder: Path,
    *,
    tasks: Sequence[Task] = (KL,),
    looked: Selection = UNSEEN,
    stratified: bool = False,
) -> tuple[Document, dict[tuple[str, str], dict[str, object]]]:
    document = report_comparison(
        *found,
        Writer(folder),
        tasks=tasks,
        looked=looked,
        rng=np.random.default_rng(0),
        resamples=60,
        stratified=stratified,
    )
    rows = json.loads((folder / "metrics.json").read_text("utf-8"))
    by_name = {(row["task"], row["metric"]): row for row in rows}
    assert len(by_name) == len(rows)
    return document, by_name


def test_a_reader_against_himself_is_no_better(tmp_path: Path) -> None:
    truth, first, _ = tables()
    twin = [replace(row, reader="model:twin@1") for row in first]
    document, rows = compared((truth, first, twin), tmp_path / "r")
    assert "0.000 to 0.000; the same in all resamples, which is no certainty" in document.text()
    assert document.text().count("0.000 to 0.000") == document.text().count("which is no certainty")
    assert "Both gave the same grade to every one of these knees." in document.text()
    for (_, name), row in rows.items():
        if name.endswith("_difference"):
            assert row["value"] == 0.0
        if name.endswith(("_p", "_p_holm", "_q_bh")):
            assert (row["value"], row["status"]) == (1.0, "ok")


def test_values_and_tests_are_rows_with_numbers(tmp_path: Path) -> None:
    truth, first, second = tables()
    document, rows = compared((truth, first, second), tmp_path / "r")
    labels, one, other = (np.array([row.value for row in each]) for each in (truth, first, second))
    kappas = [cohen_kappa_score(labels, given, weights="quadratic") for given in (one, other)]
    kappa = rows["kl", "quadratic_kappa_difference"]
    assert kappa["value"] == pytest.approx(kappas[0] - kappas[1], abs=1e-6)
    for place, reader, value in zip(
        ("first", "second"), ("model:m@1", "model:n@1"), kappas, strict=True
    ):
        own = rows["kl", f"quadratic_kappa_of_{place}"]
        assert own["value"] == pytest.approx(value, abs=1e-6)
        assert (own["reader"], own["group"], own["low"]) == (reader, "all", None)
    compared_by = {name.removesuffix("_of_first") for _, name in rows if name.endswith("_of_first")}
    assert compared_by == {
        *("quadratic_kappa", "accuracy", "balanced_accuracy", "mean_absolute_error", "macro_f1")
    }
    assert "no certainty" not in document.text()
    assert "Both gave the same grade" not in document.text()
    p, of_family, q = (
        rows["kl", f"quadratic_kappa_difference_{end}"] for end in ("p", "p_holm", "q_bh")
    )
    assert 0.0 < float(str(p["value"])) <= float(str(q["value"]))
    assert float(str(q["value"])) <= float(str(of_family["value"])) <= 1.0
    assert p["method"] == "permutation, 9999 random exchanges of patients"
    assert of_family["method"] == f"{p['method']}; Holm over 7 tests"
    assert q["method"] == f"{p['method']}; Benjamini-Hochberg over 7 tests"
    right = [given == labels for given in (one, other)]
    table = [[int((a & b).sum()) for b in (right[1], ~right[1])] for a in (right[0], ~right[0])]
    # Mid-p: the exact p less the probability of what was observed.
    theirs = their_mcnemar(table, exact=True).pvalue
    discordant = table[0][1] + table[1][0]
    point = np.exp(
        sum(np.log(np.arange(1, discordant + 1)))
        - sum(np.log(np.arange(1, table[0][1] + 1)))
        - sum(np.log(np.arange(1, table[1][0] + 1)))
        - discordant * np.log(2.0)
    )
    assert rows["kl", "mcnemar_independent_difference_p"]["value"] == pytest.approx(
        theirs - point, rel=1e-4
    )
    surplus = (right[0].astype(float) - right[1]).reshape(-1, 2).sum(axis=1)
    patients = len(surplus)
    chi2 = (patients - 1) / patients * surplus.sum() ** 2 / (surplus**2).sum()
    # Of one degree of freedom: twice the normal's tail beyond the root.
    drawn = np.random.default_rng(1).standard_normal(400_000)
    assert rows["kl", "mcnemar_clustered_difference_p"]["value"] == pytest.approx(
        (np.abs(drawn) > np.sqrt(chi2)).mean(), abs=2e-3
    )
    assert rows["kl", "n_first_only_right"]["value"] == table[0][1]
    assert rows["kl", "n_second_only_right"]["value"] == table[1][0]


def test_p_are_adjusted_for_all_tests_of_all_tasks(tmp_path: Path) -> None:
    of_kl, of_jsn = tables(), tables(JSN_MEDIAL, seed=1, second=0.6)
    truth, first, second = ([*kl, *jsn] for kl, jsn in zip(of_kl, of_jsn, strict=True))
    document, rows = compared((truth, first, second), tmp_path / "r", tasks=(KL, JSN_MEDIAL))
    raw = {key: float(str(row["value"])) for key, row in rows.items() if key[1].endswith("_p")}
    tasks = {task for task, _ in raw}
    assert tasks == {"kl", "jsn_medial"}
    for method, end in (("holm", "_p_holm"), ("fdr_bh", "_q_bh")):
        _, expected, _, _ = multipletests(list(raw.values()), method=method)
        for (task, name), p in zip(raw, expected, strict=True):
            found = rows[task, name.removesuffix("_p") + end]["value"]
            assert found == pytest.approx(p, rel=1e-5)
    assert (
        f"Holm's p and q are for asking all {len(raw)} tests of this report at once, over"
        in document.text()
    )
    # Within one task alone it would be another.
    alone = [p for (task, _), p in raw.items() if task == "kl"]
    _, fewer, _, _ = multipletests(alone, method="holm")
    assert any(
        rows["kl", f"{name}_holm"]["value"] > p + 1e-9
        for (_, name), p in zip([key for key in raw if key[0] == "kl"], fewer, strict=True)
    )


def test_tests_without_a_p_are_counted_and_null(tmp_path: Path) -> None:
    truth, first, second = tables(n=12)
    document, rows = compared((truth, first, second), tmp_path / "r")
    clustered = rows["kl", "mcnemar_clustered_difference_p"]
    assert (clustered["value"], clustered["status"]) == (None, "undefined")
    tests = [name for _, name in rows if name.endswith("_p")]
    assert (
        f"all {len(tests) - 1} tests of this report at once, over all its tasks; 1 more gave no p"
        in document.text()
    )
    kappa = rows["kl", "quadratic_kappa_difference"]
    assert (kappa["low"], kappa["status"]) == (None, "no_interval")


def test_knees_that_only_one_graded_are_counted_on_the_page_and_in_the_numbers(
    tmp_path: Path,
) -> None:
    truth, first, second = tables()
    # Of 160 knees: ten the second does not answer, one it refuses; the first fails on another.
    refused = replace(second[10], value=None, status="NO_KNEE")
    failed = replace(first[159], value=None, status="file.empty")
    missing = [*first[1:159], failed]  # and does not answer one that the second did not either
    document, rows = compared((truth, missing, [refused, *second[11:]]), tmp_path / "r")
    counts = {name: row["value"] for (_, name), row in rows.items() if row["method"] == "count"}
    expected = {
        "n_labelled": 160,
        "n_graded_by_both": 148,
        "n_graded_by_first_only": 10,
        "n_graded_by_second_only": 1,
        "n_graded_by_neither": 1,
        "n_refused_by_first": 1,
        "n_missing_by_first": 1,
        "n_refused_by_second": 1,
        "n_missing_by_second": 10,
    }
    assert {name: counts[name] for name in expected} == expected
    text = document.text()
    assert (
        "Of 160 labelled knees 148 were graded by both, 10 by the first only, 1 by the second "
        "only, 1 by neither." in text
    )
    assert "1 (NO_KNEE 1)" in text
    assert "1 (file.empty 1)" in text
    assert rows["kl", "accuracy_difference"]["n_knees"] == 148


@pytest.mark.parametrize(
    ("looked", "title", "warned"),
    [
        (Selection(3, kept=True), "selected on", 1),
        (Selection(1, kept=True), "test, as far as the ledger knows", 0),
        (UNSEEN, "use unknown", 0),
    ],
    ids=["three bundles", "one bundle", "no ledger"],
)
def test_it_says_whether_the_knees_were_selected_on(
    tmp_path: Path, looked: Selection, title: str, warned: int
) -> None:
    document, _ = compared(tables(), tmp_path / "r", looked=looked)
    assert document.sections[0].title == f"What these numbers are: {title}"
    assert set(looked.words) <= set(document.sections[0].words)
    assert len(document.warnings) == warned
    # Choosing between the two is a selection, whatever was counted before.
    assert "has selected on these knees" in document.text()


def test_strata_are_said_and_used(tmp_path: Path) -> None:
    free, rows = compared(tables(), tmp_path / "free")
    tied, within = compared(tables(), tmp_path / "tied", stratified=True)
    assert "The bootstrap was stratified" in tied.text()
    assert "stratified" not in free.text()
    name = ("kl", "quadratic_kappa_difference")
    assert "60 stratified resamples of patients" in str(within[name]["method"])
    assert "60 resamples of patients" in str(rows[name]["method"])
    assert (within[name]["low"], within[name]["high"]) != (rows[name]["low"], rows[name]["high"])
    # The value itself has no strata.
    assert within[name]["value"] == rows[name]["value"]


def test_knees_without_a_patient_are_warned_of(tmp_path: Path) -> None:
    known = tables()
    unknown: Tables = tuple(  # type: ignore[assignment] # of three
        [
            replace(row, patient="", image=row.patient, cluster="c" if i < 4 else "")
            if i < 40
            else row
            for i, row in enumerate(rows)
        ]
        for rows in known
    )
    document, rows = compared(unknown, tmp_path / "r")
    (warning,) = document.warnings
    assert ": 40 of 160 knees have no patient" in warning
    assert "otherwise: 4 by cluster, 36 by picture." in warning
    assert "160 knees of 60 patients, 1 cluster, 18 pictures that both" in document.text()
    assert rows["kl", "n_without_patient"]["value"] == 40
    document, rows = compared(known, tmp_path / "known")
    assert (document.warnings, rows["kl", "n_without_patient"]["value"]) == ((), 0)


def test_grades_against_their_own_probabilities_are_said_of_the_reader(tmp_path: Path) -> None:
    truth, first, second = tables()
    said = [
        replace(row, probabilities=tuple(float(grade == row.value) for grade in range(5)))
        for row in first
    ]
    other = [
        replace(row, value=(row.value or 0) // 2) if i < 9 else row for i, row in enumerate(said)
    ]
    document, rows = compared((truth, other, second), tmp_path / "r")
    wrong = sum(a.value != b.value for a, b in zip(said, other, strict=True))
    assert wrong > 0
    assert f"{wrong} of 160 grades of model:m@1 are not the most probable" in document.text()
    assert rows["kl", "n_not_likeliest_by_first"]["value"] == wrong
    # Who gave no probabilities has no such count.
    assert ("kl", "n_not_likeliest_by_second") not in rows
    assert "most probable" not in compared((truth, said, second), tmp_path / "s")[0].text()
