"""Answers of a made-up model about made-up knees, and the rows of a report on them."""

import json
from dataclasses import replace
from pathlib import Path

import numpy as np

from kellgren.anatomy import Laterality
from kellgren.datasets.table import TRUTH, Row
from kellgren.statistics.reports.selection import Selection
from kellgren.statistics.reports.settings import Settings

READER = "model:m@1"
FEW = Settings(resamples=60)
UNSEEN = Selection(0, kept=False)


def tables(n: int = 160) -> tuple[list[Row], list[Row]]:
    rng = np.random.default_rng(0)
    grades = rng.integers(0, 5, n)
    powers = np.exp(rng.normal(size=(n, 5)) + 1.5 * np.eye(5)[grades])
    probabilities = np.round(powers / powers.sum(axis=1, keepdims=True), 6)
    truth = [
        Row(
            patient=f"P{i // 2:03}",
            laterality=(Laterality.LEFT, Laterality.RIGHT)[i % 2],
            task="kl",
            reader=TRUTH,
            value=int(grade),
            covariates={"sex": "FM"[i // 2 % 2], "site": "A" if i > 20 else "B"},
        )
        for i, grade in enumerate(grades)
    ]
    answers = [
        replace(row, reader=READER, value=int(p.argmax()), probabilities=tuple(p), covariates={})
        for row, p in zip(truth, probabilities.tolist(), strict=True)
        for p in [np.array(p)]
    ]
    return truth, answers


def rows_of(folder: Path) -> list[dict[str, object]]:
    found: list[dict[str, object]] = json.loads((folder / "metrics.json").read_text("utf-8"))
    return found
