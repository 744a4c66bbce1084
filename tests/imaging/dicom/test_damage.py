"""Whatever was cut off or flipped, there is a film or an error that has a name."""

import subprocess
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray
from pydicom.uid import (
    UID,
    DeflatedExplicitVRLittleEndian,
    ExplicitVRBigEndian,
    ExplicitVRLittleEndian,
    ImplicitVRLittleEndian,
    JPEG2000Lossless,
    JPEGBaseline8Bit,
    JPEGLosslessSV1,
    JPEGLSLossless,
    RLELossless,
)

from kellgren import errors
from kellgren.imaging import Radiograph, decode_film
from kellgren.imaging.dicom import pixels

Make = Callable[..., bytes]
Smooth = Callable[..., NDArray[Any]]

INSIDE = (
    ImplicitVRLittleEndian,
    ExplicitVRLittleEndian,
    ExplicitVRBigEndian,
    DeflatedExplicitVRLittleEndian,
    RLELossless,
    JPEGBaseline8Bit,
    JPEG2000Lossless,
)
APART = (JPEGLosslessSV1, JPEGLSLossless)
"""Decoded in a process of their own, which takes its time."""

Flips = st.lists(st.tuples(st.floats(0.0, 0.999), st.integers(0, 255)), min_size=1, max_size=12)


def found_in(content: bytes) -> Radiograph | errors.KellgrenError:
    """Nothing else may come of it."""
    try:
        film = decode_film(content, "film.dcm")
    except errors.KellgrenError as error:
        return error
    assert film.pixels.min() < film.pixels.max()
    return film


def spoilt(content: bytes, flips: list[tuple[float, int]]) -> bytes:
    changed = bytearray(content)
    for share, value in flips:
        changed[int(len(changed) * share)] = value
    return bytes(changed)


def fixtures(examples: int) -> settings:
    return settings(
        max_examples=examples,
        deadline=None,
        # The fixtures are functions, and the same for all examples.
        suppress_health_check=[HealthCheck.function_scoped_fixture],
    )


@pytest.mark.parametrize("syntax", [*INSIDE, *APART], ids=lambda syntax: syntax.keyword)
@given(share=st.floats(0.0, 1.0))
@fixtures(30)
def test_a_file_that_was_cut_is_an_error(
    example: Callable[[UID], bytes], syntax: UID, share: float
) -> None:
    content = example(syntax)
    # The last four bytes say that nothing follows; nobody misses them.
    error = found_in(content[: min(int(len(content) * share), len(content) - 5)])
    assert isinstance(error, errors.InputError)
    assert str(error).startswith("film.dcm: ")


@pytest.mark.parametrize("syntax", INSIDE, ids=lambda syntax: syntax.keyword)
@given(flips=Flips)
@fixtures(40)
def test_a_file_that_was_damaged_is_a_film_or_an_error(
    example: Callable[[UID], bytes], syntax: UID, flips: list[tuple[float, int]]
) -> None:
    found_in(spoilt(example(syntax), flips))


@pytest.mark.parametrize("syntax", APART, ids=lambda syntax: syntax.keyword)
@given(flips=Flips)
@fixtures(10)
def test_a_codestream_that_kills_its_decoder_kills_nothing_else(
    example: Callable[[UID], bytes],
    monkeypatch: pytest.MonkeyPatch,
    syntax: UID,
    flips: list[tuple[float, int]],
) -> None:
    # Some would take GDCM for ever.
    monkeypatch.setattr(pixels, "_SECONDS", 5.0)
    content = example(syntax)
    found_in(content[:700] + spoilt(content[700:], flips))


@given(st.binary(max_size=300), st.sampled_from(["", "preamble", "little", "big", "meta"]))
@fixtures(100)
def test_noise_is_an_error(noise: bytes, start: str) -> None:
    content = {
        "": noise,
        "preamble": bytes(128) + b"DICM" + noise,
        "little": b"\x08\0\x08\0" + noise,
        "big": b"\0\x08\0\x08" + noise,
        "meta": b"\x02\0\x10\0UI\x12\x001.2.840.10008.1.2\0" + noise,
    }[start]
    assert isinstance(found_in(content), errors.InputError)


@pytest.mark.parametrize("share", [0.3, 0.6, 0.9])
def test_codes_that_end_early_are_no_film(
    make_dataset: Callable[..., Any],
    make_lossless_jpeg: Make,
    compress: Make,
    smooth: Smooth,
    share: float,
) -> None:
    # libjpeg would fill the rest and go on.
    codestream = make_lossless_jpeg(smooth(12), 12)
    cut = codestream[: int(len(codestream) * share)] + b"\xff\xd9"
    content = compress(make_dataset(smooth(12), 12), cut, JPEGLosslessSV1)
    assert isinstance(found_in(content), errors.FileTruncated)


def test_a_decoder_that_finds_no_end_is_stopped(
    example: Callable[[UID], bytes], monkeypatch: pytest.MonkeyPatch
) -> None:
    def late(*_: object, timeout: float, **__: object) -> None:
        assert 10.0 < timeout < 60.0
        raise subprocess.TimeoutExpired("gdcm", timeout)

    monkeypatch.setattr(subprocess, "run", late)
    assert isinstance(found_in(example(JPEGLosslessSV1)), errors.FileTruncated)


def test_a_decoder_that_does_not_start_may_another_time(
    example: Callable[[UID], bytes], monkeypatch: pytest.MonkeyPatch
) -> None:
    def refused(*_: object, **__: object) -> None:
        raise BlockingIOError(11, "Resource temporarily unavailable")

    monkeypatch.setattr(subprocess, "run", refused)
    error = found_in(example(JPEGLosslessSV1))
    assert isinstance(error, errors.FileUnreadable)
    assert error.retry
    assert "temporarily" in str(error)


def test_memory_that_is_not_there_is_no_damage(
    example: Callable[[UID], bytes], monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*_: object, **__: object) -> None:
        raise MemoryError

    monkeypatch.setattr("kellgren.imaging.dicom.decode.densities", full)
    assert isinstance(found_in(example(ExplicitVRLittleEndian)), errors.FileUnreadable)


def test_damage_inside_a_jpeg_2000_is_bounded(example: Callable[[UID], bytes]) -> None:
    content = example(JPEG2000Lossless)
    start = content.index(b"\xff\x4f\xff\x51")
    random = np.random.default_rng(0)
    for place in random.integers(start + 4, start + 60, 40):
        found_in(content[:place] + bytes((int(random.integers(256)),)) + content[place + 1 :])
