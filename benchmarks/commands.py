"""Fresh processes, as a user starts them: how long they take, and how much memory."""

import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

import psutil

KELLGREN = str(Path(sys.executable).parent / "kellgren")

FLAT = 0.05
"""Chosen: memory that is "flat" may grow by this share, as allocators give pages back when they
like."""

_EVERY = 0.05
"""Chosen: seconds between two looks at a process's memory, which cost some 20 µs each."""


STARTING = 0.25
"""Chosen: the share of a command's lines that come while its processes still start."""


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


@dataclass(frozen=True, slots=True)
class Pace:
    """When a command's lines came.

    Parameters
    ----------
    came
        Seconds since its start, of each line.
    """

    seconds: float
    came: tuple[float, ...]

    @property
    def each(self) -> float:
        """Seconds a line once everything has started, as in a folder without end."""
        first = int(len(self.came) * STARTING)
        return (self.came[-1] - self.came[first]) / (len(self.came) - 1 - first)


def grade(path: Path, *options: str) -> Run:
    """Run ``kellgren grade`` and watch it."""
    command = [KELLGREN, "grade", str(path), *options]
    sizes = []
    with tempfile.TemporaryFile() as said:
        began = time.perf_counter()
        with subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=said) as process:
            watched = psutil.Process(process.pid)
            while process.poll() is None:
                with suppress(psutil.NoSuchProcess):  # it ended since
                    sizes.append(watched.memory_info().rss / 1e6)
                time.sleep(_EVERY)
        took = time.perf_counter() - began
        said.seek(0)
        _refuse_failure(command, process.returncode, said.read())
    return Run(took, tuple(size for size in sizes if size))


def seconds(command: Sequence[str], times: int = 1) -> list[float]:
    """Seconds of each of some fresh processes."""
    taken = []
    for _ in range(times):
        began = time.perf_counter()
        done = subprocess.run(
            command, check=False, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE
        )
        taken.append(time.perf_counter() - began)
        _refuse_failure(command, done.returncode, done.stderr)
    return taken


def pace(command: Sequence[str]) -> Pace:
    """Run a command that writes lines, two at least, and note when each comes."""
    with tempfile.TemporaryFile() as said:
        began = time.perf_counter()
        with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=said) as process:
            assert process.stdout is not None
            came = tuple(time.perf_counter() - began for _ in process.stdout)
        took = time.perf_counter() - began
        said.seek(0)
        _refuse_failure(command, process.returncode, said.read())
    return Pace(took, came)


def _refuse_failure(command: Sequence[str], status: int, said: bytes) -> None:
    """What a command says is its own user's business, unless it fails."""
    if status != 0:
        words = said.decode("utf-8", "replace").strip()
        raise RuntimeError(f"{' '.join(command)} ended with {status}: {words}")


def heavy_after_import() -> list[str]:
    """Which of torch and onnxruntime ``import kellgren`` imports."""
    code = "import kellgren, sys; print(*{'torch', 'onnxruntime'} & sys.modules.keys())"
    done = subprocess.run([sys.executable, "-c", code], check=True, capture_output=True, text=True)
    return done.stdout.split()
