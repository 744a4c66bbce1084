"""What a network is asked for, and how it is scored."""

import dataclasses

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray
from sklearn import metrics
from torch.nn import functional

from kellgren.networks.siamese import DeepSiamese
from kellgren.systems import Distillation, Recipe, system
from kellgren.training.loop import (
    Samples,
    Validation,
    distorted,
    objective,
    ordinal_targets,
    predict,
    score,
)
from kellgren.training.sampling import Batch, earlier_draws

pytestmark = pytest.mark.usefixtures("one_thread")

PAPER, MODERN = (system("tiulpin2018").recipes[name] for name in ("paper", "modern"))
CPU = torch.device("cpu")
few = settings(max_examples=25, deadline=None)
GRADES = st.lists(st.integers(0, 4), min_size=1, max_size=8)


def samples(grades: list[int], teacher: NDArray[np.float32] | None = None) -> Samples:
    return Samples(np.zeros((len(grades), 8, 8), np.uint8), np.array(grades), teacher)


def random_logits(*shape: int, seed: int = 0) -> torch.Tensor:
    return torch.randn(*shape, 5, generator=torch.Generator().manual_seed(seed)) * 3


def drawn(*indices: int, epoch: int = 0) -> Batch:
    return Batch(0, epoch, np.array(indices), earlier_draws(np.array(indices)))


def distilling(*, weight: float = 0.8, temperature: float = 2.0, views: int = 3) -> Recipe:
    return dataclasses.replace(MODERN, distillation=Distillation(weight, temperature, views))


class TestTargets:
    @given(GRADES, st.floats(0.0, 0.9))
    @few
    def test_a_target_is_a_distribution_about_its_grade(
        self, grades: list[int], smoothing: float
    ) -> None:
        targets = ordinal_targets(torch.tensor(grades), 5, smoothing)
        assert targets.shape == (len(grades), 5)
        torch.testing.assert_close(targets.sum(1), torch.ones(len(grades)))
        for grade, target in zip(grades, targets, strict=True):
            assert target[grade].item() == pytest.approx(1.0 - smoothing)
            beside = [i for i in (grade - 1, grade + 1) if 0 <= i < 5]
            for index in set(range(5)) - {grade}:
                share = smoothing / len(beside) if index in beside else 0.0
                assert target[index].item() == pytest.approx(share, abs=1e-6)

    def test_without_smoothing_it_is_the_truth(self) -> None:
        found = ordinal_targets(torch.arange(5), 5, 0.0)
        assert torch.equal(found, torch.eye(5))


class TestObjective:
    @given(GRADES)
    @few
    def test_the_papers_is_the_cross_entropy(self, grades: list[int]) -> None:
        logits, knees = random_logits(len(grades)), samples(grades)
        loss = objective(logits, knees, drawn(*range(len(grades))), PAPER, seed=21)
        probabilities = logits.double().softmax(1).numpy()
        expected = metrics.log_loss(grades, probabilities, labels=range(5))
        assert loss.item() == pytest.approx(expected, rel=1e-5)

    def test_it_looks_at_the_drawn_knees(self) -> None:
        logits = random_logits(2)
        loss = objective(logits, samples([0, 1, 2, 3]), drawn(3, 1), PAPER, seed=21)
        assert loss.item() == pytest.approx(
            functional.cross_entropy(logits, torch.tensor([3, 1])).item()
        )

    @given(GRADES, st.floats(0.05, 1.0), st.floats(0.5, 8.0), st.integers(0, 99))
    @few
    def test_a_student_that_equals_its_teacher_has_nothing_to_learn_from_it(
        self, grades: list[int], weight: float, temperature: float, seed: int
    ) -> None:
        recipe = distilling(weight=weight, temperature=temperature, views=1)
        everyone = drawn(*range(len(grades)))
        logits = random_logits(len(grades), seed=seed).requires_grad_()
        # Softmax does not see a shift.
        taught = samples(grades, (logits + 2.0).detach().numpy()[np.newaxis])
        alone = objective(logits, samples(grades), everyone, recipe, seed=seed)
        both = objective(logits, taught, everyone, recipe, seed=seed)
        assert both.item() == pytest.approx((1.0 - weight) * alone.item(), abs=1e-4)
        (slope,) = torch.autograd.grad(both - (1.0 - weight) * alone, logits)
        assert slope.abs().max() < 1e-4

    def test_a_teacher_of_another_opinion_pulls_towards_it(self) -> None:
        recipe = distilling(weight=1.0, temperature=2.0, views=1)
        logits = torch.zeros(1, 5, requires_grad=True)
        taught = samples([0], np.array([[[0, 0, 0, 4, 0]]], np.float32))
        loss = objective(logits, taught, drawn(0), recipe, seed=21)
        # Hinton 2015: T² times the divergence at temperature T.
        teacher = np.exp(np.array([0, 0, 0, 2, 0])) / np.exp(np.array([0, 0, 0, 2, 0])).sum()
        assert loss.item() == pytest.approx(4 * (teacher * np.log(teacher / 0.2)).sum(), rel=1e-5)
        (slope,) = torch.autograd.grad(loss, logits)
        assert slope.argmin().item() == 3

    @pytest.mark.parametrize("seed", [0, 1, 21])
    @pytest.mark.parametrize("epoch", [0, 1, 7])
    def test_the_answer_is_the_one_about_the_view_drawn(self, epoch: int, seed: int) -> None:
        recipe = distilling(weight=1.0)
        answers = random_logits(3, 4)
        taught = samples([0, 1, 2, 3], answers.numpy())
        batch = drawn(2, 0, 2, 3, epoch=epoch)
        for shift in range(3):
            # Whoever says what was said about these views has nothing to learn.
            views = (batch.views(3, seed=seed) + shift) % 3
            loss = objective(answers[views, batch.indices], taught, batch, recipe, seed=seed)
            assert (loss.item() < 1e-5) is (shift == 0)


