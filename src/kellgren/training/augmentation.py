"""Augmentation in two steps: sampling a sample's distortion, and applying it.

What was sampled is a record that can be logged, replayed and tested; applying it holds no
randomness.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional

from kellgren.systems.system import Augmentation


@dataclass(frozen=True, slots=True)
class Distortion:
    """What happens to one sample; the defaults leave it as it is.

    ``shift`` is (x, y) in shares of the region's side, ``noise_seed`` the stream of its noise.
    """

    brightness: float = 1.0
    contrast: float = 1.0
    gamma: float = 1.0
    rotation_deg: float = 0.0
    scale: float = 1.0
    shift: tuple[float, float] = (0.0, 0.0)
    flip: bool = False
    noise_sd: float = 0.0
    noise_seed: int = 0
    blur_px: float = 0.0
    detail: float = 1.0

    @property
    def clear(self) -> "Distortion":
        """The same without noise, and as sharp as it was."""
        return replace(self, noise_sd=0.0, blur_px=0.0, detail=1.0)


def sample_distortion(ranges: Augmentation, rng: np.random.Generator) -> Distortion:
    """Draw one sample's distortion, uniformly from the recipe's ranges."""
    return Distortion(
        brightness=rng.uniform(*ranges.brightness),
        contrast=rng.uniform(*ranges.contrast),
        gamma=rng.uniform(*ranges.gamma),
        rotation_deg=rng.uniform(-ranges.rotation_deg, ranges.rotation_deg),
        scale=rng.uniform(*ranges.scale),
        shift=(rng.uniform(-ranges.shift, ranges.shift), rng.uniform(-ranges.shift, ranges.shift)),
        flip=bool(rng.random() < ranges.flip),
        noise_sd=rng.uniform(0.0, ranges.noise_sd),
        noise_seed=int(rng.integers(2**31)),
        blur_px=rng.uniform(0.0, ranges.blur_px),
        detail=rng.uniform(*ranges.detail),
    )


def stream(seed: int, epoch: int, index: int, repeat: int = 0) -> np.random.Generator:
    """The random numbers of one draw of one sample, whoever asks and in whatever order."""
    return np.random.default_rng((seed, epoch, index, repeat))


def view_stream(view: int, index: int) -> np.random.Generator:
    """The random numbers of one of a sample's fixed views, the same for teacher and student."""
    return np.random.default_rng((view, index))


def apply(regions: Tensor, distortions: Sequence[Distortion], *, fill: float) -> Tensor:
    """Distort a batch.

    Parameters
    ----------
    regions
        (B, 1, H, W) float32 in [0, 1].
    distortions
        One for each sample.
    fill
        Value of what moves in from outside.

    Returns
    -------
    Tensor
        The same shape, in [0, 1]: brightness, contrast about the mean, one affine map for
        rotation, scale, shift and flip, gamma, detail, noise; the order of the released code of
        tiulpin2018, in which the rotation stands between contrast and gamma. That code leaves
        detail as it is.
    """

    def column(name: str) -> Tensor:
        values = torch.tensor([getattr(d, name) for d in distortions], dtype=regions.dtype)
        return values.to(regions.device).view(-1, 1, 1, 1)

    out = (regions * column("brightness")).clamp(0.0, 1.0)
    mean = out.mean((-2, -1), keepdim=True)
    out = ((out - mean) * column("contrast") + mean).clamp(0.0, 1.0)
    if any(
        d.rotation_deg or d.scale != 1.0 or d.shift != (0.0, 0.0) or d.flip for d in distortions
    ):
        maps = torch.tensor([_affine(d) for d in distortions], dtype=out.dtype, device=out.device)
        grid = functional.affine_grid(maps, list(out.shape), align_corners=False)
        out = functional.grid_sample(out - fill, grid, align_corners=False) + fill
    out = out.clamp(0.0, 1.0) ** column("gamma")
    if any(d.blur_px and d.detail != 1.0 for d in distortions):
        blurred = _blurred(out, [d.blur_px for d in distortions])
        out = (blurred + (out - blurred) * column("detail")).clamp(0.0, 1.0)
    if any(d.noise_sd for d in distortions):
        noise = torch.stack([_noise(d, out.shape[1:]) for d in distortions]).to(out)
        out = (out + noise).clamp(0.0, 1.0)
    return out


def _affine(distortion: Distortion) -> list[list[float]]:
    """Output → input in [−1, 1] coordinates, as `torch.nn.functional.affine_grid` wants it."""
    angle = np.deg2rad(distortion.rotation_deg)
    cos, sin = np.cos(angle) / distortion.scale, np.sin(angle) / distortion.scale
    mirror = -1.0 if distortion.flip else 1.0
    dx, dy = (2.0 * shift for shift in distortion.shift)
    return [[mirror * cos, -mirror * sin, -dx], [sin, cos, -dy]]


def _blurred(regions: Tensor, sds: Sequence[float]) -> Tensor:
    """Each region (B, 1, H, W) under a Gaussian of its own standard deviation, in pixels."""
    reach = max(int(np.ceil(3.0 * max(sds))), 1)
    places = torch.arange(-reach, reach + 1, dtype=regions.dtype)
    # a hundredth of a pixel leaves all as it is
    widths = torch.tensor(sds, dtype=regions.dtype).clamp(min=0.01).unsqueeze(1)
    taps = torch.softmax(-0.5 * (places / widths) ** 2, dim=1).to(regions.device)
    # every region is a channel with its own filter
    out = functional.pad(regions.transpose(0, 1), (reach, reach, reach, reach), mode="replicate")
    out = functional.conv2d(out, taps[:, None, None, :], groups=len(sds))
    return functional.conv2d(out, taps[:, None, :, None], groups=len(sds)).transpose(0, 1)


def _noise(distortion: Distortion, shape: Sequence[int]) -> Tensor:
    rng = np.random.default_rng(distortion.noise_seed)
    return torch.from_numpy(rng.standard_normal(shape, dtype=np.float32) * distortion.noise_sd)
