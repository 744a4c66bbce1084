"""Many films, one table: workers, order, artefacts and the journal around `pipeline.grade_film`."""

import contextlib
import functools
import hashlib
import logging
import multiprocessing
import os
import re
import signal
import threading
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future, ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from dataclasses import asdict, dataclass, field, replace
from datetime import datetime
from pathlib import Path
from typing import Any

from kellgren import clock, errors
from kellgren.bundles import DEFAULT_LOCALISER
from kellgren.bundles.runtime import available_cores
from kellgren.cohort.journal import Journal
from kellgren.cohort.said import difference
from kellgren.grading import Grader, Precision, load_bundle
from kellgren.imaging import read_bytes
from kellgren.localise import LearnedLocaliser, Localiser, WholePicture, load_localiser
from kellgren.pipeline import Film, GradedFilm, Options, failure, grade_film
from kellgren.records import FilmResult, Knee
from kellgren.reporting import draw_film, draw_overlay, write_grades, write_overlay, write_report

OVERLAYS = "overlays"
FILMS = "films"
GRADES = "grades.csv"

_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Settings:
    """What a batch's results depend on; goes to every worker and into the journal's header.

    ``localiser`` is None where pictures are cut regions (``--cropped``).
    """

    bundle: str
    localiser: str | None = DEFAULT_LOCALISER
    precision: Precision = "default"
    options: Options = field(default_factory=Options)


@dataclass(frozen=True, slots=True)
class Output:
    """Where artefacts go; ``resume`` goes on with what is there."""

    folder: Path
    resume: bool = False


def grade_films(
    films: Sequence[Film],
    settings: Settings,
    *,
    output: Output | None = None,
    workers: int = 1,
    now: Callable[[], datetime] = clock.now,
) -> Iterator[FilmResult]:
    """Grade films, giving each result as soon as it and all before it are finished.

    Parameters
    ----------
    films
        In the order in which results are wanted.
    output
        Journal, overlays, ``grades.csv`` and ``report.html`` go there; None writes nothing.
    workers
        Processes. The cores are shared out among them.
    now
        The clock; for several workers a function that can be pickled.

    Raises
    ------
    BundleError
        Before the first film.
    OutputError
        The folder is not empty, holds another batch's journal, or a batch is writing there.
    ExtraMissing
        ``fast`` without the extra of that name.
    EnvironmentInvalid
        The clock cannot be read.
    """
    now()  # a clock that cannot be read is the batch's error, not that of every film
    bundle = load_bundle(settings.bundle)
    threads = max(1, available_cores() // workers)
    worker = functools.partial(
        _Worker, settings, None if output is None else output.folder, threads, now
    )
    if output is None:
        yield from _grade(films, worker, workers)
        return
    finder = None if settings.localiser is None else load_localiser(settings.localiser)
    header = {
        "bundle_sha256": bundle.sha256,
        "localiser_sha256": None if finder is None else finder.sha256,
        "precision": settings.precision,
        **asdict(settings.options),
    }
    with Journal(output.folder, header, resume=output.resume) as journal:
        keep_ids = settings.options.keep_ids
        done = {film.source: _finished(journal, film, keep_ids=keep_ids) for film in films}
        remaining = _grade([film for film in films if done[film.source] is None], worker, workers)
        for film in films:
            result = done[film.source]
            if result is None:
                result = next(remaining)
                journal.add(result)
            yield result
        write_tables(journal.results, output.folder)


def write_tables(results: Sequence[FilmResult], folder: Path) -> None:
    """Write what is made from all results together."""
    write_grades(results, folder / GRADES)
    write_report(results, folder, title="Knee osteoarthritis grades")


def _finished(journal: Journal, film: Film, *, keep_ids: bool) -> FilmResult | None:
    """What the journal has of a film, if the file and what is said of it are still the same."""
    result = journal.finished(film.source)
    if result is None:
        return None
    if _sha256(film.path) != result.sha256:
        raise errors.JournalMismatch(
            f"{film.source}: has changed since it was graded. Put the old file back, or grade into "
            "another folder."
        )
    different = difference(film, result, keep_ids=keep_ids)
    if different is not None:
        raise errors.JournalMismatch(
            f"{film.source}: was begun with another {different}. Give the same laterality, "
            "boxes, spacing and manifest, or another output folder."
        )
    return result


def _sha256(path: Path) -> str | None:
    try:
        return hashlib.sha256(read_bytes(path)).hexdigest()
    except errors.FileEmpty:
        return None  # as in the result of an empty file


def _grade(
    films: Sequence[Film], make: Callable[[], "_Worker"], workers: int
) -> Iterator[FilmResult]:
    if workers == 1 or len(films) < 2:
        worker = make()
        yield from map(worker, films)
        return
    # A bundle that cannot be opened is the batch's error, not that of a worker.
    make()
    # 'spawn': forking a process that has loaded ONNX Runtime's threads is not safe.
    with ProcessPoolExecutor(
        workers,
        mp_context=multiprocessing.get_context("spawn"),
        initializer=_start_worker,
        initargs=(make,),
    ) as pool:
        waiting: deque[Future[FilmResult]] = deque()
        try:
            for film in films:
                with _unborn_workers_deaf():
                    waiting.append(pool.submit(_work, film))
                if len(waiting) > 4 * workers:  # enough to keep all busy; memory stays flat
                    yield waiting.popleft().result()
            while waiting:
                yield waiting.popleft().result()
        except BrokenProcessPool as error:
            raise errors.OutputError(
                "a worker process was killed, most likely for want of memory. Give fewer "
                "--workers, and --resume to go on."
            ) from error
        finally:
            pool.shutdown(cancel_futures=True)


@contextlib.contextmanager
def _unborn_workers_deaf() -> Iterator[None]:
    """Keep Ctrl-C from processes that start meanwhile; here it waits until they have.

    A worker ignores it once it runs; before, in the middle of its imports, it would end with a
    traceback on the user's terminal.
    """
    if not hasattr(signal, "pthread_sigmask"):  # Windows
        yield
        return
    before = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)


