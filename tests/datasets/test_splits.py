"""Patients are split by a hash of who they are: the same for everyone, and never in two."""

import hashlib
import math
from collections import Counter
from dataclasses import replace
from random import Random

from hypothesis import given, settings
from hypothesis import strategies as st

from kellgren.anatomy import Laterality
from kellgren.datasets.splits import Part, part_of, split_sha256
from kellgren.datasets.table import Row

PATIENTS = st.text(st.characters(exclude_categories=["Cs"]), max_size=12)


def cohort(n: int) -> list[Row]:
    """Both knees of ``n`` patients."""
    return [
        Row(
            patient=str(patient),
            image=f"{patient}{side}",
            laterality=side,
            task="kl",
            value=2,
            sha256=f"{patient}-{side}",
        )
        for patient in range(n)
        for side in (Laterality.LEFT, Laterality.RIGHT)
    ]


@given(PATIENTS)
def test_the_parts_are_those_of_the_contract(patient: str) -> None:
    number = int(hashlib.sha256(patient.encode()).hexdigest(), 16)
    held_back = number % 10 == 0
    assert (part_of(patient) != "learning") == held_back
    if held_back:
        assert part_of(patient) == ("calibration" if number // 10 % 2 else "snapshot")


def test_a_tenth_is_held_back_and_halved() -> None:
    n = 20_000
    counts = Counter(part_of(str(9_000_000 + number)) for number in range(n))
    # Four standard deviations of a binomial count.
    shares: dict[Part, float] = {"learning": 0.9, "snapshot": 0.05, "calibration": 0.05}
    for part, share in shares.items():
        assert abs(counts[part] - n * share) < 4 * math.sqrt(n * share * (1 - share)), part
    assert sum(counts.values()) == n


def test_parts_never_change() -> None:
    # Bundles in the world were calibrated on these patients: another hash would leak.
    frozen = {
        "9000099": "learning",
        "9000994": "learning",
        "9000103": "snapshot",
        "9000113": "calibration",
        "phantom-0-00000": "learning",
        "": "learning",
    }
    assert {patient: part_of(patient) for patient in frozen} == frozen


@given(st.randoms(use_true_random=False), st.integers(0, 8))
@settings(max_examples=30)
def test_the_hash_of_a_split_knows_no_order(random: Random, n: int) -> None:
    rows = cohort(n)
    shuffled = list(rows)
    random.shuffle(shuffled)
    assert split_sha256(shuffled) == split_sha256(rows)


def test_the_hash_of_a_split_knows_who_what_and_the_truth() -> None:
    rows = cohort(3)
    first, *others = rows
    different = [
        others,
        [*rows, Row(patient="new", task="kl", value=0)],
        [replace(first, value=3), *others],
        [replace(first, value=None), *others],
        [replace(first, sha256="another picture"), *others],
        [replace(first, patient="somebody else"), *others],
        [replace(first, laterality=Laterality.UNKNOWN), *others],
        [replace(first, exam="a year later"), *others],
        [replace(first, task="jsn_medial"), *others],
    ]
    hashes = [split_sha256(members) for members in (rows, *different)]
    assert len(set(hashes)) == len(hashes)


def test_the_hash_of_a_split_never_changes() -> None:
    # Bundles and ledgers in the world carry it.
    frozen = "9dcd3bdd23f51027b08dafc9601c78de566495c05e5dfaf36918645f181d99ff"
    unnamed = Row(dataset="d", path="a.png", laterality=Laterality.LEFT, task="kl", value=1)
    assert split_sha256([*cohort(2), unnamed]) == frozen


def test_the_hash_of_a_split_does_not_care_where_files_lie() -> None:
    rows = cohort(2)
    moved = [replace(row, path=f"elsewhere/{row.image}.png", split="test") for row in rows]
    assert split_sha256(moved) == split_sha256(rows)
