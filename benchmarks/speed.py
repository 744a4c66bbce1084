"""Speed and memory, side by side in one run. Prints; asserts nothing.

The reference is frozen: the shipped bundle's networks in eager float32 PyTorch, two threads, one
knee at a time from JPEG to maps, features under inference mode, one backward pass for the shown
class.
"""

import argparse
import importlib.util
import io
import os
import platform
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import numpy as np
import psutil
import torch
from PIL import Image

from kellgren.anatomy import Laterality
from kellgren.datasets.phantom import draw_knee, sample_knee
from kellgren.grading import Grader, load_bundle
from kellgren.imaging import Region, cut_region, standardise, whole_picture
from kellgren.imaging.raster import decode_raster
from kellgren.networks.siamese import DeepSiamese
from kellgren.systems import SYSTEMS

THREADS = 2
KELLGREN = str(Path(sys.executable).parent / "kellgren")


def main() -> None:
    """Run everything and print one table."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--knees", type=int, default=60, help="timed for each median")
    parser.add_argument("--folder", type=int, default=2000, help="pictures in the folder test")
    options = parser.parse_args()
    torch.set_num_threads(THREADS)
    flags = ", ".join(sorted(_processor_flags())) or "none"
    print(f"{platform.processor() or platform.machine()}, {os.cpu_count()} cores; of note: {flags}")

    films = [_jpeg(seed) for seed in range(20)]
    contenders: dict[str, Callable[[bytes], object]] = {
        "reference (torch, eager)": Reference().grade,
        "default (ONNX Runtime)": Runtime("default").grade,
        "reading and cutting alone": _region,
    }
    if importlib.util.find_spec("openvino") is not None:
        contenders["fast (OpenVINO)"] = Runtime("fast").grade
    medians = _interleaved(contenders, films, options.knees)
    reference = medians["reference (torch, eager)"]
    print("\nOne knee, JPEG to grades and attention, laterality given, nothing written")
    for name, seconds in medians.items():
        print(f"  {name:28} {seconds * 1e3:7.2f} ms   {reference / seconds:5.2f} x")

    print("\nStarting")
    print(f"  import kellgren              {_python('import kellgren'):7.2f} s")
    print(f"  interpreter alone            {_python('pass'):7.2f} s")
    with _folder(1) as one:
        print(f"  kellgren grade --cropped one {_grade(one / '00000.jpg')[0]:7.2f} s")

    own = Runtime("default").networks_alone(films, options.knees)
    with _folder(options.folder) as folder:
        seconds, peak, early = _grade(folder, "--json", "--laterality", "right")
    each = seconds / options.folder
    print(f"\nA folder of {options.folder} with --json")
    print(f"  {each * 1e3:.2f} ms a knee, of them the networks {own * 1e3:.2f}: {each / own:.2f} x")
    print(f"  memory at a quarter {early:.0f} MB, at most {peak:.0f} MB")


class Reference:
    """What a peer's script does, at its best."""

    def __init__(self) -> None:
        system = SYSTEMS["tiulpin2018"]
        self.networks: list[DeepSiamese] = []
        for seed in range(3):
            torch.manual_seed(seed)
            network = system.build(system.default_variant, "modern")
            assert isinstance(network, DeepSiamese)
            self.networks.append(network.eval())

    def grade(self, content: bytes) -> tuple[np.ndarray, np.ndarray]:
        """Probabilities, and the map of the shown class by one backward pass."""
        spec = SPEC
        pixels = standardise(_region(content).pixels, spec)
        region = torch.from_numpy(pixels)[None, None]
        with torch.inference_mode():
            features = [network.features(region) for network in self.networks]
        leaves = [[maps.clone().requires_grad_() for maps in pair] for pair in features]
        logits = sum(n.classify(*pair) for n, pair in zip(self.networks, leaves, strict=True))
        assert isinstance(logits, torch.Tensor)
        logits[0, int(logits.argmax())].backward()  # type: ignore[no-untyped-call]
        maps = [self._map(*pair) for pair in leaves]
        return logits.softmax(1).detach().numpy(), torch.stack(maps).sum(0).numpy()

    @staticmethod
    def _map(lateral: torch.Tensor, medial: torch.Tensor) -> torch.Tensor:
        halves = []
        for maps in (lateral, medial):
            assert maps.grad is not None
            weights = maps.grad.mean((-2, -1), keepdim=True)
            halves.append((weights * maps.detach()).sum(1).relu())
        return torch.cat([halves[0], halves[1].flip(-1)], dim=-1)


