import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from numpy.typing import NDArray

from kellgren.grading.attention import normalised, upsampled

few = settings(max_examples=40, deadline=None)
MAPS = arrays(np.float32, (4, 6), elements=st.floats(0.0, 1000.0, width=32))


@few
@given(MAPS, st.floats(0.125, 8.0, width=32), st.floats(0.0, 100.0, width=32))
def test_a_map_fills_its_range_whatever_its_scale(
    activation: NDArray[np.float32], factor: float, offset: float
) -> None:
    found = normalised(activation)
    assert found.dtype == np.float32
    if activation.max() == activation.min():
        assert not found.any()
        return
    assert (found.min(), found.max()) == (0.0, 1.0)
    assert found.flat[activation.argmax()] == 1.0
    # Numbers far above the map's range would round it away.
    if np.ptp(activation) > 1.0:
        moved = activation * np.float32(factor) + np.float32(offset)
        np.testing.assert_allclose(normalised(moved), found, atol=2e-3)


@few
@given(MAPS, st.integers(1, 40), st.integers(1, 40))
def test_an_upsampled_map_stays_within_its_range(
    activation: NDArray[np.float32], rows: int, columns: int
) -> None:
    found = upsampled(normalised(activation), (rows, columns))
    assert found.shape == (rows, columns)
    assert found.dtype == np.float32
    assert found.min() >= 0.0
    assert found.max() <= 1.0


@few
@given(MAPS)
def test_upsampling_and_mirroring_may_change_places(activation: NDArray[np.float32]) -> None:
    attention = normalised(activation)
    mirrored = np.ascontiguousarray(attention[:, ::-1])
    np.testing.assert_allclose(
        upsampled(mirrored, (32, 48)), upsampled(attention, (32, 48))[:, ::-1], atol=1e-5
    )


def test_an_upsampled_map_reaches_from_edge_to_edge() -> None:
    # A cell covers its own part of the picture: the middle of the spot stays where it was.
    attention = np.zeros((4, 4), dtype=np.float32)
    attention[0, 3] = 1.0
    found = upsampled(attention, (64, 64))
    row, column = np.unravel_index(found.argmax(), found.shape)
    assert row < 16
    assert column >= 48
    assert found[:16, 48:].sum() > found.sum() / 2
