"""Drawing the parameters of a phantom from a stream of random numbers."""

from dataclasses import dataclass
from typing import Final

import numpy as np

from kellgren.anatomy import Laterality
from kellgren.datasets.phantom.knee import OSTEOPHYTES, PhantomKnee

Range = tuple[float, float]

# In plateau widths, chosen within the bounds that `PhantomKnee.grade` sets: narrowing of grade n
# lies around 0.06·(1 − n/3), an osteophyte of grade n around 0.065·√(n/3).
_HEALTHY: Final[Range] = (0.0555, 0.072)
_DOUBTFUL: Final[Range] = (0.0505, 0.0545)
_NARROWED: Final[Range] = (0.012, 0.048)
_BONE_ON_BONE: Final[Range] = (0.0, 0.009)

_NO_SPUR: Final[Range] = (0.0, 0.008)
_LIPPING: Final[Range] = (0.011, 0.025)
_SPUR: Final[Range] = (0.029, 0.050)
_LARGE_SPUR: Final[Range] = (0.049, 0.080)

MEDIAL_SHARE: Final = 0.7
"""Chosen: the medial compartment narrows more often."""

OVEREXPOSED_SHARE: Final = 0.15
"""Chosen: of 20 regions of kneeKL299 looked at, three had lost most of the bone to white."""


@dataclass(frozen=True, slots=True)
class _Plan:
    """What a Kellgren–Lawrence grade is drawn from.

    From so many to so many (``spurs``) margins have an osteophyte of ``spur``, the others of
    ``other``; one compartment is drawn from one of ``joint_spaces``, the other is healthy.
    """

    joint_spaces: tuple[Range, ...]
    spurs: tuple[int, int]
    spur: Range
    other: Range
    sclerosis: Range


_PLANS: Final = (
    _Plan((_HEALTHY,), (0, 0), _NO_SPUR, _NO_SPUR, (0.0, 0.15)),
    _Plan((_HEALTHY, _DOUBTFUL), (1, 2), _LIPPING, _NO_SPUR, (0.0, 0.2)),
    _Plan((_HEALTHY, _DOUBTFUL), (1, 3), _SPUR, _LIPPING, (0.0, 0.3)),
    _Plan((_NARROWED,), (2, 4), _SPUR, _LIPPING, (0.2, 0.6)),
    _Plan((_BONE_ON_BONE,), (2, 4), _LARGE_SPUR, _SPUR, (0.6, 1.0)),
)
"""By grade."""


def sample_knee(
    rng: np.random.Generator, *, kl: int | None = None, laterality: Laterality | None = None
) -> PhantomKnee:
    """Draw a phantom's parameters.

    Parameters
    ----------
    rng
        Where the randomness comes from.
    kl
        The grade that the parameters shall have; without it every grade is equally likely, so that
        a small cohort shows them all.
    laterality
        Left or right; equally likely without it.

    Raises
    ------
    ValueError
        There is no such grade.
    """
    if kl is None:
        kl = int(rng.integers(len(_PLANS)))
    if kl not in range(len(_PLANS)):
        raise ValueError(f"kl is {kl}; the grades are 0 to {len(_PLANS) - 1}")
    if laterality is None:
        laterality = Laterality.LEFT if rng.random() < 0.5 else Laterality.RIGHT
    plan = _PLANS[kl]
    medial = bool(rng.random() < MEDIAL_SHARE)
    narrow = rng.uniform(*plan.joint_spaces[rng.integers(len(plan.joint_spaces))])
    healthy = rng.uniform(*_HEALTHY)
    dense, sparse = rng.uniform(*plan.sclerosis), rng.uniform(0.0, 0.1)
    spurs = _spurs(plan, rng)
    overexposed = rng.random() < OVEREXPOSED_SHARE
    # The ranges below are chosen: how kneeKL299's regions differ, by eye.
    return PhantomKnee(
        laterality=laterality,
        joint_space_lateral=healthy if medial else narrow,
        joint_space_medial=narrow if medial else healthy,
        osteophyte_femoral_lateral=spurs["osteophyte_femoral_lateral"],
        osteophyte_femoral_medial=spurs["osteophyte_femoral_medial"],
        osteophyte_tibial_lateral=spurs["osteophyte_tibial_lateral"],
        osteophyte_tibial_medial=spurs["osteophyte_tibial_medial"],
        sclerosis_lateral=sparse if medial else dense,
        sclerosis_medial=dense if medial else sparse,
        scale=rng.uniform(0.77, 0.83),
        tilt_deg=rng.uniform(-4.0, 4.0),
        shift=(rng.uniform(-0.02, 0.02), rng.uniform(-0.03, 0.03)),
        notch=rng.uniform(0.85, 1.15),
        spines=rng.uniform(0.8, 1.1),
        flare=rng.uniform(0.8, 1.1),
        fibula=rng.uniform(0.22, 0.34),
        soft_tissue=rng.uniform(0.62, 0.95),
        exposure=rng.uniform(1.7, 2.3) if overexposed else rng.uniform(0.8, 1.5),
        contrast=rng.uniform(0.9, 1.6),
        trabeculae=rng.uniform(0.6, 1.8),
        noise_sd=rng.uniform(0.5, 3.0),
        noise_seed=int(rng.integers(2**31)),
    )


def _spurs(plan: _Plan, rng: np.random.Generator) -> dict[str, float]:
    few, many = plan.spurs
    count = int(rng.integers(few, many + 1))
    chosen = set(rng.permutation(len(OSTEOPHYTES))[:count].tolist())
    return {
        task.name: rng.uniform(*(plan.spur if place in chosen else plan.other))
        for place, task in enumerate(OSTEOPHYTES)
    }
