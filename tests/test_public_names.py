"""What the package offers, and what offering it costs."""

import importlib.util
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from typer.testing import CliRunner

import kellgren as package
from kellgren.cli import app

NAMES = [
    "KL",
    "Bundle",
    "Compartment",
    "FilmResult",
    "Grader",
    "KellgrenError",
    "Knee",
    "Laterality",
    "Prediction",
    "Task",
    "__version__",
    "grade",
    "load_bundle",
]

# Of the extras; the base install has none of them.
EXTRAS = {
    *("torch", "torchvision", "timm", "safetensors", "onnx", "accelerate"),
    *("scipy", "sklearn", "matplotlib", "pyarrow", "pandas", "openvino", "ray"),
}
HEAVY = {*EXTRAS, "onnxruntime", "numpy", "PIL", "pydantic", "typer", "rich", "multiprocessing"}


def imported_after(code: str) -> set[str]:
    """The top names of all modules that a fresh interpreter holds after some lines."""
    lines = f"{code}\nimport sys\nprint(*(name.split('.')[0] for name in sys.modules), sep='\\n')"
    done = subprocess.run(  # noqa: S603 – our own words
        [sys.executable, "-c", lines], capture_output=True, text=True, check=True, timeout=60
    )
    return set(done.stdout.split())


def test_the_public_names_are_these() -> None:
    assert package.__all__ == NAMES
    assert dir(package) == sorted(NAMES)


@pytest.mark.parametrize("name", NAMES)
def test_each_of_them_is_there(name: str) -> None:
    found = getattr(package, name)
    assert found is not None
    assert name == "__version__" or getattr(found, "__name__", name) == name


def test_no_other_is() -> None:
    with pytest.raises(AttributeError, match="no attribute 'Foo'"):
        package.Foo  # noqa: B018 – looking is the test


def test_importing_the_package_imports_nothing_of_weight() -> None:
    found = imported_after("import kellgren")
    assert "kellgren" in found
    assert found & HEAVY == set()


@pytest.mark.parametrize("name", ["KL", "Laterality", "Task", "KellgrenError"])
def test_words_and_errors_are_light(name: str) -> None:
    assert imported_after(f"from kellgren import {name}") & HEAVY == set()


def test_the_command_line_starts_light() -> None:
    found = imported_after("import kellgren.cli")
    assert "typer" in found
    assert found & (EXTRAS | {"onnxruntime", "numpy", "PIL", "pydantic"}) == set()


@pytest.fixture(scope="module")
def base_install(tmp_path_factory: pytest.TempPathFactory) -> str:
    """A PYTHONPATH on which none of the extras can be imported."""
    folder = tmp_path_factory.mktemp("base")
    for name in EXTRAS:
        (folder / f"{name}.py").write_text(f"raise ImportError('{name}: an extra')\n", "utf-8")
    found = subprocess.run(
        [sys.executable, "-c", "import torch"],
        env={**os.environ, "PYTHONPATH": str(folder)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert "torch: an extra" in found.stderr
    return str(folder)


@pytest.mark.parametrize(
    "words",
    [
        ("grade", "--cropped", "FILM", "--bundle", "BUNDLE"),
        ("grade", "--cropped", "FILM", "--bundle", "BUNDLE", "--json"),
        ("grade", "--cropped", "FOLDER", "--bundle", "BUNDLE", "-o", "OUT", "--workers", "2"),
        ("phantom", "-o", "OUT", "-n", "2", "--sheet"),
        ("systems", "tiulpin2018"),
        ("info", "BUNDLE"),
        ("check",),
    ],
    ids=lambda words: " ".join(words[:1] + words[6:]),
)
def test_what_the_base_install_can_do_needs_no_extra(
    kellgren: Callable[..., subprocess.CompletedProcess[str]],
    base_install: str,
    phantoms: Path,
    synthetic_bundle: Path,
    tmp_path: Path,
    words: tuple[str, ...],
) -> None:
    folder = phantoms.parent / "images"
    places = {
        "FILM": min(folder.iterdir()),
        "FOLDER": folder,
        "BUNDLE": synthetic_bundle,
        "OUT": tmp_path / "out",
    }
    done = kellgren(*(places.get(word, word) for word in words), PYTHONPATH=base_install)
    assert done.stderr == "" or done.stderr.startswith("10 of 10 graded.")
    assert done.returncode == 0


@pytest.mark.parametrize(
    "words",
    [
        ("train", "tiulpin2018", "--data", "none.csv", "-o", "OUT"),
        ("export", "none", "-o", "OUT"),
        ("evaluate", "BUNDLE", "--data", "none.csv", "-o", "OUT"),
    ],
    ids=lambda words: words[0],
)
def test_what_needs_an_extra_names_it(
    synthetic_bundle: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    words: tuple[str, ...],
) -> None:
    find = importlib.util.find_spec
    monkeypatch.setattr(
        importlib.util,
        "find_spec",
        lambda name: None if name.split(".")[0] in EXTRAS else find(name),
    )
    places = {"BUNDLE": str(synthetic_bundle), "OUT": str(tmp_path / "out")}
    done = CliRunner().invoke(app, [places.get(word, word) for word in words])
    assert done.exit_code == 2
    assert "install.extra" in done.stderr
    assert "pip install 'kellgren[" in done.stderr
    assert not (tmp_path / "out").exists()
