"""Temperature scaling: one number that makes a network's confidence as high as its record.

Guo et al., arXiv:1706.04599, section 4.2. It never changes which class is the most probable.
"""

import math

import numpy as np
from numpy.typing import ArrayLike, NDArray

LOWEST = 0.05
HIGHEST = 20.0
"""Where a temperature is looked for; chosen: beyond the ends confidences are all 1 or all alike."""

_HALVINGS = 60
"""Chosen: halves log(HIGHEST / LOWEST) below the spacing of double precision."""


def softmax(logits: ArrayLike) -> NDArray[np.float64]:
    """Probabilities of logits (…, classes), along the last axis."""
    values = np.asarray(logits, dtype=np.float64)
    # The largest is subtracted so that the exponential cannot overflow.
    powers = np.exp(values - values.max(axis=-1, keepdims=True))
    return np.asarray(powers / powers.sum(axis=-1, keepdims=True))


def calibrated(logits: ArrayLike, temperature: float) -> NDArray[np.float64]:
    """Probabilities of logits (…, classes) that are divided by a temperature above zero."""
    if not temperature > 0.0:
        raise ValueError(f"A temperature is above zero, not {temperature}.")
    return softmax(np.asarray(logits, dtype=np.float64) / temperature)


def fit_temperature(logits: ArrayLike, grades: ArrayLike) -> float:
    """Find the temperature under which the true grades are the likeliest.

    The negative log-likelihood is convex in the inverse temperature, so its slope changes sign at
    most once; the change is found by bisection over the log-temperature.

    Parameters
    ----------
    logits
        (n, classes), fused, of knees that neither taught nor chose the network.
    grades
        (n,) index of the true class of each.

    Returns
    -------
    float
        In [`LOWEST`, `HIGHEST`]; an end where the likelihood still improves there, as it does
        when every grade is right.
    """
    values = np.asarray(logits, dtype=np.float64)
    truth = checked_grades(values, grades)
    own = values[np.arange(len(truth)), truth]

    def slope(log_temperature: float) -> float:
        inverse = math.exp(-log_temperature)
        return float(((softmax(values * inverse) * values).sum(axis=1) - own).mean())

    low, high = math.log(LOWEST), math.log(HIGHEST)
    for _ in range(_HALVINGS):
        middle = (low + high) / 2.0
        # A rising loss means that the inverse temperature is too large: go hotter.
        if slope(middle) > 0.0:
            low = middle
        else:
            high = middle
    return min(max(math.exp((low + high) / 2.0), LOWEST), HIGHEST)


def checked_grades(outputs: NDArray[np.float64], grades: ArrayLike) -> NDArray[np.int64]:
    """Return the grades (n,) if they fit finite outputs (n, classes); raise ValueError if not."""
    truth = np.asarray(grades)
    if outputs.ndim != 2 or truth.shape != outputs.shape[:1] or len(truth) == 0:
        raise ValueError(
            f"Outputs of shape {outputs.shape} and grades of shape {truth.shape} do not belong "
            "together: give (n, classes) and (n,), n at least 1."
        )
    if not np.isfinite(outputs).all():
        raise ValueError("Outputs hold a value that is not finite.")
    if not np.issubdtype(truth.dtype, np.integer):
        raise ValueError(f"Grades are indices of classes, not {truth.dtype}.")
    if truth.min() < 0 or truth.max() >= outputs.shape[1]:
        raise ValueError(
            f"Grades run from {truth.min()} to {truth.max()}; the outputs have classes 0 to "
            f"{outputs.shape[1] - 1}."
        )
    return truth.astype(np.int64)
