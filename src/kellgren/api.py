"""Five lines of Python: what the command line does, as functions."""

from collections.abc import Iterable
from pathlib import Path

from kellgren.anatomy import Laterality
from kellgren.bundles import DEFAULT, DEFAULT_LOCALISER
from kellgren.cohort import Options, Output, Settings, find_films, grade_films
from kellgren.grading.backend import Precision
from kellgren.records import FilmResult


def grade(
    paths: str | Path | Iterable[str | Path],
    *,
    cropped: bool = False,
    bundle: str | Path = DEFAULT,
    localiser: str | Path = DEFAULT_LOCALISER,
    laterality: Laterality | str | None = None,
    spacing_mm: float | None = None,
    boxes: str | Path | None = None,
    manifest: str | Path | None = None,
    output: str | Path | None = None,
    resume: bool = False,
    precision: Precision = "default",
    workers: int = 1,
    force: bool = False,
    keep_ids: bool = False,
    allow_synthetic: bool = False,
) -> list[FilmResult]:
    """Grade films, folders of them, or what a manifest lists.

    Parameters
    ----------
    paths
        One path or several.
    cropped
        The pictures are cut regions of one knee; nothing is looked for.
    bundle, localiser
        Names or paths.
    laterality
        ``left`` or ``right``, if all pictures show that side.
    spacing_mm
        Distance of pixel centres on all of them; counts more than what the files say.
    boxes
        Table of knees that a person marked.
    manifest
        Tidy table that gives sides and subjects.
    output
        An empty folder for overlays, ``grades.csv`` and ``report.html``.
    force
        Grade what the gate refuses, and say so.
    keep_ids
        Let DICOM patient identifiers become the results' ``subject``.

    Returns
    -------
    list of FilmResult
        One for each file, with an ``error`` where it could not be read.

    Raises
    ------
    KellgrenError
        For what concerns the whole batch: bundle, manifest or output folder.
    """
    several = [paths] if isinstance(paths, str | Path) else paths
    films = find_films(
        [Path(path) for path in several],
        laterality=None if laterality is None else Laterality(laterality),
        manifest=None if manifest is None else Path(manifest),
        spacing_mm=spacing_mm,
        boxes=None if boxes is None else Path(boxes),
    )
    settings = Settings(
        str(bundle),
        None if cropped else str(localiser),
        precision,
        Options(force=force, allow_synthetic=allow_synthetic, keep_ids=keep_ids),
    )
    target = None if output is None else Output(Path(output), resume)
    return list(grade_films(films, settings, output=target, workers=workers))
