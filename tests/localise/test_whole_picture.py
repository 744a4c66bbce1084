import numpy as np
import pytest

from kellgren.anatomy import Laterality
from kellgren.imaging import Radiograph, RegionSpec, cut_region
from kellgren.localise import Localiser, WholePicture

SPEC = RegionSpec(side=None, side_unit="whole_picture", size_px=64)
FINDER: Localiser = WholePicture()


def film(rows: int, columns: int) -> Radiograph:
    values = np.random.default_rng(0).integers(0, 255, (rows, columns), dtype=np.uint8)
    return Radiograph(values, "0" * 64)


@pytest.mark.parametrize("shape", [(64, 64), (100, 40), (299, 300), (33, 1000)])
def test_the_region_reaches_from_edge_to_edge(shape: tuple[int, int]) -> None:
    picture = film(*shape)
    (found,) = FINDER.find(picture, SPEC, laterality=None)
    assert found.frame.edges == pytest.approx((0.0, 0.0, shape[1], shape[0]))
    assert found.scale_source == "whole_picture"
    assert found.gate.graded
    assert found.confidence is None
    region = cut_region(picture, found.frame, SPEC)
    assert region.on_film == 1.0


@pytest.mark.parametrize("said", [Laterality.LEFT, Laterality.RIGHT])
def test_a_side_that_was_said_is_the_users(said: Laterality) -> None:
    (found,) = FINDER.find(film(64, 64), SPEC, laterality=said)
    assert (found.laterality, found.laterality_source) == (said, "user")


@pytest.mark.parametrize("said", [None, Laterality.UNKNOWN])
def test_no_side_is_guessed(said: Laterality | None) -> None:
    (found,) = FINDER.find(film(64, 64), SPEC, laterality=said)
    assert (found.laterality, found.laterality_source) == (Laterality.UNKNOWN, "unknown")
