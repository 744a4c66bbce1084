"""Who teaches, chooses and calibrates; and what a run's record says and refuses."""

import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from kellgren import errors
from kellgren.anatomy import Laterality
from kellgren.datasets.splits import Part, part_of
from kellgren.datasets.table import Row, write_table
from kellgren.systems import Distillation, system
from kellgren.training import run as runs
from kellgren.training.published import read_results
from kellgren.training.run import RunRecord, load_run, parts_of

SIAMESE = system("tiulpin2018")
PAPER, MODERN = (SIAMESE.recipes[name] for name in ("paper", "modern"))
MAY = [name for name, answer in SIAMESE.teaches_from.items() if answer == "yes"]
CANNOT = [name for name in SIAMESE.teaches_from if name not in MAY]

TeachFrom = Callable[..., None]
Told = dict[str, list[tuple[float, ...]]]

# Of the first hundred patients' numbers, one of each part.
EVERY_PART = ("9000100", "9000103", "9000113")


def knees(patient: str, **changes: Any) -> list[Row]:  # noqa: ANN401 – any column
    return [
        Row(**{
            "patient": patient,
            "image": f"{patient}{side}",
            "laterality": side,
            "split": "train",
            "task": "kl",
            "reader": "truth",
            "value": 1,
            **changes,
        })
        for side in (Laterality.LEFT, Laterality.RIGHT)
    ]  # fmt: skip


def everyone(*patients: str) -> list[Row]:
    return [row for patient in (*EVERY_PART, *patients) for row in knees(patient)]


class TestParts:
    @given(st.lists(st.integers(0, 10**7).map(str), max_size=30, unique=True))
    @settings(max_examples=30, deadline=None)
    def test_no_patient_is_in_two(self, patients: list[str]) -> None:
        rows = everyone(*patients)
        parts = parts_of(rows)
        patients_of = {part: {row.patient for row in members} for part, members in parts.items()}
        assert sum(len(members) for members in patients_of.values()) == len(
            {row.patient for row in rows}
        )
        # Both knees and every row are somewhere, and where the hash says.
        assert sum(len(members) for members in parts.values()) == len(rows)
        for part, members in parts.items():
            assert all(part_of(row.patient) == part for row in members)

    @pytest.mark.parametrize(
        "change",
        [
            {"split": "val"},
            {"split": "test"},
            {"task": "jsn_medial"},
            {"reader": "somebody"},
            {"value": None},
        ],
    )
    def test_only_the_truth_of_the_training_part_teaches(self, change: dict[str, object]) -> None:
        rows = everyone() + knees("9000099", **change)
        assert parts_of(rows) == parts_of(everyone())

    @pytest.mark.parametrize("missing", EVERY_PART)
    def test_an_empty_part_is_refused_by_its_name(self, missing: str) -> None:
        rows = [row for row in everyone() if row.patient != missing]
        with pytest.raises(errors.TrainingError, match=rf"the {part_of(missing)} part"):
            parts_of(rows)


class TestDataSets:
    @pytest.mark.parametrize("name", CANNOT)
    @pytest.mark.parametrize("part", ["learning", "snapshot", "calibration"])
    def test_one_that_cannot_teach_is_refused_before_anything_is_cut(
        self, teach_from: TeachFrom, parts: dict[Part, list[Row]], name: str, part: Part
    ) -> None:
        # One knee among others that may.
        rows = [row for members in parts.values() for row in members]
        rows[rows.index(parts[part][0])] = replace(parts[part][0], dataset=name)
        assert f"{name} cannot teach tiulpin2018: {SIAMESE.teaches_from[name]}." in refusal(
            teach_from, rows
        )

    @pytest.mark.parametrize("name", CANNOT)
    def test_one_without_a_training_part_is_told_so_first(
        self, teach_from: TeachFrom, parts: dict[Part, list[Row]], name: str
    ) -> None:
        rows = [replace(row, dataset=name, split="") for row in parts["learning"]]
        assert refusal(teach_from, rows).startswith(f"{name} cannot teach tiulpin2018: ")

    @pytest.mark.parametrize("name", [*MAY, "our hospital", ""])
    @pytest.mark.parametrize("beside", CANNOT)
    def test_one_that_may_teach_or_is_the_users_own_is_cut(
        self, teach_from: TeachFrom, parts: dict[Part, list[Row]], name: str, beside: str
    ) -> None:
        rows = [replace(row, dataset=name) for members in parts.values() for row in members]
        # What is never learned from may be of any data set.
        rows += [replace(row, dataset=beside, split="val") for row in parts["learning"]]
        told: Told = {}
        with pytest.raises(KeyboardInterrupt):
            teach_from(rows, told=told, kill_at=("cutting", 1, 6))
        assert told == {"cutting": [(1, 6)]}


@pytest.fixture
def teach_from(teach: Callable[..., object], manifest: Path, tmp_path: Path) -> TeachFrom:
    """Trains on these rows of the cohort."""

    def run(rows: list[Row], **options: object) -> None:
        table = manifest.with_name(f"{tmp_path.name}.csv")
        write_table(rows, table)
        try:
            teach(tmp_path / "run", manifest=table, **options)
        finally:
            table.unlink()

    return run


def refusal(teach_from: TeachFrom, rows: list[Row]) -> str:
    told: Told = {}
    with pytest.raises(errors.TrainingError) as raised:
        teach_from(rows, told=told)
    assert told == {}
    return str(raised.value)


