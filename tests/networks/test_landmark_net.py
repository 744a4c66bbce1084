"""The landmark network: its maps, and that ONNX Runtime gives what torch does."""

import numpy as np
import pytest
import torch

from kellgren.bundles.runtime import OnnxRuntime
from kellgren.networks.landmarks import MULTIPLE, STRIDE, LandmarkNet, write_localiser

pytestmark = pytest.mark.usefixtures("one_thread")

K = 6


@pytest.fixture(scope="module")
def network() -> LandmarkNet:
    """Untaught, with statistics of its own, so that a lost batch norm would show."""
    with torch.random.fork_rng(devices=[]), torch.no_grad():
        torch.manual_seed(0)
        network = LandmarkNet(K)
        network.train()
        network(torch.rand(4, 1, 64, 64))
        torch.nn.init.normal_(network.head[-1].bias)  # type: ignore[arg-type] # a Conv2d's
    return network.eval()


@pytest.fixture(scope="module")
def graph(network: LandmarkNet) -> OnnxRuntime:
    content = write_localiser(network)
    assert len(content) < 5_000_000
    return OnnxRuntime(content, threads=1)


@pytest.mark.parametrize("shape", [(32, 32), (256, 160), (96, 256), (320, 320)])
def test_onnx_is_torch_at_every_size(
    network: LandmarkNet, graph: OnnxRuntime, shape: tuple[int, int]
) -> None:
    film = np.random.default_rng(0).random((1, 1, *shape), dtype=np.float32)
    (name, maps), *others = graph.run(film=film).items()
    assert (name, others) == ("heatmap", [])
    assert maps.shape == (1, K, shape[0] // STRIDE, shape[1] // STRIDE)
    assert maps.min() >= 0.0
    assert maps.max() <= 1.0
    with torch.inference_mode():
        expected = network(torch.from_numpy(film)).sigmoid().numpy()
    assert np.abs(maps - expected).max() < 1e-4
    assert expected.std() > 1e-3


def test_untaught_it_is_certain_of_nothing() -> None:
    with torch.inference_mode():
        fresh = LandmarkNet(K).eval()(torch.rand(1, 1, 2 * MULTIPLE, MULTIPLE)).sigmoid()
    assert fresh.max() < 0.2


def test_every_parameter_learns(network: LandmarkNet) -> None:
    network.zero_grad()
    torch.autograd.backward(network(torch.rand(2, 1, 64, 64)).square().mean())
    assert all(p.grad is not None and p.grad.abs().sum() > 0 for p in network.parameters())
