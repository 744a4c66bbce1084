"""Many members, one answer."""

from typing import Literal, assert_never

import numpy as np
from numpy.typing import NDArray

Fusion = Literal["sum_logits", "mean_logits", "mean_probabilities"]


def fuse(logits: NDArray[np.floating], fusion: Fusion) -> NDArray[np.float64]:
    """Fuse the members' logits (n, members, classes) into (n, classes) log-scale scores."""
    values = logits.astype(np.float64)
    fused: NDArray[np.float64]
    match fusion:
        case "sum_logits":
            fused = values.sum(axis=1)
        case "mean_logits":
            fused = values.mean(axis=1)
        case "mean_probabilities":
            shifted = np.exp(values - values.max(axis=2, keepdims=True))
            shares = (shifted / shifted.sum(axis=2, keepdims=True)).mean(axis=1)
            fused = np.log(np.maximum(shares, np.finfo(np.float64).tiny))
        case _:
            assert_never(fusion)
    return fused
