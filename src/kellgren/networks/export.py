"""The graph that ships: all members of an ensemble in one module with the contract's outputs."""

import math
import tempfile
import warnings
from collections.abc import Sequence
from pathlib import Path

import torch
from torch import Tensor, nn
from torch.nn import functional

from kellgren.networks.siamese import DeepSiamese


class Ensemble(nn.Module):
    """Members side by side: regions (B, 1, H, W) → logits (B, members, classes)."""

    def __init__(self, members: Sequence[nn.Module]) -> None:
        super().__init__()
        self.members = nn.ModuleList(members)

    def forward(self, region: Tensor) -> Tensor:
        """Logits (B, members, classes)."""
        return torch.stack([member(region) for member in self.members], dim=1)


class ExplainedSiamese(nn.Module):
    """Siamese members with their attention over the region.

    The attention of every class is summed over members; each patch's map is pasted where the patch
    lies on a grid whose edges are the region's edges.
    """

    def __init__(self, members: Sequence[DeepSiamese], *, size_px: int) -> None:
        super().__init__()
        self.members = nn.ModuleList(members)
        first = members[0]
        with torch.no_grad():
            feature_px = first.lateral_branch(
                torch.zeros(1, 1, first.patch_px, first.patch_px)
            ).shape[-1]
        self.cell_px = cell_side(
            size_px, patch_px=first.patch_px, offset_px=first.offset_px, feature_px=feature_px
        )
        self.grid = size_px // self.cell_px
        self.patch_cells = first.patch_px // self.cell_px
        self.first_row = first.offset_px // self.cell_px

    def forward(self, region: Tensor) -> tuple[Tensor, Tensor]:
        """Logits (B, members, classes) and attention (B, classes, grid, grid)."""
        members = [member for member in self.members if isinstance(member, DeepSiamese)]
        patches = torch.cat(members[0].patches(region))
        places = torch.stack([member.by_place(patches) for member in members], dim=1)
        here, classes = region.shape[0], places.shape[2] // 2
        lateral, medial = places[:here, :, :classes], places[here:, :, classes:]
        logits = torch.stack([member.head.bias for member in members])
        logits = logits + lateral.mean((-2, -1)) + medial.mean((-2, -1))
        return logits, self._pasted(lateral.relu().sum(1), medial.relu().sum(1).flip(-1))

    def _pasted(self, lateral: Tensor, medial: Tensor) -> Tensor:
        below = self.grid - self.first_row - self.patch_cells
        beside = self.grid - self.patch_cells
        rows = (self.first_row, below)
        return functional.pad(self._fitted(lateral), (0, beside, *rows)) + functional.pad(
            self._fitted(medial), (beside, 0, *rows)
        )

    def _fitted(self, maps: Tensor) -> Tensor:
        if maps.shape[-1] == self.patch_cells:
            return maps
        size = (self.patch_cells, self.patch_cells)
        return functional.interpolate(maps, size=size, mode="bilinear", align_corners=False)


def cell_side(size_px: int, *, patch_px: int, offset_px: int, feature_px: int) -> int:
    """The largest cell that divides the geometry and does not coarsen the feature map."""
    common = math.gcd(size_px, patch_px, offset_px, size_px - patch_px)
    fitting = [c for c in range(1, common + 1) if common % c == 0 and patch_px // c >= feature_px]
    return max(fitting)


def write_onnx(members: Sequence[nn.Module], *, task: str, size_px: int, explained: bool) -> bytes:
    """Trace the members into one ONNX model.

    Parameters
    ----------
    members
        Trained networks, in the order of the bundle's record.
    task
        Name of the only task; outputs are ``logits/<task>`` and ``attention/<task>``.
    explained
        Whether the graph gives attention, for which members must be `DeepSiamese`.

    Returns
    -------
    bytes
        A model of opset 18 with batch norms folded, and a free batch axis.
    """
    module: nn.Module
    names = [f"logits/{task}"]
    if explained:
        siamese = [member for member in members if isinstance(member, DeepSiamese)]
        if len(siamese) != len(members):
            raise ValueError("exact attention is defined for Siamese networks only")
        module = ExplainedSiamese(siamese, size_px=size_px)
        names.append(f"attention/{task}")
    else:
        module = Ensemble(members)
    module.eval().float().cpu().to(memory_format=torch.contiguous_format)
    with tempfile.TemporaryDirectory() as folder, warnings.catch_warnings():
        # The tracer's notes on constants and on its successor are for its authors.
        warnings.simplefilter("ignore")
        path = Path(folder) / "model.onnx"
        torch.onnx.export(
            module,
            (torch.zeros(2, 1, size_px, size_px),),
            path,
            input_names=["region"],
            output_names=names,
            dynamic_axes={name: {0: "batch"} for name in ("region", *names)},
            opset_version=18,
            do_constant_folding=True,
            dynamo=False,
        )
        return path.read_bytes()