class TestViews:
    @given(st.integers(1, 20), st.integers(0, 99), st.integers(0, 99))
    def test_consecutive_epochs_go_through_all(self, number: int, start: int, seed: int) -> None:
        epochs = range(start, start + number)
        met = [drawn(4, 0, 4, epoch=epoch).views(number, seed=seed) for epoch in epochs]
        for views in np.transpose(met):
            assert sorted(views) == [*range(number)]
        again = drawn(4, 0, 4, epoch=start + number).views(number, seed=seed)
        np.testing.assert_array_equal(again, met[0])

    @given(st.lists(st.integers(0, 3), min_size=1, max_size=16), st.integers(0, 99))
    def test_a_knee_drawn_again_within_an_epoch_is_met_in_another_view(
        self, order: list[int], epoch: int
    ) -> None:
        views = drawn(*order, epoch=epoch).views(16, seed=21)
        pairs = set(zip(order, views.tolist(), strict=True))
        assert len(pairs) == len(order)

    def test_every_seed_meets_them_in_another_order(self) -> None:
        assert MODERN.distillation is not None
        number = MODERN.distillation.views
        orders = {
            tuple(int(drawn(0, epoch=epoch).views(number, seed=seed)[0]) for epoch in range(number))
            for seed in MODERN.seeds
        }
        assert len(orders) == len(MODERN.seeds)
        for met in zip(*orders, strict=True):
            assert len(set(met)) == len(orders)

    def test_a_view_is_the_same_picture_whoever_meets_it_and_when(self) -> None:
        knees, recipe = noise(), distilling()
        taught = dataclasses.replace(knees, teacher_logits=random_logits(3, 4).numpy())
        one = distorted(taught, drawn(3, 2, epoch=1), recipe, seed=21)
        # Of three views 1 + 21 and, drawn again, 5 + 1 + 22 are the same, 5 + 22 is another.
        other = distorted(taught, drawn(2, 0, 2, epoch=5), recipe, seed=22)
        torch.testing.assert_close(one[1], other[2], rtol=0, atol=1e-5)
        assert not torch.allclose(one[1], other[0], atol=0.1)

    def test_two_knees_that_look_alike_have_each_its_own(self) -> None:
        look = noise().regions[0]
        knees = Samples(np.stack([look, look]), np.arange(2), random_logits(3, 2).numpy())
        batch = distorted(knees, drawn(0, 1), distilling(), seed=21)
        assert not torch.allclose(batch[0], batch[1], atol=0.1)

    def test_without_a_teacher_no_view_is_met_twice(self) -> None:
        knees, recipe = noise(), distilling(views=1)
        first, later = (
            distorted(knees, drawn(0, epoch=e), recipe, seed=s) for e, s in ((0, 21), (1, 42))
        )
        assert not torch.allclose(first, later, atol=0.1)


def noise() -> Samples:
    """Four knees of noise."""
    rng = np.random.default_rng(0)
    return Samples(rng.integers(0, 256, (4, 32, 32), dtype=np.uint8), np.arange(4))


