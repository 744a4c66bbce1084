"""mobilenetv2: a teacher. Not a published system, and not shipped as a grader.

An ImageNet MobileNetV2 (Sandler 2018, arXiv:1801.04381) that sees the whole region. The Siamese
networks of `tiulpin2018`, fidelity ``modern``, learn from its answers beside the truth.
"""

from types import MappingProxyType
from typing import TYPE_CHECKING

from kellgren.anatomy import KL
from kellgren.imaging.region import RegionSpec
from kellgren.systems.system import Augmentation, Fidelity, Recipe, System
from kellgren.systems.teachers import KL_TEACHERS

if TYPE_CHECKING:
    import torch

_MODERN = Recipe(
    region=RegionSpec(
        side=None,
        side_unit="whole_picture",
        size_px=256,
        percentiles=(5.0, 99.0),
        levels=256,
        mean=0.5,  # the ImageNet weights at hand expect [−1, 1]
        sd=0.5,
    ),
    input_note="256 px, the whole region",
    sampling="shuffle",
    augmentation=Augmentation(
        brightness=(0.85, 1.15),
        contrast=(0.8, 1.25),
        gamma=(0.7, 1.4),
        rotation_deg=10.0,
        scale=(0.9, 1.1),
        shift=0.04,
        flip=0.5,
    ),
    optimizer="adamw",
    learning_rate=8e-4,
    weight_decay=2e-2,
    schedule="one_cycle",
    batch_size=32,
    iterations=1_956,  # 12 epochs of the open learning part (5,218 knees)
    validate_every=163,
    seeds=(21,),
    ordinal_smoothing=0.1,
    ema_decay=0.995,
    clip_norm=5.0,
    bfloat16=True,
    select_by="cross_entropy",
)


def build(variant: str, fidelity: Fidelity) -> "torch.nn.Module":
    """The network with a new five-grade head."""
    from kellgren.networks.backbone import Backbone

    del fidelity  # there is one
    return Backbone(variant, classes=len(KL.classes), dropout=0.3)


SYSTEM = System(
    name="mobilenetv2",
    title="MobileNetV2 as a teacher",
    doi=None,
    statement_of_use="Teaching smaller networks; no clinical claim.",
    limits="No exact attention map; larger and slower than what it teaches.",
    unit="knee",
    tasks=(KL,),
    variants=MappingProxyType({"mobilenetv2_100": "width 1.0, timm's mobilenetv2_100"}),
    recipes=MappingProxyType({"modern": _MODERN}),
    build=build,
    fusion="sum_logits",
    explanation="none",
    teaches_from=KL_TEACHERS,
)
