"""How every command ends: exit statuses, and errors as one sentence."""

import os
import sys

import typer
from typer.core import TyperGroup

from kellgren import errors


class Commands(TyperGroup):
    """The verbs; an error of ours ends any of them as one sentence and exit status 2."""

    def invoke(self, ctx: typer.Context) -> object:  # type: ignore[override] # typer's own base
        """Run the command that was asked for."""
        try:
            return super().invoke(ctx)
        except errors.KellgrenError as error:
            typer.echo(f"kellgren: {error.code}: {error}", err=True)
            raise typer.Exit(2) from error
        except KeyboardInterrupt:
            typer.echo("kellgren: stopped. A batch or a training goes on with --resume.", err=True)
            raise typer.Exit(130) from None
        except BrokenPipeError:
            # Whoever read our output has stopped; that is no error of ours. What is still to be
            # flushed at the end goes nowhere, see docs.python.org/3/library/signal.html#sigpipe.
            os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
            raise typer.Exit(141) from None
