"""Who takes part. Each has a process of its own, see `serve`, and imports only what it needs."""

import importlib.util
from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import Final

import numpy as np
from numpy.typing import NDArray

from kellgren.anatomy import KL, Laterality
from kellgren.grading import Grader, Precision, load_bundle
from kellgren.grading.backend import open_backend
from kellgren.imaging import Region, RegionSpec, cut_region, standardise, whole_picture
from kellgren.imaging.raster import decode_raster

THREADS = 2
"""Of every contender, as of the reference."""

Job = Callable[[], object]
"""What is timed. Who grades returns the probabilities, a sequence of numbers."""


class Contender(ABC):
    """A way to do some work for one knee."""

    @abstractmethod
    def job(self, content: bytes, laterality: Laterality) -> Job:
        """Prepare the work on a picture file's bytes, which its call then does."""


class Reading(Contender):
    """Decoding and cutting alone, which all graders share."""

    def __init__(self) -> None:
        self.spec = load_bundle().record.region

    def job(self, content: bytes, laterality: Laterality) -> Job:
        """Everything up to what a network sees."""
        return lambda: network_input(content, laterality, self.spec)


class Runtime(Contender):
    """What ships: grades, sets and attention."""

    def __init__(self, precision: Precision) -> None:
        self.grader = Grader(load_bundle(), precision=precision, threads=THREADS)

    def job(self, content: bytes, laterality: Laterality) -> Job:
        """Everything from the file's bytes on."""
        return lambda: self.answer(content, laterality)

    def answer(self, content: bytes, laterality: Laterality) -> tuple[float, ...]:
        """Probabilities; the grader gives the rest beside them."""
        region = _cut(content, self.grader.bundle.record.region)
        return self.grader.grade(region, laterality).predictions[KL.name].probabilities


class Networks(Contender):
    """The graph alone, its input in memory."""

    def __init__(self, precision: Precision) -> None:
        bundle = load_bundle()
        self.spec = bundle.record.region
        self.backend = open_backend(bundle, precision=precision, threads=THREADS)

    def job(self, content: bytes, laterality: Laterality) -> Job:
        """The graph's run on one region."""
        pixels = network_input(content, laterality, self.spec)
        return lambda: self.backend.run(region=pixels)


def network_input(content: bytes, laterality: Laterality, spec: RegionSpec) -> NDArray[np.float32]:
    """What networks see of a picture file's bytes, (1, 1, H, W)."""
    region = _cut(content, spec)
    turned = region if laterality == spec.mirror_to else region.mirror()
    return standardise(turned.pixels, spec)[None, None]


def _cut(content: bytes, spec: RegionSpec) -> Region:
    """The region as the film shows it."""
    film = decode_raster(content, "benchmark")
    return cut_region(film, whole_picture(film, spec), spec)


def _reference() -> Contender:
    from benchmarks.reference import Reference

    return Reference()


def _torch(*, bfloat16: bool) -> Contender:
    from benchmarks.reference import WithoutBackward

    return WithoutBackward(bfloat16=bfloat16)


REFERENCE: Final = "reference: torch, eager, backward"
DEFAULT: Final = "default: ONNX Runtime"
FAST: Final = "fast: OpenVINO"
DEFAULT_NETWORKS: Final = "networks of default, alone"
FAST_NETWORKS: Final = "networks of fast, alone"

CONTENDERS: Mapping[str, Callable[[], Contender]] = MappingProxyType(
    {
        REFERENCE: _reference,
        "torch, no backward": lambda: _torch(bfloat16=False),
        "torch, no backward, bfloat16": lambda: _torch(bfloat16=True),
        DEFAULT: lambda: Runtime("default"),
        FAST: lambda: Runtime("fast"),
        DEFAULT_NETWORKS: lambda: Networks("default"),
        FAST_NETWORKS: lambda: Networks("fast"),
        "reading and cutting, alone": Reading,
    }
)
"""In the order of their turns."""

GRADERS = tuple(CONTENDERS)[:5]
"""Those whose answers can be compared."""


def present() -> tuple[str, ...]:
    """The contenders whose libraries are installed."""
    without = set() if importlib.util.find_spec("openvino") else {FAST, FAST_NETWORKS}
    return tuple(name for name in CONTENDERS if name not in without)
