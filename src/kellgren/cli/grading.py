"""Pictures become grades: ``grade`` and ``demo``."""

import contextlib
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Annotated, Literal

import typer

from kellgren.bundles import DEFAULT as DEFAULT_BUNDLE
from kellgren.bundles import DEFAULT_LOCALISER
from kellgren.cli.progress import progress


def grade(
    paths: Annotated[
        list[Path] | None, typer.Argument(help="Films, or folders of them (recursive).")
    ] = None,
    output: Annotated[
        Path | None,
        typer.Option(
            "-o", "--output", help="Empty folder for grades.csv, overlays, report.html, journal."
        ),
    ] = None,
    as_json: Annotated[
        bool, typer.Option("--json", help="One line of JSON a film on stdout.")
    ] = False,
    cropped: Annotated[
        bool, typer.Option("--cropped", help="The pictures are cut around one knee already.")
    ] = False,
    bundle: Annotated[
        str, typer.Option("--bundle", "-b", help="Name of a shipped bundle, or a bundle's path.")
    ] = DEFAULT_BUNDLE,
    localiser: Annotated[
        str, typer.Option(help="Name or path of the bundle that finds knees.")
    ] = DEFAULT_LOCALISER,
    laterality: Annotated[
        Literal["left", "right"] | None,
        typer.Option(help="Side of every one-knee film. Unknown sides are graded both ways."),
    ] = None,
    spacing_mm: Annotated[
        float | None,
        typer.Option(
            min=0.02, max=2.0, help="Distance of pixel centres; counts more than the files'."
        ),
    ] = None,
    boxes: Annotated[
        Path | None,
        typer.Option(
            help="CSV of knees you marked: source, laterality, x0, y0, x1, y1[, angle_deg]."
        ),
    ] = None,
    manifest: Annotated[
        Path | None, typer.Option(help="Tidy table with the sides and subjects of the films.")
    ] = None,
    precision: Annotated[
        Literal["default", "fast"],
        typer.Option(help="'fast' uses the processor's short formats (extra 'fast')."),
    ] = "default",
    workers: Annotated[int, typer.Option(min=1, help="Processes.")] = 1,
    resume: Annotated[
        bool, typer.Option("--resume", help="Go on in the output folder of a stopped batch.")
    ] = False,
    force: Annotated[
        bool, typer.Option("--force", help="Grade knees that the gate refuses; the result says so.")
    ] = False,
    keep_ids: Annotated[
        bool, typer.Option("--keep-ids", help="Put DICOM patient identifiers into the results.")
    ] = False,
    allow_synthetic: Annotated[
        bool, typer.Option("--allow-synthetic", help="Let phantoms' bundles judge real films.")
    ] = False,
) -> None:
    """Find and grade the knees of films: DICOM, PNG, TIFF, JPEG or WebP.

    Exit status: 0 if every knee was graded, 1 if some were not (each says why), 2 for wrong usage.

    Example: `kellgren grade films/ -o results`

    Example: `kellgren grade --cropped regions/ --laterality right -o results`
    """
    from kellgren.anatomy import Laterality
    from kellgren.cohort import Options, Output, Settings, find_films, grade_films
    from kellgren.reporting import to_json
    from kellgren.reporting.wording import in_words

    if not paths and manifest is None:
        raise typer.BadParameter("give films, a folder, or --manifest")
    if resume and output is None:
        raise typer.BadParameter("--resume needs -o, the folder to go on in")
    films = find_films(
        paths or [],
        laterality=None if laterality is None else Laterality(laterality),
        manifest=manifest,
        spacing_mm=spacing_mm,
        boxes=boxes,
    )
    if not films:
        places = ", ".join(map(str, paths)) if paths else manifest
        raise typer.BadParameter(f"no films there: {places}")
    results = grade_films(
        films,
        Settings(
            bundle,
            None if cropped else localiser,
            precision,
            Options(force=force, allow_synthetic=allow_synthetic, keep_ids=keep_ids),
        ),
        output=None if output is None else Output(output, resume),
        workers=workers,
    )
    refused = 0
    with progress("grading", len(films)) as advance:
        for result in results:
            refused += not result.complete
            if as_json:
                sys.stdout.write(to_json(result) + "\n")
                sys.stdout.flush()
            elif output is None:
                typer.echo(in_words(result))
            if not result.complete and (as_json or output is not None):
                typer.echo(in_words(result), err=True)
            advance(1)
    if output is not None:
        graded = len(films) - refused
        typer.echo(f"{graded} of {len(films)} graded. Look at {output / 'report.html'}", err=True)
    raise typer.Exit(1 if refused else 0)


def demo(
    output: Annotated[Path, typer.Option("-o", "--output", help="Folder of the report.")] = Path(
        "demo"
    ),
) -> None:
    """Draw two phantom films as DICOM, grade their knees, and say where the report is."""
    import shutil

    from kellgren.cohort import Output, Settings, find_films, grade_films
    from kellgren.datasets.phantom import write_cohort
    from kellgren.reporting.wording import in_words

    with _alone(output):
        for ours in _OF_A_DEMO:
            shutil.rmtree(output / ours, ignore_errors=True)
        write_cohort(output / "phantoms", 2, seed=3, layout="films")  # both show two knees
        films = find_films([output / "phantoms" / "images"])
        results = grade_films(films, Settings(DEFAULT_BUNDLE), output=Output(output / "results"))
        for result in results:
            typer.echo(in_words(result))
    typer.echo(
        "\nPhantoms are drawings: what a bundle taught on people says of them shows how results "
        f"look, not how well it grades.\nLook at {output / 'results' / 'report.html'}"
    )


_OF_A_DEMO = frozenset({"phantoms", "results"})


@contextlib.contextmanager
def _alone(folder: Path) -> Iterator[None]:
    """Hold the folder of a demo, which is absent, empty or an earlier one's.

    A lock that lies there may be a running demo's, which has no manifest yet; nothing is written
    or removed before it is known.
    """
    from kellgren.cohort import lock
    from kellgren.files import named_if_refused, refuse_foreign

    manifest = folder / "phantoms" / "manifest.csv"
    locked = folder / lock.NAME
    refuse_foreign(folder, ours=manifest.exists() or locked.exists(), what="demo")
    with contextlib.ExitStack() as held:
        with named_if_refused(folder):
            folder.mkdir(parents=True, exist_ok=True)
            held.enter_context(lock.locked(folder))
        others = {path.name for path in folder.iterdir()} - {lock.NAME}
        # without a manifest the lock is of a demo that was killed while it drew
        refuse_foreign(folder, ours=manifest.exists() or others <= _OF_A_DEMO, what="demo")
        yield
