"""What a published system is, as data: everything but its weights."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from kellgren.anatomy import Task, Unit
from kellgren.imaging.region import RegionSpec

if TYPE_CHECKING:
    import torch

Fidelity = Literal["paper", "released", "modern"]
Fusion = Literal["sum_logits", "mean_logits", "mean_probabilities"]
Range = tuple[float, float]


@dataclass(frozen=True, slots=True)
class Augmentation:
    """Ranges that one sample's distortions are drawn from, uniformly.

    Parameters
    ----------
    brightness, contrast, gamma
        Factors and exponent; (1, 1) leaves the picture as it is.
    rotation_deg
        Largest angle either way.
    scale
        Factor of the size shown.
    shift
        Largest displacement either way, as a share of the region's side, each axis.
    flip
        Probability of mirroring left and right (a mirrored knee keeps its KL grade).
    blur_px
        Largest standard deviation, in pixels, of the Gaussian that detail is told by.
    detail
        Factor of what that Gaussian takes away: 0 blurs, 2 sharpens.
    noise_sd
        Largest standard deviation of white noise on the [0, 1] scale.
    """

    brightness: Range = (1.0, 1.0)
    contrast: Range = (1.0, 1.0)
    gamma: Range = (1.0, 1.0)
    rotation_deg: float = 0.0
    scale: Range = (1.0, 1.0)
    shift: float = 0.0
    flip: float = 0.0
    blur_px: float = 0.0
    detail: Range = (1.0, 1.0)
    noise_sd: float = 0.0


@dataclass(frozen=True, slots=True)
class Distillation:
    """Learning from a teacher's answers beside the truth (Hinton 2015, arXiv:1503.02531).

    Teacher and student see the same distorted pictures (Beyer 2022, arXiv:2106.05237), but only
    the student sees them blurred, sharpened and noisy: it learns to answer as if they were not.

    Parameters
    ----------
    weight
        Of the teacher's answers; the truth has the rest.
    temperature
        That softens both answers.
    views
        Distortions of every knee that the teacher is asked about beforehand; the student meets
        them in turn, epoch by epoch.
    """

    weight: float
    temperature: float
    views: int


@dataclass(frozen=True, slots=True)
class Recipe:
    """How a system learns, as one fidelity has it.

    Parameters
    ----------
    region
        What a network sees.
    input_note
        How this fidelity's input differs from the paper's, for the printed table.
    sampling
        ``oversample_bootstrap``: each grade drawn up to the largest with replacement, then a
        bootstrap of that; ``pool_per_grade``: a fixed pool with the same number of draws of each
        grade; ``shuffle``: every knee once an epoch.
    schedule
        ``constant``, or ``one_cycle`` (Smith 2018, arXiv:1803.09820) with the rate as its peak.
    iterations, validate_every, batch_size
        Counted in optimiser steps.
    ordinal_smoothing
        Share of a target's mass that is given to the neighbouring grades.
    ema_decay
        Of the averaged weights that are validated and kept; None keeps the raw ones.
    select_by
        What is best (kappa highest, cross-entropy lowest) on the snapshot part of the patients.
    """

    region: RegionSpec
    input_note: str
    sampling: Literal["oversample_bootstrap", "pool_per_grade", "shuffle"]
    augmentation: Augmentation
    optimizer: Literal["adam", "adamw"]
    learning_rate: float
    weight_decay: float
    schedule: Literal["constant", "one_cycle"]
    batch_size: int
    iterations: int
    validate_every: int
    seeds: tuple[int, ...]
    ordinal_smoothing: float = 0.0
    ema_decay: float | None = None
    clip_norm: float | None = None
    bfloat16: bool = False
    draws_per_grade: int | None = None
    distillation: Distillation | None = None
    select_by: Literal["quadratic_kappa", "cross_entropy"] = "quadratic_kappa"


@dataclass(frozen=True, slots=True)
class System:
    """One system: who published it, what it may be used for, and how to build and teach it.

    Parameters
    ----------
    doi
        Of the paper, or None for a network of ours that only serves the others.
    statement_of_use
        What its authors claim it is for, and its limits, in their sense.
    variants
        Name → what is different about it. The first is the default.
    recipes
        Fidelity → recipe.
    build
        (variant, fidelity) → a module that maps standardised regions (B, 1, H, W) to logits
        (B, classes). The only place where torch is imported.
    explanation
        ``cam_exact`` if the module has `attention`, see `kellgren.networks`.
    """

    name: str
    title: str
    doi: str | None
    statement_of_use: str
    limits: str
    unit: Unit
    tasks: tuple[Task, ...]
    variants: Mapping[str, str]
    recipes: Mapping[Fidelity, Recipe]
    build: Callable[[str, Fidelity], "torch.nn.Module"]
    fusion: Fusion
    explanation: Literal["cam_exact", "none"]
    teaches_from: Mapping[str, str]
    """Data set → ``yes``, or why it cannot teach this system.

    One that the project does not know is the user's own cohort, and may teach.
    """

    @property
    def default_variant(self) -> str:
        """The variant that the paper settled on."""
        return next(iter(self.variants))
