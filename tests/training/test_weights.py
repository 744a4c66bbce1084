"""What is kept of a network: its weights, averaged, each once."""

from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file
from torch import nn

from kellgren.networks.siamese import DeepSiamese
from kellgren.training.weights import Average, save_weights

pytestmark = pytest.mark.usefixtures("one_thread")


class TestAverage:
    def test_it_follows_the_weights_by_its_decay(self) -> None:
        network = nn.Linear(1, 1, bias=False)
        nn.init.zeros_(network.weight)
        average, expected = Average(network, 0.9), 0.0
        for iteration in range(40):
            nn.init.constant_(network.weight, iteration + 1.0)
            average.update(iteration)
            keep = min(0.9, (1 + iteration) / (10 + iteration))
            expected = keep * expected + (1 - keep) * (iteration + 1.0)
            with average.swapped_in():
                assert network.weight.item() == pytest.approx(expected, rel=1e-5)
            assert network.weight.item() == iteration + 1.0

    def test_without_a_decay_the_weights_stay_what_they_are(self) -> None:
        network = nn.Linear(1, 1, bias=False)
        average = Average(network, None)
        nn.init.constant_(network.weight, 3.0)
        average.update(0)
        with average.swapped_in():
            assert network.weight.item() == 3.0

    @pytest.mark.parametrize("shared", [True, False])
    def test_branches_swap_once_and_batch_norms_too(self, shared: bool) -> None:
        network = DeepSiamese(width=2, shared=shared, patch_px=56, offset_px=0)
        average = Average(network, 0.5)
        before = {name: tensor.clone() for name, tensor in network.state_dict().items()}
        with torch.no_grad():
            for parameter in network.parameters():
                parameter.add_(1.0)
        network.train()(torch.randn(4, 1, 56, 56))
        after = {name: tensor.clone() for name, tensor in network.state_dict().items()}
        average.update(10)
        with average.swapped_in():
            for name, tensor in network.state_dict().items():
                if tensor.is_floating_point():
                    torch.testing.assert_close(tensor, (before[name] + after[name]) / 2)
                else:
                    assert torch.equal(tensor, after[name])
        for name, tensor in network.state_dict().items():
            assert torch.equal(tensor, after[name]), name

    def test_it_is_put_away_when_something_fails(self) -> None:
        network = nn.Linear(1, 1, bias=False)
        average = Average(network, 0.5)
        nn.init.constant_(network.weight, 3.0)
        with pytest.raises(KeyboardInterrupt):
            interrupt(average)
        assert network.weight.item() == 3.0


def interrupt(average: Average) -> None:
    with average.swapped_in():
        raise KeyboardInterrupt


@pytest.mark.parametrize("shared", [True, False])
def test_weights_come_back_and_shared_ones_are_stored_once(tmp_path: Path, shared: bool) -> None:
    network = DeepSiamese(width=2, shared=shared, patch_px=56, offset_px=0)
    save_weights(network.to(memory_format=torch.channels_last), tmp_path / "best.safetensors")
    stored = load_file(tmp_path / "best.safetensors")
    assert any(name.startswith("medial_branch") for name in stored) is not shared
    again = DeepSiamese(width=2, shared=shared, patch_px=56, offset_px=0)
    again.load_state_dict(stored, strict=not shared)
    for name, tensor in network.state_dict().items():
        assert torch.equal(again.state_dict()[name], tensor), name
