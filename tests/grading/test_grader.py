"""Laws of a loaded bundle."""

import dataclasses
from collections.abc import Callable
from typing import Literal

import numpy as np
import onnxruntime
import pytest
from numpy.typing import NDArray

from kellgren.anatomy import KL, OARSI_FEATURES, VIEW, Laterality
from kellgren.bundles.store import MODEL
from kellgren.grading import Bundle, Grader
from kellgren.grading.backend import Backend
from kellgren.grading.bundle import BundleRecord, Conformal
from kellgren.grading.calibration import softmax
from kellgren.grading.conformal import contiguous_sets
from kellgren.grading.fusion import Fusion, fuse
from kellgren.grading.grader import Graded, rounded
from kellgren.imaging import Region, standardise
from kellgren.records import Prediction

SEEDS = range(8)
SIDES: tuple[Literal[Laterality.LEFT, Laterality.RIGHT], ...] = (
    Laterality.LEFT,
    Laterality.RIGHT,
)

MakeRegion = Callable[[int], Region]


def millionths(prediction: Prediction) -> list[int]:
    return [round(share * 1e6) for share in prediction.probabilities]


def kl(graded: Graded) -> Prediction:
    return graded.predictions[KL.name]


def attention(graded: Graded) -> NDArray[np.float32]:
    assert graded.attention is not None
    return graded.attention


def changed(bundle: Bundle, **fields: object) -> Grader:
    """A grader of the same graph under another record."""
    record = BundleRecord.model_validate(bundle.record.model_dump() | fields)
    return Grader(Bundle(record, bundle.sha256, bundle.contents), threads=1)


@pytest.mark.parametrize("laterality", Laterality)
@pytest.mark.parametrize("seed", SEEDS)
def test_an_answer_is_a_distribution_with_its_summary(
    grader: Grader, make_region: MakeRegion, seed: int, laterality: Laterality
) -> None:
    found = kl(grader.grade(make_region(seed), laterality))
    assert sum(millionths(found)) == 1_000_000
    assert all(share == round(share, 6) >= 0.0 for share in found.probabilities)
    assert found.grade == int(np.argmax(found.probabilities))
    mean = sum(grade * share for grade, share in enumerate(found.probabilities))
    assert found.expected == pytest.approx(mean, abs=1e-6)
    assert found.grade in found.set
    assert found.set == tuple(range(found.set[0], found.set[-1] + 1))
    assert found.coverage == 0.9
    mass = sum(millionths(found)[grade] for grade in found.set)
    assert mass >= 800_000


def test_pictures_get_different_answers(grader: Grader, make_region: MakeRegion) -> None:
    # Otherwise the laws below would hold of a constant.
    answers = [kl(grader.grade(make_region(seed), Laterality.RIGHT)) for seed in SEEDS]
    assert len({answer.grade for answer in answers}) >= 3
    assert len({answer.set for answer in answers}) >= 3


@pytest.mark.parametrize("laterality", Laterality)
@pytest.mark.parametrize("seed", SEEDS)
def test_a_mirrored_knee_of_the_other_side_is_the_same_knee(
    grader: Grader, make_region: MakeRegion, seed: int, laterality: Laterality
) -> None:
    region = make_region(seed)
    one = grader.grade(region, laterality)
    other = grader.grade(region.mirror(), laterality.mirrored)
    np.testing.assert_allclose(kl(other).probabilities, kl(one).probabilities, atol=1e-4)
    np.testing.assert_allclose(attention(other), attention(one)[:, ::-1], atol=1e-3)


def test_the_side_matters(grader: Grader, make_region: MakeRegion) -> None:
    region = make_region(0)
    right, left = (kl(grader.grade(region, side)) for side in SIDES)
    assert np.abs(np.subtract(right.probabilities, left.probabilities)).max() > 0.01


@pytest.mark.parametrize("seed", SEEDS)
def test_an_unknown_side_is_the_mean_of_both(
    grader: Grader, make_region: MakeRegion, seed: int
) -> None:
    region = make_region(seed)
    both = [kl(grader.grade(region, side)).probabilities for side in SIDES]
    found = kl(grader.grade(region, Laterality.UNKNOWN))
    np.testing.assert_allclose(found.probabilities, np.mean(both, axis=0), atol=2e-6)


@pytest.mark.parametrize("laterality", Laterality)
def test_attention_lies_on_the_region_as_the_film_shows_it(
    grader: Grader, make_region: MakeRegion, laterality: Laterality
) -> None:
    region = make_region(1)
    found = attention(grader.grade(region, laterality))
    assert found.shape == region.pixels.shape
    assert found.dtype == np.float32
    assert found.min() >= 0.0
    assert 0.9 < found.max() <= 1.0
    # Above row 56 and below row 168 lie no patches; a cell of the map has 8 pixels.
    assert found[:40].max() < 0.1
    assert found[-8:].max() < 0.1


def test_a_batch_equals_its_elements(grader: Grader, make_region: MakeRegion) -> None:
    regions = [make_region(seed) for seed in SEEDS]
    together = grader.outputs(regions)
    assert together.keys() == {"logits/kl", "attention/kl"}
    assert together["logits/kl"].shape == (len(regions), 2, 5)
    for index, region in enumerate(regions):
        for name, alone in grader.outputs([region]).items():
            np.testing.assert_allclose(together[name][index], alone[0], atol=1e-4)


def test_onnx_runtime_alone_says_the_same(bundle: Bundle, make_region: MakeRegion) -> None:
    """The README's promise: a bundle needs nothing of ours but its record."""
    region, record = make_region(2), bundle.record
    session = onnxruntime.InferenceSession(bundle.contents[MODEL])
    pixels = standardise(region.pixels, record.region)[np.newaxis, np.newaxis]
    (logits,) = session.run(["logits/kl"], {"region": pixels})
    fused = logits[0].astype(np.float64).sum(axis=0)
    powers = np.exp(fused / record.temperature["kl"] + record.bias["kl"])
    found = kl(Grader(bundle, threads=1).grade(region, Laterality.RIGHT))
    np.testing.assert_allclose(found.probabilities, powers / powers.sum(), atol=2e-6)


