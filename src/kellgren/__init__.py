"""Kellgren: grading knee osteoarthritis on plain radiographs. Research use only.

Examples
--------
>>> import kellgren
>>> results = kellgren.grade("regions/", cropped=True)  # doctest: +SKIP
"""

from importlib.metadata import PackageNotFoundError, version
from typing import TYPE_CHECKING

try:
    __version__ = version("kellgren")
except PackageNotFoundError:  # a source tree that was not installed
    __version__ = "0.0.0"

if TYPE_CHECKING:
    from kellgren.anatomy import KL, Compartment, Laterality, Task
    from kellgren.api import grade
    from kellgren.errors import KellgrenError
    from kellgren.grading import Bundle, Grader, load_bundle
    from kellgren.records import FilmResult, Knee, Prediction

_PLACES = {
    "KL": "anatomy",
    "Bundle": "grading",
    "Compartment": "anatomy",
    "FilmResult": "records",
    "Grader": "grading",
    "KellgrenError": "errors",
    "Knee": "records",
    "Laterality": "anatomy",
    "Prediction": "records",
    "Task": "anatomy",
    "grade": "api",
    "load_bundle": "grading",
}

__all__ = [
    "KL",
    "Bundle",
    "Compartment",
    "FilmResult",
    "Grader",
    "KellgrenError",
    "Knee",
    "Laterality",
    "Prediction",
    "Task",
    "__version__",
    "grade",
    "load_bundle",
]


def __getattr__(name: str) -> object:
    """Import a public name when it is first used: ``import kellgren`` itself stays light."""
    if name not in _PLACES:
        raise AttributeError(f"module 'kellgren' has no attribute {name!r}")
    from importlib import import_module

    found: object = getattr(import_module(f"kellgren.{_PLACES[name]}"), name)
    return found


def __dir__() -> list[str]:
    return sorted(__all__)