_worker: Any = None
"""The grader of this worker process: loading it once is what a process is for."""


def _start_worker(make: Callable[[], "_Worker"]) -> None:
    global _worker  # noqa: PLW0603 - an executor's initialiser has no other place to leave it
    # Ctrl-C reaches the whole group; the batch stops its workers itself, without their tracebacks.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    threading.Thread(target=_leave_with_parent, daemon=True).start()
    _worker = make()


def _leave_with_parent() -> None:
    """End this worker when the batch is killed; the pool's queue would let it wait for ever."""
    parent = multiprocessing.parent_process()
    if parent is not None:
        parent.join()
        os._exit(1)


def _work(film: Film) -> FilmResult:
    result: FilmResult = _worker(film)
    return result


class _Worker:
    """Grades one film after another and writes its overlays."""

    def __init__(
        self,
        settings: Settings,
        folder: Path | None,
        threads: int,
        now: Callable[[], datetime],
    ) -> None:
        self._settings = settings
        self._folder = folder
        self._now = now
        self._grader = Grader(
            load_bundle(settings.bundle), precision=settings.precision, threads=threads
        )
        self._localiser: Localiser = (
            WholePicture()
            if settings.localiser is None
            else LearnedLocaliser(load_localiser(settings.localiser), threads=threads)
        )

    def __call__(self, film: Film) -> FilmResult:
        try:
            graded = grade_film(
                film,
                self._grader,
                localiser=self._localiser,
                clock=self._now,
                options=self._settings.options,
            )
            return self._with_overlays(graded)
        except Exception as error:
            # A defect of ours must not cost the other films; it is logged with its traceback.
            _log.exception("grading %s failed", film.source)
            problem = errors.Defect(f"{film.source}: {type(error).__name__}: {error}")
            created = self._now().strftime("%Y-%m-%dT%H:%M:%SZ")
            reference = self._grader.bundle.reference
            return failure(film, problem, sha256=None, bundle=reference, created=created)

    def _with_overlays(self, graded: GradedFilm) -> FilmResult:
        result = graded.result
        if self._folder is None:
            return result
        knees: list[Knee] = []
        pairs = zip(result.knees, graded.pictures, strict=True)
        for number, (knee, (picture, attention)) in enumerate(pairs):
            relative = f"{OVERLAYS}/{overlay_name(result.source, number)}"
            image = draw_overlay(
                picture,
                attention,
                knee,
                task=self._grader.shown_task,
                bundle=result.bundle,
                source=result.source,
                synthetic=result.synthetic,
            )
            write_overlay(image, self._folder / relative)
            knees.append(replace(knee, attention_png=relative))
        result = replace(result, knees=tuple(knees))
        if graded.radiograph is None or self._settings.localiser is None:
            return result
        relative = f"{FILMS}/{overlay_name(result.source, 0)}"
        attentions = [attention for _, attention in graded.pictures]
        whole = draw_film(graded.radiograph, attentions, result, task=self._grader.shown_task)
        write_overlay(whole, self._folder / relative)
        return replace(result, film_png=relative)


def overlay_name(source: str, number: int) -> str:
    """A file name from a film's, with nothing of it that a file system or a page could act on."""
    readable = re.sub(r"[^A-Za-z0-9]+", "-", Path(source).stem).strip("-")[:40]
    unique = hashlib.sha256(f"{source}\0{number}".encode()).hexdigest()[:10]
    return f"{readable or 'film'}-{unique}.png"
