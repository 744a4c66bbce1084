"""Five lines of Python: what the command line does, as functions."""

from collections.abc import Iterable
from pathlib import Path

from kellgren import errors
from kellgren.anatomy import Laterality
from kellgren.bundles import DEFAULT
from kellgren.cohort import Output, Settings, find_films, grade_films
from kellgren.grading.backend import Precision
from kellgren.records import FilmResult


def grade(
    paths: str | Path | Iterable[str | Path],
    *,
    cropped: bool = False,
    bundle: str | Path = DEFAULT,
    laterality: Laterality | str | None = None,
    manifest: str | Path | None = None,
    output: str | Path | None = None,
    resume: bool = False,
    precision: Precision = "default",
    workers: int = 1,
    allow_synthetic: bool = False,
) -> list[FilmResult]:
    """Grade pictures, folders of them, or what a manifest lists.

    Parameters
    ----------
    paths
        One path or several.
    cropped
        The pictures are cut regions of one knee. Whole films cannot be graded yet.
    bundle
        Name or path.
    laterality
        ``left`` or ``right``, if all pictures show that side.
    manifest
        Tidy table that gives sides and subjects.
    output
        An empty folder for overlays, ``grades.csv`` and ``report.html``.

    Returns
    -------
    list of FilmResult
        One for each file, with an ``error`` where it could not be read.

    Raises
    ------
    KellgrenError
        For what concerns the whole batch: bundle, manifest or output folder.
    """
    if not cropped:
        raise errors.WholeFilmsUnsupported
    several = [paths] if isinstance(paths, str | Path) else paths
    films = find_films(
        [Path(path) for path in several],
        laterality=None if laterality is None else Laterality(laterality),
        manifest=None if manifest is None else Path(manifest),
    )
    settings = Settings(str(bundle), precision, allow_synthetic)
    target = None if output is None else Output(Path(output), resume)
    return list(grade_films(films, settings, output=target, workers=workers))