def record(**changes: Any) -> RunRecord:  # noqa: ANN401 – any setting
    settings_ = {
        "system": "tiulpin2018",
        "variant": "n8-shared",
        "fidelity": "modern",
        "seeds": (21,),
        "recipe": MODERN,
        "initialised_from": None,
        "teacher": None,
        "teacher_sha256": None,
        "manifest": "/data/knees.csv",
        "split_sha256": {"learning": "0" * 64},
        "counts": {"learning": {"knees": 1}},
        "dataset": "phantom",
        "synthetic": True,
        "code_version": "0.1.0",
        "environment": {"python": "3.11"},
    }
    return RunRecord(**{**settings_, **changes})


class TestRecord:
    def test_it_comes_back_as_it_was(self, tmp_path: Path) -> None:
        (tmp_path / "run.json").write_text(record().model_dump_json())
        assert load_run(tmp_path) == record()
        assert record().differences(load_run(tmp_path)) == []

    @pytest.mark.parametrize(
        "change",
        [
            {"variant": "n16-shared"},
            {"fidelity": "paper"},
            {"seeds": (21, 42)},
            {"recipe": PAPER},
            {"recipe": replace(MODERN, distillation=Distillation(0.8, 2.0, views=3))},
            {"initialised_from": "somewhere"},
            {"teacher": "a@1.0.0"},
            {"teacher_sha256": "1" * 64},
            {"split_sha256": {"learning": "1" * 64}},
            {"synthetic": False},
        ],
    )
    def test_what_would_make_it_another_run_is_named(self, change: dict[str, object]) -> None:
        assert record().differences(record(**change)) == list(change)

    @pytest.mark.parametrize(
        "change",
        [
            {"environment": {"python": "3.13"}},
            {"code_version": "9.9.9"},
            {"manifest": "/elsewhere.csv"},
        ],
    )
    def test_where_it_runs_may_change(self, change: dict[str, object]) -> None:
        assert record().differences(record(**change)) == []

    def test_a_folder_without_a_run(self, tmp_path: Path) -> None:
        with pytest.raises(errors.TrainingError, match="holds no run"):
            load_run(tmp_path)

    @pytest.mark.parametrize("content", ["", "{}", '{"system": 1}'])
    def test_what_is_no_record(self, tmp_path: Path, content: str) -> None:
        (tmp_path / "run.json").write_text(content)
        with pytest.raises(errors.TrainingError, match="not a run's record"):
            load_run(tmp_path)

    def test_an_unknown_setting_is_refused(self, tmp_path: Path) -> None:
        content = json.loads(record().model_dump_json()) | {"luck": 7}
        (tmp_path / "run.json").write_text(json.dumps(content))
        with pytest.raises(errors.TrainingError, match="luck"):
            load_run(tmp_path)


class TestFolder:
    @pytest.mark.parametrize("resume", [False, True])
    @pytest.mark.parametrize("name", ["films", "file"])
    def test_one_of_something_else_is_refused_before_anything_is_written(
        self, teach: Callable[..., object], tmp_path: Path, name: str, *, resume: bool
    ) -> None:
        (tmp_path / "films").mkdir()
        (tmp_path / "films" / "a.png").write_bytes(b"x")
        (tmp_path / "file").write_bytes(b"x")
        with pytest.raises(errors.OutputError, match=f"{name}: "):
            teach(tmp_path / name, resume=resume)
        assert [path.name for path in (tmp_path / "films").iterdir()] == ["a.png"]
        assert (tmp_path / "file").read_bytes() == b"x"

    @pytest.mark.parametrize("resume", [False, True])
    @pytest.mark.parametrize("there", [False, True])
    def test_an_empty_or_absent_one_becomes_a_run(
        self, tmp_path: Path, *, there: bool, resume: bool
    ) -> None:
        folder = tmp_path / "run"
        if there:
            folder.mkdir()
        runs._begin(folder, record(), resume=resume)
        assert load_run(folder) == record()
        # which is gone on with, whatever lies beside its record by then
        (folder / "seed-21").mkdir()
        runs._begin(folder, record(), resume=True)
        with pytest.raises(errors.OutputError, match="--resume"):
            runs._begin(folder, record(), resume=False)


class TestPublished:
    def test_the_numbers_of_the_whole_cohort_are_published(self, tmp_path: Path) -> None:
        rows = [
            measured(),
            measured(metric="sensitivity"),
            measured(group="female"),
            measured(value=None),
            measured(metric="accuracy", low=None, high=None),
        ]
        (tmp_path / "metrics.json").write_text(json.dumps(rows))
        found = read_results("kneeKL299/val", str(tmp_path / "metrics.json"))
        assert [(r.metric, r.value, r.low, r.high) for r in found] == [
            ("quadratic_kappa", 0.8, 0.7, 0.9),
            ("accuracy", 0.8, None, None),
        ]
        for result in found:
            assert (result.on, result.task) == ("kneeKL299/val", "kl")
            assert (result.n_patients, result.n_knees) == (3, 6)

    def test_a_missing_file_says_how_to_give_one(self) -> None:
        with pytest.raises(errors.TableError, match=r"WHAT=metrics\.json"):
            read_results("metrics.json", "")


def measured(**changes: Any) -> dict[str, Any]:  # noqa: ANN401 – JSON
    row = {
        "task": "kl",
        "reader": "model:a@1.0.0",
        "metric": "quadratic_kappa",
        "cut": None,
        "group": "all",
        "value": 0.8,
        "low": 0.7,
        "high": 0.9,
        "method": "bootstrap",
        "n_patients": 3,
        "n_knees": 6,
        "status": "ok",
    }
    return row | changes
