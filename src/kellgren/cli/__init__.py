"""The command line: words become calls of each room's public functions.

One module for each group of verbs. What is heavy is imported inside the function that needs it, so
that ``--help`` stays quick.
"""

import logging
import sys
from collections.abc import Callable
from typing import Annotated, Final

import typer

from kellgren import __version__
from kellgren.cli.auditing import audit_claims
from kellgren.cli.data import manifest, phantom, prepare
from kellgren.cli.ending import Commands
from kellgren.cli.evaluation import evaluate
from kellgren.cli.grading import demo, grade
from kellgren.cli.information import check, info, systems
from kellgren.cli.runs import runs
from kellgren.cli.statistics import agree, compare, report
from kellgren.cli.training import export, train

__all__ = ["app", "main"]

VERBS: Final[dict[str, tuple[Callable[..., None], ...]]] = {
    "Grade": (grade, demo),
    "Look up": (check, info, systems),
    "Data": (phantom, manifest, prepare),
    "Train": (train, export),
    "Evaluate": (evaluate, report, compare, agree, runs),
}
"""Every verb, under its heading in ``--help``."""

AUDITS: Final[dict[str, Callable[..., None]]] = {"claims": audit_claims}
"""What ``audit`` is followed by."""

app = typer.Typer(
    name="kellgren",
    cls=Commands,
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode="markdown",
    context_settings={"help_option_names": ["-h", "--help"]},
    help="Grade knee osteoarthritis on plain radiographs. Research use only, not a medical device.",
)
for _heading, _verbs in VERBS.items():
    for _verb in _verbs:
        app.command(rich_help_panel=_heading)(_verb)

_audit = typer.Typer(name="audit", no_args_is_help=True, help="Check what others have printed.")
_audit.callback()(lambda: None)  # or its only command would stand for the whole
for _word, _run in AUDITS.items():
    _audit.command(_word)(_run)
app.add_typer(_audit, rich_help_panel="Evaluate")


def main() -> None:
    """Run the command line."""
    logging.basicConfig(stream=sys.stderr, format="%(levelname)s %(name)s: %(message)s")
    app()


def _show_version(wanted: bool) -> None:
    if wanted:
        typer.echo(f"kellgren {__version__}")
        raise typer.Exit


@app.callback()
def _common(
    version: Annotated[
        bool,
        typer.Option("--version", callback=_show_version, is_eager=True, help="Print the version."),
    ] = False,
) -> None:
    del version
