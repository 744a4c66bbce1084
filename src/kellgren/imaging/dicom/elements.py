"""Values of optional elements: what is missing, empty or nonsense is None, never an error."""

import math
import re
from typing import Any

from pydicom.dataset import Dataset

_MAX_TEXT = 64
"""Characters of a Long String (DICOM PS3.5, 6.2), the longest that is read."""
_UID = re.compile(r"[0-9]+(?:\.[0-9]+)+")


def text(dataset: Dataset, keyword: str) -> str | None:
    """A text without control characters, its blanks single, cut to 64; the first of several."""
    values = _values(dataset, keyword)
    if not values:
        return None
    printable = "".join(letter if letter.isprintable() else " " for letter in str(values[0]))
    return " ".join(printable.split())[:_MAX_TEXT] or None


def texts(dataset: Dataset, keyword: str) -> tuple[str, ...]:
    """All values of a short text."""
    printable = (
        "".join(filter(str.isprintable, str(value))) for value in _values(dataset, keyword)
    )
    return tuple(found for value in printable if (found := value.strip()[:_MAX_TEXT]))


def numbers(dataset: Dataset, keyword: str) -> tuple[float, ...]:
    """All values of a number, or none if one of them is not finite."""
    try:
        found = tuple(float(value) for value in _values(dataset, keyword))
    except (TypeError, ValueError):
        return ()
    return found if all(map(math.isfinite, found)) else ()


def number(dataset: Dataset, keyword: str) -> float | None:
    """The first value of a number."""
    found = numbers(dataset, keyword)
    return found[0] if found else None


def uid(dataset: Dataset, keyword: str) -> str | None:
    """A UID of digits and dots (PS3.5, 9.1), or None. It is text, and never part of a path."""
    found = text(dataset, keyword)
    return found if found is not None and _UID.fullmatch(found) else None


def items(dataset: Dataset, keyword: str) -> tuple[Dataset, ...]:
    """The items of a sequence."""
    return tuple(item for item in _values(dataset, keyword) if isinstance(item, Dataset))


def _values(dataset: Dataset, keyword: str) -> list[Any]:
    try:
        value = dataset.get(keyword)
    except Exception:  # pydicom decodes a value when it is asked for, and raises anything at all
        return []
    if value is None or isinstance(value, str | bytes):
        return [] if value is None else [value]
    try:
        return list(value)
    except TypeError:
        return [value]
