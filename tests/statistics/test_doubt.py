import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.integrate import trapezoid
from sklearn.metrics import brier_score_loss

from kellgren.statistics.doubt import ranked_probability_scores, risk_coverage


def answers(seed: int, n: int = 60, classes: int = 5) -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(seed)
    return rng.integers(0, classes, n), rng.dirichlet(np.ones(classes), n)


def test_of_two_classes_it_is_the_brier_score() -> None:
    truth, probabilities = answers(0, classes=2)
    expected = brier_score_loss(truth, probabilities[:, 1])
    assert ranked_probability_scores(truth, probabilities).mean() == pytest.approx(expected)


def test_it_is_the_mean_brier_score_of_the_cuts() -> None:
    truth, probabilities = answers(1)
    cuts = [brier_score_loss(truth >= c, probabilities[:, c:].sum(axis=1)) for c in range(1, 5)]
    assert ranked_probability_scores(truth, probabilities).mean() == pytest.approx(np.mean(cuts))


def test_a_neighbour_is_better_than_a_stranger() -> None:
    certain = np.eye(5)
    scores = ranked_probability_scores(np.zeros(5, np.int64), certain)
    assert scores.tolist() == [0.0, 0.25, 0.5, 0.75, 1.0]
    # All of it mirrors: from the other end the same.
    other = ranked_probability_scores(np.full(5, 4), certain)
    assert other.tolist() == scores[::-1].tolist()


@given(st.integers(0, 2**32 - 1))
@settings(deadline=None, max_examples=40)
def test_relabelling_from_the_other_end_changes_nothing(seed: int) -> None:
    truth, probabilities = answers(seed)
    np.testing.assert_allclose(
        ranked_probability_scores(truth, probabilities),
        ranked_probability_scores(4 - truth, probabilities[:, ::-1]),
        atol=1e-12,
    )


def test_the_curve_ends_at_the_risk_of_all() -> None:
    rng = np.random.default_rng(2)
    confidence, loss = rng.random(200), (rng.random(200) < 0.3).astype(float)
    found = risk_coverage(confidence, loss)
    assert found.coverage[-1] == 1.0
    assert found.risk[-1] == pytest.approx(loss.mean())
    for share, risk in zip(found.coverage, found.risk, strict=True):
        surest = np.argsort(-confidence)[: round(share * 200)]
        assert risk == pytest.approx(loss[surest].mean())


def test_the_area_is_that_under_the_curve() -> None:
    rng = np.random.default_rng(3)
    confidence = rng.random(5000)
    loss = (rng.random(5000) > confidence).astype(float)
    found = risk_coverage(confidence, loss)
    assert found.area == pytest.approx(trapezoid(found.risk, found.coverage), abs=2e-3)
    # Who doubts where he errs leaves less than the risk of all; who does not, as much.
    assert found.area < 0.5 * loss.mean()
    blind = risk_coverage(rng.random(5000), loss)
    assert blind.area == pytest.approx(loss.mean(), abs=0.05)


def test_equals_are_answered_together_whatever_their_order() -> None:
    confidence = np.array([0.9, 0.5, 0.5, 0.5])
    loss = np.array([0.0, 1.0, 0.0, 0.0])
    one, other = (risk_coverage(confidence[o], loss[o]) for o in ([0, 1, 2, 3], [3, 2, 1, 0]))
    assert one.coverage.tolist() == other.coverage.tolist() == [0.25, 1.0]
    assert one.risk.tolist() == other.risk.tolist() == [0.0, 0.25]
    assert one.area == other.area


def test_of_nothing_there_is_no_curve_and_of_one_class_no_score() -> None:
    with pytest.raises(ValueError, match="no knees"):
        risk_coverage(np.zeros(0), np.zeros(0))
    with pytest.raises(ValueError, match="two classes"):
        ranked_probability_scores(np.zeros(2, np.int64), np.ones((2, 1)))
