"""The small files that show whether decoders work hold what they should, and are no film."""

import numpy as np
import pytest
from pydicom import dcmread
from pydicom.uid import (
    JPEG2000Lossless,
    JPEGBaseline8Bit,
    JPEGLosslessSV1,
    JPEGLSLossless,
    RLELossless,
)

from kellgren.imaging import read_film
from kellgren.imaging.dicom.examples import EXAMPLES, TOP, Example, picture

SYNTAXES = {RLELossless, JPEGBaseline8Bit, JPEGLosslessSV1, JPEGLSLossless, JPEG2000Lossless}


def test_there_is_one_for_each_way_to_compress_and_they_weigh_nothing() -> None:
    assert {dcmread(each.path).file_meta.TransferSyntaxUID for each in EXAMPLES} == SYNTAXES
    assert len(EXAMPLES) == len(SYNTAXES)
    assert sum(each.path.stat().st_size for each in EXAMPLES) < 10_000
    folder = EXAMPLES[0].path.parent
    assert {path.name for path in folder.glob("*.dcm")} == {each.file for each in EXAMPLES}


@pytest.mark.parametrize("example", EXAMPLES, ids=lambda example: example.file)
def test_each_holds_the_picture(example: Example) -> None:
    film = read_film(example.path)
    assert film.synthetic
    off = np.abs(film.pixels.astype(int) - example.pixels)
    assert off.mean() < (1e-9 if example.lossless else 2.0)
    assert off.max() <= (0 if example.lossless else 10)


def test_the_picture_tells_every_way_to_turn_it_from_the_others() -> None:
    values = picture()
    assert (values.min(), values.max()) == (0, TOP)
    assert values.shape[0] != values.shape[1]
    ways = [values[::down, ::across] for down in (1, -1) for across in (1, -1)]
    for index, one in enumerate(ways):
        for other in ways[index + 1 :]:
            assert np.abs(one.astype(int) - other).mean() > 100
