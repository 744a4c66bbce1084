"""tiulpin2018: automatic KL grading with a Deep Siamese network.

Tiulpin A., Thevenot J., Rahtu E., Lehenkari P., Saarakkala S. Automatic knee osteoarthritis
diagnosis from plain radiographs: a deep learning-based approach. Scientific Reports 8:1727 (2018),
doi:10.1038/s41598-018-20132-7.

Methods, as below: a square region around the joint, a right knee or a left one mirrored; truncated
to its 5th and 99th percentile and 8 bit; a lateral and a (mirrored) medial patch through branches
that share their weights; concatenated, dropped out, classified. Three networks of different seeds;
their logits are summed.
"""

from collections.abc import Mapping
from types import MappingProxyType
from typing import TYPE_CHECKING

from kellgren.anatomy import KL
from kellgren.imaging.region import RegionSpec
from kellgren.systems.system import Augmentation, Distillation, Fidelity, Recipe, System
from kellgren.systems.teachers import KL_TEACHERS

if TYPE_CHECKING:
    import torch

SEEDS = (21, 42, 84)
"""Paper, Methods, "Network ensemble"."""

_PAPER = Recipe(
    region=RegionSpec(
        # 130 mm of 300 px are left of the 140 mm by the crop; an open region comes cut already.
        side=None,
        side_unit="whole_picture",
        size_px=300,
        percentiles=(5.0, 99.0),
        levels=256,
        mean=0.53995,  # released code: mean and SD of the patches
        sd=0.27282,
    ),
    input_note="130 mm, 300 px; patches of 128 px from row 100",
    sampling="oversample_bootstrap",
    # The paper names the distortions; the ranges are those of the released code, gamma as meant.
    augmentation=Augmentation(
        brightness=(0.7, 1.3),
        contrast=(0.7, 1.3),
        gamma=(0.5, 2.5),
        rotation_deg=15.0,
        shift=7 / 300,
    ),
    optimizer="adam",
    learning_rate=1e-2,
    weight_decay=1e-4,
    schedule="constant",
    batch_size=64,
    iterations=50_000,
    validate_every=500,
    seeds=SEEDS,
)

_RELEASED = Recipe(
    region=_PAPER.region,
    input_note="as paper; on whole films the released code shows 120 mm in 300 px",
    sampling="pool_per_grade",
    draws_per_grade=55_125,
    augmentation=Augmentation(
        brightness=(0.7, 1.3),
        contrast=(0.7, 1.3),
        gamma=(0.5, 3.0),
        rotation_deg=15.0,
        shift=7 / 300,
    ),
    optimizer="adam",
    learning_rate=1e-2,
    weight_decay=1e-4,
    schedule="constant",
    batch_size=64,
    iterations=50_000,
    validate_every=500,
    seeds=SEEDS,
)

_MODERN = Recipe(
    # Open regions are cut tight (side about 1.25 plateau widths). At 192 px, about 0.52 mm each,
    # the last layer's 49-px field covers 26 % of the region instead of 16 %, and two patches of
    # 58 % of the width overlap: nothing of the joint lies at a patch's edge only.
    region=RegionSpec(
        side=None,
        side_unit="whole_picture",
        size_px=192,
        percentiles=(5.0, 99.0),
        levels=256,
        mean=0.598,  # of 200 regions of the learning part, after truncation
        sd=0.286,
    ),
    input_note="192 px; patches of 112 px from row 56, overlapping in the middle",
    sampling="shuffle",
    augmentation=Augmentation(
        brightness=(0.8, 1.2),
        contrast=(0.75, 1.3),
        gamma=(0.65, 1.5),
        rotation_deg=10.0,
        scale=(0.9, 1.12),
        shift=0.05,
    ),
    optimizer="adamw",
    learning_rate=4e-3,
    weight_decay=1e-2,
    schedule="one_cycle",
    batch_size=64,
    iterations=3_240,  # 40 epochs of the open learning part (5,218 knees)
    validate_every=81,
    seeds=SEEDS,
    ordinal_smoothing=0.1,
    ema_decay=0.995,
    clip_norm=5.0,
    bfloat16=True,
    distillation=Distillation(weight=0.8, temperature=2.0, views=36),
    select_by="cross_entropy",
)

_PATCHES: Mapping[Fidelity, tuple[int, int]] = MappingProxyType(
    {"paper": (128, 100), "released": (128, 100), "modern": (112, 56)}
)
"""S and K in pixels of the region."""

_VARIANTS: Mapping[str, tuple[int, bool]] = MappingProxyType(
    {
        f"n{width}-{'shared' if shared else 'separate'}": (width, shared)
        for shared in (True, False)
        for width in (64, 32, 16, 8)
    }
)


def build(variant: str, fidelity: Fidelity) -> "torch.nn.Module":
    """The untrained network of one variant, at one fidelity's patch geometry."""
    from kellgren.networks.siamese import DeepSiamese

    width, shared = _VARIANTS[variant]
    patch_px, offset_px = _PATCHES[fidelity]
    return DeepSiamese(width=width, shared=shared, patch_px=patch_px, offset_px=offset_px)


SYSTEM = System(
    name="tiulpin2018",
    title="Deep Siamese network for KL grading",
    doi="10.1038/s41598-018-20132-7",
    statement_of_use=(
        "Research on osteoarthritis and, in its authors' hope, a decision support for the "
        "practitioner, who sees the distribution over the grades and an attention map."
    ),
    limits=(
        "8-bit input; frame-positioned, weight-bearing PA films of knees without implants; some of "
        "the ground truth is wrong."
    ),
    unit="knee",
    tasks=(KL,),
    variants=MappingProxyType(
        {
            name: f"N = {width}, {'one shared branch' if shared else 'a branch per patch'}"
            for name, (width, shared) in _VARIANTS.items()
        }
    ),
    recipes=MappingProxyType({"paper": _PAPER, "released": _RELEASED, "modern": _MODERN}),
    build=build,
    fusion="sum_logits",
    explanation="cam_exact",
    teaches_from=KL_TEACHERS,
)
