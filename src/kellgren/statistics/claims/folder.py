"""The folder that an audit of claims writes."""

from collections.abc import Sequence
from pathlib import Path

from kellgren.files import named_if_refused, refuse_foreign, write_atomically
from kellgren.statistics.claims.audit import Paper
from kellgren.statistics.claims.page import claims_json, claims_page

PAGE = "claims.md"
DATA = "claims.json"


def write_audit(papers: Sequence[Paper], folder: Path) -> Path:
    """Write ``claims.json`` and, last, ``claims.md``, which replace those of an earlier audit.

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
        for name, content in contents.items():
            with write_atomically(folder / name) as stream:
                stream.write(content)
    return folder / PAGE
