"""What every system keeps to, whoever published it."""

import dataclasses
import re
import subprocess
import sys
from typing import get_args

import pytest
import torch

from kellgren import errors
from kellgren.anatomy import TASKS
from kellgren.datasets.sources import SOURCES
from kellgren.describe import describe_system, list_systems
from kellgren.systems import SYSTEMS, Fidelity, Recipe, System, system

pytestmark = pytest.mark.usefixtures("one_thread")

CELLS = [(each, fidelity) for each in SYSTEMS.values() for fidelity in each.recipes]

of_systems = pytest.mark.parametrize("each", SYSTEMS.values(), ids=SYSTEMS)
of_recipes = pytest.mark.parametrize(
    ("each", "fidelity"), CELLS, ids=[f"{each.name}-{fidelity}" for each, fidelity in CELLS]
)


@of_systems
def test_it_is_a_record_that_nobody_changes(each: System) -> None:
    for field in dataclasses.fields(each):
        with pytest.raises(dataclasses.FrozenInstanceError):
            setattr(each, field.name, getattr(each, field.name))
    for mapping in (each.variants, each.recipes, each.teaches_from):
        with pytest.raises(TypeError, match="item assignment"):
            mapping["modern"] = None  # type: ignore[index] # refused, as this shows
    for recipe in each.recipes.values():
        assert hash(recipe) == hash(dataclasses.replace(recipe))


@of_systems
def test_it_says_what_it_is(each: System) -> None:
    assert SYSTEMS[each.name] is each is system(each.name)
    assert re.fullmatch(r"[a-z][a-z0-9]*", each.name)
    assert each.doi is None or re.fullmatch(r"10\.\d{4,9}/\S+", each.doi)
    assert each.title
    assert each.statement_of_use.endswith(".")
    assert each.limits.endswith(".")
    assert all(each.variants.values())
    assert each.default_variant == next(iter(each.variants))
    assert set(each.recipes) <= set(get_args(Fidelity))
    # Every known data set has a cell; one that cannot teach says why.
    assert each.teaches_from.keys() >= SOURCES.keys()
    assert "yes" in each.teaches_from.values()
    for answer in each.teaches_from.values():
        assert answer == "yes" or len(answer.split()) > 3


@of_systems
def test_its_tasks_are_of_the_anatomy(each: System) -> None:
    assert each.tasks
    for task in each.tasks:
        assert TASKS[task.name] is task
        assert task.unit == each.unit


@of_recipes
def test_a_network_gives_logits(each: System, fidelity: Fidelity) -> None:
    (task,) = each.tasks
    side = each.recipes[fidelity].region.size_px
    network = each.build(each.default_variant, fidelity).eval()
    with torch.inference_mode():
        logits = network(torch.randn(2, 1, side, side))
    assert logits.shape == (2, len(task.classes))
    assert torch.isfinite(logits).all()
    assert not torch.equal(logits[0], logits[1])
    assert hasattr(network, "by_place") == (each.explanation == "cam_exact")


@of_systems
def test_every_variant_is_a_network_of_its_own(each: System) -> None:
    fidelity = next(iter(each.recipes))
    shapes = {
        tuple(parameter.shape for parameter in each.build(variant, fidelity).parameters())
        for variant in each.variants
    }
    assert len(shapes) == len(each.variants)


@of_recipes
def test_a_seed_names_the_first_weights(each: System, fidelity: Fidelity) -> None:
    variant = [*each.variants][-1]

    def drawn(seed: int) -> torch.Tensor:
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(seed)
            parameters = each.build(variant, fidelity).parameters()
            return torch.cat([parameter.detach().flatten() for parameter in parameters])

    assert torch.equal(drawn(21), drawn(21))
    assert not torch.equal(drawn(21), drawn(42))


@of_recipes
def test_a_recipe_can_be_followed(each: System, fidelity: Fidelity) -> None:
    recipe = each.recipes[fidelity]
    low, high = recipe.region.percentiles
    assert 0.0 <= low < high <= 100.0
    assert recipe.region.sd > 0.0
    assert 0.0 <= recipe.region.fill <= 1.0
    # Regions are kept as 8 bit while training.
    assert recipe.region.levels == 256
    assert (recipe.region.side is None) == (recipe.region.side_unit == "whole_picture")

    assert len(set(recipe.seeds)) == len(recipe.seeds) >= 1
    assert 0 < recipe.validate_every <= recipe.iterations
    assert recipe.batch_size > 1  # batch norm
    assert recipe.learning_rate > 0.0
    assert recipe.weight_decay >= 0.0
    assert (recipe.draws_per_grade is not None) == (recipe.sampling == "pool_per_grade")
    assert 0.0 <= recipe.ordinal_smoothing < 1.0
    assert recipe.ema_decay is None or 0.0 < recipe.ema_decay < 1.0
    assert recipe.clip_norm is None or recipe.clip_norm > 0.0
    if recipe.distillation is not None:
        assert 0.0 < recipe.distillation.weight <= 1.0
        assert recipe.distillation.temperature > 0.0
        assert recipe.distillation.views >= 1


@of_recipes
def test_an_augmentation_may_leave_a_knee_as_it_is(each: System, fidelity: Fidelity) -> None:
    ranges = each.recipes[fidelity].augmentation
    for name in ("brightness", "contrast", "gamma", "scale"):
        low, high = getattr(ranges, name)
        assert 0.0 < low <= 1.0 <= high, name
    assert 0.0 <= ranges.rotation_deg <= 90.0
    assert 0.0 <= ranges.shift < 0.5
    assert 0.0 <= ranges.flip <= 1.0
    assert ranges.noise_sd >= 0.0


@of_systems
def test_its_description_leaves_nothing_out(each: System) -> None:
    text = describe_system(each)
    assert text.startswith(f"{each.name}: {each.title}\n")
    assert f"doi: {each.doi or 'none'}" in text
    for said in (each.statement_of_use, each.limits, *(task.name for task in each.tasks)):
        assert said in " ".join(text.split())
    lines = [line.split() for line in text.splitlines()]
    for name in (*each.variants, *each.teaches_from, *(f.name for f in dataclasses.fields(Recipe))):
        assert any(line[:1] == [name] for line in lines), name
    matrix = " ".join(
        text.split("\nData sets that can teach it, or why not (your own can)\n")[1].split()
    )
    assert matrix == " ".join(f"{name} {answer}" for name, answer in each.teaches_from.items())
    assert [*each.recipes] in lines
    (rates,) = (line for line in lines if line[:1] == ["learning_rate"])
    assert rates[1:] == [str(recipe.learning_rate) for recipe in each.recipes.values()]


def test_the_list_has_a_line_for_each() -> None:
    lines = list_systems(SYSTEMS.values()).splitlines()
    for line, each in zip(lines, SYSTEMS.values(), strict=True):
        assert line.split()[0] == each.name
        assert line.endswith(each.doi or "ours")


def test_an_unknown_name_lists_the_known_ones() -> None:
    with pytest.raises(errors.TrainingError, match=r"'tulpin2018'") as raised:
        system("tulpin2018")
    assert all(name in str(raised.value) for name in SYSTEMS)


def test_systems_are_listed_without_torch() -> None:
    words = "import sys, kellgren.systems, kellgren.describe; print('torch' in sys.modules)"
    done = subprocess.run(  # noqa: S603 – our own words
        [sys.executable, "-c", words], capture_output=True, text=True, check=True
    )
    assert done.stdout.split() == ["False"]
