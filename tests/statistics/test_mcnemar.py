"""Tests of shares of right answers: statsmodels, published examples, robust regression."""

from collections.abc import Callable

import numpy as np
import pytest
from numpy.typing import NDArray
from scipy import stats
from statsmodels.regression.linear_model import OLS
from statsmodels.stats.contingency_tables import mcnemar as their_mcnemar
from two_readers import knees

from kellgren.statistics.comparison import (
    McNemar,
    Variant,
    clustered_mcnemar,
    mcnemar,
)


def right(
    both: int, first: int, second: int, neither: int
) -> tuple[NDArray[np.bool_], NDArray[np.bool_]]:
    """Right answers of two readers with these numbers of knees, one a patient."""
    pairs = [(1, 1)] * both + [(1, 0)] * first + [(0, 1)] * second + [(0, 0)] * neither
    one, other = np.array(pairs, dtype=np.bool_).T
    return one, other


def alone(n: int) -> NDArray[np.str_]:
    return np.array([f"P{number:04}" for number in range(n)])


@pytest.mark.parametrize(("first", "second"), [(5, 14), (14, 5), (3, 4), (0, 6), (60, 90)])
@pytest.mark.parametrize("variant", ["exact", "chi2"])
def test_mcnemar_is_that_of_statsmodels(first: int, second: int, variant: Variant) -> None:
    table = right(20, first, second, 7)
    found = mcnemar(*table, alone(27 + first + second), variant=variant)
    theirs = their_mcnemar(
        [[20, first], [second, 7]], exact=variant == "exact", correction=variant == "chi2"
    )
    assert found.p == pytest.approx(theirs.pvalue)
    if variant == "chi2":
        assert found.chi2 == pytest.approx(theirs.statistic)
    assert (found.first_only, found.second_only, found.status) == (first, second, "ok")


def test_mid_p_of_the_published_example() -> None:
    # Fagerland, Lydersen and Laake 2013, Table 1 (airway hyper-responsiveness): 1, 1, 7, 12.
    table = right(1, 1, 7, 12)
    assert mcnemar(*table, alone(21), variant="exact").p == pytest.approx(0.0703, abs=5e-5)
    assert mcnemar(*table, alone(21), variant="mid-p").p == pytest.approx(0.0391, abs=5e-5)


def test_mid_p_of_equal_numbers_as_its_authors_have_it() -> None:
    # Their supplement: 1 - 0.5 times the probability of what was observed.
    found = mcnemar(*right(3, 4, 4, 3), alone(14))
    assert found.p == pytest.approx(1.0 - 0.5 * stats.binom.pmf(4, 8, 0.5))
    assert mcnemar(*right(3, 4, 4, 3), alone(14), variant="chi2").p == 1.0


def test_with_one_knee_each_the_clustered_test_is_the_plain_one() -> None:
    n = 80
    table = right(30, 25, 13, 12)
    found = clustered_mcnemar(*table, alone(n))
    plain = their_mcnemar([[30, 25], [13, 12]], exact=False, correction=False)
    assert found.chi2 == pytest.approx((n - 1) / n * plain.statistic)
    # The interval of a mean of -1, 0 and 1.
    signs = table[0].astype(float) - table[1]
    error = stats.norm.ppf(0.975) * stats.sem(signs)
    assert (found.low, found.high) == pytest.approx((0.15 - error, 0.15 + error))


def test_the_clustered_error_is_that_of_robust_regression() -> None:
    k = knees(18, 60)
    keep = np.random.default_rng(19).random(120) < 0.8
    first, second = (given[keep] == k.truth[keep] for given in (k.first, k.second))
    patients = k.patients[keep]
    found = clustered_mcnemar(first, second, patients)
    signs = first.astype(float) - second
    groups = np.unique(patients, return_inverse=True)[1]
    fit = OLS(signs, np.ones(len(signs))).fit(cov_type="cluster", cov_kwds={"groups": groups})
    assert found.estimate == pytest.approx(fit.params[0])
    assert (found.low, found.high) == pytest.approx(tuple(fit.conf_int()[0]))
    # Obuchowski's statistic, in Yang's form, in numbers of a loop.
    names = np.unique(patients)
    b = np.array([((patients == p) & first & ~second).sum() for p in names])
    c = np.array([((patients == p) & second & ~first).sum() for p in names])
    chi2 = (len(names) - 1) / len(names) * (b - c).sum() ** 2 / ((b - c) ** 2).sum()
    assert found.chi2 == pytest.approx(chi2)
    assert found.p == pytest.approx(stats.chi2.sf(chi2, 1))


def test_doubling_every_knee_moves_the_plain_test_only() -> None:
    first, second = right(30, 25, 13, 12)
    patients = alone(80)
    twice = np.repeat(first, 2), np.repeat(second, 2)
    once = clustered_mcnemar(first, second, patients)
    doubled = clustered_mcnemar(*twice, np.repeat(patients, 2))
    assert (doubled.chi2, doubled.low) == pytest.approx((once.chi2, once.low))
    assert mcnemar(*twice, np.repeat(patients, 2)).p < mcnemar(first, second, patients).p


@pytest.mark.parametrize("test", [mcnemar, clustered_mcnemar])
def test_a_reader_never_better_than_himself(test: Callable[..., McNemar]) -> None:
    k = knees(20, 40)
    answers = k.truth == k.first
    found = test(answers, answers, k.patients)
    assert (found.estimate, found.p, found.status) == (0.0, 1.0, "never_differ")
    assert np.isnan([found.low, found.high]).all()


def test_a_test_for_many_patients_refuses_ten() -> None:
    k = knees(21, 10)
    found = clustered_mcnemar(k.truth == k.first, k.truth == k.second, k.patients)
    assert found.status == "few_patients"
    assert np.isnan([found.p, found.low, found.high]).all()


def test_where_all_speak_alike_an_interval_of_no_width_is_withheld() -> None:
    found = mcnemar(np.ones(9, dtype=np.bool_), np.zeros(9, dtype=np.bool_), alone(9))
    assert found.estimate == 1.0
    assert found.p < 0.01
    assert np.isnan([found.low, found.high]).all()
