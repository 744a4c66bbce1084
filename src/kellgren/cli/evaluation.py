"""Answers against the truth: ``evaluate``."""

from pathlib import Path
from typing import Annotated, Literal

import typer

from kellgren.cli.progress import progress
from kellgren.cli.statistics import Resamples, Stratified


def evaluate(
    bundle: Annotated[str, typer.Argument(help="Name or path.")],
    data: Annotated[Path, typer.Option(help="Tidy table with the truth.")],
    output: Annotated[
        Path, typer.Option("-o", "--output", help="Folder; an evaluation there is replaced.")
    ],
    split: Annotated[str, typer.Option(help="The part of the table to score.")] = "val",
    precision: Annotated[
        Literal["default", "fast"], typer.Option(help="As for grade.")
    ] = "default",
    allow_synthetic: Annotated[
        bool, typer.Option("--allow-synthetic", help="As for grade.")
    ] = False,
    resamples: Resamples = 2000,
    stratified: Stratified = False,
) -> None:
    """Grade a split and compare with its truth (extra 'stats'). The look is counted in a ledger."""
    from kellgren import clock
    from kellgren.evaluation import evaluate as run
    from kellgren.grading import Grader, load_bundle
    from kellgren.localise import WholePicture

    grader = Grader(load_bundle(bundle), precision=precision)
    with progress("grading", None) as advance:
        found = run(
            grader,
            data,
            output,
            split=split,
            localiser=WholePicture(),
            clock=clock.now,
            watch=advance,
            allow_synthetic=allow_synthetic,
            resamples=resamples,
            stratified=stratified,
        )
    typer.echo(found.document.text())
    typer.echo(
        f"\nBundles scored on this split so far: {found.looks}. See {output / 'report.html'}"
    )
