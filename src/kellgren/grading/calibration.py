"""Making probabilities mean what they say: one temperature, and a bias for each class.

Guo et al., arXiv:1706.04599, section 4.2: between its temperature scaling, which has no biases, and
its vector scaling, which has a factor for each class as well. A student of a teacher underrates the
rarer grades on knees that it has not seen; one temperature cannot mend that.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

LOWEST = 0.05
HIGHEST = 20.0
"""Where a temperature is looked for; chosen: beyond the ends confidences are all 1 or all alike."""

BIAS_SD = 2.0
"""Of the normal prior on each bias; chosen: odds are seldom off by more than e². It keeps the bias
of a class that is not among the knees finite."""

_STEPS = 100
"""Chosen: Newton's method needs fewer than ten where a minimum lies inside the range."""

_HALVINGS = 20
"""Of a step that does not improve; chosen: a millionth of it is no step."""


@dataclass(frozen=True, slots=True)
class Calibration:
    """What turns fused logits into probabilities: softmax(logits / temperature + bias).

    ``bias`` has a number for each class, or none at all for zeros.
    """

    temperature: float = 1.0
    bias: tuple[float, ...] = ()

    def __post_init__(self) -> None:
        if not self.temperature > 0.0:
            raise ValueError(f"A temperature is above zero, not {self.temperature}.")

    def __call__(self, logits: ArrayLike) -> NDArray[np.float64]:
        """Probabilities of fused logits (…, classes)."""
        scaled = np.asarray(logits, dtype=np.float64) / self.temperature
        return softmax(scaled + np.array(self.bias) if self.bias else scaled)


def softmax(logits: ArrayLike) -> NDArray[np.float64]:
    """Probabilities of logits (…, classes), along the last axis."""
    values = np.asarray(logits, dtype=np.float64)
    # The largest is subtracted so that the exponential cannot overflow.
    powers = np.exp(values - values.max(axis=-1, keepdims=True))
    return np.asarray(powers / powers.sum(axis=-1, keepdims=True))


def fit_calibration(logits: ArrayLike, grades: ArrayLike) -> Calibration:
    """Find the temperature and the biases under which the true grades are the likeliest.

    The negative log-likelihood, with a normal prior on the biases, is convex in the inverse
    temperature and the biases; its minimum is found by Newton's method with halved steps.

    Parameters
    ----------
    logits
        (n, classes), fused, of knees that taught no network.
    grades
        (n,) index of the true class of each.

    Returns
    -------
    Calibration
        Biases sum to zero. The temperature lies in [`LOWEST`, `HIGHEST`]; at an end where the
        likelihood still improves there, as it does when every grade is right.
    """
    values = np.asarray(logits, dtype=np.float64)
    truth = checked_grades(values, grades)
    n, classes = values.shape
    own = np.eye(classes)[truth]
    # The score of class k is the dot product of the parameters with (its logit, k-th unit vector).
    features = np.concatenate(
        [values[:, :, np.newaxis], np.broadcast_to(np.eye(classes), (n, classes, classes))], axis=2
    )
    prior = np.full(1 + classes, 1.0 / (n * BIAS_SD**2))
    prior[0] = 0.0

    def loss(parameters: NDArray[np.float64]) -> float:
        scores = features @ parameters
        top = scores.max(axis=1)
        likelihood = (own * scores).sum(axis=1) - top
        likelihood -= np.log(np.exp(scores - top[:, np.newaxis]).sum(axis=1))
        return float(0.5 * (prior * parameters**2).sum() - likelihood.mean())

    parameters = np.concatenate([[1.0], np.zeros(classes)])
    for _ in range(_STEPS):
        shares = softmax(features @ parameters)
        slope = np.einsum("nk,nkf->f", shares - own, features) / n + prior * parameters
        mean = np.einsum("nk,nkf->nf", shares, features)
        curve = (
            np.einsum("nk,nkf,nkg->fg", shares, features, features) - mean.T @ mean
        ) / n + np.diag(prior)
        step = np.linalg.lstsq(curve, slope, rcond=None)[0]
        here = loss(parameters)
        for halvings in range(_HALVINGS):
            tried = parameters - step / 2.0**halvings
            tried[0] = np.clip(tried[0], 1.0 / HIGHEST, 1.0 / LOWEST)
            if loss(tried) < here:
                break
        else:
            break  # no step improves: this is the minimum
        parameters = tried
    bias = parameters[1:] - parameters[1:].mean()
    return Calibration(float(1.0 / parameters[0]), tuple(float(b) for b in bias))


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
