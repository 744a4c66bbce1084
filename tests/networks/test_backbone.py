"""A pretrained body gets a new head and one grey channel."""

from pathlib import Path

import pytest
import timm
import torch
from safetensors.torch import load_file, save_file

from kellgren import errors
from kellgren.networks.backbone import Backbone

pytestmark = pytest.mark.usefixtures("one_thread")

ARCHITECTURE = "mobilenetv2_035"  # the smallest of its kind


@pytest.fixture(scope="module")
def weights(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A network of a thousand classes, as ImageNet's come."""
    path = tmp_path_factory.mktemp("weights") / "pretrained.safetensors"
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(0)
        save_file(timm.create_model(ARCHITECTURE, pretrained=False).state_dict(), path)
    return path


def test_everything_but_the_head_is_taken_over(weights: Path) -> None:
    network = Backbone(ARCHITECTURE, classes=5, dropout=0.3)
    before = {name: tensor.clone() for name, tensor in network.body.state_dict().items()}
    network.load_pretrained(str(weights))
    given = load_file(weights)
    for name, tensor in network.body.state_dict().items():
        expected = before if name.startswith("classifier.") else given
        assert torch.equal(tensor, expected[name]), name
    assert not torch.equal(before["conv_stem.weight"], given["conv_stem.weight"])


def test_the_new_head_begins_small() -> None:
    network = Backbone(ARCHITECTURE, classes=5, dropout=0.0)
    assert network.body.get_parameter("classifier.weight").shape[0] == 5
    assert network.body.get_parameter("classifier.weight").std() < 0.02
    assert not network.body.get_parameter("classifier.bias").any()


def test_a_grey_region_is_shown_to_all_three_channels() -> None:
    network = Backbone(ARCHITECTURE, classes=5, dropout=0.0).eval()
    region = torch.randn(2, 1, 64, 64)
    with torch.inference_mode():
        assert torch.equal(network(region), network.body(region.repeat(1, 3, 1, 1)))


@pytest.mark.parametrize("other", ["mobilenetv2_050", "resnet10t"])
def test_weights_of_another_architecture_are_refused(tmp_path: Path, other: str) -> None:
    path = tmp_path / "other.safetensors"
    save_file(timm.create_model(other, pretrained=False).state_dict(), path)
    network = Backbone(ARCHITECTURE, classes=5, dropout=0.0)
    with pytest.raises(errors.TrainingError, match="another architecture"):
        network.load_pretrained(str(path))


@pytest.mark.parametrize("missing", ["conv_stem.weight", "blocks.0.0.bn1.running_var"])
def test_incomplete_weights_are_refused(weights: Path, tmp_path: Path, missing: str) -> None:
    given = load_file(weights)
    del given[missing]
    save_file(given, tmp_path / "incomplete.safetensors")
    network = Backbone(ARCHITECTURE, classes=5, dropout=0.0)
    with pytest.raises(errors.TrainingError, match="1 missing"):
        network.load_pretrained(str(tmp_path / "incomplete.safetensors"))


def test_what_is_no_file_of_weights_is_refused(tmp_path: Path) -> None:
    network = Backbone(ARCHITECTURE, classes=5, dropout=0.0)
    (tmp_path / "text.safetensors").write_text("See attached.")
    for name in ("text.safetensors", "nowhere.safetensors"):
        with pytest.raises(errors.TrainingError, match=f"{name}: cannot be read"):
            network.load_pretrained(str(tmp_path / name))
