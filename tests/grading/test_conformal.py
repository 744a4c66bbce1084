import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from kellgren.grading.calibration import softmax
from kellgren.grading.conformal import contiguous_sets, fit_quantile, nominal_sets

# Small whole weights give many ties, which is where sets go wrong.
WEIGHTS = st.lists(st.integers(0, 9), min_size=5, max_size=5).filter(lambda row: sum(row) > 0)
MASSES = st.integers(0, 1_000_000).map(lambda units: units / 1_000_000)


def normalised(rows: list[list[int]]) -> NDArray[np.float64]:
    weights = np.array(rows, dtype=np.float64)
    return np.asarray(weights / weights.sum(axis=1, keepdims=True))


def grown_by_hand(row: NDArray[np.float64], q: float) -> set[int]:
    """The contract's sentence, one step at a time, in whole millionths."""
    millionths = [round(float(p) * 1e6) for p in row]
    low = high = int(np.argmax(row))
    # Only all classes together reach the whole mass.
    while high - low + 1 < len(row) and (
        q == 1.0 or sum(millionths[low : high + 1]) < round(q * 1e6)
    ):
        left = row[low - 1] if low > 0 else -1.0
        right = row[high + 1] if high + 1 < len(row) else -1.0
        if left >= right:
            low -= 1
        else:
            high += 1
    return set(range(low, high + 1))


def knees(seed: int, n: int) -> tuple[NDArray[np.float64], NDArray[np.int64]]:
    rng = np.random.default_rng(seed)
    grades = rng.integers(0, 5, n)
    logits = rng.normal(size=(n, 5))
    logits[np.arange(n), grades] += 1.0
    return softmax(logits), grades


@pytest.mark.parametrize(
    ("q", "members"),
    [
        (0.0, [2]),
        (0.4, [2]),
        (0.41, [1, 2]),
        (0.65, [1, 2]),
        (0.66, [1, 2, 3]),
        (0.85, [1, 2, 3]),
        (0.86, [1, 2, 3, 4]),
        (1.0, [0, 1, 2, 3, 4]),
    ],
)
def test_a_set_stops_as_soon_as_its_mass_reaches_q(q: float, members: list[int]) -> None:
    row = [[0.05, 0.25, 0.4, 0.2, 0.1]]
    assert np.flatnonzero(contiguous_sets(row, q)[0]).tolist() == members


def test_only_a_nominal_set_jumps_over_a_class() -> None:
    row = [[0.3, 0.05, 0.5, 0.1, 0.05]]
    assert np.flatnonzero(contiguous_sets(row, 0.7)[0]).tolist() == [0, 1, 2, 3]
    assert np.flatnonzero(nominal_sets(row, 0.7)[0]).tolist() == [0, 2]


@given(st.lists(WEIGHTS, min_size=1, max_size=6), MASSES)
@settings(deadline=None)
def test_sets_are_grown_as_the_contract_says(rows: list[list[int]], q: float) -> None:
    probabilities = normalised(rows)
    sets = contiguous_sets(probabilities, q)
    assert [set(np.flatnonzero(row).tolist()) for row in sets] == [
        grown_by_hand(row, q) for row in probabilities
    ]


@given(st.lists(WEIGHTS, min_size=1, max_size=6), MASSES, MASSES)
@settings(deadline=None)
def test_sets_hold_the_most_probable_are_contiguous_and_grow(
    rows: list[list[int]], one: float, other: float
) -> None:
    probabilities = normalised(rows)
    small = contiguous_sets(probabilities, min(one, other))
    large = contiguous_sets(probabilities, max(one, other))
    assert small[np.arange(len(rows)), probabilities.argmax(axis=1)].all()
    assert (
        np.count_nonzero(np.diff(small.astype(int), axis=1, prepend=0, append=0), axis=1) == 2
    ).all()
    assert (small <= large).all()


@given(st.lists(WEIGHTS, min_size=1, max_size=6), MASSES)
@settings(deadline=None)
def test_nominal_sets_hold_the_most_probable_and_no_class_that_is_less_than_one_outside(
    rows: list[list[int]], q: float
) -> None:
    probabilities = normalised(rows)
    for row, members in zip(probabilities, nominal_sets(probabilities, q), strict=True):
        assert members[row.argmax()]
        if not members.all():
            assert row[members].min() >= row[~members].max()
            assert row[members].sum() >= q - 1e-5


@given(st.lists(WEIGHTS, min_size=1, max_size=6), MASSES)
@settings(deadline=None)
def test_a_set_can_be_recomputed_from_published_probabilities(
    rows: list[list[int]], q: float
) -> None:
    probabilities = normalised(rows)
    np.testing.assert_array_equal(
        contiguous_sets(probabilities, q), contiguous_sets(np.round(probabilities, 6), q)
    )


