"""How long intervals and comparisons of a cohort take. Prints; asserts nothing."""

import argparse
import time
from collections.abc import Callable, Iterator, Sequence

import numpy as np
from numpy.typing import NDArray

from benchmarks import machine
from benchmarks.figures import Figure, Target, table
from kellgren.statistics import discrimination, weighted
from kellgren.statistics.bootstrap import RESAMPLES, replicates
from kellgren.statistics.comparison import EXCHANGES, compare

KNEES = 12_000
"""About as many as the largest test set in the field (MOST, 11,743)."""

CLASSES = 5
CUT = 2


def main() -> None:
    """Time each part, and end with every figure and its target."""
    parser = argparse.ArgumentParser(description=__doc__, prog="python -m benchmarks.resampling")
    ask = parser.add_argument
    ask("--knees", type=int, default=KNEES, help="two a patient (%(default)s)")
    ask("--resamples", type=int, default=RESAMPLES, help="of patients (%(default)s)")
    ask("--exchanges", type=int, default=EXCHANGES, help="of two readers (%(default)s)")
    options = parser.parse_args()
    cores = machine.hold_to_cores()
    print(machine.describe(cores))
    others = machine.Others(cores)
    figures = tuple(_figures(options.knees, options.resamples, options.exchanges))
    print(others.describe())
    print("\n" + table(("figure", "measured", "asked", "met"), (f.row() for f in figures)))


def statistics(
    truth: NDArray[np.int64], probabilities: NDArray[np.float64]
) -> dict[str, weighted.Statistic]:
    """What was asked for at once, of knees (n,)."""
    given, classes = probabilities.argmax(axis=1), CLASSES
    return {
        "accuracy": weighted.mean(truth == given),
        "balanced accuracy": weighted.balanced_accuracy(truth, given, classes=classes),
        "quadratic kappa": weighted.quadratic_kappa(truth, given, classes=classes),
        "MAE": weighted.mean(np.abs(truth - given)),
        "MSE": weighted.mean((truth - given) ** 2),
        "macro F1": weighted.precision_recall_f1(truth, given, classes=classes, average="macro")[2],
        "MCC": weighted.matthews_correlation(truth, given, classes=classes),
        "AUC": weighted.auc(truth >= CUT, discrimination.probability_of_cut(probabilities, CUT)),
    }


def _figures(knees: int, resamples: int, exchanges: int) -> Iterator[Figure]:
    rng = np.random.default_rng(0)
    truth = rng.integers(0, CLASSES, knees)
    readers = [_probabilities(truth, rng) for _ in range(2)]
    patients = np.array([f"P{row // 2:06}" for row in range(knees)])
    asked = statistics(truth, readers[0])
    few = "" if knees >= KNEES and resamples >= RESAMPLES else "a smaller run"
    what = f"{resamples} resamples of {knees} knees × {len(asked)} metrics"
    limit = Target("at most", 20.0, unless=few)

    def draw(
        chosen: Sequence[weighted.Statistic], strata: NDArray[np.int64] | None = None
    ) -> Callable[[], object]:
        return lambda: replicates(chosen, patients, rng=rng, resamples=resamples, strata=strata)

    everything = list(asked.values())
    yield _timed(what, draw(everything), limit)
    yield _timed(f"{what}, stratified", draw(everything, truth))
    for name in ("quadratic kappa", "AUC"):
        yield _timed(f"{resamples} resamples, {name} alone", draw([asked[name]]))
    pooled = statistics(np.tile(truth, 2), np.concatenate(readers))
    yield _timed(
        f"two readers, {resamples} resamples and {exchanges} exchanges × {len(pooled)} metrics",
        lambda: compare(
            list(pooled.values()), patients, rng=rng, resamples=resamples, exchanges=exchanges
        ),
    )


def _probabilities(truth: NDArray[np.int64], rng: np.random.Generator) -> NDArray[np.float64]:
    powers = np.exp(rng.normal(size=(len(truth), CLASSES)) + 1.5 * np.eye(CLASSES)[truth])
    # As tables have them: six decimals.
    return np.asarray(np.round(powers / powers.sum(axis=1, keepdims=True), 6))


def _timed(name: str, call: Callable[[], object], target: Target | None = None) -> Figure:
    start, own = time.perf_counter(), time.process_time()
    call()
    seconds, busy = time.perf_counter() - start, time.process_time() - own
    return Figure(name, seconds, "{:.1f} s", target, f"{busy:.1f} s of processor")


if __name__ == "__main__":
    main()
