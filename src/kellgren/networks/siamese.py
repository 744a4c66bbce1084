"""The Deep Siamese network of tiulpin2018: two patches, one branch, one decision."""

from collections.abc import Iterable
from typing import Final

import torch
from torch import Tensor, nn
from torch.nn import functional

BATCH_NORM_EPS: Final = 1e-3
"""Keras' default, kept by the authors' released code."""

DROPOUT: Final = 0.2


class ConvBlock(nn.Sequential):
    """3×3 convolution without padding, batch norm, ReLU."""

    def __init__(self, inputs: int, outputs: int, *, stride: int = 1) -> None:
        super().__init__(
            nn.Conv2d(inputs, outputs, 3, stride),
            nn.BatchNorm2d(outputs, eps=BATCH_NORM_EPS),
            nn.ReLU(inplace=True),
        )


class Branch(nn.Sequential):
    """Six convolutions in three blocks: (B, 1, S, S) → (B, 4N, h, w).

    For the published S = 128: 63, 61, 59, pooled 29, 27, 25, pooled 12, 10.
    """

    def __init__(self, width: int) -> None:
        super().__init__(
            nn.Sequential(
                ConvBlock(1, width, stride=2), ConvBlock(width, width), ConvBlock(width, width)
            ),
            nn.MaxPool2d(2),
            nn.Sequential(ConvBlock(width, 2 * width), ConvBlock(2 * width, 2 * width)),
            nn.MaxPool2d(2),
            ConvBlock(2 * width, 4 * width),
        )

    def seen_px(self, side: int) -> int:
        """How many rows, and columns, of a patch so wide its maps depend on: 105 of 112.

        Pooling and strides leave out what does not fill a last step, and every layer before them
        need not look at what only that would have shown.
        """
        layers = [layer for layer in self.modules() if isinstance(layer, nn.Conv2d | nn.MaxPool2d)]
        steps = [(_side(layer.kernel_size), _side(layer.stride)) for layer in layers]
        for kernel, stride in steps:
            side = (side - kernel) // stride + 1
        for kernel, stride in reversed(steps):
            side = (side - 1) * stride + kernel
        return side


def _side(size: int | tuple[int, ...]) -> int:
    return size if isinstance(size, int) else size[0]


class DeepSiamese(nn.Module):
    """Tiulpin et al. 2018, doi:10.1038/s41598-018-20132-7, figure 2.

    Parameters
    ----------
    width
        N, the channels of the first block.
    shared
        Whether one branch serves both patches, or each has its own.
    patch_px
        S, the side of a patch.
    offset_px
        K, the row at which patches begin.

    Notes
    -----
    The input is a right knee, (B, 1, H, W): the lateral patch begins at column 0, the medial one
    ends at the last column and is mirrored, so that both branches see the joint's margin on the
    same side.
    """

    def __init__(
        self, *, width: int = 64, shared: bool = True, patch_px: int = 128, offset_px: int = 100
    ) -> None:
        super().__init__()
        self.patch_px = patch_px
        self.offset_px = offset_px
        self.lateral_branch = Branch(width)
        self.medial_branch = self.lateral_branch if shared else Branch(width)
        self.dropout = nn.Dropout(DROPOUT)
        self.head = nn.Linear(8 * width, 5)
        for module in self.modules():
            if isinstance(module, nn.Conv2d | nn.Linear):
                nn.init.kaiming_uniform_(module.weight)
                if module.bias is not None:
                    nn.init.zeros_(module.bias)

    def patches(self, region: Tensor) -> tuple[Tensor, Tensor]:
        """Cut the lateral and the mirrored medial patch, each (B, 1, S, S)."""
        rows = region[:, :, self.offset_px : self.offset_px + self.patch_px]
        return rows[..., : self.patch_px], rows[..., -self.patch_px :].flip(-1)

    def features(self, region: Tensor) -> tuple[Tensor, Tensor]:
        """Maps of the last convolution, lateral and (still mirrored) medial: (B, 4N, h, w)."""
        lateral, medial = self.patches(region)
        return self.lateral_branch(lateral), self.medial_branch(medial)

    def classify(self, lateral: Tensor, medial: Tensor) -> Tensor:
        """Logits (B, 5) from the two feature maps."""
        pooled = torch.cat([lateral.mean((-2, -1)), medial.mean((-2, -1))], dim=1)
        logits: Tensor = self.head(self.dropout(pooled))
        return logits

    def forward(self, region: Tensor) -> Tensor:
        """Logits (B, 5) of standardised regions (B, 1, H, W)."""
        return self.classify(*self.features(region))

    def by_place(self, patches: Tensor) -> Tensor:
        """What every place adds to every grade, both patches in one batch: quicker to grade.

        Pooling is global and the head linear, so the logits are the means over all places of what
        these add, and the head's bias; and the gradient of a logit with respect to the maps is the
        head's row divided by h·w, so Grad-CAM is what they add where it is positive, exactly. What
        no place sees is cut off first, which spares a tenth of the work. Not for learning, where
        batch norms would see two patches as one batch, and less of them.

        Parameters
        ----------
        patches
            (2B, 1, S, S), the lateral ones before the medial ones.

        Returns
        -------
        Tensor
            (2B, 10, h, w): for the five grades as a place of a lateral patch, then as one of a
            medial patch. Only one half is of use for each patch; the other costs next to nothing.
        """
        seen = self.lateral_branch.seen_px(self.patch_px)
        patches = patches[..., :seen, :seen]
        if self.medial_branch is self.lateral_branch:
            maps: Tensor = self.lateral_branch(patches)
        else:
            lateral, medial = patches.chunk(2)
            maps = torch.cat((self.lateral_branch(lateral), self.medial_branch(medial)))
        weights = torch.cat(self.head.weight[:, :, None, None].chunk(2, dim=1))
        return functional.conv2d(maps, weights)


def trainable_parameters(parameters: Iterable[nn.Parameter]) -> int:
    """How many numbers are learned; shared weights count once."""
    return sum(parameter.numel() for parameter in parameters if parameter.requires_grad)