def test_a_batch_equals_its_rows() -> None:
    probabilities, _ = knees(0, 20)
    together = contiguous_sets(probabilities, 0.8)
    alone = [contiguous_sets(row[None], 0.8)[0] for row in probabilities]
    np.testing.assert_array_equal(together, alone)


@given(
    st.lists(st.tuples(WEIGHTS, st.integers(0, 4)), min_size=2, max_size=30),
    st.sampled_from([0.5, 0.68, 0.8, 0.9]),
    st.booleans(),
)
@settings(deadline=None)
def test_of_any_knees_left_out_in_turn_enough_are_covered(
    pairs: list[tuple[list[int], int]], coverage: float, ordinal: bool
) -> None:
    """Exchangeability without chance: the promise of split conformal prediction, exactly."""
    probabilities = normalised([row for row, _ in pairs])
    grades = np.array([grade for _, grade in pairs])
    sets = contiguous_sets if ordinal else nominal_sets
    hits = 0
    for index in range(len(pairs)):
        others = np.arange(len(pairs)) != index
        q = fit_quantile(probabilities[others], grades[others], coverage=coverage, ordinal=ordinal)
        hits += int(sets(probabilities[[index]], q)[0, grades[index]])
    assert hits >= math.ceil(coverage * len(pairs) - 1e-9)


@given(st.integers(0, 2**32 - 1), st.sampled_from([0.5, 0.8, 0.9]), st.booleans())
@settings(deadline=None, max_examples=25)
def test_q_is_the_smallest_that_covers_enough_of_its_own_knees(
    seed: int, coverage: float, ordinal: bool
) -> None:
    probabilities, grades = knees(seed, 60)
    q = fit_quantile(probabilities, grades, coverage=coverage, ordinal=ordinal)
    wanted = math.ceil(61 * coverage - 1e-9)
    sets = contiguous_sets if ordinal else nominal_sets

    def hits(mass: float) -> int:
        return int(sets(probabilities, mass)[np.arange(60), grades].sum())

    assert hits(q) >= wanted
    if q > 0.0:
        assert hits(q - 1e-6) < wanted


def test_coverage_of_new_knees_is_the_promised_on_average() -> None:
    shares = []
    for seed in range(300):
        probabilities, grades = knees(seed, 140)
        q = fit_quantile(probabilities[:40], grades[:40], coverage=0.8)
        new = contiguous_sets(probabilities[40:], q)
        shares.append(float(new[np.arange(100), grades[40:]].mean()))
    # The mean of 300 shares has a standard error of about 0.004; the upper end is 1 / (n + 1) more.
    assert 0.79 < np.mean(shares) < 0.8 + 1 / 41 + 0.01


def test_too_few_knees_promise_by_every_class_only() -> None:
    probabilities, grades = knees(5, 9)
    assert fit_quantile(probabilities[:8], grades[:8], coverage=0.9) == 1.0
    assert contiguous_sets(probabilities, 1.0).all()
    # ceil(10 · 0.9) = 9 knees are enough.
    right = probabilities.argmax(axis=1)
    assert fit_quantile(probabilities, right, coverage=0.9) == 0.0


def test_certainty_does_not_empty_the_whole_set() -> None:
    assert contiguous_sets([[1.0, 0.0, 0.0]], 1.0).all()
    assert contiguous_sets([[1.0, 0.0, 0.0]], 0.999999).tolist() == [[True, False, False]]


def test_rounding_does_not_raise_the_rank() -> None:
    # 75 · 0.68 is 51.00000000000001 in floating point; the 51st smallest is meant.
    probabilities = np.tile([0.6, 0.3, 0.1], (74, 1))
    grades = np.array([0] * 51 + [2] * 23)
    assert fit_quantile(probabilities, grades, coverage=0.68) == 0.0


@pytest.mark.parametrize("coverage", [0.0, 1.0, 90.0])
def test_a_coverage_is_a_share(coverage: float) -> None:
    with pytest.raises(ValueError, match="coverage"):
        fit_quantile([[0.5, 0.5]], [0], coverage=coverage)


@pytest.mark.parametrize("q", [-0.1, 1.1, float("nan")])
def test_a_mass_is_a_share(q: float) -> None:
    with pytest.raises(ValueError, match="mass"):
        contiguous_sets([[0.5, 0.5]], q)


@pytest.mark.parametrize("row", [[2.0, -1.0], [float("nan"), 1.0], [1.2, 0.0]])
def test_logits_are_not_probabilities(row: list[float]) -> None:
    with pytest.raises(ValueError, match="probabilities"):
        contiguous_sets([row], 0.5)
