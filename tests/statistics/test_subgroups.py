import pytest

from kellgren.anatomy import Laterality
from kellgren.datasets.table import Row
from kellgren.statistics.subgroups import LEAST, common_subgroups, subgroups

SIDES = (Laterality.LEFT, Laterality.RIGHT)


def people(n: int, **covariates: list[str]) -> list[Row]:
    return [
        Row(
            patient=str(i),
            laterality=SIDES[i % 2],
            covariates={name: values[i % len(values)] for name, values in covariates.items()},
        )
        for i in range(n)
    ]


def names(rows: list[Row]) -> list[str]:
    return [group.name for group in subgroups(rows)[0]]


def test_sides_and_covariates_divide() -> None:
    rows = people(120, sex=["F", "M", "F"], site=["a"])
    found, left_out = subgroups(rows)
    assert {g.name: int(g.members.sum()) for g in found} == {
        "laterality=left": 60,
        "laterality=right": 60,
        "sex=F": 80,
        "sex=M": 40,
    }
    assert left_out == ()


def test_measures_are_put_in_bands() -> None:
    rows = people(160, age=["49.9", "50", "61", "85"], BMI=["24.9", "25"])
    assert names(rows) == [
        "laterality=left",
        "laterality=right",
        "BMI=18.5 to under 25",
        "BMI=25 to under 30",
        "age=under 50",
        "age=50 to under 60",
        "age=60 to under 70",
        "age=80 and over",
    ]


def test_small_cells_are_not_shown_but_said() -> None:
    rows = people(2 * LEAST, scanner=["A"] * (2 * LEAST - 3) + ["B", "B", "B"])
    found, left_out = subgroups(rows)
    assert "scanner=B" not in {group.name for group in found}
    assert left_out == (f"scanner=B: fewer than {LEAST} knees",)


@pytest.mark.parametrize("text", ["", "unknown", "nan", "inf"])
def test_who_has_no_number_is_in_no_band(text: str) -> None:
    rows = people(120, age=["40", "55", text])
    assert [n for n in names(rows) if n.startswith("age")] == [
        "age=under 50",
        "age=50 to under 60",
    ]


def test_an_identifier_is_no_group() -> None:
    found, left_out = subgroups(people(200, visit_id=[str(i) for i in range(50)]))
    assert not any(group.name.startswith("visit_id") for group in found)
    assert left_out == ("visit_id: 50 values",)


def test_two_cohorts_are_divided_by_what_both_have() -> None:
    inside = people(120, sex=["F", "M"], site=["a"], scanner=["X"], age=["55", "61", "85"])
    outside = people(90, sex=["F"], site=["b"], scanner=["X"], age=["59", "62", "62"])
    outside += people(LEAST - 1, sex=["M"], site=["b"], scanner=["X"])
    found, left_out = common_subgroups(inside, outside)
    sizes = {g.name: (int(g.members[:120].sum()), int(g.members[120:].sum())) for g in found}
    assert sizes == {
        "laterality=left": (60, 60),
        "laterality=right": (60, 59),
        "age=50 to under 60": (40, 30),
        "age=60 to under 70": (40, 60),
        "sex=F": (60, 90),
    }
    # One scanner divides nobody; nobody outside is 80.
    assert left_out == (
        f"sex=M: fewer than {LEAST} knees in a cohort",
        "site: no value that both cohorts have",
    )
