"""A confusion matrix as a table: counts, and their shares of the row."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from kellgren.statistics.document import Table


def confusion_table(
    confusion: NDArray[np.int64], classes: Sequence[str], *, corner: str, caption: str
) -> Table:
    """Counts (classes, classes) by row and column; ``corner`` names both."""
    shares = confusion / np.maximum(confusion.sum(axis=1, keepdims=True), 1)
    rows = tuple(
        (label, *(f"{n} ({share:.0%})" for n, share in zip(counts, part, strict=True)))
        for label, counts, part in zip(classes, confusion.tolist(), shares.tolist(), strict=True)
    )
    return Table((corner, *classes), rows, caption)
