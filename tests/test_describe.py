"""What a person reads of systems, bundles and evaluations in a terminal."""

from collections.abc import Sequence

import pytest

from kellgren.bundles.record import Result
from kellgren.datasets.table import Row
from kellgren.describe import (
    describe_bundle,
    describe_estimate,
    describe_localiser,
    describe_system,
    list_systems,
)
from kellgren.grading import Bundle
from kellgren.localise import LocaliserBundle, load_localiser
from kellgren.systems import SYSTEMS


def test_columns_stand_below_each_other() -> None:
    lines = list_systems(SYSTEMS.values()).splitlines()
    titles = [system.title for system in SYSTEMS.values()]
    assert len({line.index(title) for line, title in zip(lines, titles, strict=True)}) == 1
    assert all(line == line.rstrip() for line in lines)


@pytest.mark.parametrize("name", SYSTEMS)
def test_fidelities_stand_side_by_side(name: str) -> None:
    system = SYSTEMS[name]
    text = describe_system(system)
    (head,) = [line for line in text.splitlines() if line.split() == list(system.recipes)]
    (rates,) = [line for line in text.splitlines() if line.startswith("learning_rate")]
    for fidelity, recipe in system.recipes.items():
        place = head.index(fidelity)
        assert rates[place:].split()[0] == str(recipe.learning_rate)
    assert "MappingProxy" not in text
    assert "object at" not in text


@pytest.mark.parametrize(
    ("seconds", "networks", "said"),
    [
        (0.2, 1, "about 1 s for 1 network"),
        (40.0, 1, "about 40 s for 1 network"),
        (59.4, 2, "about 59 s for 2 networks"),
        (59.6, 1, "about 1 min for 1 network"),
        (960.0, 3, "about 16 min for 3 networks"),
        (3_560.0, 1, "about 59 min for 1 network"),
        (3_590.0, 1, "1.0 hours for 1 network"),
        (5_400.0, 3, "1.5 hours for 3 networks"),
    ],
)
def test_an_estimate_is_in_the_unit_that_a_person_would_choose(
    seconds: float, networks: int, said: str
) -> None:
    assert describe_estimate(seconds, networks) == said


def test_a_bundle_says_what_was_measured_and_on_what(bundle: Bundle) -> None:
    def result(low: float | None, high: float | None) -> Result:
        return Result(
            on="kneeKL299/val",
            task="kl",
            metric="quadratic_kappa",
            value=0.8236,
            low=low,
            high=high,
            n_patients=400,
            n_knees=826,
        )

    def described(*results: Result) -> str:
        record = bundle.record.model_copy(update={"results": results})
        return describe_bundle(Bundle(record, bundle.sha256, bundle.contents))

    assert "Measured" not in described()
    text = described(result(0.79, 0.85), result(None, None))
    measured = text.split("Measured\n")[1].splitlines()
    assert "0.824 [0.790, 0.850]" in measured[0]
    assert measured[1].split()[3] == "0.824"
    assert all("kneeKL299/val kl" in line and "n = 826" in line for line in measured)
    assert "kneeKL299 (real, CC BY 4.0): knees 0" in text
    assert "taught by    the truth alone" in text


def test_a_localiser_says_what_was_measured_too() -> None:
    bundle = load_localiser()
    result = Result(
        on="held-out strips",
        task="localise",
        metric="found",
        value=0.9871,
        low=0.97,
        high=1.0,
        n_patients=75,
        n_knees=150,
    )

    def described(*results: Result) -> str:
        record = bundle.record.model_copy(update={"results": results})
        return describe_localiser(LocaliserBundle(record, bundle.sha256, bundle.contents))

    assert "Measured" not in described()
    head, measured = described(result).split("Measured\n")
    assert " ".join(measured.split()) == (
        "held-out strips localise found 0.987 [0.970, 1.000] n = 150"
    )
    assert bundle.sha256 in head


def rows(grades: Sequence[int | None], reader: str, statuses: dict[int, str]) -> list[Row]:
    return [
        Row(
            patient=f"P{index}",
            task="kl",
            reader=reader,
            value=grade,
            status=statuses.get(index, "ok"),
        )
        for index, grade in enumerate(grades)
    ]
