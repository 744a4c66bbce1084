"""Films and tables become manifests, and regions: ``phantom``, ``manifest`` and ``prepare``."""

from collections import Counter
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

import typer

from kellgren.bundles import DEFAULT_LOCALISER
from kellgren.cli.progress import progress

if TYPE_CHECKING:
    from kellgren.cohort.prepare import Cutting, Prepared


def phantom(
    output: Annotated[
        Path, typer.Option("-o", "--output", help="Folder; a cohort there is replaced.")
    ],
    number: Annotated[int, typer.Option("-n", min=1, help="Pictures: regions, or films.")],
    seed: Annotated[int, typer.Option(help="Names the cohort.")] = 0,
    layout: Annotated[
        Literal["regions", "films"],
        typer.Option(help="Regions of one knee in PNG, or films of one or two in DICOM."),
    ] = "regions",
    sheet: Annotated[bool, typer.Option("--sheet", help="Also one picture of many.")] = False,
) -> None:
    """Draw a synthetic, fully labelled cohort of knees.

    A region shows one knee of a patient, the right and the left one in turn. A film shows one or
    both of another patient, and takes 14 MB.
    """
    from kellgren.datasets.phantom import write_cohort

    typer.echo(write_cohort(output, number, seed=seed, layout=layout, sheet=sheet))


def manifest(
    folder: Annotated[Path, typer.Argument(help="The unpacked data set.")],
    output: Annotated[Path, typer.Option("-o", "--output", help="The table to write (.csv).")],
) -> None:
    """Read a data set into the tidy table.

    Known layouts: kneeKL299 (doi:10.17632/56rmx5bjcr.1), digital_knee_xray
    (doi:10.17632/t9ndx37v5h.1); any other folder is listed as whole films without grades.
    """
    from kellgren.datasets import films, gornale, kneekl299
    from kellgren.datasets.table import write_table

    known = next((layout for layout in (kneekl299, gornale) if layout.looks_like(folder)), films)
    rows = known.read(folder, relative_to=output.parent)
    write_table(rows, output)
    for split in sorted({row.split for row in rows}):
        chosen = [row for row in rows if row.split == split]
        pictures = len({row.path for row in chosen})
        units = len({row.resampled_by for row in chosen})
        typer.echo(f"{split or known.NAME}: {pictures} pictures of {units} patients or clusters")


def prepare(
    source: Annotated[
        Path, typer.Argument(metavar="MANIFEST", help="Tidy table of films, or a folder of them.")
    ],
    output: Annotated[
        Path,
        typer.Option(
            "-o", "--output", help="Empty folder for regions, manifest.csv, rejects.csv, journal."
        ),
    ],
    side: Annotated[
        float | None,
        typer.Option(min=0.5, max=4.0, help="Of a region, in plateau widths. Default: 1.25."),
    ] = None,
    side_mm: Annotated[
        float | None,
        typer.Option(min=30.0, max=400.0, help="Of a region, in mm at the detector, instead."),
    ] = None,
    system: Annotated[
        str | None, typer.Option(help="Cut what this system's grader will cut from films, instead.")
    ] = None,
    fidelity: Annotated[
        Literal["paper", "released", "modern"], typer.Option(help="Of that system.")
    ] = "modern",
    size_px: Annotated[
        int | None, typer.Option(min=64, max=2048, help="Of a region's side. Default: 512.")
    ] = None,
    localiser: Annotated[
        str, typer.Option(help="Name or path of the bundle that finds knees.")
    ] = DEFAULT_LOCALISER,
    laterality: Annotated[
        Literal["left", "right"] | None,
        typer.Option(help="Side of every one-knee film; counts more than the table's."),
    ] = None,
    spacing_mm: Annotated[
        float | None, typer.Option(min=0.02, max=2.0, help="As for grade.")
    ] = None,
    boxes: Annotated[
        Path | None,
        typer.Option(help="CSV of knees you marked: source, laterality, x0, y0, x1, y1."),
    ] = None,
    workers: Annotated[int, typer.Option(min=1, help="Processes.")] = 1,
    resume: Annotated[
        bool, typer.Option("--resume", help="Go on in the output folder of a stopped batch.")
    ] = False,
    allow_synthetic: Annotated[
        bool,
        typer.Option("--allow-synthetic", help="Let a phantoms' localiser search real films."),
    ] = False,
) -> None:
    """Find the knees of films and cut them into 16-bit regions, with their truth, to learn from.

    Exit status: 0 if nothing was lost, 1 if rejects.csv says of a film, a knee or a grade why it
    cannot be used, 2 for wrong usage.

    Example: `kellgren prepare films.csv -o prepared`
    """
    from kellgren.anatomy import Laterality
    from kellgren.cohort import Output
    from kellgren.cohort.listed import list_films
    from kellgren.cohort.prepare import SIZE_PX, Cutting, prepare_films

    if sum(each is not None for each in (side, side_mm, system)) > 1:
        raise typer.BadParameter("give one of --side, --side-mm and --system")
    films = list_films(
        source,
        laterality=None if laterality is None else Laterality(laterality),
        spacing_mm=spacing_mm,
        boxes=boxes,
    )
    if not films:
        raise typer.BadParameter("no films there")
    cutting = _showing(
        Cutting(localiser, size_px=size_px or SIZE_PX, allow_synthetic=allow_synthetic),
        side=side,
        side_mm=side_mm,
        name=system,
        fidelity=fidelity,
    )
    with progress("cutting", len(films)) as advance:
        prepared = prepare_films(
            films, cutting, output=Output(output, resume), workers=workers, watch=advance
        )
    typer.echo(_in_words(prepared, output))
    raise typer.Exit(1 if prepared.lost else 0)


def _showing(
    cutting: "Cutting",
    *,
    side: float | None,
    side_mm: float | None,
    name: str | None,
    fidelity: Literal["paper", "released", "modern"],
) -> "Cutting":
    """The same with regions that show as much as the options say."""
    from kellgren.systems import system

    if name is not None:
        recipes = system(name).recipes
        if fidelity not in recipes:
            raise typer.BadParameter(f"{name} has the fidelities {', '.join(recipes)}")
        region = recipes[fidelity].region
        return replace(
            cutting,
            side=region.side,
            side_unit=region.side_unit,
            align_plateau=region.align_plateau,
        )
    if side_mm is not None:
        return replace(cutting, side=side_mm, side_unit="mm_detector")
    return cutting if side is None else replace(cutting, side=side, side_unit="plateau_width")


def _in_words(prepared: "Prepared", folder: Path) -> str:
    """The end of the command: how much there is, how much is lost, and where to look."""
    regions = {row.path: False for row in prepared.rows}
    regions.update((row.path, True) for row in prepared.rows if row.value is not None)
    codes = Counter(reject.code for reject in prepared.rejects)
    rejects = ", ".join(f"{number} {code}" for code, number in codes.most_common())
    return (
        f"{len(regions)} regions of {prepared.films} films, {sum(regions.values())} with truth: "
        f"{folder / 'manifest.csv'}\n"
        f"{sum(codes.values())} rejects{f' ({rejects})' if rejects else ''}: "
        f"{folder / 'rejects.csv'}"
    )
