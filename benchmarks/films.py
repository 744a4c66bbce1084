"""Speed and memory on whole films, from a DICOM file to written artefacts. Prints; asserts nothing.

The film is a phantom of two knees, 3000×4000 pixels of 16 bits, uncompressed; its milliseconds are
those of the machine named at the top.
"""

import argparse
import shutil
import signal
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping
from pathlib import Path

from benchmarks import commands, machine, pictures
from benchmarks.figures import Figure, Target, table
from benchmarks.turns import Timed
from kellgren.bundles import DEFAULT, DEFAULT_LOCALISER
from kellgren.cohort import Output, Settings, find_films, grade_films
from kellgren.cohort.loop import write_tables
from kellgren.grading import Grader, load_bundle
from kellgren.imaging import cut_region, read_film
from kellgren.localise import LearnedLocaliser, load_localiser

ASKED_FILMS = 1000
ASKED_SHARED = 60

WARM = 3
"""Chosen: films at the start that do not count; libraries lay out their memory then."""


def main() -> None:
    """Run everything, print each part as it is done, and end with every figure and its target."""
    options = _options()
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))  # so that what was started is ended
    cores = machine.hold_to_cores()
    print(machine.describe(cores))
    size = options.rows, options.rows * pictures.FILM[1] // pictures.FILM[0]
    small = "" if size == pictures.FILM else f"a film of {size[0]}×{size[1]}"
    with tempfile.TemporaryDirectory() as name:
        work = Path(name)
        film = pictures.draw_film(work / "film.dcm", size=size)
        parts = (
            _one(film, work, options.calls, small),
            _cold(film, work, options.starts, small),
            _many(film, work, options.films, small),
            _shared(film, work, options.shared, options.rounds, small or _alone(cores)),
        )
        figures: list[Figure] = []
        for part in parts:
            others = machine.Others(cores)
            figures += part
            print(others.describe())
    head = ("figure", "measured", "asked", "met")
    print("\n" + table(head, (figure.row() for figure in figures)))


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, prog="python -m benchmarks.films")
    ask = parser.add_argument
    ask("--films", type=int, default=ASKED_FILMS, help="whose memory is watched (%(default)s)")
    ask("--shared", type=int, default=ASKED_SHARED, help="that workers share (%(default)s)")
    ask("--rounds", type=int, default=3, help="of one worker, then two (%(default)s)")
    ask("--calls", type=int, default=15, help="warm, that count (%(default)s)")
    ask("--starts", type=int, default=5, help="fresh processes for a median (%(default)s)")
    ask("--rows", type=int, default=pictures.FILM[0], help="of the film (%(default)s)")
    return parser.parse_args()


def _alone(cores: tuple[int, ...]) -> str:
    return "" if len(cores) > 1 else "one core here"


def _one(film: Path, work: Path, calls: int, small: str) -> Iterator[Figure]:
    """One film in a process that has loaded everything, and its stages alone."""
    pictures.link_films(work / "warm", WARM + calls, to=film)
    films = find_films([work / "warm"])
    results = grade_films(films, Settings(DEFAULT), output=Output(work / "warm-results"))
    seeker = LearnedLocaliser(load_localiser(DEFAULT_LOCALISER))
    grader = Grader(load_bundle())
    rounds = []
    for _ in films:
        began = time.perf_counter()
        result = next(results)
        written = time.perf_counter() - began
        if len(result.knees) != 2 or not result.complete:
            raise RuntimeError(f"the film's two knees were not graded: {result}")
        began = time.perf_counter()
        write_tables([result], work / "warm-tables")
        tables = time.perf_counter() - began
        alone = _stages(film, seeker, grader)
        rounds.append((written + tables, *alone, written - sum(alone), tables))
    list(results)
    names = (
        *("film to report", "reading and decoding", "localising", "cutting and grading"),
        *("drawing and writing, the rest", "tables and report"),
    )
    stages = [Timed(tuple(seconds)) for seconds in zip(*rounds[WARM:], strict=True)]
    print(f"\nOne film, warm: medians of {calls}, in turns with its stages alone")
    rows = [
        (name, f"{each.median * 1e3:.0f}", each.range("{:.0f}", 1e3))
        for name, each in zip(names, stages, strict=True)
    ]
    print(table(("", "ms", "range"), rows))
    whole, localising = stages[0], stages[2]
    target = Target("at most", 0.6, unless=small)
    yield Figure("film to report, warm", whole.median, "{:.2f} s", target, whole.range("{:.2f}"))
    target = Target("at most", 120.0, unless=small)
    note = localising.range("{:.0f}", 1e3)
    yield Figure("localisation of it", localising.median * 1e3, "{:.0f} ms", target, note)


