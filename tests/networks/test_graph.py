"""The graph that ships says what the networks said, and explains it as Grad-CAM would."""

import functools
from typing import NamedTuple

import numpy as np
import onnx
import onnxruntime
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray
from torch import Tensor, nn
from torch.nn import functional

from kellgren.anatomy import KL, Laterality
from kellgren.datasets.phantom import draw_knee, sample_knee
from kellgren.grading import Grader
from kellgren.imaging import Radiograph, cut_region, whole_picture
from kellgren.networks.export import cell_side, write_onnx
from kellgren.networks.siamese import DeepSiamese

pytestmark = pytest.mark.usefixtures("one_thread")


class Geometry(NamedTuple):
    side: int
    patch: int
    first_row: int
    feature: int
    cell: int


PAPER = Geometry(side=300, patch=128, first_row=100, feature=10, cell=4)
MODERN = Geometry(side=224, patch=112, first_row=56, feature=8, cell=14)
of_geometries = pytest.mark.parametrize("geometry", [PAPER, MODERN], ids=["paper", "modern"])
CLASSES = len(KL.classes)


@functools.cache
def members(geometry: Geometry, *, shared: bool = True) -> tuple[DeepSiamese, ...]:
    """Two untaught networks whose batch norms have seen something, with heads of both signs."""
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(geometry.side)
        found = []
        for _ in range(2):
            network = DeepSiamese(
                width=4, shared=shared, patch_px=geometry.patch, offset_px=geometry.first_row
            )
            for module in network.modules():
                if isinstance(module, nn.BatchNorm2d):
                    nn.init.uniform_(module.weight, 0.5, 1.5)
                    nn.init.normal_(module.bias, std=0.5)
                    module.running_mean = torch.randn(module.num_features) * 0.3
                    module.running_var = torch.rand(module.num_features) + 0.5
            nn.init.normal_(network.head.weight)
            nn.init.normal_(network.head.bias)
            found.append(network.eval())
    return tuple(found)


@functools.cache
def graph(geometry: Geometry) -> bytes:
    return write_onnx(members(geometry), task=KL.name, size_px=geometry.side, explained=True)


def answers(model: bytes, region: Tensor) -> dict[str, NDArray[np.float32]]:
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = 1
    session = onnxruntime.InferenceSession(model, options, providers=["CPUExecutionProvider"])
    names = [output.name for output in session.get_outputs()]
    return dict(zip(names, session.run(names, {"region": region.numpy()}), strict=True))


def noise(geometry: Geometry, n: int, *, seed: int = 0) -> Tensor:
    generator = torch.Generator().manual_seed(seed)
    return torch.randn(n, 1, geometry.side, geometry.side, generator=generator)


@of_geometries
@pytest.mark.parametrize("n", [1, 3])
def test_the_graph_gives_each_members_logits(geometry: Geometry, n: int) -> None:
    region = noise(geometry, n)
    with torch.no_grad():
        expected = torch.stack([member(region) for member in members(geometry)], dim=1)
    logits = answers(graph(geometry), region)["logits/kl"]
    assert logits.shape == (n, 2, CLASSES)
    np.testing.assert_allclose(logits, expected, rtol=0, atol=1e-4)
    assert np.ptp(logits) > 0.1  # they do say something


@of_geometries
def test_a_batch_is_its_elements(geometry: Geometry) -> None:
    region = noise(geometry, 3)
    together = answers(graph(geometry), region)
    for index in range(3):
        alone = answers(graph(geometry), region[index : index + 1])
        for name, values in together.items():
            np.testing.assert_allclose(alone[name][0], values[index], rtol=0, atol=1e-4)


def test_the_graph_follows_the_contract() -> None:
    model = onnx.load_from_string(graph(MODERN))
    onnx.checker.check_model(model)
    assert [item.version for item in model.opset_import if item.domain == ""] == [18]
    (region,) = model.graph.input
    shape = [axis.dim_param or axis.dim_value for axis in region.type.tensor_type.shape.dim]
    assert (region.name, shape) == ("region", ["batch", 1, 224, 224])
    assert region.type.tensor_type.elem_type == onnx.TensorProto.FLOAT
    assert [output.name for output in model.graph.output] == ["logits/kl", "attention/kl"]
    # Folded batch norms: the shipped graph cannot be one that still learns.
    assert not {"BatchNormalization", "Dropout"} & {node.op_type for node in model.graph.node}


def grad_cam(network: DeepSiamese, region: Tensor, grade: int) -> tuple[Tensor, Tensor]:
    """Selvaraju 2016 (arXiv:1610.02391, equations 1 and 2) by autograd, a map for each patch.

    The networks' own `attention` is not used: only the maps of the last convolution, and the
    gradient of one logit.
    """
    lateral, medial = (maps.detach().requires_grad_() for maps in network.features(region))
    logit = network.classify(lateral, medial)[:, grade].sum()
    weights = torch.autograd.grad(logit, (lateral, medial))
    return tuple(  # type: ignore[return-value] # of two
        (weight.mean((-2, -1), keepdim=True) * maps).sum(1).relu().detach()
        for weight, maps in zip(weights, (lateral, medial), strict=True)
    )


def pasted(lateral: Tensor, medial: Tensor, geometry: Geometry) -> Tensor:
    """Both maps where their patches lie in the region, on the grid's cells."""
    cells, grid = geometry.patch // geometry.cell, geometry.side // geometry.cell
    first = geometry.first_row // geometry.cell
    whole = torch.zeros(lateral.shape[0], grid, grid)
    for maps, columns in ((lateral, slice(0, cells)), (medial.flip(-1), slice(-cells, None))):
        fitted = functional.interpolate(
            maps[:, None], size=(cells, cells), mode="bilinear", align_corners=False
        )
        whole[:, first : first + cells, columns] += fitted[:, 0]
    return whole


