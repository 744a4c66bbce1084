"""Every verb but ``grade``, as someone types it."""

import json
import re
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from as_typed import run
from numpy.typing import NDArray
from typer.main import get_group

import kellgren as package
from kellgren.bundles import DEFAULT_LOCALISER, FOLDER
from kellgren.bundles.store import MODEL, RECORD
from kellgren.cli import VERBS as HEADINGS
from kellgren.cli import app
from kellgren.datasets.table import read_table
from kellgren.grading import load_bundle
from kellgren.imaging import read_raster
from kellgren.localise import load_localiser
from kellgren.systems import SYSTEMS

Pixels = NDArray[Any]

VERBS = (
    "grade",
    "demo",
    "check",
    "info",
    "systems",
    "phantom",
    "manifest",
    "prepare",
    "train",
    "export",
    "evaluate",
    "report",
    "compare",
    "agree",
    "runs",
)


class TestHelp:
    def test_the_verbs_are_these(self) -> None:
        assert tuple(get_group(app).commands) == (*VERBS, "audit")

    @pytest.mark.parametrize("verb", VERBS)
    @pytest.mark.parametrize("option", ["--help", "-h"])
    def test_each_explains_itself(self, verb: str, option: str) -> None:
        status, out, err = run(verb, option)
        assert (status, err) == (0, "")
        assert f"kellgren {verb}" in out or f"root {verb}" in out
        (said,) = [f.__doc__ for fs in HEADINGS.values() for f in fs if f.__name__ == verb]
        wanted = re.sub(r"\s+", " ", (said or "").splitlines()[0])
        assert wanted.split("(")[0].strip() in re.sub(r"[\s│]+", " ", out)

    def test_alone_it_lists_them_and_what_it_is_not(self) -> None:
        for words in ((), ("--help",)):
            _, out, err = run(*words)
            shown = out + err
            assert all(verb in shown for verb in VERBS)
            assert all(f" {heading} " in shown for heading in HEADINGS)
            assert "not a medical device" in re.sub(r"[\s│]+", " ", shown)

    def test_the_version(self) -> None:
        assert run("--version") == (0, f"kellgren {package.__version__}\n", "")

    @pytest.mark.parametrize(
        "words", [("grades",), ("--none",), ("phantom",), ("info", "a", "b"), ("train",)], ids=str
    )
    def test_wrong_usage_is_status_two(self, words: tuple[str, ...]) -> None:
        status, out, err = run(*words)
        assert (status, out) == (2, "")
        assert "Usage" in err


class TestSystems:
    def test_they_are_listed(self) -> None:
        status, out, err = run("systems")
        assert (status, err) == (0, "")
        assert [line.split()[0] for line in out.splitlines()] == list(SYSTEMS)
        assert "10.1038/s41598-018-20132-7" in out

    @pytest.mark.parametrize("name", SYSTEMS)
    def test_one_in_full(self, name: str) -> None:
        status, out, err = run("systems", name)
        assert (status, err) == (0, "")
        system = SYSTEMS[name]
        wanted = [system.title, system.statement_of_use, *system.variants, *system.recipes]
        wanted += [*system.teaches_from, *(task.name for task in system.tasks)]
        assert all(words in " ".join(out.split()) for words in wanted)
        learning_rates = re.search(r"^learning_rate +(.*)$", out, re.MULTILINE)
        assert learning_rates is not None
        assert [float(rate) for rate in learning_rates[1].split()] == [
            recipe.learning_rate for recipe in system.recipes.values()
        ]

    @pytest.mark.parametrize(("terminal", "most"), [("80", 80), ("40", 80), ("300", 100)])
    def test_it_fits_the_terminal(
        self, monkeypatch: pytest.MonkeyPatch, terminal: str, most: int
    ) -> None:
        monkeypatch.setenv("COLUMNS", terminal)
        for words in (("systems", "tiulpin2018"), ("info",)):
            assert max(map(len, run(*words)[1].splitlines())) <= most

    def test_one_that_is_none(self) -> None:
        status, out, err = run("systems", "antony2017")
        assert (status, out) == (2, "")
        assert err.startswith("kellgren: training.invalid: ")
        assert "tiulpin2018" in err


