"""Films and tables become manifests: ``phantom`` and ``manifest``."""

from pathlib import Path
from typing import Annotated, Literal

import typer


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