def _stages(film: Path, seeker: LearnedLocaliser, grader: Grader) -> tuple[float, float, float]:
    """Seconds of reading and decoding, of localising, of cutting and grading."""
    spec = grader.bundle.record.region
    began = time.perf_counter()
    radiograph = read_film(film)
    read = time.perf_counter()
    found = seeker.find(radiograph, spec, laterality=None)
    sought = time.perf_counter()
    for knee in found:
        grader.grade(cut_region(radiograph, knee.frame, spec), knee.laterality)
    return read - began, sought - read, time.perf_counter() - sought


def _cold(film: Path, work: Path, times: int, small: str) -> Iterator[Figure]:
    """The same as a command."""
    cold = Timed(tuple(_graded(film, work / "cold") for _ in range(times)))
    print(f"\nThe same in fresh processes: median of {times} {cold.median:.2f} s")
    target = Target("at most", 2.5, unless=small)
    note = cold.range("{:.2f}")
    yield Figure("kellgren grade film.dcm -o results", cold.median, "{:.2f} s", target, note)


def _graded(film: Path, results: Path) -> float:
    """Seconds of a command that writes everything; what it wrote is removed."""
    (took,) = commands.seconds([commands.KELLGREN, "grade", str(film), "-o", str(results)])
    shutil.rmtree(results)
    return took


def _many(film: Path, work: Path, number: int, small: str) -> Iterator[Figure]:
    """A folder in one process: the film, and others of a quarter of its pixels."""
    rows, columns = read_film(film).shape
    size = rows // 2, columns // 2
    pictures.draw_films(work / "many", number, first=film, size=size)
    run = commands.grade(work / "many", "-o", str(work / "many-results"))
    shutil.rmtree(work / "many-results")
    print(
        f"\nA folder of {number} films, one in {pictures.DISTINCT_FILMS} as large, the others "
        f"{size[0]}×{size[1]}: {run.seconds:.1f} s, {run.seconds / number:.3f} s a film"
    )
    points = " ".join(f"{part:.0f}" for part in run.points_mb())
    print(f"resident memory by eighths of the run: {points} MB, at most {run.peak_mb:.0f} MB")
    target = Target("at most", 700.0, unless=small)
    yield Figure("films, most memory", run.peak_mb, "{:.0f} MB", target)
    few = "" if number >= ASKED_FILMS else f"{number} films, not {ASKED_FILMS}"
    target = Target("at most", commands.FLAT, unless=small or few)
    yield Figure("films, growth of memory from 2nd to last eighth", run.growth, "{:.1%}", target)


def _shared(film: Path, work: Path, number: int, rounds: int, unless: str) -> Iterator[Figure]:
    """A folder of the film by one worker and by two, in turns."""
    pictures.link_films(work / "shared", number, to=film)
    runs: dict[int, list[commands.Pace]] = {1: [], 2: []}
    for _ in range(rounds):
        for workers, done in runs.items():
            results = work / "shared-results"
            words = ("--json", "--workers", str(workers), "-o", str(results))
            done.append(commands.pace([commands.KELLGREN, "grade", str(work / "shared"), *words]))
            shutil.rmtree(results)
    print(f"\nThe film {number} times, medians of {rounds}")
    each = {workers: Timed(tuple(run.each for run in done)) for workers, done in runs.items()}
    whole = {workers: Timed(tuple(run.seconds for run in done)) for workers, done in runs.items()}
    head = ("workers", "s a film, once started", "rounds", "s in all", "rounds")
    rows = [
        (
            str(workers),
            f"{each[workers].median:.3f}",
            each[workers].range("{:.3f}"),
            f"{whole[workers].median:.1f}",
            whole[workers].range("{:.1f}"),
        )
        for workers in runs
    ]
    print(table(head, rows))
    few = "" if number >= ASKED_SHARED else f"{number} films, not {ASKED_SHARED}"
    target = Target("at least", 1.8, unless=unless or few)
    yield _ratio("two workers, times as fast as one, once started", each, target)
    yield _ratio(f"two workers, the same with their start, {number} films", whole, None)


def _ratio(name: str, by_workers: Mapping[int, Timed], target: Target | None) -> Figure:
    one, two = by_workers[1], by_workers[2]
    note = f"rounds {two.ratios(one).range('{:.2f}')}"
    return Figure(name, one.median / two.median, "{:.2f} ×", target, note)


if __name__ == "__main__":
    main()