class Runtime:
    """What ships."""

    def __init__(self, precision: str) -> None:
        assert precision in {"default", "fast"}
        fast = precision == "fast"
        self.grader = Grader(
            load_bundle(), precision="fast" if fast else "default", threads=THREADS
        )

    def grade(self, content: bytes) -> object:
        """Grades, sets and attention."""
        return self.grader.grade(_region(content), Laterality.RIGHT)

    def networks_alone(self, films: list[bytes], times: int) -> float:
        """Median seconds of the graph itself."""
        regions = [_region(content) for content in films]
        taken = []
        for index in range(times):
            began = time.perf_counter()
            self.grader.outputs([regions[index % len(regions)]])
            taken.append(time.perf_counter() - began)
        return statistics.median(taken)


SPEC = SYSTEMS["tiulpin2018"].recipes["modern"].region


def _region(content: bytes) -> Region:
    film = decode_raster(content, "benchmark")
    return cut_region(film, whole_picture(film, SPEC), SPEC)


def _jpeg(seed: int) -> bytes:
    stream = io.BytesIO()
    picture = draw_knee(sample_knee(np.random.default_rng(seed), laterality=Laterality.RIGHT))
    Image.fromarray(picture).save(stream, "JPEG", quality=92)
    return stream.getvalue()


def _interleaved(
    contenders: dict[str, Callable[[bytes], object]], films: list[bytes], times: int
) -> dict[str, float]:
    """Medians of calls taken in turns, so that a busy moment meets all alike."""
    taken: dict[str, list[float]] = {name: [] for name in contenders}
    for index in range(times + 5):
        for name, run in contenders.items():
            began = time.perf_counter()
            run(films[index % len(films)])
            if index >= 5:  # warm
                taken[name].append(time.perf_counter() - began)
    return {name: statistics.median(values) for name, values in taken.items()}


@contextmanager
def _folder(number: int) -> Iterator[Path]:
    films = [_jpeg(seed) for seed in range(min(number, 100))]
    with tempfile.TemporaryDirectory() as name:
        for index in range(number):
            (Path(name) / f"{index:05}.jpg").write_bytes(films[index % len(films)])
        yield Path(name)


def _grade(path: Path, *options: str) -> tuple[float, float, float]:
    """Seconds, peak and early resident megabytes of one command."""
    began = time.perf_counter()
    command = [KELLGREN, "grade", "--cropped", str(path), *options]
    with subprocess.Popen(command, stdout=subprocess.DEVNULL) as process:
        watched = psutil.Process(process.pid)
        sizes = []
        while process.poll() is None:
            try:
                sizes.append(watched.memory_info().rss / 1e6)
            except psutil.NoSuchProcess:
                break
            time.sleep(0.02)
        seconds = time.perf_counter() - began
    sizes = sizes or [0.0]
    return seconds, max(sizes), sizes[len(sizes) // 4]


def _python(statement: str) -> float:
    taken = []
    for _ in range(5):
        began = time.perf_counter()
        subprocess.run([sys.executable, "-c", statement], check=True)
        taken.append(time.perf_counter() - began)
    return statistics.median(taken)


def _processor_flags() -> set[str]:
    path = Path("/proc/cpuinfo")
    words = set(path.read_text().split()) if path.exists() else set()
    return words & {"avx2", "avx512f", "avx512_bf16", "avx512_vnni", "amx_bf16", "amx_int8"}


if __name__ == "__main__":
    main()
