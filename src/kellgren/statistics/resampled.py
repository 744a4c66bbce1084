"""Two methods on repeated random splits of the same data: the corrected resampled t-test.

Training sets of different splits overlap, so the differences are not independent and the usual
t-test finds too much. Nadeau and Bengio (2003, doi:10.1023/A:1024068626366) add the ratio of test
to training size to the one over the number of splits.
"""

import math
from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import ArrayLike
from scipy import stats

from kellgren import errors
from kellgren.statistics.bootstrap import LEVEL

_NAN = float("nan")

_NOTHING = 1e-12
"""Part of a difference that rounding may move; chosen, some thousand times a double's precision."""


@dataclass(frozen=True, slots=True)
class ResampledT:
    """A mean difference over splits.

    Parameters
    ----------
    estimate, low, high
        The mean, and its interval at `LEVEL`.
    t, freedom, p
        The statistic, its degrees of freedom and its p, two-sided.
    n_splits
        How many differences there are.
    train_patients, test_patients
        Of one split: what the correction rests on.
    status
        ``too_few``: one split or none. ``zero_variance``: all differences are the same, so nothing
        says what chance would do. ``never_differ``: all are nought, p is 1. Else ``ok``.
    """

    method: str
    estimate: float
    low: float
    high: float
    t: float
    freedom: int
    p: float
    n_splits: int
    train_patients: int
    test_patients: int
    status: Literal["ok", "too_few", "zero_variance", "never_differ"]


def corrected_resampled_t(
    differences: ArrayLike, *, train_patients: int, test_patients: int
) -> ResampledT:
    """Test whether two methods differ over repeated splits.

    Also for k-fold cross-validation, repeated or not, where the differences are those of all folds
    (Bouckaert and Frank 2004, doi:10.1007/978-3-540-24775-3_3).

    Parameters
    ----------
    differences
        (splits,) of a metric, first method minus second, each on one split's test set.
    train_patients, test_patients
        Of a split. Patients, as splits are made of them; their ratio is what counts.

    Raises
    ------
    TableError
        A difference is not a finite number.
    """
    values = np.asarray(differences, dtype=np.float64)
    if values.ndim != 1 or min(train_patients, test_patients) < 1:
        raise ValueError(
            f"differences of shape {values.shape}, {train_patients} patients to train on and "
            f"{test_patients} to test: give one difference for each split, and patients in both"
        )
    if not np.isfinite(values).all():
        raise errors.TableError(
            f"The difference of split {int(np.argmin(np.isfinite(values)))} is not a finite "
            "number. Leave the split out for both methods."
        )
    n = len(values)
    mean = float(values.mean()) if n else _NAN
    t, p, reach = _NAN, _NAN, _NAN
    status: Literal["ok", "too_few", "zero_variance", "never_differ"] = "ok"
    if n < 2:
        status = "too_few"
    elif not values.any():
        status, p = "never_differ", 1.0
    elif np.ptp(values) <= _NOTHING * np.abs(values).max():
        status = "zero_variance"
    else:
        # In parts of the largest, whose squares cannot vanish.
        largest = float(np.abs(values).max())
        variance = float((values / largest).var(ddof=1))
        share = math.sqrt((1.0 / n + test_patients / train_patients) * variance)
        t, error = mean / largest / share, largest * share
        p = 2.0 * float(stats.t.sf(abs(t), n - 1))
        reach = float(stats.t.ppf((1.0 + LEVEL) / 2.0, n - 1)) * error
    return ResampledT(
        method="corrected resampled t-test (Nadeau and Bengio)",
        estimate=mean,
        low=mean - reach,
        high=mean + reach,
        t=t,
        freedom=max(n - 1, 0),
        p=p,
        n_splits=n,
        train_patients=train_patients,
        test_patients=test_patients,
        status=status,
    )
