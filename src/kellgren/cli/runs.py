"""Systems compared over their repeated runs: ``runs``."""

import importlib.util
from pathlib import Path
from typing import Annotated

import typer

from kellgren import errors


def runs(
    table: Annotated[
        Path, typer.Argument(help="CSV, a row a run: system, run (its seed or fold), scores.")
    ],
    output: Annotated[
        Path, typer.Option("-o", "--output", help="Folder; a report there is replaced.")
    ],
    score: Annotated[
        list[str] | None,
        typer.Option(help="Only this column; may be repeated. Otherwise each that has numbers."),
    ] = None,
    paired: Annotated[
        bool,
        typer.Option(
            "--paired",
            help="Runs of one name belong together: one seed or fold for all systems. Otherwise "
            "they do where all systems have the same names.",
        ),
    ] = False,
    independent: Annotated[
        bool,
        typer.Option("--independent", help="They do not, even if names are the same."),
    ] = False,
    train_size: Annotated[
        int | None,
        typer.Option(min=1, help="Patients to train on, where runs are splits of the same ones."),
    ] = None,
    test_size: Annotated[
        int | None, typer.Option(min=1, help="Patients to test on, in each of those splits.")
    ] = None,
) -> None:
    """Compare systems over repeated runs (extra 'stats'): is it more than chance in training.

    Means, analysis of variance with its assumptions, effect size and its twin by ranks, and every
    pair. Beside each p stand Holm's, to claim by, and the q of Benjamini and Hochberg, to screen
    by. With --train-size and --test-size the t-test corrected for overlapping splits instead. The
    unit is the run: nothing is said about other patients.

    Example: `kellgren runs runs.csv -o comparison`
    """
    if any(importlib.util.find_spec(name) is None for name in ("scipy", "matplotlib")):
        raise errors.ExtraMissing("stats", "kellgren runs")
    from kellgren.statistics.reports.runs import report_runs
    from kellgren.statistics.reports.writing import Writer
    from kellgren.statistics.run_table import pairing, read_runs
    from kellgren.statistics.runs import Splits

    splits = None
    if train_size is not None and test_size is not None:
        splits = Splits(train_size, test_size)
    elif train_size is not None or test_size is not None:
        raise typer.BadParameter("--train-size and --test-size go together: give both or neither")
    if independent and (paired or splits is not None):
        raise typer.BadParameter("--independent runs are neither --paired nor on common splits")
    found = read_runs(table, scores=score or ())
    wanted = True if paired or splits is not None else None
    belong = pairing(found, False if independent else wanted)
    document = report_runs(found, Writer(output), paired=belong, splits=splits)
    typer.echo(document.text())
    typer.echo(f"\nSee {output / 'report.html'}")
