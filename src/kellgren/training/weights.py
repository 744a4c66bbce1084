"""The weights of a network in training: averaged, written, and gone on with after a kill."""

from pathlib import Path
from typing import Any

import torch
from safetensors.torch import save
from torch import Tensor, nn

from kellgren.files import write_atomically


def save_weights(network: nn.Module, path: Path) -> None:
    """Write the weights; names that share one tensor (shared branches) are stored once."""
    tensors: dict[str, Tensor] = {}
    stored: set[int] = set()
    for name, tensor in network.state_dict(keep_vars=True).items():
        if id(tensor) not in stored:
            stored.add(id(tensor))
            tensors[name] = tensor.detach().cpu().contiguous().clone()
    with write_atomically(path, binary=True) as stream_:
        stream_.write(save(tensors))


class Average:
    """A warmed-up exponential moving average of the weights; without a decay, the weights."""

    def __init__(self, network: nn.Module, decay: float | None) -> None:
        self.network = network
        self.decay = decay
        self.shadow = {name: value.detach().clone() for name, value in network.state_dict().items()}

    @torch.no_grad()
    def update(self, iteration: int) -> None:
        """Move towards the current weights."""
        if self.decay is None:
            return
        keep = min(self.decay, (1 + iteration) / (10 + iteration))
        for name, value in self.network.state_dict().items():
            if value.is_floating_point():
                self.shadow[name].lerp_(value, 1.0 - keep)
            else:
                self.shadow[name].copy_(value)

    def swapped_in(self) -> "_Swap":
        """A context in which the network has the averaged weights."""
        return _Swap(self)


class _Swap:
    def __init__(self, average: Average) -> None:
        self.average = average

    def __enter__(self) -> None:
        self._exchange()

    def __exit__(self, *exception: object) -> None:
        self._exchange()

    @torch.no_grad()
    def _exchange(self) -> None:
        if self.average.decay is None:
            return
        done: set[int] = set()
        for name, value in self.average.network.state_dict().items():
            if value.data_ptr() in done:
                continue
            done.add(value.data_ptr())
            kept = value.clone()
            value.copy_(self.average.shadow[name])
            self.average.shadow[name].copy_(kept)


class Checkpoint:
    """What a killed run goes on from. Plain tensors and numbers: it loads with ``weights_only``."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def save(
        self,
        network: nn.Module,
        average: Average,
        optimizer: torch.optim.Optimizer,
        iteration: int,
        validations: list[dict[str, Any]],
    ) -> None:
        """Write everything the next iteration depends on, and the validations so far."""
        content = {
            "network": network.state_dict(),
            "average": average.shadow,
            "optimizer": optimizer.state_dict(),
            "iteration": iteration,
            "validations": validations,
        }
        with write_atomically(self.path, binary=True) as stream:
            torch.save(content, stream)

    def load(
        self, network: nn.Module, average: Average, optimizer: torch.optim.Optimizer
    ) -> tuple[int, list[dict[str, Any]]]:
        """Restore; give the iteration to go on with and the validations, (0, []) for a new run."""
        if not self.path.exists():
            return 0, []
        device = next(network.parameters()).device
        content = torch.load(self.path, map_location=device, weights_only=True)
        network.load_state_dict(content["network"])
        average.shadow = content["average"]
        optimizer.load_state_dict(content["optimizer"])
        return int(content["iteration"]), list(content["validations"])

    def progress(self) -> tuple[int, list[dict[str, Any]]]:
        """Iterations done and the validations, without building a network."""
        if not self.path.exists():
            return 0, []
        content = torch.load(self.path, map_location="cpu", weights_only=True)
        return int(content["iteration"]), list(content["validations"])
