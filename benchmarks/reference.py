"""The reference, frozen: what a peer's script does at its best. Needs torch.

The same networks as the shipped bundle's, in eager float32 PyTorch on two threads, one knee at a
time from JPEG to maps: features under inference mode, one backward pass for the shown class only.
Nothing of `kellgren.networks` is used, so that nothing done there moves what we compare with.
Reading and cutting are kellgren's in every contender: the ratio is that of the networks' runtime,
and a quicker reader cannot improve it.
"""

from abc import abstractmethod
from collections.abc import Iterator

import onnx
import torch
from onnx import numpy_helper
from torch import Tensor, nn

from benchmarks.contenders import THREADS, Contender, Job, network_input
from kellgren.anatomy import KL, Laterality
from kellgren.bundles.store import MODEL
from kellgren.grading import Bundle, load_bundle

PATCH_PX, OFFSET_PX, WIDTH, CLASSES = 112, 56, 64, 5
EPS = 1e-3


class Network(nn.Module):
    """tiulpin2018 in the geometry of ``modern``, batch norms and all."""

    def __init__(self) -> None:
        super().__init__()
        n = WIDTH
        self.branch = nn.Sequential(
            *_block(1, n, stride=2),
            *_block(n, n),
            *_block(n, n),
            nn.MaxPool2d(2),
            *_block(n, 2 * n),
            *_block(2 * n, 2 * n),
            nn.MaxPool2d(2),
            *_block(2 * n, 4 * n),
        )
        self.dropout = nn.Dropout(0.2)
        self.head = nn.Linear(8 * n, CLASSES)

    def features(self, region: Tensor) -> tuple[Tensor, Tensor]:
        """Maps (B, 256, h, w) of the lateral and of the mirrored medial patch."""
        rows = region[:, :, OFFSET_PX : OFFSET_PX + PATCH_PX]
        lateral, medial = rows[..., :PATCH_PX], rows[..., -PATCH_PX:].flip(-1)
        return self.branch(lateral), self.branch(medial)

    def classify(self, lateral: Tensor, medial: Tensor) -> Tensor:
        """Logits (B, 5)."""
        pooled = torch.cat([lateral.mean((-2, -1)), medial.mean((-2, -1))], dim=1)
        logits: Tensor = self.head(self.dropout(pooled))
        return logits


class _Torch(Contender):
    """The bundle's networks in PyTorch, one knee at a time."""

    def __init__(self) -> None:
        torch.set_num_threads(THREADS)
        bundle = load_bundle()
        self.spec = bundle.record.region
        self.calibration = bundle.record.calibration(KL)
        self.networks = list(_networks(bundle))

    def job(self, content: bytes, laterality: Laterality) -> Job:
        """Everything from the file's bytes on."""
        return lambda: self.probabilities(
            self.logits(torch.from_numpy(network_input(content, laterality, self.spec)))
        )

    @abstractmethod
    def logits(self, region: Tensor) -> Tensor:
        """Fused logits (1, 5) of a region (1, 1, H, W); the shown class's maps are made as well."""

    def probabilities(self, logits: Tensor) -> list[float]:
        """Calibrated."""
        return [float(share) for share in self.calibration(logits[0].float().numpy())]


class Reference(_Torch):
    """The reference itself."""

    def logits(self, region: Tensor) -> Tensor:
        """Features under inference mode, then one backward pass."""
        with torch.inference_mode():
            features = [network.features(region) for network in self.networks]
        leaves = [[maps.clone().requires_grad_() for maps in pair] for pair in features]
        each = [n.classify(*pair) for n, pair in zip(self.networks, leaves, strict=True)]
        logits = torch.stack(each).sum(0)
        logits[0, int(logits.argmax())].backward()  # type: ignore[no-untyped-call] # torch's own
        torch.stack([_grad_cam(*pair) for pair in leaves]).sum(0).numpy()
        return logits.detach()


class WithoutBackward(_Torch):
    """Torch otherwise: nothing but inference mode, as the head's weights are the gradient."""

    def __init__(self, *, bfloat16: bool = False) -> None:
        super().__init__()
        self.bfloat16 = bfloat16
        for network in self.networks:
            network.to(memory_format=torch.channels_last)

    def logits(self, region: Tensor) -> Tensor:
        """One forward pass; the maps are weighted by the head."""
        with torch.inference_mode(), torch.autocast("cpu", torch.bfloat16, enabled=self.bfloat16):
            pairs = [
                network.features(region.to(memory_format=torch.channels_last))
                for network in self.networks
            ]
            each = [n.classify(*pair) for n, pair in zip(self.networks, pairs, strict=True)]
            logits = torch.stack(each).sum(0)
            shown = int(logits.argmax())
            maps = [
                _weighted(*pair, network.head.weight[shown])
                for network, pair in zip(self.networks, pairs, strict=True)
            ]
            torch.stack(maps).sum(0).float().numpy()
            return logits


def _block(inputs: int, outputs: int, *, stride: int = 1) -> Iterator[nn.Module]:
    yield nn.Conv2d(inputs, outputs, 3, stride)
    yield nn.BatchNorm2d(outputs, eps=EPS)
    yield nn.ReLU(inplace=True)


def _grad_cam(lateral: Tensor, medial: Tensor) -> Tensor:
    halves = []
    for maps in (lateral, medial):
        assert maps.grad is not None
        weights = maps.grad.mean((-2, -1), keepdim=True)
        halves.append((weights * maps.detach()).sum(1).relu())
    return torch.cat([halves[0], halves[1].flip(-1)], dim=-1)


def _weighted(lateral: Tensor, medial: Tensor, weight: Tensor) -> Tensor:
    of_lateral, of_medial = weight.chunk(2)
    return torch.cat(
        [
            torch.einsum("k,bkhw->bhw", of_lateral, lateral).relu(),
            torch.einsum("k,bkhw->bhw", of_medial, medial).relu().flip(-1),
        ],
        dim=-1,
    )


def _networks(bundle: Bundle) -> Iterator[Network]:
    """The bundle's members, with the weights of its graph.

    The graph holds each convolution with its batch norm folded in. The batch norm is there again,
    with statistics under which it changes nothing, because a peer's script has it and pays for it.
    """
    graph = onnx.load_from_string(bundle.contents[MODEL]).graph
    weights = {i.name: torch.from_numpy(numpy_helper.to_array(i).copy()) for i in graph.initializer}
    members = len(bundle.record.members)
    layers = [node.input[1:] for node in graph.node if node.op_type == "Conv"]
    convolutions = iter([layer for layer in layers if len(layer) == 2])
    # The head as a convolution of one place, the lateral patch's half before the medial's.
    heads = [weights[layer[0]].flatten(1) for layer in layers if len(layer) == 1]
    (biases,) = [weight for weight in weights.values() if weight.shape == (members, CLASSES)]
    for head, bias in zip(heads, biases, strict=True):
        network = Network().eval()
        for module in network.branch:
            if isinstance(module, nn.Conv2d):
                _pour(module, *(weights[name] for name in next(convolutions)))
            elif isinstance(module, nn.BatchNorm2d):
                nn.init.constant_(module.weight, (1.0 + EPS) ** 0.5)
        _pour(network.head, torch.cat(head.chunk(2), dim=1), bias)
        yield network


def _pour(module: nn.Conv2d | nn.Linear, weight: Tensor, bias: Tensor) -> None:
    # Not copy_, which would stretch a wrong shape to fit.
    module.load_state_dict({"weight": weight, "bias": bias})
