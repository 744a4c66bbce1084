"""Numbers beside one another, and points of a curve."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.metrics import roc_auc_score, roc_curve

from kellgren.statistics.claims.comparisons import (
    Bound,
    check_bound,
    check_intervals,
    check_multiple,
    check_quotient,
    check_same,
)
from kellgren.statistics.claims.operating import check_roc_point, check_youden
from kellgren.statistics.claims.rounding import Printed
from kellgren.statistics.claims.verdict import Outcome

F, C, N, X = Outcome.FOLLOWS, Outcome.CONSISTENT, Outcome.NOT_CHECKABLE, Outcome.CONTRADICTS
P, E = Printed.rounded, Printed.exact


@pytest.mark.parametrize(
    ("values", "outcome"),
    [
        (("0.835", "0.83"), F),  # a tie
        (("0.835", "0.84", "0.8"), F),
        (("0.836", "0.83"), X),
        (("0.83", "0.83"), F),
        (("0.83", "0.84"), X),  # 0.835 is rounded one way in one paper
    ],
)
def test_one_number_in_many_places(values: tuple[str, ...], outcome: Outcome) -> None:
    assert check_same([P(value) for value in values]).outcome is outcome


def test_different_counts_are_not_the_same() -> None:
    assert check_same([E(300), E(300)]).outcome is F
    assert check_same([E(300), E(299)]).outcome is X


def test_same_within_rounding_only() -> None:
    # A number of two decimals between 82.5 and 83.5 may be 0.834 or 0.835 of a share.
    tens, halves = P("143e2"), Printed("14,100 to 14,275", P("14187.5").value, P("175").value)
    assert check_same([tens, halves]).outcome is C


@pytest.mark.parametrize(
    ("relation", "outcome"), [("more_than", C), ("at_least", F), ("less_than", C), ("at_most", F)]
)
def test_a_bound_that_is_met_at_its_edge(relation: Bound, outcome: Outcome) -> None:
    found = check_bound(P("0.87"), P("0.87"), relation=relation)
    assert found.outcome is outcome
    assert found.published == f"{relation.replace('_', ' ')} 0.87"


def test_the_bound_itself_is_not_rounded() -> None:
    assert check_bound(P("0.864"), P("0.87"), relation="at_least").outcome is X
    assert check_bound(E(300), E(300), relation="at_least").outcome is F


def test_estimates_and_their_intervals() -> None:
    (reading,) = check_intervals(
        [
            ("inside", P("0.82"), P("0.80"), P("0.84")),
            ("edge", P("0.838"), P("0.80"), P("0.83")),
            ("outside", P("0.85"), P("0.80"), P("0.83")),
        ]
    )
    assert [row.outcome for row in reading.rows] == [F, X, X]
    (reading,) = check_intervals([("edge", P("0.834"), P("0.80"), P("0.83"))])
    assert reading.outcome is C


def test_ends_in_shares_beside_a_percentage_are_a_second_reading() -> None:
    rows = [
        ("KL", P("66.68"), P("0.66"), P("0.67")),
        ("FO", P("63.58"), P("62.46"), P("64.84")),
    ]
    printed, mended = check_intervals(rows)
    assert [row.outcome for row in printed.rows] == [X, F]
    assert [row.outcome for row in mended.rows] == [F, F]


def test_quotients() -> None:
    assert check_quotient(E(140), E(310), P("0.45")).outcome is F
    assert check_quotient(E(140), E(300), P("0.45")).outcome is X
    assert check_quotient(P("140.4"), E(310), P("0.4531")).outcome is C


@pytest.mark.parametrize(
    ("value", "of", "outcome", "recomputed"),
    [
        (E(250_000), E(500), F, "500 of 500"),
        (E(14_300), E(300), X, "47 of 300 and 200 over"),
        (P("143e2"), P("3e2"), N, ""),
        (P("14.9"), P("5.00"), X, "2 of 5.00 and 4.9 over"),
        (P("14.99"), P("5.00"), C, "2 of 5.00 and 4.99 over"),
    ],
)
def test_multiples(value: Printed, of: Printed, outcome: Outcome, recomputed: str) -> None:
    found = check_multiple(value, of)
    assert (found.outcome, found.recomputed) == (outcome, recomputed)


def test_multiples_may_have_a_limit() -> None:
    assert check_multiple(E(48_500), E(500), at_most=E(50_000)).outcome is F
    found = check_multiple(E(50_500), E(500), at_most=E(50_000))
    assert (found.outcome, found.recomputed) == (X, "more than 50,000")


def test_youden_within_rounding_alone() -> None:
    assert check_youden(P("97"), P("88"), P("0.85")).outcome is F
    assert check_youden(P("0.97"), P("0.88"), P("0.85")).outcome is F
    assert check_youden(P("96"), P("75"), P("0.70")).outcome is C
    assert check_youden(P("96"), P("75"), P("0.69")).outcome is X


def test_youden_of_whole_counts_leaves_less_to_rounding() -> None:
    # 5 of 10 and 3 of 4 make 0.25; rounding alone would allow 0.24.
    assert check_youden(P("50"), P("75"), P("0.25"), cases=(10, 4)).outcome is F
    assert check_youden(P("50"), P("75"), P("0.24"), cases=(10, 4)).outcome is X
    assert check_youden(P("50"), P("75"), P("0.24")).outcome is C
    found = check_youden(P("55"), P("75"), P("0.30"), cases=(10, 4))
    assert found.outcome is X
    assert "no whole count of 10" in found.note


@given(st.integers(1, 60), st.integers(1, 60), st.data())
@settings(deadline=None, max_examples=50)
def test_a_true_j_is_never_contradicted(
    positives: int, negatives: int, data: st.DataObject
) -> None:
    sensitivity = data.draw(st.integers(0, positives)) / positives
    specificity = data.draw(st.integers(0, negatives)) / negatives
    found = check_youden(
        P(f"{100 * sensitivity:.0f}"),
        P(f"{100 * specificity:.0f}"),
        P(f"{sensitivity + specificity - 1:.2f}"),
        cases=(positives, negatives),
    )
    assert found.outcome in {F, C}


@given(st.integers(0, 2**32 - 1), st.integers(4, 60))
@settings(deadline=None, max_examples=40)
def test_no_point_of_a_curve_contradicts_its_area(seed: int, n: int) -> None:
    rng = np.random.default_rng(seed)
    truth = np.arange(n) % 2
    scores = np.round(rng.normal(truth * rng.uniform(0, 2), 1.0), 1)
    area = roc_auc_score(truth, scores)
    false, true, _ = roc_curve(truth, scores, drop_intermediate=False)
    for x, y in zip(false, true, strict=True):
        found = check_roc_point(P(f"{y:.2f}"), P(f"{1 - x:.2f}"), P(f"{area:.2f}"))
        assert found.outcome in {F, C}


def test_an_area_that_no_curve_through_the_point_has() -> None:
    assert check_roc_point(P("90.0"), P("80.0"), P("0.71")).outcome is X
    assert check_roc_point(P("90.0"), P("80.0"), P("0.72")).outcome is C
    assert check_roc_point(P("90.0"), P("80.0"), P("0.98")).outcome is C
    assert check_roc_point(P("90.0"), P("80.0"), P("0.99")).outcome is X
    assert check_roc_point(P("100.0"), P("100.0"), P("1.00")).outcome is F
