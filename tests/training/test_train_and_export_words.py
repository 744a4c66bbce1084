"""The command line teaches, exports and teaches again from what it exported."""

import json
import re
from pathlib import Path

import pytest
from as_typed import run

from kellgren.grading import load_bundle
from kellgren.training.run import load_run

pytestmark = pytest.mark.usefixtures("one_thread")


def test_a_bundle_of_phantoms_teaches_the_next_one(tmp_path: Path) -> None:
    # The hash puts 32 of these patients to learning, which is one batch, and one to either other
    # part.
    assert run("phantom", "-o", tmp_path / "cohort", "-n", 112, "--seed", 3)[0] == 0
    manifest = tmp_path / "cohort" / "manifest.csv"
    train = ("train", "tiulpin2018", "--data", manifest, "--variant", "n8-shared")
    few = ("--iterations", 8, "--seeds", 21)

    status, out, err = run(*train, *few, "-o", tmp_path / "first")
    assert status == 0, err
    kept = re.match(r"seed 21: kept iteration (\d), held-back quadratic kappa ", out)
    assert kept is not None
    log = (tmp_path / "first" / "seed-21" / "log.jsonl").read_text("utf-8").splitlines()
    looks = [json.loads(line)["iteration"] for line in log]
    assert looks == [2, 4, 6, 8]
    assert int(kept[1]) in looks
    assert err.startswith("estimated: ")
    assert run("export", tmp_path / "first", "-o", tmp_path / "teacher")[0] == 0
    teacher = load_bundle(tmp_path / "teacher")
    assert teacher.reference.name == "teacher"

    words = (*train, *few, "-o", tmp_path / "second", "--teacher", tmp_path / "teacher")
    status, _, err = run(*words)
    assert status == 0, err
    record = load_run(tmp_path / "second")
    assert (record.teacher, record.teacher_sha256) == ("teacher@0.1.0", teacher.sha256)
    assert record.recipe.distillation is not None
    answers = list((tmp_path / "second" / "teacher").glob("view-*.npy"))
    assert len(answers) == record.recipe.distillation.views
    status, out, err = run("export", tmp_path / "second", "-o", tmp_path / "student")
    assert status == 0, err
    assert out.startswith(f"{tmp_path / 'student'}: student 0.1.0, ")
    student = load_bundle(tmp_path / "student").record
    assert student.taught_by == "teacher@0.1.0"
    assert student.synthetic

    # A run is gone on with only as it began, and only when asked.
    status, _, err = run(*words)
    assert (status, err.partition(": ")[2][:14]) == (2, "output.refused")
    status, _, err = run(*train, *few, "-o", tmp_path / "second", "--resume")
    assert (status, err.partition(": ")[2][:17]) == (2, "training.mismatch")


def test_too_few_knees_are_an_error_with_a_name(tmp_path: Path) -> None:
    # Three patients to learn from, see conftest.py.
    assert run("phantom", "-o", tmp_path / "cohort", "-n", 14, "--seed", 98)[0] == 0
    words = ("--data", tmp_path / "cohort" / "manifest.csv", "--variant", "n8-shared")
    status, _, err = run("train", "tiulpin2018", *words, "-o", tmp_path / "run")
    assert status == 2
    assert "training.invalid: 6 knees to learn from do not fill one batch of 64" in err
