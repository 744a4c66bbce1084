"""Speed and memory, side by side in one run. Prints; asserts nothing.

A claim is a ratio to the reference, measured in turns in this run; milliseconds are those of the
machine named at the top.
"""

import argparse
import signal
import statistics
import sys
import tempfile
from collections.abc import Iterator, Mapping
from pathlib import Path

from benchmarks import agreement, commands, machine, pictures
from benchmarks.contenders import (
    DEFAULT,
    DEFAULT_NETWORKS,
    FAST,
    GRADERS,
    REFERENCE,
    present,
)
from benchmarks.figures import Figure, Target, table
from benchmarks.pictures import Picture
from benchmarks.turns import Process, Timed, started, take_turns

ASKED_PICTURES = 2000
MEMORY = Target("at most", 500.0)


def main() -> None:
    """Run everything, print each part as it is done, and end with every figure and its target."""
    options = _options()
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))  # so that what was started is ended
    cores = machine.hold_to_cores()
    print(machine.describe(cores))
    with tempfile.TemporaryDirectory() as name:
        work = Path(name)
        pictures.draw(work / "turns", 20)
        figures: list[Figure] = []
        with started(present(), work / "turns") as processes:
            others = machine.Others(cores)
            figures += _knee(processes, options.rounds, options.calls)
            print(others.describe())
            others = machine.Others(cores)
            figures += _folder(processes[DEFAULT_NETWORKS], work, options.pictures)
            print(others.describe())
            figures += _agreement(processes, work, options.compared)
            _idle(processes)
        others = machine.Others(cores)
        figures += _starting(work, options.starts)
        print(others.describe())
    head = ("figure", "measured", "asked", "met")
    print("\n" + table(head, (figure.row() for figure in figures)))


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, prog="python -m benchmarks.speed")
    ask = parser.add_argument
    ask("--pictures", type=int, default=ASKED_PICTURES, help="in the folder (%(default)s)")
    ask("--rounds", type=int, default=20, help="of turns (%(default)s)")
    ask("--calls", type=int, default=10, help="that count in each turn (%(default)s)")
    ask("--compared", type=int, help="knees whose answers are compared, if not all")
    ask("--starts", type=int, default=5, help="fresh processes for each median (%(default)s)")
    return parser.parse_args()


def _knee(processes: Mapping[str, Process], rounds: int, calls: int) -> Iterator[Figure]:
    """One knee from JPEG to grades and attention: who is how many times as fast."""
    timed = take_turns(processes, rounds=rounds, calls=calls)
    ratios = {name: each.ratios(timed[REFERENCE]) for name, each in timed.items()}
    print(
        "\nOne knee, JPEG to grades and attention, laterality given, nothing written: medians "
        f"of {rounds} rounds of {calls} calls, in turns, each in its own process"
    )
    head = ("", "ms", "rounds", "× reference", "rounds", "MB resident")
    rows = [
        (
            name,
            f"{each.median * 1e3:.2f}",
            each.range("{:.2f}", 1e3),
            f"{ratios[name].median:.2f}",
            ratios[name].range("{:.2f}"),
            f"{processes[name].resident_mb:.0f}",
        )
        for name, each in timed.items()
    ]
    print(table(head, rows))
    yield _ratio(
        "default, times as fast as the reference", ratios[DEFAULT], Target("at least", 2.0, 2.5)
    )
    if FAST in ratios:
        unless = "" if "amx_bf16" in machine.flags() else "no AMX here"
        target = Target("at least", 6.0, 8.0, unless)
        yield _ratio("fast, times as fast as the reference", ratios[FAST], target)
        yield Figure("fast, memory", processes[FAST].resident_mb, "{:.0f} MB", MEMORY)


def _ratio(name: str, ratio: Timed, target: Target) -> Figure:
    return Figure(name, ratio.median, "{:.2f} ×", target, f"rounds {ratio.range('{:.2f}')}")


