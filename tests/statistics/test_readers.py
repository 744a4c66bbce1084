from dataclasses import replace

import numpy as np
import pytest
from sklearn.metrics import cohen_kappa_score

from kellgren.anatomy import KL, VIEW, Laterality, Task
from kellgren.datasets.table import Row
from kellgren.statistics.icc import intraclass_correlation
from kellgren.statistics.panel import panel
from kellgren.statistics.readers import EVERYONE, compare_readers

READERS = ("a", "b", "model:m@1")


def table(task: Task = KL, n: int = 160, noise: tuple[float, ...] = (0.4, 0.6, 0.5)) -> list[Row]:
    rng = np.random.default_rng(0)
    top = len(task.classes) - 1
    truth = rng.integers(0, top + 1, n)
    return [
        Row(
            patient=str(i // 2),
            laterality=(Laterality.LEFT, Laterality.RIGHT)[i % 2],
            task=task.name,
            reader=name,
            value=int(np.clip(np.rint(truth[i] + rng.normal(0.0, sd)), 0, top)),
        )
        for name, sd in zip(READERS, noise, strict=True)
        for i in range(n)
    ]


def test_pairs_are_scikit_learns_and_all_are_the_intraclass_correlations() -> None:
    readers = panel(table(), task=KL)
    found = compare_readers(readers, rng=np.random.default_rng(1), resamples=200)
    for weights, name in ((None, "unweighted"), ("linear", "linear"), ("quadratic", "quadratic")):
        expected = cohen_kappa_score(readers.grades[:, 0], readers.grades[:, 1], weights=weights)
        row = found.metric(f"{name}_kappa", "a", "against=b")
        assert row.value == pytest.approx(expected)
        assert row.low < row.value < row.high
        assert (row.n_patients, row.n_knees) == (80, 160)
    row = found.metric("icc_2_1", EVERYONE, EVERYONE)
    assert row.value == pytest.approx(
        intraclass_correlation(readers.grades.astype(float), form="2,1")
    )
    assert found.confusions["a", "b"].sum() == 160


def test_a_model_is_one_more_reader() -> None:
    readers = panel(table(), task=KL)
    found = compare_readers(readers, rng=np.random.default_rng(1), resamples=200)
    kappas = {
        (m.reader, m.group.removeprefix("against=")): m.value
        for m in found.metrics
        if m.metric == "quadratic_kappa"
    }
    with_people = (kappas["a", "model:m@1"] + kappas["b", "model:m@1"]) / 2
    own = found.metric("mean_quadratic_kappa", "model:m@1", "against=people")
    assert own.value == pytest.approx(with_people)
    above = found.metric("mean_quadratic_kappa_above_theirs", "model:m@1", "against=people")
    assert above.value == pytest.approx(with_people - kappas["a", "b"])
    assert above.low < above.value < above.high


def test_a_reader_agrees_with_himself() -> None:
    rows = table(noise=(0.5, 0.5, 0.5))
    readers = panel(rows, task=KL)
    twice = np.repeat(readers.grades[:, :1], 2, axis=1)
    same = replace(readers, readers=("a", "b"), grades=twice)
    found = compare_readers(same, rng=np.random.default_rng(1), resamples=50)
    for weights in ("unweighted", "linear", "quadratic"):
        row = found.metric(f"{weights}_kappa", "a", "against=b")
        assert (row.value, row.low, row.high) == pytest.approx((1.0, 1.0, 1.0))


def test_without_an_order_there_are_no_distances() -> None:
    found = compare_readers(
        panel(table(VIEW), task=VIEW), rng=np.random.default_rng(1), resamples=50
    )
    assert {m.metric for m in found.metrics} == {"accuracy", "unweighted_kappa"}


def test_one_class_only_is_said_not_to_be_estimable() -> None:
    readers = panel(table(), task=KL)
    flat = replace(readers, readers=("a", "b"), grades=np.zeros((160, 2), np.int64))
    found = compare_readers(flat, rng=np.random.default_rng(1), resamples=50)
    row = found.metric("quadratic_kappa", "a", "against=b")
    assert (row.status, np.isnan(row.value)) == ("undefined", True)
    assert found.metric("accuracy", "a", "against=b").value == 1.0


@pytest.mark.parametrize("stratified", [True, False])
def test_strata_keep_the_mix_of_what_most_gave(stratified: bool) -> None:
    readers = panel(table(), task=KL)
    owner = np.unique(readers.patients, return_inverse=True)[1]
    highest = np.zeros(owner.max() + 1, dtype=np.int64)
    np.maximum.at(highest, owner, readers.strata)
    found = compare_readers(
        readers, rng=np.random.default_rng(3), resamples=60, stratified=stratified
    )
    # The draws again, one patient after the other.
    rng, values = np.random.default_rng(3), []
    members = [np.flatnonzero(highest == grade) for grade in range(5) if (highest == grade).any()]
    if not stratified:
        members = [np.arange(len(highest))]
    for _ in range(60):
        people = [int(each[rng.integers(0, len(each))]) for each in members for _ in each]
        rows = np.concatenate([np.flatnonzero(owner == one) for one in people])
        values.append(np.mean(readers.grades[rows, 0] == readers.grades[rows, 1]))
    row = found.metric("accuracy", "a", "against=b")
    assert (row.low, row.high) == pytest.approx(tuple(np.percentile(values, [2.5, 97.5])))
    assert ("stratified" in row.method) == stratified


def test_one_patient_has_no_interval() -> None:
    readers = panel(table()[:2] + table()[160:162], task=KL)
    found = compare_readers(readers, rng=np.random.default_rng(1), resamples=50)
    assert {m.status for m in found.metrics} <= {"no_interval", "undefined"}
