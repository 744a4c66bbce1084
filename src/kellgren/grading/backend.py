"""What runs a graph: ONNX Runtime, or OpenVINO where lower precision is asked for."""

import importlib.util
import os
from typing import Literal, Protocol

import numpy as np
from numpy.typing import NDArray

from kellgren import errors
from kellgren.grading.bundle import FAST_MODEL, MODEL, Bundle

Precision = Literal["default", "fast"]


class Backend(Protocol):
    """A loaded graph."""

    def run(self, region: NDArray[np.float32]) -> dict[str, NDArray[np.float32]]:
        """Every output by name for standardised regions (B, 1, H, W)."""
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


def available_cores() -> int:
    """Cores that this process may use."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


class OnnxRuntime:
    """ONNX Runtime on the processor, float32."""

    def __init__(self, model: bytes, *, threads: int) -> None:
        import onnxruntime

        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = threads
        options.inter_op_num_threads = 1
        options.log_severity_level = 3  # errors; warnings about placement are no user's business
        try:
            self._session = onnxruntime.InferenceSession(
                model, options, providers=["CPUExecutionProvider"]
            )
        except Exception as error:  # its errors have no base but this
            raise errors.BundleInvalid(
                f"ONNX Runtime does not open the bundle's graph: {error}. Export it again."
            ) from error
        self._outputs = [output.name for output in self._session.get_outputs()]

    def run(self, region: NDArray[np.float32]) -> dict[str, NDArray[np.float32]]:
        """Every output by name for standardised regions (B, 1, H, W)."""
        values = self._session.run(self._outputs, {"region": region})
        return dict(zip(self._outputs, values, strict=True))


class OpenVino:
    """OpenVINO on the processor: bfloat16 where the processor multiplies it, else float32."""

    def __init__(self, model: bytes, *, threads: int) -> None:
        if importlib.util.find_spec("openvino") is None:
            raise errors.ExtraMissing("fast", "--precision fast")
        import openvino

        core = openvino.Core()
        self._compiled = core.compile_model(
            core.read_model(model, b""),
            "CPU",
            {"PERFORMANCE_HINT": "LATENCY", "INFERENCE_NUM_THREADS": threads},
        )
        self._outputs = [output.get_any_name() for output in self._compiled.outputs]
        self._request = self._compiled.create_infer_request()

    def run(self, region: NDArray[np.float32]) -> dict[str, NDArray[np.float32]]:
        """Every output by name for standardised regions (B, 1, H, W)."""
        values = self._request.infer({"region": region})
        return {
            name: np.array(values[index], dtype=np.float32)
            for index, name in enumerate(self._outputs)
        }
