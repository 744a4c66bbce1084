"""The folder that an audit of claims writes."""

import contextlib
from collections.abc import Sequence
from pathlib import Path

from kellgren.files import named_if_refused, refuse_foreign, write_atomically
from kellgren.statistics.claims.audit import Paper
from kellgren.statistics.claims.page import claims_json, claims_page
from kellgren.statistics.claims.report import claims_document, claims_metrics
from kellgren.statistics.reports.writing import FIGURES, Writer

PAGE = "claims.md"
DATA = "claims.json"


def write_audit(papers: Sequence[Paper], folder: Path) -> Path:
    """Write the audit as data and as pages, which replace those of an earlier one.

    ``claims.json`` and ``claims.md`` hold every reading; ``report.html`` and ``metrics.json`` are
    those of any report, without figures. ``claims.md`` comes last.

    Returns
    -------
    Path
        Of the page.

    Raises
    ------
    OutputError
        The folder holds something else, or cannot be written.
    """
    refuse_foreign(folder, ours=(folder / PAGE).is_file(), what="audit of claims")
    verdicts = [verdict for paper in papers for verdict in paper.verdicts]
    contents = {DATA: claims_json(verdicts), PAGE: claims_page(papers)}
    with named_if_refused(folder):
        Writer(folder, ours=True).finish(claims_document(papers), tuple(claims_metrics(papers)))
        # Kept where somebody put something into it.
        with contextlib.suppress(OSError):
            (folder / FIGURES).rmdir()
        for name, content in contents.items():
            with write_atomically(folder / name) as stream:
                stream.write(content)
    return folder / PAGE
