"""What a network is asked for, how it is scored, and what is kept of it."""

import dataclasses
from pathlib import Path

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray
from safetensors.torch import load_file
from sklearn import metrics
from torch import nn
from torch.nn import functional

from kellgren.networks.siamese import DeepSiamese
from kellgren.systems import Distillation, Recipe, system
from kellgren.training.loop import (
    Average,
    Samples,
    Validation,
    distorted,
    objective,
    ordinal_targets,
    predict,
    save_weights,
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


def random_logits(n: int, *, seed: int = 0) -> torch.Tensor:
    return torch.randn(n, 5, generator=torch.Generator().manual_seed(seed)) * 3


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
        loss = objective(logits, knees, np.arange(len(grades)), PAPER)
        probabilities = logits.double().softmax(1).numpy()
        expected = metrics.log_loss(grades, probabilities, labels=range(5))
        assert loss.item() == pytest.approx(expected, rel=1e-5)

    def test_it_looks_at_the_drawn_knees(self) -> None:
        logits = random_logits(2)
        drawn = objective(logits, samples([0, 1, 2, 3]), np.array([3, 1]), PAPER)
        assert drawn.item() == pytest.approx(
            functional.cross_entropy(logits, torch.tensor([3, 1])).item()
        )

    @given(GRADES, st.floats(0.05, 1.0), st.floats(0.5, 8.0), st.integers(0, 99))
    @few
    def test_a_student_that_equals_its_teacher_has_nothing_to_learn_from_it(
        self, grades: list[int], weight: float, temperature: float, seed: int
    ) -> None:
        recipe = dataclasses.replace(MODERN, distillation=Distillation(weight, temperature))
        everyone = np.arange(len(grades))
        logits = random_logits(len(grades), seed=seed).requires_grad_()
        # Softmax does not see a shift.
        taught = samples(grades, (logits + 2.0).detach().numpy())
        alone = objective(logits, samples(grades), everyone, recipe)
        both = objective(logits, taught, everyone, recipe)
        assert both.item() == pytest.approx((1.0 - weight) * alone.item(), abs=1e-4)
        (slope,) = torch.autograd.grad(both - (1.0 - weight) * alone, logits)
        assert slope.abs().max() < 1e-4

    def test_a_teacher_of_another_opinion_pulls_towards_it(self) -> None:
        recipe = dataclasses.replace(MODERN, distillation=Distillation(1.0, 2.0))
        logits = torch.zeros(1, 5, requires_grad=True)
        taught = samples([0], np.array([[0, 0, 0, 4, 0]], np.float32))
        loss = objective(logits, taught, np.array([0]), recipe)
        # Hinton 2015: T² times the divergence at temperature T.
        teacher = np.exp(np.array([0, 0, 0, 2, 0])) / np.exp(np.array([0, 0, 0, 2, 0])).sum()
        assert loss.item() == pytest.approx(4 * (teacher * np.log(teacher / 0.2)).sum(), rel=1e-5)
        (slope,) = torch.autograd.grad(loss, logits)
        assert slope.argmin().item() == 3


def drawn(indices: NDArray[np.int64], *, epoch: int) -> Batch:
    return Batch(0, epoch, indices, earlier_draws(indices))


class TestBatches:
    def test_a_knee_drawn_again_is_distorted_anew(self) -> None:
        rng = np.random.default_rng(0)
        knees = Samples(rng.integers(0, 256, (4, 32, 32), dtype=np.uint8), np.arange(4))
        batch = distorted(knees, drawn(np.array([1, 3, 1]), epoch=2), MODERN, seed=21)
        assert not torch.allclose(batch[0], batch[2], atol=0.1)

    @given(st.lists(st.integers(0, 5), max_size=40))
    def test_earlier_draws_count_what_stands_before(self, order: list[int]) -> None:
        expected = [order[:place].count(knee) for place, knee in enumerate(order)]
        assert earlier_draws(np.array(order, dtype=np.int64)).tolist() == expected

    def test_a_batch_is_standardised_regions(self) -> None:
        rng = np.random.default_rng(0)
        knees = Samples(rng.integers(0, 256, (4, 32, 32), dtype=np.uint8), np.arange(4))
        still = dataclasses.replace(MODERN, augmentation=type(MODERN.augmentation)())
        batch = distorted(knees, drawn(np.array([2, 0]), epoch=0), still, seed=21)
        spec = MODERN.region
        for place, index in enumerate((2, 0)):
            expected = (knees.regions[index] / 255.0 - spec.mean) / spec.sd
            np.testing.assert_allclose(batch[place, 0], expected, rtol=0, atol=1e-5)

    def test_a_knee_is_distorted_alike_in_whatever_batch(self) -> None:
        rng = np.random.default_rng(0)
        knees = Samples(rng.integers(0, 256, (4, 32, 32), dtype=np.uint8), np.arange(4))
        one = distorted(knees, drawn(np.array([0, 1, 2]), epoch=5), MODERN, seed=21)
        other = distorted(knees, drawn(np.array([3, 2]), epoch=5), MODERN, seed=21)
        torch.testing.assert_close(one[2], other[1], rtol=0, atol=1e-4)
        later = distorted(knees, drawn(np.array([3, 2]), epoch=6), MODERN, seed=21)
        assert not torch.allclose(later[1], other[1], atol=0.1)

    def test_two_knees_that_look_alike_are_distorted_each_its_own_way(self) -> None:
        look = np.random.default_rng(0).integers(0, 256, (32, 32), dtype=np.uint8)
        knees = Samples(np.stack([look, look]), np.arange(2))
        batch = distorted(knees, drawn(np.array([0, 1]), epoch=0), MODERN, seed=21)
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


class TestAverage:
    def test_it_follows_the_weights_by_its_decay(self) -> None:
        network = nn.Linear(1, 1, bias=False)
        nn.init.zeros_(network.weight)
        average, expected = Average(network, 0.9), 0.0
        for iteration in range(40):
            nn.init.constant_(network.weight, iteration + 1.0)
            average.update(iteration)
            keep = min(0.9, (1 + iteration) / (10 + iteration))
            expected = keep * expected + (1 - keep) * (iteration + 1.0)
            with average.swapped_in():
                assert network.weight.item() == pytest.approx(expected, rel=1e-5)
            assert network.weight.item() == iteration + 1.0

    def test_without_a_decay_the_weights_stay_what_they_are(self) -> None:
        network = nn.Linear(1, 1, bias=False)
        average = Average(network, None)
        nn.init.constant_(network.weight, 3.0)
        average.update(0)
        with average.swapped_in():
            assert network.weight.item() == 3.0

    @pytest.mark.parametrize("shared", [True, False])
    def test_branches_swap_once_and_batch_norms_too(self, shared: bool) -> None:
        network = DeepSiamese(width=2, shared=shared, patch_px=56, offset_px=0)
        average = Average(network, 0.5)
        before = {name: tensor.clone() for name, tensor in network.state_dict().items()}
        with torch.no_grad():
            for parameter in network.parameters():
                parameter.add_(1.0)
        network.train()(torch.randn(4, 1, 56, 56))
        after = {name: tensor.clone() for name, tensor in network.state_dict().items()}
        average.update(10)
        with average.swapped_in():
            for name, tensor in network.state_dict().items():
                if tensor.is_floating_point():
                    torch.testing.assert_close(tensor, (before[name] + after[name]) / 2)
                else:
                    assert torch.equal(tensor, after[name])
        for name, tensor in network.state_dict().items():
            assert torch.equal(tensor, after[name]), name

    def test_it_is_put_away_when_something_fails(self) -> None:
        network = nn.Linear(1, 1, bias=False)
        average = Average(network, 0.5)
        nn.init.constant_(network.weight, 3.0)
        with pytest.raises(KeyboardInterrupt):
            interrupt(average)
        assert network.weight.item() == 3.0


def interrupt(average: Average) -> None:
    with average.swapped_in():
        raise KeyboardInterrupt


@pytest.mark.parametrize("shared", [True, False])
def test_weights_come_back_and_shared_ones_are_stored_once(tmp_path: Path, shared: bool) -> None:
    network = DeepSiamese(width=2, shared=shared, patch_px=56, offset_px=0)
    save_weights(network.to(memory_format=torch.channels_last), tmp_path / "best.safetensors")
    stored = load_file(tmp_path / "best.safetensors")
    assert any(name.startswith("medial_branch") for name in stored) is not shared
    again = DeepSiamese(width=2, shared=shared, patch_px=56, offset_px=0)
    again.load_state_dict(stored, strict=not shared)
    for name, tensor in network.state_dict().items():
        assert torch.equal(again.state_dict()[name], tensor), name
