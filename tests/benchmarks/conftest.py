"""Benchmarks are no part of the package: they are imported from the repository's root."""

import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
sys.path.insert(0, str(ROOT))


@pytest.fixture
def run_benchmark() -> Callable[..., str]:
    """Run one of the benchmarks to its end; what it printed comes back."""

    def run(name: str, *words: str) -> str:
        done = subprocess.run(  # noqa: S603 - our own words
            [sys.executable, "-m", f"benchmarks.{name}", *words],
            cwd=ROOT,
            capture_output=True,
            text=True,
            check=False,
            timeout=600,
        )
        assert done.returncode == 0, done.stderr
        return done.stdout

    return run
