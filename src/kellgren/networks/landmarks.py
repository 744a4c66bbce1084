"""A small heat-map network that finds a knee's landmarks: films → one map for each landmark."""

import tempfile
import warnings
from itertools import pairwise
from pathlib import Path

import torch
from torch import Tensor, nn
from torch.nn import functional

STRIDE = 4
"""Film pixels a heat-map cell is wide."""

MULTIPLE = 32
"""Sides of the input are multiples of this."""

_WIDTHS = (16, 32, 48, 64, 96)
"""Chosen: channels at 1/2, 1/4 … 1/32 of the input; 0.5 million parameters, 2 MB."""


class _Residual(nn.Module):
    """Two 3×3 convolutions around which the input goes past."""

    def __init__(self, width: int) -> None:
        super().__init__()
        self.body = nn.Sequential(
            nn.Conv2d(width, width, 3, padding=1, bias=False),
            nn.BatchNorm2d(width),
            nn.ReLU(inplace=True),
            nn.Conv2d(width, width, 3, padding=1, bias=False),
            nn.BatchNorm2d(width),
        )

    def forward(self, inputs: Tensor) -> Tensor:
        return functional.relu(inputs + self.body(inputs))


def _down(inputs: int, outputs: int) -> nn.Sequential:
    return nn.Sequential(
        nn.Conv2d(inputs, outputs, 3, stride=2, padding=1, bias=False),
        nn.BatchNorm2d(outputs),
        nn.ReLU(inplace=True),
        _Residual(outputs),
    )


class LandmarkNet(nn.Module):
    """An hourglass: down to 1/32 for the context, up again to 1/4 for the place.

    After the idea of stacked hourglasses (Newell 2016, arXiv:1603.06937), with one of them, few
    channels and sums instead of concatenations.

    Parameters
    ----------
    landmarks
        Number of maps.
    """

    def __init__(self, landmarks: int) -> None:
        super().__init__()
        steps = zip((1, *_WIDTHS), _WIDTHS, strict=False)
        self.down = nn.ModuleList(_down(inputs, outputs) for inputs, outputs in steps)
        self.context = _Residual(_WIDTHS[-1])
        # from 1/32 up to 1/4: the coarser map is narrowed, enlarged and added to the finer one
        falling = list(reversed(_WIDTHS[1:]))
        self.narrow = nn.ModuleList(
            nn.Conv2d(coarse, fine, 1) for coarse, fine in pairwise(falling)
        )
        self.up = nn.ModuleList(_Residual(fine) for fine in falling[1:])
        self.head = nn.Sequential(
            nn.Conv2d(_WIDTHS[1], _WIDTHS[1], 3, padding=1),
            nn.ReLU(inplace=True),
            nn.Conv2d(_WIDTHS[1], landmarks, 1),
        )
        last = self.head[-1]
        nn.init.constant_(last.bias, -4.0)  # type: ignore[arg-type] # a Conv2d with a bias

    def forward(self, film: Tensor) -> Tensor:
        """Logits (B, landmarks, H/4, W/4) of films (B, 1, H, W) in [0, 1], sides in 32s."""
        maps = []
        found = film - 0.5
        for down in self.down:
            found = down(found)
            maps.append(found)
        found = self.context(found)
        for narrow, up, finer in zip(self.narrow, self.up, reversed(maps[1:-1]), strict=True):
            larger = functional.interpolate(narrow(found), scale_factor=2.0, mode="nearest")
            found = up(larger + finer)
        logits: Tensor = self.head(found)
        return logits


class _Heatmap(nn.Module):
    def __init__(self, network: LandmarkNet) -> None:
        super().__init__()
        self.network = network

    def forward(self, film: Tensor) -> Tensor:
        """Certainty in [0, 1] instead of logits."""
        certainty: Tensor = self.network(film).sigmoid()
        return certainty


def write_localiser(network: LandmarkNet) -> bytes:
    """Trace the network into an ONNX model: ``film`` (1, 1, H, W) → ``heatmap`` (1, K, h, w)."""
    module = _Heatmap(network).eval().float().cpu().to(memory_format=torch.contiguous_format)
    with tempfile.TemporaryDirectory() as folder, warnings.catch_warnings():
        # The tracer's notes on constants and on its successor are for its authors.
        warnings.simplefilter("ignore")
        path = Path(folder) / "model.onnx"
        torch.onnx.export(
            module,
            (torch.zeros(1, 1, 8 * MULTIPLE, 10 * MULTIPLE),),
            path,
            input_names=["film"],
            output_names=["heatmap"],
            dynamic_axes={name: {2: "height", 3: "width"} for name in ("film", "heatmap")},
            opset_version=18,
            do_constant_folding=True,
            dynamo=False,
        )
        return path.read_bytes()
