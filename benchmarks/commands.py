"""Fresh processes, as a user starts them: how long they take, and how much memory."""

import statistics
import subprocess
import sys
import time
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

import psutil

KELLGREN = str(Path(sys.executable).parent / "kellgren")

_EVERY = 0.05
"""Chosen: seconds between two looks at a process's memory, which cost some 20 µs each."""


@dataclass(frozen=True, slots=True)
class Run:
    """One command.

    Parameters
    ----------
    resident_mb
        Its memory, at even steps from the start to the end.
    """

    seconds: float
    resident_mb: tuple[float, ...]

    @property
    def peak_mb(self) -> float:
        """The most that was seen."""
        return max(self.resident_mb)

    def points_mb(self, number: int = 8) -> list[float]:
        """The median of each of some equal parts of the run."""
        count = len(self.resident_mb)
        parts = [
            self.resident_mb[count * part // number : max(count * (part + 1) // number, 1)]
            for part in range(number)
        ]
        return [statistics.median(part) for part in parts if part]

    @property
    def growth(self) -> float:
        """Share by which memory grew from the second eighth, when all is loaded, to the last."""
        points = self.points_mb()
        return points[-1] / points[min(1, len(points) - 1)] - 1.0


def grade(path: Path, *options: str) -> Run:
    """Run ``kellgren grade --cropped`` and watch it."""
    command = [KELLGREN, "grade", "--cropped", str(path), *options]
    began = time.perf_counter()
    with subprocess.Popen(command, stdout=subprocess.DEVNULL) as process:
        watched = psutil.Process(process.pid)
        sizes = []
        while process.poll() is None:
            with suppress(psutil.NoSuchProcess):  # it ended since
                sizes.append(watched.memory_info().rss / 1e6)
            time.sleep(_EVERY)
    if process.returncode != 0:
        raise RuntimeError(f"{' '.join(command)} ended with {process.returncode}")
    return Run(time.perf_counter() - began, tuple(size for size in sizes if size))


def seconds(command: Sequence[str], times: int) -> list[float]:
    """Seconds of each of some fresh processes."""
    taken = []
    for _ in range(times):
        began = time.perf_counter()
        subprocess.run(command, check=True, stdout=subprocess.DEVNULL)
        taken.append(time.perf_counter() - began)
    return taken


def heavy_after_import() -> list[str]:
    """Which of torch and onnxruntime ``import kellgren`` imports."""
    code = "import kellgren, sys; print(*{'torch', 'onnxruntime'} & sys.modules.keys())"
    done = subprocess.run([sys.executable, "-c", code], check=True, capture_output=True, text=True)
    return done.stdout.split()
