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

TAGS: dict[str, object] = {
    "PixelSpacing": [0.15, 0.15],
    "ImageLaterality": "R",
    "WindowCenter": [2000, 100],
    "WindowWidth": [4000, 50],
    "PixelPaddingValue": 0,
}

Flips = st.lists(st.tuples(st.floats(0.0, 0.999), st.integers(0, 255)), min_size=1, max_size=12)


def found_in(content: bytes) -> Radiograph | errors.KellgrenError:
    """Nothing else may come of it."""
    try:
        film = decode_film(content, "film.dcm")
    except errors.KellgrenError as error:
        assert str(error).startswith("film.dcm: ")
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
@fixtures(40)
def test_a_file_that_was_cut_is_an_error(
    make_film: Make, smooth: Smooth, syntax: UID, share: float
) -> None:
    bits = 8 if syntax == JPEGBaseline8Bit else 12
    content = make_film(smooth(bits), bits, syntax, **TAGS)
    cut = content[: min(int(len(content) * share), len(content) - 1)]
    if syntax == DeflatedExplicitVRLittleEndian and len(content) % 2 == 0:
        # What is missing may be the padding.
        cut = cut[:-1]
    assert isinstance(found_in(cut), errors.InputError)


@pytest.mark.parametrize("syntax", INSIDE, ids=lambda syntax: syntax.keyword)
@given(flips=Flips)
@fixtures(60)
def test_a_file_that_was_damaged_is_a_film_or_an_error(
    make_film: Make, smooth: Smooth, syntax: UID, flips: list[tuple[float, int]]
) -> None:
    bits = 8 if syntax == JPEGBaseline8Bit else 12
    found_in(spoilt(make_film(smooth(bits), bits, syntax, **TAGS), flips))


@pytest.mark.parametrize("syntax", APART, ids=lambda syntax: syntax.keyword)
@given(flips=Flips)
@fixtures(12)
def test_a_codestream_that_kills_its_decoder_kills_nothing_else(
    make_film: Make, smooth: Smooth, syntax: UID, flips: list[tuple[float, int]]
) -> None:
    content = make_film(smooth(12), 12, syntax, **TAGS)
    found_in(content[:600] + spoilt(content[600:], flips))


@given(st.binary(max_size=300), st.sampled_from(["", "preamble", "little", "big", "meta"]))
@fixtures(150)
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
    make_film: Make, smooth: Smooth, monkeypatch: pytest.MonkeyPatch
) -> None:
    def late(*_: object, timeout: float, **__: object) -> None:
        assert 10.0 < timeout < 60.0
        raise subprocess.TimeoutExpired("gdcm", timeout)

    content = make_film(smooth(12), 12, JPEGLosslessSV1)
    monkeypatch.setattr(subprocess, "run", late)
    assert isinstance(found_in(content), errors.FileTruncated)


def test_damage_inside_a_jpeg_2000_is_bounded(make_film: Make, smooth: Smooth) -> None:
    content = make_film(smooth(12), 12, JPEG2000Lossless)
    start = content.index(b"\xff\x4f\xff\x51")
    random = np.random.default_rng(0)
    for place in random.integers(start + 4, start + 60, 40):
        found_in(content[:place] + bytes((int(random.integers(256)),)) + content[place + 1 :])
