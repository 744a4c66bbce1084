"""Many films, one table: workers, order, artefacts and the journal around the main path."""

import functools
import hashlib
import logging
import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import asdict, dataclass, field, replace
from datetime import datetime
from pathlib import Path

from kellgren import clock, errors
from kellgren.bundles import DEFAULT_LOCALISER
from kellgren.bundles.runtime import available_cores
from kellgren.cohort.again import finished
from kellgren.cohort.journal import Journal
from kellgren.cohort.workers import TwoSteps, in_order
from kellgren.grading import Grader, Precision, load_bundle
from kellgren.localise import LearnedLocaliser, Localiser, WholePicture, load_localiser
from kellgren.pipeline import (
    UNGRADED,
    Film,
    GradedFilm,
    Options,
    Searched,
    failure,
    grade_knees,
    search_film,
)
from kellgren.records import FilmResult, Knee, Problem
from kellgren.reporting import draw_film, draw_overlay, write_grades, write_overlay, write_report

OVERLAYS = "overlays"
FILMS = "films"
GRADES = "grades.csv"

REGIONS_AT_ONCE = 16
"""Chosen: cut pictures that are read before they are graded; more saves no more time. Whole films
are read one at a time, as each may take a hundred megabytes."""

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
        _steps, settings, None if output is None else output.folder, threads, now
    )
    if output is None:
        yield from in_order(films, worker, workers)
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
        done = {film.source: finished(journal, film, keep_ids=keep_ids) for film in films}
        remaining = in_order([film for film in films if done[film.source] is None], worker, workers)
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


def _steps(
    settings: Settings, folder: Path | None, threads: int, now: Callable[[], datetime]
) -> TwoSteps[Film, Searched, FilmResult]:
    """What a process does with each film."""
    worker = _Worker(settings, folder, threads, now)
    at_once = REGIONS_AT_ONCE if settings.localiser is None else 1
    return TwoSteps(worker.search, worker.finish, at_once)


class _Worker:
    """Searches and grades one film after another, and writes its overlays."""

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

    def search(self, film: Film) -> Searched:
        """All that comes before grading."""
        try:
            return search_film(
                film,
                self._grader.bundle,
                localiser=self._localiser,
                clock=self._now,
                options=self._settings.options,
            )
        except Exception as error:
            problem = _defect(film.source, error)
            created = clock.written(self._now())
            bundle = self._grader.bundle.reference
            return Searched(failure(film, problem, sha256=None, bundle=bundle, created=created))

    def finish(self, searched: Searched) -> FilmResult:
        """Grades, and overlays."""
        try:
            graded = grade_knees(searched, self._grader, self._settings.options)
            return self._with_overlays(graded)
        except Exception as error:
            problem = _defect(searched.about.source, error)
            wrong = Problem(problem.code, str(problem))
            return replace(searched.about, gate=UNGRADED, error=wrong)

    def _with_overlays(self, graded: GradedFilm) -> FilmResult:
        result = graded.result
        if self._folder is None:
            return result
        knees: list[Knee] = []
        pairs = zip(result.knees, graded.shown, strict=True)
        for number, (knee, shown) in enumerate(pairs):
            relative = f"{OVERLAYS}/{overlay_name(result.source, number)}"
            image = draw_overlay(
                shown.picture,
                shown.attention,
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
        attentions = [shown.attention for shown in graded.shown]
        whole = draw_film(graded.radiograph, attentions, result, task=self._grader.shown_task)
        write_overlay(whole, self._folder / relative)
        return replace(result, film_png=relative)


def _defect(source: str, error: Exception) -> errors.Defect:
    """A defect of ours, which must not cost the other films; logged with its traceback."""
    _log.error("grading %s failed", source, exc_info=error)
    return errors.Defect(f"{source}: {type(error).__name__}: {error}")


def overlay_name(source: str, number: int) -> str:
    """A file name from a film's, with nothing of it that a file system or a page could act on."""
    readable = re.sub(r"[^A-Za-z0-9]+", "-", Path(source).stem).strip("-")[:40]
    unique = hashlib.sha256(f"{source}\0{number}".encode()).hexdigest()[:10]
    return f"{readable or 'film'}-{unique}.png"
