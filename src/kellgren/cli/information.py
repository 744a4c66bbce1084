"""What there is, and whether it works: ``check``, ``info`` and ``systems``."""

import shutil
from typing import Annotated

import typer

from kellgren.bundles import DEFAULT as DEFAULT_BUNDLE


def check() -> None:
    """Test this installation: decoders, bundles, and an expected grade."""
    from kellgren.selfcheck import run_checks

    failed = 0
    for finding in run_checks():
        failed += not finding.passed
        typer.echo(f"{'ok    ' if finding.passed else 'FAILED'}  {finding.name}: {finding.detail}")
    raise typer.Exit(1 if failed else 0)


def info(
    bundle: Annotated[str, typer.Argument(help="Name or path.")] = DEFAULT_BUNDLE,
    as_json: Annotated[bool, typer.Option("--json", help="The record itself.")] = False,
) -> None:
    """Print what a bundle is, learned from, and was measured to reach."""
    from kellgren.describe import describe_bundle
    from kellgren.grading import load_bundle

    loaded = load_bundle(bundle)
    if as_json:
        typer.echo(loaded.record.model_dump_json(indent=2))
    else:
        typer.echo(describe_bundle(loaded, width=_width()))


def systems(
    name: Annotated[str | None, typer.Argument(help="One system, in full.")] = None,
) -> None:
    """List the published systems, or print one: variants, fidelities, what can teach it."""
    from kellgren.describe import describe_system, list_systems
    from kellgren.systems import SYSTEMS, system

    if name is None:
        typer.echo(list_systems(SYSTEMS.values()))
    else:
        typer.echo(describe_system(system(name), width=_width()))


def _width() -> int:
    """Columns of the terminal, within what reads well; in a pipe the most of that."""
    return max(60, min(shutil.get_terminal_size((100, 24)).columns, 100))
