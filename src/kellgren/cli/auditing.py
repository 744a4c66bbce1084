"""Whether published numbers hold: ``audit claims``."""

from pathlib import Path
from typing import Annotated

import typer


def audit_claims(
    claims: Annotated[
        Path, typer.Argument(help="A .toml file of one paper's claims, or a folder of such files.")
    ],
    output: Annotated[
        Path | None,
        typer.Option("-o", "--output", help="Folder; an audit there is replaced."),
    ] = None,
) -> None:
    """Check whether the numbers that a paper prints follow from one another (extra 'stats').

    The file names what is printed and where; sums, percentages, means, p values, kappas and more
    are recomputed, with all that rounding may have taken away. Each claim follows, is consistent,
    contradicts, or is not checkable. No pictures and no predictions are needed.

    Exit status 1: a claim contradicts. Example: `kellgren audit claims docs/claims -o audit`
    """
    import importlib.util

    from kellgren import errors

    if any(importlib.util.find_spec(name) is None for name in ("scipy", "matplotlib")):
        raise errors.ExtraMissing("stats", "kellgren audit claims")
    from kellgren.statistics.claims import Outcome, describe_claims, read_papers, write_audit

    papers = read_papers(claims)
    verdicts = [verdict for paper in papers for verdict in paper.verdicts]
    typer.echo(describe_claims(verdicts))
    if output is not None:
        typer.echo(f"See {write_audit(papers, output)}")
    raise typer.Exit(int(any(verdict.outcome is Outcome.CONTRADICTS for verdict in verdicts)))
