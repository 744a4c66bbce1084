"""What runs a graph: ONNX Runtime, or OpenVINO where lower precision is asked for."""

import importlib.util
from collections.abc import Callable, Mapping
from typing import Literal, Protocol

import numpy as np
from numpy.typing import NDArray

from kellgren import errors
from kellgren.bundles.runtime import OnnxRuntime, available_cores
from kellgren.bundles.store import FAST_MODEL, MODEL
from kellgren.grading.bundle import Bundle

Precision = Literal["default", "fast"]

Shapes = tuple[tuple[str, tuple[int, ...]], ...]
"""Input name and its shape, for each input."""

Infer = Callable[[Mapping[str, NDArray[np.float32]]], Mapping[int, NDArray[np.float32]]]
"""A compiled graph: inputs by name → outputs by place."""


class Backend(Protocol):
    """A loaded graph."""

    def run(self, **inputs: NDArray[np.float32]) -> dict[str, NDArray[np.float32]]:
        """Every output by name for the graph's inputs by name: ``region`` (B, 1, H, W)."""
        ...


def open_backend(bundle: Bundle, *, precision: Precision, threads: int | None) -> Backend:
    """Load a bundle's graph.

    Parameters
    ----------
    precision
        ``default`` is float32; ``fast`` lets the processor use its short formats.
    threads
        Of one inference; None means the processor's cores.

    Raises
    ------
    ExtraMissing
        ``fast`` without OpenVINO.
    """
    count = threads or available_cores()
    if precision == "fast":
        return OpenVino(bundle.contents.get(FAST_MODEL, bundle.contents[MODEL]), threads=count)
    return OnnxRuntime(bundle.contents[MODEL], threads=count)


class OpenVino:
    """OpenVINO on the processor: bfloat16 where the processor multiplies it, else float32.

    A graph of fixed shape runs a fifth faster, so it is compiled once for each number of regions
    that comes: one where the side is known, two where it is not.
    """

    def __init__(self, model: bytes, *, threads: int) -> None:
        if importlib.util.find_spec("openvino") is None:
            raise errors.ExtraMissing("fast", "--precision fast")
        import openvino

        self._core = openvino.Core()
        self._graph = self._core.read_model(model, b"")
        # compiling may give an output the names of what was folded into it as well
        self._outputs = [output.get_any_name() for output in self._graph.outputs]
        self._settings = {"PERFORMANCE_HINT": "LATENCY", "INFERENCE_NUM_THREADS": threads}
        self._infer: dict[Shapes, Infer] = {}

    def run(self, **inputs: NDArray[np.float32]) -> dict[str, NDArray[np.float32]]:
        """Every output by name for the graph's inputs by name: ``region`` (B, 1, H, W)."""
        shapes = tuple((name, value.shape) for name, value in inputs.items())
        if shapes not in self._infer:
            self._infer[shapes] = self._compiled(shapes)
        values = self._infer[shapes](inputs)
        return {
            name: np.array(values[index], dtype=np.float32)
            for index, name in enumerate(self._outputs)
        }

    def _compiled(self, shapes: Shapes) -> Infer:
        graph = self._graph.clone()
        graph.reshape({name: list(shape) for name, shape in shapes})
        compiled = self._core.compile_model(graph, "CPU", self._settings)
        infer: Infer = compiled.create_infer_request().infer
        return infer
