"""ONNX Runtime, as all rooms use it."""

import os

import numpy as np
from numpy.typing import NDArray

from kellgren import errors


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

    def run(self, **inputs: NDArray[np.float32]) -> dict[str, NDArray[np.float32]]:
        """Every output by name for the graph's inputs by name."""
        values = self._session.run(self._outputs, inputs)
        return dict(zip(self._outputs, values, strict=True))
