import json
from dataclasses import replace
from pathlib import Path

import pytest

from kellgren.statistics.metrics import ALL, Metric, write_metrics

KAPPA = Metric(
    task="kl",
    reader="model:m@1",
    metric="quadratic_kappa",
    cut=None,
    group=ALL,
    value=0.8234567,
    low=0.8,
    high=0.85,
    method="percentile bootstrap",
    n_patients=3,
    n_knees=5,
)


def test_the_file_is_a_list_of_the_contracts_fields(tmp_path: Path) -> None:
    write_metrics([KAPPA, replace(KAPPA, metric="auc", cut=2)], tmp_path / "metrics.json")
    first, second = json.loads((tmp_path / "metrics.json").read_text("utf-8"))
    assert ", ".join(first) == (
        "task, reader, metric, cut, group, value, low, high, method, n_patients, n_knees, status"
    )
    assert first["value"] == 0.823457
    assert (first["cut"], second["cut"]) == (None, 2)


def test_what_is_undefined_is_null_and_says_why(tmp_path: Path) -> None:
    nan = float("nan")
    write_metrics(
        [replace(KAPPA, value=nan, low=nan, high=nan, status="undefined")], tmp_path / "m.json"
    )
    (row,) = json.loads((tmp_path / "m.json").read_text("utf-8"))
    assert (row["value"], row["low"], row["high"], row["status"]) == (None, None, None, "undefined")


@pytest.mark.parametrize("metric", ["accuracy_d_p", "accuracy_d_p_holm", "accuracy_d_q_bh"])
def test_a_small_p_never_becomes_nought(metric: str, tmp_path: Path) -> None:
    nan = float("nan")
    p = replace(KAPPA, metric=metric, value=1.23456789e-9, low=nan, high=nan)
    noise = replace(KAPPA, value=1.23456789e-9)
    write_metrics([p, noise], tmp_path / "m.json")
    values = [row["value"] for row in json.loads((tmp_path / "m.json").read_text("utf-8"))]
    assert values == [1.23457e-9, 0.0]


def test_nothing_is_an_empty_list(tmp_path: Path) -> None:
    write_metrics([], tmp_path / "m.json")
    assert json.loads((tmp_path / "m.json").read_text("utf-8")) == []


def test_a_value_and_its_status_agree() -> None:
    with pytest.raises(ValueError, match="status 'ok'"):
        replace(KAPPA, value=float("nan"))
    with pytest.raises(ValueError, match="status 'undefined'"):
        replace(KAPPA, status="undefined")