def _folder(networks: Process, work: Path, number: int) -> Iterator[Figure]:
    """A folder with --json beside the networks' own time, measured before and after it."""
    pictures.draw(work / "folder", number)
    calls = min(number, 200)
    before = networks.seconds(warm=10, calls=calls)
    run = commands.grade(work / "folder", "--cropped", "--json", "--laterality", "right")
    after = networks.seconds(warm=10, calls=calls)
    own = statistics.median(before + after)
    each = run.seconds / number
    print(
        f"\nA folder of {number} with --json: {run.seconds:.1f} s, {each * 1e3:.2f} ms a knee; the "
        f"networks alone {statistics.median(before) * 1e3:.2f} ms before, "
        f"{statistics.median(after) * 1e3:.2f} ms after"
    )
    points = " ".join(f"{size:.0f}" for size in run.points_mb())
    print(f"resident memory by eighths of the run: {points} MB")
    few = "" if number >= ASKED_PICTURES else f"{number} pictures, not {ASKED_PICTURES}"
    target = Target("at most", 1.3, unless=few)
    yield Figure("folder, times the networks' own time", each / own, "{:.2f} ×", target)
    yield Figure("folder, most memory", run.peak_mb, "{:.0f} MB", MEMORY)
    flat = Target("at most", commands.FLAT, unless=few)
    yield Figure("folder, growth of memory from 2nd to last eighth", run.growth, "{:.1%}", flat)


def _agreement(
    processes: Mapping[str, Process], work: Path, number: int | None
) -> Iterator[Figure]:
    """Every grader's answers beside those of the default."""
    knees = pictures.real()
    where = "of val" if knees else "phantoms"
    judged = bool(knees) and (number is None or number >= len(knees))
    knees = (knees or pictures.draw(work / "compared", pictures.DISTINCT))[:number]
    unless = "" if judged else f"{len(knees)} {where} only"
    answers = {name: processes[name].answers(knees) for name in GRADERS if name in processes}
    found = {
        name: agreement.compare(answers[DEFAULT], theirs)
        for name, theirs in answers.items()
        if name != DEFAULT
    }
    print(f"\nAnswers beside the default's, {len(knees)} {where}")
    head = ("", "same grade", "largest difference", "99th percentile")
    rows = [
        (name, f"{a.same_grade:.2%}", f"{a.largest:.6f}", f"{a.percentile_99:.6f}")
        for name, a in found.items()
    ]
    print(table(head, rows))
    yield Figure(
        "reference and default, largest difference",
        found[REFERENCE].largest,
        "{:.6f}",
        Target("at most", 1e-4),
    )
    if FAST in found:
        fast = found[FAST]
        same = Target("at least", 0.99, unless=unless)
        furthest = Target("at most", 0.03, unless=unless)
        yield Figure("fast and default, same grade", fast.same_grade, "{:.2%}", same)
        yield Figure("fast and default, largest difference", fast.largest, "{:.4f}", furthest)
        yield Figure("fast and default, 99th percentile", fast.percentile_99, "{:.4f}")


def _starting(work: Path, times: int) -> Iterator[Figure]:
    """Fresh processes."""
    (knee,) = pictures.draw(work / "one", 1, suffix=".png")
    cold = Timed(tuple(commands.seconds(_grade_one(knee), times)))
    imported = Timed(tuple(commands.seconds([sys.executable, "-c", "import kellgren"], times)))
    nothing = Timed(tuple(commands.seconds([sys.executable, "-c", "pass"], times)))
    heavy = commands.heavy_after_import()
    print(
        f"\nFresh processes, medians of {times}: grade {cold.median:.2f} s, import "
        f"{imported.median:.2f} s, the interpreter alone {nothing.median:.2f} s"
    )
    yield _start("kellgren grade --cropped one.png", cold, 1.5)
    yield _start("import kellgren", imported, 0.3)
    yield Figure(
        "import kellgren, of torch and onnxruntime imports",
        len(heavy),
        "{:.0f}",
        Target("at most", 0),
    )


def _start(name: str, taken: Timed, limit: float) -> Figure:
    note = f"{taken.range('{:.2f}')}"
    return Figure(name, taken.median, "{:.2f} s", Target("at most", limit), note)


def _grade_one(knee: Picture) -> list[str]:
    return [commands.KELLGREN, "grade", "--cropped", str(knee.path)]


def _idle(processes: Mapping[str, Process]) -> None:
    most = max(process.used_while_stopped for process in processes.values())
    print(f"Between its turns no contender used more than {most:.2f} s of processor.")


if __name__ == "__main__":
    main()