@of_geometries
def test_attention_is_grad_cam(geometry: Geometry) -> None:
    region = noise(geometry, 2, seed=1)
    found = answers(graph(geometry), region)["attention/kl"]
    grid = geometry.side // geometry.cell
    assert found.shape == (2, CLASSES, grid, grid)
    seen = 0
    for grade in range(CLASSES):
        expected = torch.stack(
            [pasted(*grad_cam(m, region, grade), geometry) for m in members(geometry)]
        ).sum(0)
        # The graph leaves out the constant that min–max would take away again: pooling's 1/(h·w).
        scaled = expected * geometry.feature**2
        np.testing.assert_allclose(found[:, grade], scaled, rtol=1e-4, atol=1e-4)
        seen += bool(scaled.max() > 0.01)
    assert seen >= 3  # a grade may have no positive evidence anywhere


@of_geometries
def test_attention_is_nowhere_outside_the_patches(geometry: Geometry) -> None:
    attention = answers(graph(geometry), noise(geometry, 2))["attention/kl"]
    first = geometry.first_row // geometry.cell
    last = first + geometry.patch // geometry.cell
    assert not attention[:, :, :first].any()
    assert not attention[:, :, last:].any()
    assert attention[:, :, first:last].any()
    between = slice(geometry.patch // geometry.cell, -(geometry.patch // geometry.cell))
    assert not attention[..., between].any()


def test_what_is_seen_on_one_side_is_explained_on_that_side() -> None:
    # A bright spot at the outer edge of either patch moves attention there and not to the other.
    still = torch.zeros(1, 1, MODERN.side, MODERN.side)
    calm = answers(graph(MODERN), still)["attention/kl"]
    for columns, outer in ((slice(20, 40), slice(0, 5)), (slice(184, 204), slice(11, 16))):
        spot = still.clone()
        spot[..., 90:130, columns] = 5.0
        change = np.abs(answers(graph(MODERN), spot)["attention/kl"] - calm).sum(axis=(0, 1, 2))
        assert change[outer].sum() > 0.99 * change.sum() > 0.0


def test_separate_branches_are_exported_as_they_are() -> None:
    networks = members(MODERN, shared=False)
    region = noise(MODERN, 2)
    with torch.no_grad():
        expected = torch.stack([member(region) for member in networks], dim=1)
    model = write_onnx(networks, task="kl", size_px=MODERN.side, explained=False)
    found = answers(model, region)
    assert found.keys() == {"logits/kl"}
    np.testing.assert_allclose(found["logits/kl"], expected, rtol=0, atol=1e-4)


def test_only_siamese_networks_explain_themselves_exactly() -> None:
    with pytest.raises(ValueError, match="Siamese"):
        write_onnx([nn.Flatten()], task="kl", size_px=32, explained=True)


@pytest.mark.parametrize("geometry", [PAPER, MODERN], ids=["paper", "modern"])
def test_cells_of_the_published_geometries(geometry: Geometry) -> None:
    side = cell_side(
        geometry.side,
        patch_px=geometry.patch,
        offset_px=geometry.first_row,
        feature_px=geometry.feature,
    )
    assert side == geometry.cell


@given(st.integers(1, 40), st.integers(1, 40), st.integers(0, 40), st.integers(0, 40), st.data())
def test_cells_divide_the_geometry_and_coarsen_nothing(
    unit: int, patch: int, above: int, more: int, data: st.DataObject
) -> None:
    size, patch_px, offset_px = unit * (patch + more), unit * patch, unit * above
    feature_px = data.draw(st.integers(1, patch_px))

    def fits(cell: int) -> bool:
        return (
            all(length % cell == 0 for length in (size, patch_px, offset_px))
            and patch_px // cell >= feature_px
        )

    side = cell_side(size, patch_px=patch_px, offset_px=offset_px, feature_px=feature_px)
    assert fits(side)
    assert not any(fits(larger) for larger in range(side + 1, patch_px + 1))


def test_a_mirrored_film_of_the_other_side_is_the_same_knee(
    grader: Grader,
) -> None:
    spec = grader.bundle.record.region
    different = 0.0
    for seed in range(6):
        pixels = draw_knee(
            sample_knee(np.random.default_rng(seed), laterality=Laterality.RIGHT), size_px=230
        )
        films = [Radiograph(p, "0" * 64) for p in (pixels, np.fliplr(pixels).copy())]
        right, left = (cut_region(film, whole_picture(film, spec), spec) for film in films)
        of_right = grader.grade(right, Laterality.RIGHT)
        of_left = grader.grade(left, Laterality.LEFT)
        np.testing.assert_allclose(
            of_left.predictions["kl"].probabilities,
            of_right.predictions["kl"].probabilities,
            rtol=0,
            atol=1e-4,
        )
        assert of_left.attention is not None
        assert of_right.attention is not None
        np.testing.assert_allclose(
            np.fliplr(of_left.attention), of_right.attention, rtol=0, atol=1e-3
        )
        wrong = grader.grade(left, Laterality.RIGHT).predictions["kl"].probabilities
        off = np.subtract(wrong, of_right.predictions["kl"].probabilities)
        different = max(different, float(np.abs(off).max()))
    assert different > 0.01  # the side does matter
