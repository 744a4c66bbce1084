"""Numbers from tables of answers, without pictures: ``report`` and ``agree``."""

import importlib.util
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from kellgren import errors

if TYPE_CHECKING:
    from collections.abc import Sequence

    from kellgren.anatomy import Task
    from kellgren.datasets.table import Row

Resamples = Annotated[
    int, typer.Option(min=2, help="Bootstrap resamples of patients behind every interval.")
]
Seed = Annotated[int, typer.Option(help="Of the resamples: the same seed, the same intervals.")]


def report(
    predictions: Annotated[
        Path, typer.Argument(help="Answers: a tidy table, or 'grades.csv' of a batch.")
    ],
    truth: Annotated[Path, typer.Option(help="Tidy table with the truth.")],
    output: Annotated[
        Path, typer.Option("-o", "--output", help="Folder; a report there is replaced.")
    ],
    split: Annotated[str | None, typer.Option(help="Only this part of the truth.")] = None,
    task: Annotated[str | None, typer.Option(help="Only this one, such as kl.")] = None,
    bundle: Annotated[
        str | None,
        typer.Option(help="Who answered: gives conformal sets, operating points and a model card."),
    ] = None,
    resamples: Resamples = 2000,
    seed: Seed = 0,
) -> None:
    """Report how good answers are (extra 'stats'): report.html, metrics.json, figures.

    Agreement, discrimination, calibration, doubt, subgroups by the truth's x_ columns, each with an
    interval by patient; and whether the knees were selected on, as far as the ledger knows.

    Example: `kellgren report out/grades.csv --truth knees.csv --split val -o report`
    """
    _need_statistics("kellgren report")
    from kellgren.report import report_tables

    document = report_tables(
        predictions,
        truth,
        output,
        split=split,
        task=task,
        bundle=bundle,
        resamples=resamples,
        seed=seed,
    )
    typer.echo(document.text())
    typer.echo(f"\nSee {output / 'report.html'}")


def agree(
    table: Annotated[Path, typer.Argument(help="Tidy table with the answers of several readers.")],
    output: Annotated[
        Path, typer.Option("-o", "--output", help="Folder; a report there is replaced.")
    ],
    task: Annotated[str, typer.Option(help="What they graded, such as kl.")] = "kl",
    readers: Annotated[
        str | None, typer.Option(help="Only these, such as 'reader-1,model:m@1.0.0'.")
    ] = None,
    resamples: Resamples = 2000,
    seed: Seed = 0,
) -> None:
    """Report how far readers agree (extra 'stats'), a model among them as one more.

    Kappas, ICC, per cent agreement, errors and confusion of every pair; of all together; and how a
    model agrees with people beside how people agree with each other.

    Example: `kellgren agree readings.csv --task kl -o agreement`
    """
    _need_statistics("kellgren agree")
    import numpy as np

    from kellgren.datasets.table import read_table
    from kellgren.statistics.reports.readers import report_agreement

    rows = read_table(table)
    document = report_agreement(
        rows,
        output,
        task=_task(task, rows),
        readers=None if readers is None else [name.strip() for name in readers.split(",")],
        rng=np.random.default_rng(seed),
        resamples=resamples,
    )
    typer.echo(document.text())
    typer.echo(f"\nSee {output / 'report.html'}")


def _task(name: str, rows: "Sequence[Row]") -> "Task":
    from kellgren.anatomy import TASKS

    if name not in TASKS:
        there = sorted({row.task for row in rows} & TASKS.keys())
        raise typer.BadParameter(f"no task {name!r}; the table has {', '.join(there) or 'none'}")
    return TASKS[name]


def _need_statistics(command: str) -> None:
    if importlib.util.find_spec("sklearn") is None:
        raise errors.ExtraMissing("stats", command)
