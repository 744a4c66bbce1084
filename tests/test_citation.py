"""CITATION.cff can be read by whoever wants to cite us, and names the version that they have."""

from pathlib import Path
from typing import Any

import pytest
import yaml

import kellgren

REQUIRED = {"authors", "cff-version", "message", "title"}
"""``required`` of the schema of CFF 1.2.0, https://citation-file-format.github.io/1.2.0/schema."""


@pytest.fixture(scope="module")
def citation() -> dict[str, Any]:
    text = (Path(__file__).parents[1] / "CITATION.cff").read_text("utf-8")
    read = yaml.safe_load(text)
    assert isinstance(read, dict)
    return read


def test_it_has_what_the_format_requires(citation: dict[str, Any]) -> None:
    assert citation.keys() >= REQUIRED
    assert citation["cff-version"] == "1.2.0"
    for key in ("message", "title"):
        assert isinstance(citation[key], str)
        assert citation[key].strip()
    assert citation["authors"]


def test_its_version_is_the_packages(citation: dict[str, Any]) -> None:
    # Text, as 1.10 would otherwise be the number 1.1.
    assert citation["version"] == kellgren.__version__


def test_its_references_have_what_the_format_requires(citation: dict[str, Any]) -> None:
    assert citation["references"]
    for reference in citation["references"]:
        # ``required`` of the schema's definition of a reference.
        assert reference.keys() >= {"authors", "title", "type"}
        assert reference["authors"]
