"""Both backends run a bundle's graph under the names that it gives its outputs."""

import numpy as np
import onnx
import pytest
import torch

from kellgren.anatomy import KL
from kellgren.bundles.store import MODEL
from kellgren.grading import Bundle
from kellgren.grading.backend import open_backend
from kellgren.networks.export import write_onnx
from kellgren.networks.siamese import DeepSiamese

pytestmark = pytest.mark.usefixtures("one_thread")


@pytest.mark.parametrize("explained", [True, False])
def test_openvino_names_one_members_outputs_as_the_graph_does(
    bundle: Bundle, explained: bool
) -> None:
    pytest.importorskip("openvino", reason="the extra 'fast' is not installed")
    side = bundle.record.region.size_px
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(0)
        network = DeepSiamese(width=4, patch_px=112, offset_px=56)
        region = torch.randn(2, 1, side, side).numpy()
    model = write_onnx([network], task=KL.name, size_px=side, explained=explained)
    alone = Bundle(bundle.record, bundle.sha256, {MODEL: model})
    backend = open_backend(alone, precision="fast", threads=1)
    fast = backend.run(region=region)
    slow = open_backend(alone, precision="default", threads=1).run(region=region)
    named = [output.name for output in onnx.load_from_string(model).graph.output]
    assert list(fast) == list(slow) == named
    for name, values in slow.items():
        # bfloat16 has eight bits of mantissa.
        np.testing.assert_allclose(fast[name], values, rtol=0, atol=0.05 * float(np.ptp(values)))
    # One region alone is another shape, compiled for itself, and the first shape stays.
    one = backend.run(region=region[1:])
    again = backend.run(region=region)
    for name, values in fast.items():
        np.testing.assert_array_equal(again[name], values)
        np.testing.assert_allclose(one[name], values[1:], rtol=0, atol=0.05 * float(np.ptp(values)))
