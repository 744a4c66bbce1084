"""Sets and quantiles beside MAPIE's, where both promise the same.

MAPIE has no contiguous sets and no score by the mass before a class, but comes to both: its naive
sets stop as ours do, and its adaptive score is randomised, from the mass with the class down to the
mass before it. Where every class's neighbours are less probable the farther they are from the most
probable one, a contiguous set takes classes as a nominal one does.
"""

from collections.abc import Callable

import numpy as np
import pytest
from mapie.classification import SplitConformalClassifier
from mapie.conformity_scores import APSConformityScore, NaiveConformityScore
from numpy.typing import NDArray
from sklearn.base import BaseEstimator, ClassifierMixin

from kellgren.grading.conformal import contiguous_sets, fit_quantile, nominal_sets

Sets = Callable[[NDArray[np.float64], float], NDArray[np.bool_]]

MILLIONTH = 1e-6


class Told(ClassifierMixin, BaseEstimator):  # type: ignore[misc] # scikit-learn has no types
    """Says the probabilities that it is given."""

    def __init__(self) -> None:
        self.classes_ = np.arange(5)

    def fit(self, x: NDArray[np.float64], y: NDArray[np.int64]) -> "Told":
        del x, y
        return self

    def predict_proba(self, x: NDArray[np.float64]) -> NDArray[np.float64]:
        return x

    def predict(self, x: NDArray[np.float64]) -> NDArray[np.int64]:
        return np.asarray(x.argmax(axis=1))


class Share(np.random.RandomState):
    """Takes the same share of a class off every score, instead of one drawn anew."""

    def __init__(self, share: float) -> None:
        super().__init__(0)
        self.share = share

    def uniform(  # type: ignore[override] # all that MAPIE asks for
        self, low: float = 0.0, high: float = 1.0, size: tuple[int, ...] | int = ()
    ) -> NDArray[np.float64]:
        return np.full(size, low + self.share * (high - low))


def drawn(seed: int, n: int, *, unimodal: bool) -> tuple[NDArray[np.float64], NDArray[np.int64]]:
    """Probabilities of six decimals, no two alike in a row, and grades drawn by them."""
    rng = np.random.default_rng(seed)
    probabilities = rng.dirichlet(np.full(5, 0.8), 3 * n)
    if unimodal:
        for row, mode in zip(probabilities, rng.integers(0, 5, len(probabilities)), strict=True):
            *lesser, most = np.sort(row)
            below = rng.permutation(np.arange(4) < mode)
            left, right = np.array(lesser)[below], np.array(lesser)[~below]
            row[:] = np.concatenate([left, [most], right[::-1]])
    millionths = np.rint(probabilities * 1e6).astype(np.int64)
    largest = millionths.argmax(axis=1)
    millionths[np.arange(len(millionths)), largest] += 1_000_000 - millionths.sum(axis=1)
    good = [len(set(row.tolist())) == 5 and row.min() > 0 for row in millionths]
    kept = millionths[good][:n] / 1e6
    assert len(kept) == n
    return kept, np.array([rng.choice(5, p=row) for row in kept])


@pytest.mark.parametrize("q", [0.05, 0.5, 0.734512, 0.9, 0.99])
@pytest.mark.parametrize(("sets", "unimodal"), [(nominal_sets, False), (contiguous_sets, True)])
def test_a_set_of_a_given_mass_is_mapies_naive_one(sets: Sets, unimodal: bool, q: float) -> None:
    probabilities, grades = drawn(1, 400, unimodal=unimodal)
    theirs = SplitConformalClassifier(
        Told(), confidence_level=q, conformity_score=NaiveConformityScore()
    )
    _, members = theirs.conformalize(probabilities, grades).predict_set(probabilities)
    ours = sets(probabilities, q)
    np.testing.assert_array_equal(ours, members[:, :, 0])
    assert 1 <= ours.sum(axis=1).min() <= ours.sum(axis=1).max() <= 5


def test_where_the_most_probable_class_is_enough_both_give_it_alone() -> None:
    held_back, grades = drawn(2, 61, unimodal=False)
    theirs = SplitConformalClassifier(
        Told(),
        confidence_level=0.5,
        conformity_score=APSConformityScore(),
        random_state=Share(1.0),
    ).conformalize(held_back, grades)
    _, members = theirs.predict_set(
        held_back, conformity_score_params={"include_last_label": "randomized"}
    )
    assert fit_quantile(held_back, grades, coverage=0.5, ordinal=False) == 0.0
    np.testing.assert_array_equal(nominal_sets(held_back, 0.0), members[:, :, 0])


@pytest.mark.parametrize(("coverage", "n"), [(0.7, 61), (0.8, 140), (0.9, 150), (0.95, 333)])
@pytest.mark.parametrize(("sets", "unimodal"), [(nominal_sets, False), (contiguous_sets, True)])
def test_fitted_sets_are_mapies_of_the_mass_before_a_class(
    sets: Sets, unimodal: bool, coverage: float, n: int
) -> None:
    held_back, grades = drawn(2, n, unimodal=unimodal)
    score = APSConformityScore()
    theirs = SplitConformalClassifier(
        Told(), confidence_level=coverage, conformity_score=score, random_state=Share(1.0)
    ).conformalize(held_back, grades)
    new, _ = drawn(3, 500, unimodal=unimodal)
    _, members = theirs.predict_set(
        new, conformity_score_params={"include_last_label": "randomized"}
    )
    q = fit_quantile(held_back, grades, coverage=coverage, ordinal=unimodal)
    # A class is in where the mass before it is below q, there where it is not above: the millionth.
    before = float(np.ravel(score.quantiles_)[0])
    assert before > 0.0
    assert q == pytest.approx(before + MILLIONTH, abs=1e-12)
    ours = sets(new, q)
    np.testing.assert_array_equal(ours, members[:, :, 0])
    # Or nothing was compared but full sets.
    assert len(set(ours.sum(axis=1).tolist())) > 1


def test_the_score_with_the_class_is_valid_too_but_its_sets_are_wider() -> None:
    """Why the score is the mass before: decision 6, on MAPIE's own sets of the mass with."""

    held_back, grades = drawn(4, 400, unimodal=False)
    new, _ = drawn(5, 1000, unimodal=False)
    theirs = SplitConformalClassifier(
        Told(),
        confidence_level=0.8,
        conformity_score=APSConformityScore(),
        random_state=Share(0.0),
    ).conformalize(held_back, grades)
    _, members = theirs.predict_set(new, conformity_score_params={"include_last_label": True})
    q = fit_quantile(held_back, grades, coverage=0.8, ordinal=False)
    ours = nominal_sets(new, q)
    assert (ours <= members[:, :, 0]).all()
    assert ours.sum() < members[:, :, 0].sum()