class TestBatches:
    def test_a_knee_drawn_again_is_distorted_anew(self) -> None:
        batch = distorted(noise(), drawn(1, 3, 1, epoch=2), MODERN, seed=21)
        assert not torch.allclose(batch[0], batch[2], atol=0.1)

    @given(st.lists(st.integers(0, 5), max_size=40))
    def test_earlier_draws_count_what_stands_before(self, order: list[int]) -> None:
        expected = [order[:place].count(knee) for place, knee in enumerate(order)]
        assert earlier_draws(np.array(order, dtype=np.int64)).tolist() == expected

    def test_a_batch_is_standardised_regions(self) -> None:
        knees = noise()
        still = dataclasses.replace(MODERN, augmentation=type(MODERN.augmentation)())
        batch = distorted(knees, drawn(2, 0), still, seed=21)
        spec = MODERN.region
        for place, index in enumerate((2, 0)):
            expected = (knees.regions[index] / 255.0 - spec.mean) / spec.sd
            np.testing.assert_allclose(batch[place, 0], expected, rtol=0, atol=1e-5)

    def test_a_knee_is_distorted_alike_in_whatever_batch(self) -> None:
        one = distorted(noise(), drawn(0, 1, 2, epoch=5), MODERN, seed=21)
        other = distorted(noise(), drawn(3, 2, epoch=5), MODERN, seed=21)
        torch.testing.assert_close(one[2], other[1], rtol=0, atol=1e-4)
        later = distorted(noise(), drawn(3, 2, epoch=6), MODERN, seed=21)
        assert not torch.allclose(later[1], other[1], atol=0.1)

    def test_two_knees_that_look_alike_are_distorted_each_its_own_way(self) -> None:
        look = noise().regions[0]
        knees = Samples(np.stack([look, look]), np.arange(2))
        batch = distorted(knees, drawn(0, 1), MODERN, seed=21)
        assert not torch.allclose(batch[0], batch[1], atol=0.1)


class TestScores:
    @given(st.integers(0, 2**31 - 1), st.integers(5, 40))
    @few
    def test_scores_are_scikit_learns(self, seed: int, n: int) -> None:
        rng = np.random.default_rng(seed)
        grades = np.concatenate([np.arange(5), rng.integers(0, 5, n - 5)])
        probabilities = rng.dirichlet(np.ones(5), n)
        found, predicted = score(probabilities, grades), probabilities.argmax(1)
        assert found["accuracy"] == pytest.approx(metrics.accuracy_score(grades, predicted))
        assert found["quadratic_kappa"] == pytest.approx(
            metrics.cohen_kappa_score(grades, predicted, weights="quadratic", labels=range(5))
        )
        assert found["cross_entropy"] == pytest.approx(
            metrics.log_loss(grades, probabilities, labels=range(5))
        )

    def test_an_impossible_truth_costs_much_and_not_infinity(self) -> None:
        assert score(np.array([[1.0, 0, 0, 0, 0]]), np.array([4]))["cross_entropy"] < 30

    def test_predictions_are_probabilities_of_regions_as_they_are(self) -> None:
        rng = np.random.default_rng(0)
        regions = rng.integers(0, 256, (65, 56, 56), dtype=np.uint8)  # more than one batch
        network = DeepSiamese(width=4, patch_px=56, offset_px=0)
        found = predict(network, regions, PAPER.region, CPU, PAPER)
        assert found.shape == (65, 5)
        np.testing.assert_allclose(found.sum(axis=1), 1.0)
        alone = predict(network, regions[64:], PAPER.region, CPU, PAPER)
        np.testing.assert_allclose(alone[0], found[64], rtol=0, atol=1e-5)
        # Dropout and batch statistics are still.
        np.testing.assert_array_equal(found, predict(network, regions, PAPER.region, CPU, PAPER))

    @pytest.mark.parametrize(
        ("recipe", "kappa", "cross_entropy", "better"),
        [
            (PAPER, 0.8, 9.0, True),
            (PAPER, 0.7, 0.1, False),
            (PAPER, 0.6, 0.1, False),
            (MODERN, 0.1, 0.9, True),
            (MODERN, 0.9, 1.0, False),
            (MODERN, 0.9, 1.1, False),
            (MODERN, 0.9, float("nan"), False),
        ],
    )
    def test_the_better_snapshot_is_kept_and_the_first_of_equals(
        self, recipe: Recipe, kappa: float, cross_entropy: float, better: bool
    ) -> None:
        kept, new = validation(0.7, 1.0), validation(kappa, cross_entropy)
        assert new.better_than(kept, recipe) is better
        assert new.better_than(None, recipe)
        assert kept.better_than(validation(0.0, float("nan")), recipe)


def validation(kappa: float, cross_entropy: float) -> Validation:
    return Validation(
        seed=21,
        iteration=1,
        train_loss=1.0,
        learning_rate=1.0,
        quadratic_kappa=kappa,
        accuracy=0.5,
        cross_entropy=cross_entropy,
        seconds=0.0,
    )
