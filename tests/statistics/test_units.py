"""Whom knees are resampled by, and what a report says where it is no patient."""

import numpy as np

from kellgren.datasets.table import Row
from kellgren.statistics.reports.units import counted, unit_warnings
from kellgren.statistics.units import unit_of, without_patient

UNITS = np.array(["patient", "picture", "cluster", "picture", "patient"])
PATIENTS = np.array(["P", "a", "c", "b", "P"])


def test_the_unit_is_the_first_that_is_known() -> None:
    for row, unit, name in (
        (Row(patient="P", cluster="c", image="a"), "patient", "P"),
        (Row(cluster="c", image="a"), "cluster", "c"),
        (Row(image="a"), "picture", "a"),
    ):
        assert (unit_of(row), row.resampled_by) == (unit, name)


def test_what_has_no_patient_is_counted_by_unit() -> None:
    assert dict(without_patient(UNITS)) == {"cluster": 1, "picture": 2}
    assert dict(without_patient(UNITS[:1])) == {}
    assert counted(PATIENTS, UNITS) == "5 knees of 1 patient, 1 cluster, 2 pictures"
    assert counted(PATIENTS[:0], UNITS[:0]) == "0 knees of 0 patients"


def test_the_same_is_warned_of_once_and_by_the_table_that_lacks_it() -> None:
    (warning,) = unit_warnings([("KL", UNITS), ("KL", UNITS)], table="the readings")
    assert "KL: 3 of 5 knees have no patient" in warning
    assert "1 by cluster, 2 by picture" in warning
    assert warning.endswith("Fill in the column 'patient' of the readings.")
    assert len(unit_warnings([("KL", UNITS), ("JSN", UNITS)])) == 2
    assert unit_warnings([("KL", UNITS[:1])]) == ()
