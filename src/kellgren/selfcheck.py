"""The checks of ``kellgren check``: does this installation read, load and grade as it should."""

import io
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from kellgren import errors
from kellgren.anatomy import Laterality
from kellgren.bundles.record import R, Verified
from kellgren.bundles.store import shipped
from kellgren.datasets.phantom import draw_knee, sample_knee
from kellgren.grading import Grader, load_bundle
from kellgren.imaging import Radiograph, cut_region, whole_picture
from kellgren.imaging.dicom import decode_dicom
from kellgren.imaging.dicom.examples import EXAMPLES, Example
from kellgren.imaging.raster import decode_raster
from kellgren.localise import load_localiser

TOLERANCE = 1e-3
"""Chosen: ten times what ONNX Runtime's kernels differ by from processor to processor."""


@dataclass(frozen=True, slots=True)
class Finding:
    """One check and how it went."""

    name: str
    passed: bool
    detail: str


def run_checks() -> Iterator[Finding]:
    """Every check, each reported as soon as it is done."""
    picture = check_picture()
    for kind, lossless in (("PNG", True), ("TIFF", True), ("WEBP", False), ("JPEG", False)):
        yield _try(f"reads {kind}", partial(_decoder, picture, kind, lossless=lossless))
    for example in EXAMPLES:
        found = _try(f"reads DICOM, {example.name}", partial(_dicom_decoder, example))
        if not found.passed:
            remedy = f"Mend it with: pip install --force-reinstall {example.package}"
            found = replace(found, detail=f"{found.detail.rstrip('.')}. {remedy}")
        yield found
    if not shipped("grader"):
        yield Finding(
            "bundles",
            passed=False,
            detail="none ships, so nothing is graded without --bundle. Install kellgren again.",
        )
    for name in shipped("localiser"):
        yield _try(f"localiser {name}", partial(_localiser, name))
    for name in shipped("grader"):
        yield _try(f"bundle {name}", partial(_bundle, name))
        yield _try(f"grade of {name}", partial(_grade, name))


def _try(name: str, check: Callable[[], str]) -> Finding:
    try:
        return Finding(name, True, check())
    except Exception as error:
        # Whatever goes wrong is the finding.
        return Finding(name, False, f"{type(error).__name__}: {error}")


def _decoder(picture: NDArray[np.uint8], kind: str, *, lossless: bool) -> str:
    stream = io.BytesIO()
    Image.fromarray(picture).save(stream, kind)
    decoded = decode_raster(stream.getvalue(), f"check.{kind.lower()}").pixels
    return _compared(decoded, picture, lossless=lossless)


def _dicom_decoder(example: Example) -> str:
    decoded = decode_dicom(example.path.read_bytes(), example.file).pixels
    return _compared(decoded, example.pixels, lossless=example.lossless)


def _compared(
    decoded: NDArray[np.generic], expected: NDArray[np.generic], *, lossless: bool
) -> str:
    if decoded.shape != expected.shape:
        raise ValueError(f"decoded pixels are {decoded.shape}, not {expected.shape}")
    off = float(np.abs(decoded.astype(int) - expected.astype(int)).mean())
    if off > (0.0 if lossless else 4.0):
        raise ValueError(f"decoded pixels are off by {off:.1f} levels on average")
    return "exact" if lossless else f"within {off:.1f} levels"


def _bundle(name: str) -> str:
    return _verified(load_bundle(name))


def _localiser(name: str) -> str:
    return _verified(load_localiser(name))


def _verified(loaded: Verified[R]) -> str:
    # Nothing vouches for the record but its own hash, which a reader can compare with a published
    # one; of the overlays' length.
    return f"{loaded.record.version}, its files match its record (sha256 {loaded.sha256[:12]})"


def check_picture() -> NDArray[np.uint8]:
    """The phantom that every bundle is asked about, a right knee."""
    return draw_knee(sample_knee(np.random.default_rng(0), kl=3, laterality=Laterality.RIGHT))


def answers(grader: Grader) -> dict[str, tuple[float, ...]]:
    """What a grader says of the phantom: probabilities by task."""
    spec = grader.bundle.record.region
    film = Radiograph(check_picture(), "0" * 64)
    region = cut_region(film, whole_picture(film, spec), spec)
    graded = grader.grade(region, Laterality.RIGHT)
    return {task: prediction.probabilities for task, prediction in graded.predictions.items()}


_REMEDY = "Use none of its grades; mend it with: pip install --force-reinstall kellgren onnxruntime"


def _classes(said: Mapping[str, Sequence[float]]) -> str:
    return ", ".join(f"{task} in {len(said[task])} classes" for task in sorted(said))


def _grade(name: str) -> str:
    grader = Grader(load_bundle(name))
    expected = grader.bundle.record.self_test
    found = answers(grader)
    asked, told = _classes(found), _classes(expected)
    if asked != told:
        raise errors.BundleInvalid(
            f"{name}: grades the sample by {asked}, its record expected {told or 'nothing'}. "
            f"{_REMEDY}"
        )
    off = max(float(np.abs(np.subtract(found[task], expected[task])).max()) for task in found)
    if off > TOLERANCE:
        raise errors.BundleInvalid(
            f"{name}: a probability of the sample is off by {off:.4f} from its record's; at most "
            f"{TOLERANCE} is allowed. {_REMEDY}"
        )
    return f"as exported, within {off:.6f}"
