"""What is given by hand where no bundle says it: operating points, and quantiles of sets."""

import re
from collections.abc import Sequence
from dataclasses import dataclass

from kellgren.anatomy import TASKS
from kellgren.statistics.questions import cut_of

_NUMBER = r"([0-9]*\.?[0-9]+(?:[eE]-?[0-9]+)?)"
_POINT = re.compile(rf"([a-z0-9_]+)>=([0-9]+)={_NUMBER}")
_QUANTILE = re.compile(rf"([a-z0-9_]+)={_NUMBER}@{_NUMBER}")


@dataclass(frozen=True, slots=True)
class Quantile:
    """What makes conformal sets.

    Parameters
    ----------
    q
        The mass at which a set stops to grow, above 0 to 1.
    coverage
        The share of knees, between 0 and 1, whose true class the sets promise to hold.
    """

    q: float
    coverage: float


def operating_points(given: Sequence[str]) -> dict[str, dict[int, float]]:
    """Read operating points such as ``kl>=2=0.39``, named as bundles name theirs.

    Returns
    -------
    dict
        Task → cut → the probability, between 0 and 1, from which a knee is called positive.

    Raises
    ------
    ValueError
        What is no such point, and why; or a cut that is given twice.
    """
    found: dict[str, dict[int, float]] = {}
    for text in given:
        parts = _POINT.fullmatch(text)
        if parts is None:
            raise ValueError(f"{text!r} is no point; write TASK>=GRADE=PROBABILITY: kl>=2=0.39.")
        name, cut, threshold = parts[1], int(parts[2]), float(parts[3])
        if name not in TASKS or cut_of(TASKS[name]) is None:
            raise ValueError(f"{text!r}: there is no task {name!r} that can be cut in two.")
        highest = len(TASKS[name].classes) - 1
        if not 1 <= cut <= highest:
            raise ValueError(f"{text!r}: {name} is cut at 1 to {highest}, not at {cut}.")
        if not 0.0 < threshold < 1.0:
            raise ValueError(f"{text!r}: a probability lies between 0 and 1, both excluded.")
        if cut in found.setdefault(name, {}):
            raise ValueError(f"{name}>={cut} is given twice. Keep one.")
        found[name][cut] = threshold
    return found


def conformal_quantiles(given: Sequence[str]) -> dict[str, Quantile]:
    """Read quantiles such as ``kl=0.953@0.9``: of a task, the mass and what it promises.

    Raises
    ------
    ValueError
        What is no such quantile, and why; or a task that is given twice.
    """
    found: dict[str, Quantile] = {}
    for text in given:
        parts = _QUANTILE.fullmatch(text)
        if parts is None:
            raise ValueError(f"{text!r} is no quantile; write TASK=Q@COVERAGE: kl=0.953@0.9.")
        name, q, coverage = parts[1], float(parts[2]), float(parts[3])
        if name not in TASKS:
            raise ValueError(f"{text!r}: there is no task {name!r}.")
        if not 0.0 < q <= 1.0:
            raise ValueError(f"{text!r}: q is a mass above 0, up to 1.")
        if not 0.0 < coverage < 1.0:
            raise ValueError(f"{text!r}: a coverage lies between 0 and 1, both excluded.")
        if name in found:
            raise ValueError(f"The q of {name} is given twice. Keep one.")
        found[name] = Quantile(q, coverage)
    return found
