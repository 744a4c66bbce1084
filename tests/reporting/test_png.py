import io

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as nps
from numpy.typing import NDArray
from PIL import Image

from kellgren.reporting.png import png_bytes

PIXELS = nps.arrays(np.uint8, st.tuples(st.integers(1, 9), st.integers(1, 9), st.just(3)))


@given(PIXELS)
def test_pillow_reads_what_was_written(pixels: NDArray[np.uint8]) -> None:
    content = png_bytes(Image.fromarray(pixels), texts={"Disclaimer": "Research use only."})
    picture = Image.open(io.BytesIO(content))
    picture.verify()
    picture = Image.open(io.BytesIO(content))
    np.testing.assert_array_equal(np.asarray(picture), pixels)
    assert picture.info == {"Disclaimer": "Research use only."}


def test_other_modes_are_refused() -> None:
    with pytest.raises(ValueError, match="RGB"):
        png_bytes(Image.new("L", (4, 4)), texts={})