class TestInfo:
    def test_for_a_person(self, synthetic_bundle: Path) -> None:
        status, out, err = run("info", synthetic_bundle)
        assert (status, err) == (0, "")
        loaded = load_bundle(synthetic_bundle)
        for words in ("tiny-synthetic 0.1.0", loaded.sha256, "synthetic", "sets at 90%", "1.500"):
            assert words in out
        assert "Measured" not in out

    def test_for_a_program_it_is_the_record_itself(self, real_bundle: Path) -> None:
        status, out, _ = run("info", real_bundle, "--json")
        assert status == 0
        assert json.loads(out) == json.loads((real_bundle / RECORD).read_bytes())

    @pytest.mark.usefixtures("shipped")
    def test_shipped_ones_have_names(self) -> None:
        assert "tiny-real 0.1.0" in run("info", "tiny-real")[1]

    def test_a_localiser_for_a_person(self) -> None:
        status, out, err = run("info", DEFAULT_LOCALISER)
        assert (status, err) == (0, "")
        loaded = load_localiser(DEFAULT_LOCALISER)
        record = loaded.record
        size = sum(map(len, loaded.contents.values())) / 1e6
        wanted = [f"{record.name} {record.version}", record.limits, loaded.sha256, f"{size:.1f} MB"]
        wanted += [*record.landmarks, f"{record.film.size_px} px"]
        wanted += [f"{source.name} ({source.kind}" for source in record.trained_on]
        wanted += [source.licence for source in record.trained_on]
        said = " ".join(out.split())
        assert all(words in said for words in wanted)
        for certainty in (record.first_look, record.accepted, record.beside):
            assert f"{certainty:g}" in said
        assert max(map(len, out.splitlines())) <= 100

    def test_a_localiser_for_a_program(self, tmp_path: Path) -> None:
        source = FOLDER / DEFAULT_LOCALISER
        archive = shutil.make_archive(str(tmp_path / "finder"), "zip", source)
        for named in (DEFAULT_LOCALISER, source, archive):
            status, out, _ = run("info", named, "--json")
            assert status == 0
            assert json.loads(out) == json.loads((source / RECORD).read_bytes())

    @pytest.mark.parametrize(
        ("record", "code"),
        [
            ('{"kind": "localiser"}', "bundle.invalid"),
            ('{"kind": "teapot"}', "bundle.invalid"),
            ("[1]", "bundle.invalid"),
            ("not JSON", "bundle.invalid"),
            (None, "bundle.invalid"),
        ],
    )
    def test_a_record_that_is_none_is_an_error(
        self, tmp_path: Path, record: str | None, code: str
    ) -> None:
        if record is not None:
            (tmp_path / RECORD).write_text(record, "utf-8")
        for words in ((), ("--json",)):
            status, out, err = run("info", tmp_path, *words)
            assert (status, out) == (2, "")
            assert err.startswith(f"kellgren: {code}: {tmp_path}: ")

    def test_a_changed_localiser_is_an_error(self, shipped: Path) -> None:
        model = shipped / DEFAULT_LOCALISER / MODEL
        model.write_bytes(model.read_bytes() + b" ")
        status, out, err = run("info", DEFAULT_LOCALISER)
        assert (status, out) == (2, "")
        assert err.startswith("kellgren: bundle.tampered: ")

    def test_one_that_is_none(self, shipped: Path) -> None:
        status, out, err = run("info", shipped / "none")
        assert (status, out) == (2, "")
        assert err.startswith("kellgren: bundle.not_found: ")
        assert "tiny-real" in err


