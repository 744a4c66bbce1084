"""Every data set that may teach says where it comes from and under which licence."""

import pytest

from kellgren.datasets import kneekl299, phantom, sources
from kellgren.systems import SYSTEMS


@pytest.mark.parametrize(
    "name", sorted({name for system in SYSTEMS.values() for name in system.teaches_from})
)
def test_what_teaches_is_known(name: str) -> None:
    source = sources.of(name)
    assert source is sources.SOURCES[name]
    assert source.name == name
    assert source.licence != "not stated"


def test_readers_use_the_names_of_their_sources() -> None:
    assert "56rmx5bjcr" in sources.of(kneekl299.NAME).reference
    assert sources.of(kneekl299.NAME).licence == "CC BY 4.0"
    assert "phantom" in sources.of(phantom.cohort.NAME).reference


def test_an_unknown_data_set_keeps_its_name_and_claims_no_licence() -> None:
    source = sources.of("our hospital")
    assert (source.name, source.licence) == ("our hospital", "not stated")
