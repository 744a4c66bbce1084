"""What the figures were measured on, and whether it was quiet there."""

import os
import platform
import time
from pathlib import Path

import psutil

CORES = 2
"""The figures that were asked for are those of two cores."""

BUSY = 0.1
"""Chosen: a share that others may take of two cores; a shell and its services take less."""

LOADED = 0.5
"""Chosen: a load average of the last minute that a quiet machine does not have."""

_CPUINFO = Path("/proc/cpuinfo")
_OF_NOTE = ("avx_vnni", "avx512_vnni", "avx512_bf16", "amx_int8", "amx_bf16")


def hold_to_cores() -> tuple[int, ...]:
    """Keep this process, and all that it starts, on `CORES` processors; return which."""
    if not hasattr(os, "sched_setaffinity"):
        return tuple(range(os.cpu_count() or 1))
    os.sched_setaffinity(0, sorted(os.sched_getaffinity(0))[:CORES])
    return tuple(sorted(os.sched_getaffinity(0)))


def flags() -> frozenset[str]:
    """The processor's short formats, as Linux names them; nothing is known elsewhere."""
    return frozenset(_cpuinfo().split()) & frozenset(_OF_NOTE)


def describe(cores: tuple[int, ...]) -> str:
    """The processor, its formats, and who else is at work: the head of a run's output."""
    taken = psutil.cpu_percent(interval=1.0) / 100.0
    load = psutil.getloadavg()
    lines = [
        f"{_model()}, {os.cpu_count()} cores, held to processors {', '.join(map(str, cores))}",
        "  ".join(f"{name}: {known}" for name, known in _formats().items()),
        f"load average {load[0]:.2f} {load[1]:.2f} {load[2]:.2f}; {taken:.0%} busy for a second",
    ]
    if taken > BUSY or load[0] > LOADED:
        lines.append("WARNING: the machine is busy, or was a moment ago. Figures mean little.")
    return "\n".join(lines)


class Others:
    """The share of some processors that went to neither this process nor what it started.

    Time that a hypervisor gave to other guests (steal) counts.
    """

    def __init__(self, cores: tuple[int, ...]) -> None:
        self._cores = cores
        self._began = time.perf_counter()
        self._busy = _busy(cores)
        self._ours = _ours()

    def describe(self) -> str:
        """The share since this object was made, with a warning if that was much."""
        seconds = (time.perf_counter() - self._began) * len(self._cores)
        share = max(_busy(self._cores) - self._busy - (_ours() - self._ours), 0.0) / seconds
        warning = "  WARNING: measure again on a quiet machine." if share > BUSY else ""
        return f"Meanwhile others took {share:.0%} of the processors.{warning}"


def _formats() -> dict[str, str]:
    found = flags()
    has = {
        "AMX bfloat16": "amx_bf16" in found,
        "AMX int8": "amx_int8" in found,
        "AVX-512 bfloat16": "avx512_bf16" in found,
        "VNNI": bool(found & {"avx512_vnni", "avx_vnni"}),
    }
    if not _CPUINFO.exists():
        return dict.fromkeys(has, "unknown")
    return {name: "yes" if there else "no" for name, there in has.items()}


def _model() -> str:
    for line in _cpuinfo().splitlines():
        if line.startswith("model name"):
            return line.partition(":")[2].strip()
    return platform.processor() or platform.machine()


def _cpuinfo() -> str:
    return _CPUINFO.read_text("utf-8") if _CPUINFO.exists() else ""


def _busy(cores: tuple[int, ...]) -> float:
    times = psutil.cpu_times(percpu=True)
    idle = ("idle", "iowait", "guest", "guest_nice")  # a guest's time is in user's already
    return sum(
        float(seconds)
        for core in cores
        for name, seconds in times[core]._asdict().items()
        if name not in idle
    )


def _ours() -> float:
    own = psutil.Process()
    total = 0.0
    for process in (own, *own.children(recursive=True)):
        try:
            times = process.cpu_times()
        except psutil.NoSuchProcess:
            continue  # ended between the two calls; its parent has its time
        total += sum(float(seconds) for seconds in times[:4])  # its own and its ended children's
    return total
