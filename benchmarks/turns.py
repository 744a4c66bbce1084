"""Contenders that take turns, so that a busy moment meets all alike and none disturbs another."""

import json
import statistics
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import psutil

from benchmarks.pictures import Picture

ROOT = Path(__file__).parents[1]

WARM = 3
"""Chosen: calls at the start of each turn that do not count; caches hold the others' data then."""


class Process:
    """One contender's process. It is stopped (SIGSTOP) except while it is asked something.

    Thread pools spin for a while after work, and some for ever; a stopped process cannot.
    """

    def __init__(self, name: str, folder: Path) -> None:
        self.name = name
        self._process = subprocess.Popen(
            [sys.executable, "-m", "benchmarks.serve", name, str(folder)],
            cwd=ROOT,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        self._seen = psutil.Process(self._process.pid)
        self._used_when_stopped = 0.0
        self._used_while_stopped = 0.0

    def load(self) -> None:
        """Wait until it is ready, and stop it."""
        self._receive()
        self._stop()

    def end(self) -> None:
        """Let it go on, to the end of its stdin."""
        with suppress(psutil.NoSuchProcess):
            self._seen.resume()
        self._process.communicate()

    def seconds(self, *, warm: int, calls: int) -> list[float]:
        """Seconds of each call, after some that do not count."""
        return [float(each) for each in self._ask(["time", warm, calls])]

    def answers(self, pictures: Sequence[Picture]) -> list[list[float]]:
        """The probabilities of each picture."""
        told = [[str(picture.path), picture.laterality.value] for picture in pictures]
        return [[float(share) for share in each] for each in self._ask(["answer", told])]

    @property
    def resident_mb(self) -> float:
        """Its memory now."""
        return float(self._seen.memory_info().rss) / 1e6

    @property
    def used_while_stopped(self) -> float:
        """Seconds of processor that it took between its turns; zero, if all is well."""
        return self._used_while_stopped

    def _ask(self, request: list[Any]) -> list[Any]:
        assert self._process.stdin is not None
        self._used_while_stopped += self._used() - self._used_when_stopped
        self._seen.resume()
        self._process.stdin.write(json.dumps(request) + "\n")
        self._process.stdin.flush()
        reply: list[Any] = self._receive()
        self._stop()
        return reply

    def _receive(self) -> Any:  # noqa: ANN401 – what JSON gives
        assert self._process.stdout is not None
        line = self._process.stdout.readline()
        if not line:
            raise RuntimeError(f"'{self.name}' has ended; it says above why")
        return json.loads(line)

    def _stop(self) -> None:
        self._seen.suspend()
        while self._seen.status() not in {psutil.STATUS_STOPPED, psutil.STATUS_ZOMBIE}:
            time.sleep(0.001)
        self._used_when_stopped = self._used()

    def _used(self) -> float:
        times = self._seen.cpu_times()
        return float(times.user + times.system)


@dataclass(frozen=True, slots=True)
class Timed:
    """Seconds a call, one median for each round."""

    rounds: tuple[float, ...]

    @property
    def median(self) -> float:
        """Over rounds."""
        return statistics.median(self.rounds)

    def ratios(self, reference: "Timed") -> "Timed":
        """How many times faster than the reference, round by round."""
        pairs = zip(reference.rounds, self.rounds, strict=True)
        return Timed(tuple(theirs / own for theirs, own in pairs))

    def range(self, form: str, scale: float = 1.0) -> str:
        """The lowest and the highest round."""
        low, high = min(self.rounds) * scale, max(self.rounds) * scale
        return f"{form.format(low)}–{form.format(high)}"


@contextmanager
def started(names: Sequence[str], folder: Path) -> Iterator[Mapping[str, Process]]:
    """Start contenders one after another, each stopped before the next begins."""
    processes = {}
    with ExitStack() as stack:
        for name in names:
            processes[name] = Process(name, folder)
            stack.callback(processes[name].end)
            processes[name].load()
        yield processes


def take_turns(processes: Mapping[str, Process], *, rounds: int, calls: int) -> Mapping[str, Timed]:
    """Time each contender once a round, always in the same order.

    One more round goes before, in which libraries lay out their memory; it does not count.
    """
    taken: dict[str, list[float]] = {name: [] for name in processes}
    for _ in range(1 + rounds):
        for name, process in processes.items():
            taken[name].append(statistics.median(process.seconds(warm=WARM, calls=calls)))
    return {name: Timed(tuple(each[1:])) for name, each in taken.items()}
