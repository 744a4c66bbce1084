"""numpy is the oracle, to the last bit."""

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from kellgren.imaging.percentiles import percentiles


@settings(max_examples=100, deadline=None)
@given(
    seed=st.integers(0, 2**31 - 1),
    size=st.integers(1, 5_000),
    whole=st.booleans(),
    shares=st.tuples(st.floats(0.0, 50.0), st.floats(50.0, 100.0)),
)
def test_they_are_numpys(seed: int, size: int, whole: bool, shares: tuple[float, float]) -> None:
    values = np.random.default_rng(seed).uniform(0, 4095, size).astype(np.float32)
    values = np.rint(values) if whole else values
    assert percentiles(values, shares) == tuple(np.percentile(values, shares))
