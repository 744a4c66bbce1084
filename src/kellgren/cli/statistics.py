"""Numbers from tables of answers, without pictures: ``report``, ``compare`` and ``agree``."""

import importlib.util
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, TypeVar

import typer

from kellgren import errors

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from kellgren.anatomy import Task
    from kellgren.datasets.table import Row
    from kellgren.statistics.reports.given import Quantile

Given = TypeVar("Given")

Resamples = Annotated[
    int, typer.Option(min=2, help="Bootstrap resamples of patients behind every interval.")
]
Stratified = Annotated[
    bool,
    typer.Option(
        "--stratified",
        help="Resample patients within the true grades, a patient by the highest of his; narrower.",
    ),
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
    operating_point: Annotated[
        list[str] | None,
        typer.Option(
            metavar="POINT",
            help="Without a bundle: from which probability every reader calls a knee positive, "
            "fixed on other knees, such as 'kl>=2=0.39'; may be given again.",
        ),
    ] = None,
    conformal_q: Annotated[
        list[str] | None,
        typer.Option(
            metavar="TASK=Q@COVERAGE",
            help="Without a bundle: what makes conformal sets of probabilities, fitted on other "
            "knees, and what they promise to cover, such as 'kl=0.953@0.9'; may be given again.",
        ),
    ] = None,
    internal: Annotated[
        Path | None,
        typer.Option(help="Answers on the cohort that they come from: says what is lost here."),
    ] = None,
    internal_truth: Annotated[
        Path | None, typer.Option(help="The truth of those; --truth if not given.")
    ] = None,
    internal_split: Annotated[str | None, typer.Option(help="The part of that truth.")] = None,
    resamples: Resamples = 2000,
    stratified: Stratified = False,
    seed: Seed = 0,
) -> None:
    """Report how good answers are (extra 'stats'): report.html, metrics.json, figures.

    Agreement, discrimination, calibration, doubt, subgroups by the truth's x_ columns, each with an
    interval by patient; and whether the knees were selected on, as far as the ledger knows.

    Example: `kellgren report out/grades.csv --truth knees.csv --split val -o report`
    """
    _need_statistics("kellgren report")
    from kellgren.report import report_tables

    points = _points(operating_point or (), bundle)
    quantiles = _quantiles(conformal_q or (), bundle)
    document = report_tables(
        predictions,
        truth,
        output,
        split=split,
        task=task,
        bundle=bundle,
        resamples=resamples,
        seed=seed,
        stratified=stratified,
        internal=None if internal is None else (internal, internal_truth or truth, internal_split),
        points=points,
        quantiles=quantiles,
    )
    typer.echo(document.text())
    typer.echo(f"\nSee {output / 'report.html'}")


def compare(
    first: Annotated[Path, typer.Argument(help="Answers of one reader, as for 'report'.")],
    second: Annotated[Path, typer.Argument(help="Answers of another about the same knees.")],
    truth: Annotated[Path, typer.Option(help="Tidy table with the truth.")],
    output: Annotated[
        Path, typer.Option("-o", "--output", help="Folder; a report there is replaced.")
    ],
    split: Annotated[str | None, typer.Option(help="Only this part of the truth.")] = None,
    task: Annotated[str | None, typer.Option(help="Only this one, such as kl.")] = None,
    resamples: Resamples = 2000,
    stratified: Stratified = False,
    seed: Seed = 0,
) -> None:
    """Compare two readers against one truth (extra 'stats'): who is better, or is it chance.

    Differences of kappa, accuracy, AUC and others on the knees that both graded, with intervals by
    patient, p from exchanging the readers patient by patient, and McNemar. Beside each p stand
    Holm's, to claim by, and the q of Benjamini and Hochberg, to screen by; both over all tests of
    the report. How many knees only one graded; and whether the knees were selected on, as far as
    the ledger knows. No look is added to it.

    Example: `kellgren compare a/predictions.csv b/predictions.csv --truth knees.csv -o comparison`
    """
    _need_statistics("kellgren compare")
    from kellgren.report import compare_tables

    document = compare_tables(
        first,
        second,
        truth,
        output,
        split=split,
        task=task,
        resamples=resamples,
        stratified=stratified,
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
    millimetres: Annotated[
        str | None,
        typer.Option(
            help="A measurement in the column x_NAME instead of grades: Bland and Altman."
        ),
    ] = None,
    resamples: Resamples = 2000,
    stratified: Annotated[
        bool,
        typer.Option(
            "--stratified",
            help="Resample patients within grades, the truth's where it is a reader, else those "
            "that most gave; narrower.",
        ),
    ] = False,
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
    from kellgren.statistics.reports.millimetres import report_millimetres
    from kellgren.statistics.reports.readers import report_agreement
    from kellgren.statistics.reports.writing import Writer

    if stratified and millimetres is not None:
        raise typer.BadParameter(
            "measurements have no grades; leave one out", param_hint="--stratified, --millimetres"
        )
    rows = read_table(table)
    names = None if readers is None else [name.strip() for name in readers.split(",")]
    rng, writer = np.random.default_rng(seed), Writer(output)
    if millimetres is not None:
        column = millimetres.removeprefix("x_")
        document = report_millimetres(
            rows, writer, column=column, readers=names, rng=rng, resamples=resamples
        )
    else:
        document = report_agreement(
            rows,
            writer,
            task=_task(task, rows),
            readers=names,
            rng=rng,
            resamples=resamples,
            stratified=stratified,
        )
    typer.echo(document.text())
    typer.echo(f"\nSee {output / 'report.html'}")


def _points(given: "Sequence[str]", bundle: str | None) -> dict[str, dict[int, float]]:
    from kellgren.statistics.reports.given import operating_points

    return _by_hand(given, bundle, operating_points, "--operating-point", "points")


def _quantiles(given: "Sequence[str]", bundle: str | None) -> "dict[str, Quantile]":
    from kellgren.statistics.reports.given import conformal_quantiles

    return _by_hand(given, bundle, conformal_quantiles, "--conformal-q", "quantiles")


def _by_hand(
    given: "Sequence[str]",
    bundle: str | None,
    read: "Callable[[Sequence[str]], Given]",
    option: str,
    what: str,
) -> Given:
    """Read what stands for a bundle's own."""
    if given and bundle is not None:
        raise typer.BadParameter(f"a bundle has its own {what}; leave one out", param_hint=option)
    try:
        return read(given)
    except ValueError as error:
        raise typer.BadParameter(str(error), param_hint=option) from error


def _task(name: str, rows: "Sequence[Row]") -> "Task":
    from kellgren.anatomy import TASKS

    if name not in TASKS:
        there = sorted({row.task for row in rows} & TASKS.keys())
        raise typer.BadParameter(f"no task {name!r}; the table has {', '.join(there) or 'none'}")
    return TASKS[name]


def _need_statistics(command: str) -> None:
    if importlib.util.find_spec("sklearn") is None:
        raise errors.ExtraMissing("stats", command)
