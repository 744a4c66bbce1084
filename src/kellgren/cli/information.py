"""What there is, and whether it works: ``check``, ``info`` and ``systems``."""

import json
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
    """Print what a grader's or localiser's bundle is, learned from, and was measured to reach."""
    from kellgren.describe import describe_bundle, describe_localiser
    from kellgren.grading import load_bundle
    from kellgren.localise import LocaliserBundle, load_localiser

    loaded = load_localiser(bundle) if _is_localiser(bundle) else load_bundle(bundle)
    if as_json:
        typer.echo(loaded.record.model_dump_json(indent=2))
    elif isinstance(loaded, LocaliserBundle):
        typer.echo(describe_localiser(loaded, width=_width()))
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


def _is_localiser(source: str) -> bool:
    """What a bundle says of itself; if that cannot be read, whoever loads it says why."""
    from kellgren.bundles.store import read_files

    try:
        record = json.loads(read_files(source).record)
    except ValueError:
        return False
    return isinstance(record, dict) and record.get("kind") == "localiser"


def _width() -> int:
    """Columns of the terminal, within what reads well; in a pipe the most of that."""
    return max(60, min(shutil.get_terminal_size((100, 24)).columns, 100))
