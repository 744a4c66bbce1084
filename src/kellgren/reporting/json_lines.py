"""One film, one line of JSON, and the schema that describes it."""

import functools
import json
import re
from typing import Any, NoReturn

from pydantic import TypeAdapter
from pydantic.json_schema import GenerateJsonSchema

from kellgren.records import FilmResult

DIALECT = "https://json-schema.org/draft/2020-12/schema"

_SIX_DECIMALS = frozenset({"probabilities", "expected", "coverage", "confidence"})
_BY_NAME = frozenset({"grades", "image_grades", "exam_grades"})


def to_json(result: FilmResult) -> str:
    r"""Write a result as one line.

    Equal results give equal lines: fields stand in the order of their definition, tasks in that of
    their names, probabilities have six decimals, and all characters are ASCII, so that neither a
    console's encoding nor a line separator in a file name can break a line. Bytes of a file name
    that are no UTF-8 are written as ``\udc..`` in letters.

    Raises
    ------
    ValueError
        A number is not finite; JSON has no word for it.
    """
    document = _plain(_adapter().dump_python(result))
    # The version first, so that a reader of a long line sees what it is.
    ordered = {"schema": document.pop("schema"), **document}
    try:
        return json.dumps(ordered, allow_nan=False, separators=(",", ":"))
    except ValueError as error:
        raise ValueError(
            f"{result.source!r}: the result holds a number that is not finite. This is a defect; "
            "please report it."
        ) from error


def from_json(line: str) -> FilmResult:
    """Read what `to_json` wrote, in this version or another one of the same ``schema``.

    Fields that an older version did not know yet take their defaults; those that only a newer one
    knows are left out.

    Raises
    ------
    ValueError
        The line is torn, or breaks the published schema.
    """
    try:
        # pydantic would let NaN pass, which is not JSON.
        json.loads(line, parse_constant=_not_a_number)
        # Strict: "0.5" in quotation marks is not a number, as the schema says.
        return _adapter().validate_json(line, strict=True)
    except ValueError as error:
        raise ValueError(
            f"Not a film result of schema 1: {error}\nCompare the line with "
            "docs/reference/film-result.schema.json, or grade the film again."
        ) from error


def schema() -> dict[str, Any]:
    """Make the JSON Schema of a line, draft 2020-12, from `FilmResult` itself.

    Unknown fields are allowed and only fields without a default are required, because fields are
    added from version to version: an old schema accepts new lines and a new schema old ones. This
    version always writes every field it knows.
    """
    made = _adapter().json_schema(schema_generator=_Untitled)
    for part in (made, *made["$defs"].values()):
        _spread_docstring(part)
    return {"$schema": DIALECT, "title": made.pop("title"), **made}


@functools.cache
def _adapter() -> TypeAdapter[FilmResult]:
    # Made at the first use: it takes 40 ms that other commands need not wait for.
    return TypeAdapter(FilmResult)


class _Untitled(GenerateJsonSchema):
    """Leaves out titles that only repeat a field's name."""

    def field_title_should_be_set(self, schema: Any) -> bool:  # noqa: ANN401, ARG002  # pydantic's
        """Never."""
        return False


def _spread_docstring(part: dict[str, Any]) -> None:
    """Move the parameters of a NumPy docstring to the fields they describe."""
    text: str = part.get("description", "")
    summary, _, listed = text.partition("\n\nParameters\n----------\n")
    part["description"] = _one_line(summary)
    for names, description in re.findall(r"^(\w.*)\n((?:    .*\n?|\n)+)", listed, re.MULTILINE):
        for name in names.split(", "):
            field = part["properties"][name]
            field["description"] = _one_line(description)


def _one_line(text: str) -> str:
    # In JSON's words and without reStructuredText's double quotes.
    return " ".join(text.split()).replace("None", "null").replace("``", "`")


def _plain(value: Any, *, name: str = "") -> Any:  # noqa: ANN401  # any part of a result
    match value:
        case dict():
            keys = sorted(value) if name in _BY_NAME else value
            return {key: _plain(value[key], name=key) for key in keys}
        case list() | tuple():
            return [_plain(item, name=name) for item in value]
        case float() if name in _SIX_DECIMALS:
            return round(value, 6)
        case str():
            return value.encode("utf-8", "backslashreplace").decode()
        case _:
            return value


def _not_a_number(word: str) -> NoReturn:
    raise ValueError(f"{word} is no JSON number")
