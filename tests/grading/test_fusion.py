import numpy as np
import pytest
import scipy.special
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from numpy.typing import NDArray

from kellgren.grading.calibration import softmax
from kellgren.grading.fusion import Fusion, fuse

FUSIONS: tuple[Fusion, ...] = ("sum_logits", "mean_logits", "mean_probabilities")
# On a busy machine any example may take its time.
unhurried = settings(max_examples=50, deadline=None)
LOGITS = arrays(np.float64, (2, 3, 5), elements=st.floats(-30.0, 30.0))


@unhurried
@given(LOGITS)
def test_each_fusion_is_what_scipy_says(logits: NDArray[np.float64]) -> None:
    oracles = {
        "sum_logits": scipy.special.softmax(logits.sum(axis=1), axis=-1),
        "mean_logits": scipy.special.softmax(logits.mean(axis=1), axis=-1),
        "mean_probabilities": scipy.special.softmax(logits, axis=-1).mean(axis=1),
    }
    for fusion in FUSIONS:
        np.testing.assert_allclose(softmax(fuse(logits, fusion)), oracles[fusion], atol=1e-12)


@unhurried
@given(LOGITS, st.permutations(range(3)), st.sampled_from(FUSIONS))
def test_the_order_of_the_members_does_not_matter(
    logits: NDArray[np.float64], order: list[int], fusion: Fusion
) -> None:
    np.testing.assert_allclose(fuse(logits[:, order], fusion), fuse(logits, fusion), atol=1e-9)


@unhurried
@given(LOGITS, st.sampled_from(("mean_logits", "mean_probabilities")))
def test_a_mean_of_equal_members_is_one_of_them(
    logits: NDArray[np.float64], fusion: Fusion
) -> None:
    one = logits[:, :1]
    np.testing.assert_allclose(
        softmax(fuse(np.repeat(one, 4, axis=1), fusion)), softmax(one[:, 0]), atol=1e-12
    )


@pytest.mark.parametrize("fusion", FUSIONS)
def test_logits_too_far_apart_for_floats_stay_finite(fusion: Fusion) -> None:
    logits = np.array([[[1000.0, -1000.0], [1000.0, 999.0]]], dtype=np.float32)
    fused = fuse(logits, fusion)
    assert np.isfinite(fused).all()
    assert fused.argmax() == 0
