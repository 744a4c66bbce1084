"""Pillow is the oracle: what is resized a few rows at a time is what it makes of the whole."""

from unittest.mock import patch

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray
from PIL import Image

from kellgren.imaging import resize
from kellgren.imaging.resize import resized

SIDES = st.integers(1, 200)


def by_pillow(
    pixels: NDArray[np.generic], size: tuple[int, int], box: tuple[float, float, float, float]
) -> NDArray[np.float32]:
    whole = Image.fromarray(pixels.astype(np.float32))
    return np.asarray(whole.resize(size, Image.Resampling.BILINEAR, box=box))


@settings(deadline=None)
@given(
    rows=SIDES, columns=SIDES, width=SIDES, height=SIDES,
    across=st.tuples(st.floats(0, 1), st.floats(0, 1)),
    down=st.tuples(st.floats(0, 1), st.floats(0, 1)),
    kind=st.sampled_from([np.uint8, np.uint16, np.float32]),
    held=st.sampled_from([1, 1_000, 2**18]),
)  # fmt: skip
def test_a_part_is_as_pillow_resizes_it(
    rows: int,
    columns: int,
    width: int,
    height: int,
    across: tuple[float, float],
    down: tuple[float, float],
    kind: type[np.generic],
    held: int,
) -> None:
    pixels = np.random.default_rng(rows).integers(0, 256, (rows, columns)).astype(kind)
    (x0, x1), (y0, y1) = sorted(across), sorted(down)
    # Pillow keeps edges in single precision; a part has some width.
    box = (
        min(x0, 0.98) * columns, min(y0, 0.98) * rows,
        max(x1, x0 + 0.01) * columns, max(y1, y0 + 0.01) * rows,
    )  # fmt: skip
    box = (box[0], box[1], min(box[2], columns), min(box[3], rows))
    with patch.object(resize, "_FLOATS", held):
        found = resized(pixels, (width, height), box)
    assert found.dtype == np.float32
    np.testing.assert_allclose(found, by_pillow(pixels, (width, height), box), atol=0.05)


@pytest.mark.parametrize("held", [1, 2**18])
def test_a_whole_picture_is_the_same_to_the_last_digits(
    held: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(resize, "_FLOATS", held)
    pixels = np.random.default_rng(0).integers(0, 65536, (500, 300)).astype(np.uint16)
    box = (0.0, 0.0, 300.0, 500.0)
    expected = by_pillow(pixels, (97, 131), box)
    np.testing.assert_allclose(resized(pixels, (97, 131), box), expected, rtol=1e-6)