class TestPhantom:
    def test_a_labelled_cohort_that_repeats(self, tmp_path: Path) -> None:
        for name in ("one", "two"):
            status, out, _ = run("phantom", "-o", tmp_path / name, "-n", 4, "--seed", 5, "--sheet")
            assert status == 0
            assert out.strip() == str(tmp_path / name / "manifest.csv")
        rows = read_table(tmp_path / "one" / "manifest.csv")
        assert len({row.path for row in rows}) == 4
        assert all(read_raster(tmp_path / "one" / row.path).synthetic for row in rows)
        files = sorted(p for p in (tmp_path / "one").rglob("*") if p.is_file())
        assert "sheet.png" in {path.name for path in files}
        for path in files:
            twin = tmp_path / "two" / path.relative_to(tmp_path / "one")
            assert twin.read_bytes() == path.read_bytes()

    def test_what_is_no_cohort_is_refused(self, tmp_path: Path) -> None:
        (tmp_path / "films").mkdir()
        (tmp_path / "films" / "a.png").write_bytes(b"x")
        (tmp_path / "file").write_bytes(b"x")
        for name in ("films", "file"):
            status, out, err = run("phantom", "-o", tmp_path / name, "-n", 1)
            assert (status, out) == (2, "")
            assert err.startswith(f"kellgren: output.refused: {tmp_path / name}: ")
        assert [path.name for path in (tmp_path / "films").iterdir()] == ["a.png"]

    @pytest.mark.parametrize("number", ["0", "-1", "many"])
    def test_no_knees_are_wrong_usage(self, tmp_path: Path, number: str) -> None:
        assert run("phantom", "-o", tmp_path / "out", "-n", number)[0] == 2
        assert not (tmp_path / "out").exists()


class TestManifest:
    def test_a_data_set_becomes_a_table(self, tmp_path: Path, phantoms: Path) -> None:
        picture = min((phantoms.parent / "images").iterdir())
        for split, patients in (("train", ("9000001", "9000002")), ("val", ("9000003",))):
            for patient in patients:
                for side in "LR":
                    target = tmp_path / "data" / split / "2" / f"{patient}{side}.png"
                    target.parent.mkdir(parents=True, exist_ok=True)
                    shutil.copy(picture, target)
        status, out, err = run("manifest", tmp_path / "data", "-o", tmp_path / "m.csv")
        assert (status, err) == (0, "")
        assert out.splitlines() == [
            "train: 4 pictures of 2 patients or clusters",
            "val: 2 pictures of 1 patients or clusters",
        ]
        assert len(read_table(tmp_path / "m.csv")) == 6

    def test_a_folder_that_is_none(self, tmp_path: Path) -> None:
        status, out, err = run("manifest", tmp_path, "-o", tmp_path / "m.csv")
        assert (status, out) == (2, "")
        assert err.startswith("kellgren: table.invalid: ")
        assert not (tmp_path / "m.csv").exists()


class TestTrainAndExport:
    @pytest.mark.parametrize(
        ("words", "named"),
        [
            (("tiulpin2018", "--fidelity", "best"), "best"),
            (("tiulpin2018", "--variant", "n7"), "n64-shared"),
            (("mobilenetv2", "--fidelity", "paper"), "modern"),
            (("antony2017",), "tiulpin2018"),
        ],
        ids=str,
    )
    def test_what_cannot_be_trained_says_what_can(
        self, tmp_path: Path, phantoms: Path, words: tuple[str, ...], named: str
    ) -> None:
        status, _, err = run("train", *words, "--data", phantoms, "-o", tmp_path / "run")
        assert status == 2
        assert named in err
        assert not (tmp_path / "run").exists()

    def test_a_run_that_is_none_is_not_exported(self, tmp_path: Path) -> None:
        status, _, err = run("export", tmp_path / "none", "-o", tmp_path / "bundle")
        assert status == 2
        assert err.startswith("kellgren: training.")
        assert not (tmp_path / "bundle").exists()


def test_it_runs_as_a_program_and_as_a_module(
    kellgren: Callable[..., subprocess.CompletedProcess[str]],
) -> None:
    as_module = kellgren("--version")
    program = shutil.which("kellgren", path=str(Path(sys.executable).parent))
    assert program is not None
    as_program = subprocess.run(  # noqa: S603 – our own
        [program, "--version"], capture_output=True, text=True, check=False, timeout=60
    )
    assert as_program.stdout == as_module.stdout == f"kellgren {package.__version__}\n"
    assert as_program.returncode == as_module.returncode == 0
