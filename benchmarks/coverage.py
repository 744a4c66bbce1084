"""How often 95 % intervals hold the truth, where patients' two knees are alike. Prints.

Cohorts are drawn from a known population: each patient has a severity, the pictures of his knees
scatter about it, and a reader's errors on them are alike. Intervals of each cohort are made by
resampling patients, patients within strata of their highest grade, and (to show what it would cost)
pictures.
"""

import argparse
from collections.abc import Collection, Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from benchmarks.figures import table
from kellgren.statistics import weighted
from kellgren.statistics.bootstrap import Unit, intervals, replicates

CUTS = (-0.25, 0.20, 0.95, 1.75)
"""Severities from which a knee is KL 1, 2, 3 and 4, in standard deviations; chosen: they leave 40,
18, 25, 13 and 4 % of knees in the five grades, about as the open data sets have them."""

POPULATION = 50_000
"""Patients from whom the true values come; chosen: these err by a hundredth of the width of an
interval from a few hundred."""

_PICTURES = 4
"""Of a patient at most: both knees at two visits."""

_SIMILAR = 0.8
"""Share of severity, and of a reader's error, that a patient's pictures have in common; chosen:
high, so that an interval which forgets patients shows it."""


@dataclass(frozen=True, slots=True, eq=False)
class Cohort:
    """Knees (n,) of patients, and what two readers say of them.

    Parameters
    ----------
    score
        Of the first reader: his view of the severity.
    """

    truth: NDArray[np.int64]
    first: NDArray[np.int64]
    second: NDArray[np.int64]
    score: NDArray[np.float64]
    patients: NDArray[np.str_]


@dataclass(frozen=True, slots=True)
class Way:
    """One way to resample."""

    unit: Unit = "patient"
    stratified: bool = False


WAYS: dict[str, Way] = {
    "patients": Way(),
    "patients, stratified": Way(stratified=True),
    "pictures (naive)": Way(unit="knee"),
}


def draw(rng: np.random.Generator, patients: int) -> Cohort:
    """Patients of whom one picture in ten is missing."""
    owner = np.repeat(np.arange(patients), _PICTURES)
    owner = owner[np.sort(np.flatnonzero(rng.random(len(owner)) < 0.9))]

    def alike() -> NDArray[np.float64]:
        shared, own = rng.normal(size=patients)[owner], rng.normal(size=len(owner))
        return np.asarray(np.sqrt(_SIMILAR) * shared + np.sqrt(1.0 - _SIMILAR) * own)

    severity = alike()
    first, second = severity + 0.3 * alike(), severity + 0.4 * alike()
    return Cohort(_grade(severity), _grade(first), _grade(second), first, owner.astype(np.str_))


def statistics(cohort: Cohort) -> dict[str, weighted.Statistic]:
    """What is asked of every cohort."""
    truth, first = cohort.truth, cohort.first
    kappas = [weighted.quadratic_kappa(truth, each, classes=5) for each in (first, cohort.second)]
    return {
        "accuracy": weighted.mean(truth == first),
        "balanced accuracy": weighted.balanced_accuracy(truth, first, classes=5),
        "quadratic kappa": kappas[0],
        "mean absolute error": weighted.mean(np.abs(truth - first)),
        "macro F1": weighted.precision_recall_f1(truth, first, classes=5, average="macro")[2],
        "MCC": weighted.matthews_correlation(truth, first, classes=5),
        "AUC, KL ≥ 2": weighted.auc(truth >= 2, cohort.score),
        "difference of kappas": lambda weights: kappas[0](weights) - kappas[1](weights),
    }


def simulate(
    *,
    simulations: int,
    patients: int,
    resamples: int,
    seed: int,
    ways: Mapping[str, Way],
    names: Collection[str] | None = None,
) -> dict[str, dict[str, float]]:
    """Way → statistic → share of simulated cohorts whose interval holds the true value.

    Of all `statistics` if ``names`` is None.
    """
    everyone = draw(np.random.default_rng([seed, 0]), POPULATION)
    ones = np.ones((1, len(everyone.truth)))
    true = {name: float(each(ones)[0]) for name, each in _named(everyone, names).items()}
    held = {way: dict.fromkeys(true, 0) for way in ways}
    for number in range(simulations):
        # A cohort is the same however many others there are, and whatever is asked of it.
        cohort = draw(np.random.default_rng([seed, 1, number]), patients)
        for way, how in ways.items():
            rng = np.random.default_rng([seed, 2, number])
            asked = _named(cohort, names)
            values = replicates(
                list(asked.values()),
                cohort.patients,
                rng=rng,
                resamples=resamples,
                strata=cohort.truth if how.stratified else None,
                unit=how.unit,
            )
            for name, interval in zip(asked, intervals(values), strict=True):
                held[way][name] += interval.low <= true[name] <= interval.high
    return {
        way: {name: count / simulations for name, count in counts.items()}
        for way, counts in held.items()
    }


def _named(cohort: Cohort, names: Collection[str] | None) -> dict[str, weighted.Statistic]:
    found = statistics(cohort)
    return {name: found[name] for name in (found if names is None else names)}


def _grade(severity: NDArray[np.float64]) -> NDArray[np.int64]:
    return np.searchsorted(CUTS, severity)


def main() -> None:
    """Simulate, and print a row for each statistic."""
    parser = argparse.ArgumentParser(description=__doc__, prog="python -m benchmarks.coverage")
    ask = parser.add_argument
    ask("--simulations", type=int, default=1000, help="cohorts (%(default)s)")
    ask("--patients", type=int, default=300, help="in each (%(default)s)")
    ask("--resamples", type=int, default=1000, help="for each interval (%(default)s)")
    ask("--seed", type=int, default=0, help="(%(default)s)")
    options = parser.parse_args()
    found = simulate(ways=WAYS, **vars(options))
    error = 100.0 * np.sqrt(0.95 * 0.05 / options.simulations)
    print(
        f"{options.simulations} cohorts of {options.patients} patients, {options.resamples} "
        f"resamples: share of 95 % intervals that hold the true value (chance moves it by "
        f"{error:.1f} points)"
    )
    names = list(next(iter(found.values())))
    rows = [(name, *(f"{found[way][name]:.1%}" for way in found)) for name in names]
    print(table(("", *found), rows))


if __name__ == "__main__":
    main()