@pytest.mark.parametrize("fusion", ["sum_logits", "mean_logits", "mean_probabilities"])
@pytest.mark.parametrize("temperature", [0.5, 1.0, 4.0])
def test_the_temperature_divides_what_was_fused(
    bundle: Bundle, make_region: MakeRegion, fusion: Fusion, temperature: float
) -> None:
    grader = changed(bundle, fusion=fusion, temperature={"kl": temperature}, bias={})
    outputs = grader.outputs([make_region(3)])
    fused = fuse(outputs["logits/kl"], fusion)
    found = kl(grader.grade(make_region(3), Laterality.RIGHT))
    np.testing.assert_allclose(found.probabilities, softmax(fused / temperature)[0], atol=2e-6)
    # Divided before, members would no longer weigh as they did.
    before = softmax(fuse(outputs["logits/kl"] / temperature, "mean_probabilities"))
    if fusion == "mean_probabilities" and temperature != 1.0:
        assert np.abs(before[0] - found.probabilities).max() > 1e-3


def test_a_hotter_answer_is_less_sure_and_no_other(bundle: Bundle, make_region: MakeRegion) -> None:
    answers = [
        kl(changed(bundle, temperature={"kl": t}, bias={}).grade(make_region(4), Laterality.RIGHT))
        for t in (0.5, 1.0, 2.0, 4.0)
    ]
    tops = [max(answer.probabilities) for answer in answers]
    assert tops == sorted(tops, reverse=True)
    assert tops[0] > tops[-1] + 0.05
    assert len({answer.grade for answer in answers}) == 1


@pytest.mark.parametrize("q", [0.0, 0.5, 0.9, 1.0])
def test_the_set_is_that_of_the_published_probabilities(
    bundle: Bundle, make_region: MakeRegion, q: float
) -> None:
    plan = Conformal(method="contiguous_mass", coverage=0.9, q=q)
    grader = changed(bundle, conformal={"kl": plan.model_dump()})
    for seed in SEEDS:
        found = kl(grader.grade(make_region(seed), Laterality.RIGHT))
        members = contiguous_sets([found.probabilities], q)[0]
        assert found.set == tuple(np.flatnonzero(members))
        assert q > 0.0 or found.set == (found.grade,)
        assert q < 1.0 or found.set == (0, 1, 2, 3, 4)


@pytest.mark.parametrize("mirror_to", SIDES)
def test_the_record_says_which_side_the_networks_see(
    bundle: Bundle,
    make_region: MakeRegion,
    mirror_to: Literal[Laterality.LEFT, Laterality.RIGHT],
) -> None:
    spec = dataclasses.replace(bundle.record.region, mirror_to=mirror_to)
    found = changed(bundle, region=spec).grade(make_region(5), mirror_to)
    plain = Grader(bundle, threads=1).grade(make_region(5), Laterality.RIGHT)
    assert found.predictions == plain.predictions
    assert np.array_equal(attention(found), attention(plain))


class Answers(Backend):
    """A graph that says what it is told."""

    def __init__(self, **outputs: list[float]) -> None:
        self._outputs = outputs

    def run(self, **inputs: NDArray[np.float32]) -> dict[str, NDArray[np.float32]]:
        return {
            f"logits/{name}": np.tile(np.asarray(logits, np.float32), (len(inputs["region"]), 2, 1))
            for name, logits in self._outputs.items()
        }


def told(bundle: Bundle, *tasks: object, **outputs: list[float]) -> Grader:
    names = list(outputs)
    plan = Conformal(method="contiguous_mass", coverage=0.9, q=0.8).model_dump()
    found = changed(
        bundle,
        tasks=tasks,
        temperature=dict.fromkeys(names, 1.0),
        conformal=dict.fromkeys(names, plan),
    )
    found._backend = Answers(**outputs)
    return found


def test_several_tasks_are_answered_side_by_side(bundle: Bundle, make_region: MakeRegion) -> None:
    jsn = OARSI_FEATURES[-1]
    grader = told(bundle, jsn, KL, jsn_medial=[0, 2, 0, 0], kl=[0, 0, 0, 3, 0])
    found = grader.grade(make_region(0), Laterality.LEFT)
    assert {name: answer.grade for name, answer in found.predictions.items()} == {
        "jsn_medial": 1,
        "kl": 3,
    }
    assert grader.shown_task == KL
    assert found.attention is None  # this graph explains nothing


def test_a_task_without_order_has_no_mean_and_may_have_gaps(
    bundle: Bundle, make_region: MakeRegion
) -> None:
    grader = told(bundle, VIEW, view=[2.0, -9.0, -9.0, 1.9, -9.0])
    found = grader.grade(make_region(0), Laterality.RIGHT).predictions["view"]
    assert found.expected is None
    assert found.set == (0, 3)
    assert grader.shown_task == VIEW


@pytest.mark.parametrize("top", range(5))
def test_rounding_loses_nothing(top: int) -> None:
    rng = np.random.default_rng(top)
    for _ in range(200):
        shares = rng.dirichlet(np.full(5, 0.05))
        largest = int(shares.argmax())
        shares[top], shares[largest] = shares[largest], shares[top]
        found = rounded(shares)
        assert sum(round(share * 1e6) for share in found) == 1_000_000
        assert np.array_equal(found, np.round(found, 6))
        assert (found >= 0.0).all()
        assert np.abs(found - shares).max() < 3e-6
