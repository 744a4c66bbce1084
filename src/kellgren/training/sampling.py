"""Which knees make up a batch: pure functions of (seed, iteration)."""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from kellgren import errors
from kellgren.systems.system import Recipe


@dataclass(frozen=True, slots=True, eq=False)
class Batch:
    """What one iteration learns from.

    Parameters
    ----------
    iteration, epoch
        Counted from zero.
    indices
        (batch_size,) which knees.
    repeats
        (batch_size,) how often each was drawn before in this epoch: with oversampling a knee comes
        many times, and each time must be distorted anew.
    """

    iteration: int
    epoch: int
    indices: NDArray[np.int64]
    repeats: NDArray[np.int64]

    def views(self, number: int, *, seed: int) -> NDArray[np.int64]:
        """(batch_size,) which of a knee's ``number`` views each draw is: another one every time."""
        return (self.epoch + self.repeats + seed) % number


def epoch_order(
    recipe: Recipe, grades: NDArray[np.int64], *, seed: int, epoch: int
) -> NDArray[np.int64]:
    """The indices of one epoch, in order of use.

    Parameters
    ----------
    recipe
        Its ``sampling`` and ``draws_per_grade``.
    grades
        (n,) grade of every knee that may be drawn.
    seed, epoch
        Name the stream.
    """
    rng = np.random.default_rng((seed, epoch))
    everyone = np.arange(len(grades))
    if recipe.sampling == "shuffle":
        return rng.permutation(everyone)
    members = [everyone[grades == grade] for grade in np.unique(grades)]
    if recipe.sampling == "oversample_bootstrap":
        largest = max(len(group) for group in members)
        balanced = np.concatenate([rng.choice(group, largest) for group in members])
        return rng.choice(balanced, len(balanced))
    if recipe.draws_per_grade is None:
        raise ValueError("pool_per_grade needs draws_per_grade")
    # The pool is drawn once and fixed; only its order changes from epoch to epoch.
    fixed = np.random.default_rng(seed)
    pool = np.concatenate([fixed.choice(group, recipe.draws_per_grade) for group in members])
    return rng.permutation(pool)


def batches(recipe: Recipe, grades: NDArray[np.int64], *, seed: int, start: int) -> Iterator[Batch]:
    """Endless batches from iteration ``start`` on; incomplete ones are dropped."""
    per_epoch = steps_per_epoch(recipe, grades)
    iteration = start
    while True:
        epoch, first = divmod(iteration, per_epoch)
        order = epoch_order(recipe, grades, seed=seed, epoch=epoch)
        repeats = earlier_draws(order)
        for step in range(first, per_epoch):
            chosen = slice(step * recipe.batch_size, (step + 1) * recipe.batch_size)
            yield Batch(iteration, epoch, order[chosen], repeats[chosen])
            iteration += 1


def earlier_draws(order: NDArray[np.int64]) -> NDArray[np.int64]:
    """(n,) how often each draw's knee stands earlier in the order: 7 3 7 7 → 0 0 1 2."""
    by_knee = np.argsort(order, kind="stable")
    _, first, counts = np.unique(order[by_knee], return_index=True, return_counts=True)
    repeats = np.empty(len(order), dtype=np.int64)
    repeats[by_knee] = np.arange(len(order)) - np.repeat(first, counts)
    return repeats


def steps_per_epoch(recipe: Recipe, grades: NDArray[np.int64]) -> int:
    """Optimiser steps that one epoch has.

    Raises
    ------
    TrainingError
        There are too few knees for one batch.
    """
    drawn = len(epoch_order(recipe, grades, seed=0, epoch=0))
    steps = drawn // recipe.batch_size
    if steps == 0:
        raise errors.TrainingError(
            f"{drawn} knees to learn from do not fill one batch of {recipe.batch_size}. Give more."
        )
    return steps
