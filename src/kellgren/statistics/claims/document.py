"""A file of claims: what a paper says, where it says so, and the checks to make of it."""

import tomllib
from pathlib import Path
from typing import Annotated, Any, Self

from pydantic import Field, StrictStr, ValidationError, model_validator

from kellgren import errors
from kellgren.statistics.claims.checks import AnyCheck
from kellgren.statistics.claims.fields import Part, Text
from kellgren.statistics.claims.rounding import Printed

SUFFIX = ".toml"

_OF_THE_CLAIM = frozenset({"says", "where", "quote", "note", "readings"})
_GUIDE = "The page docs/how-to/check-a-papers-numbers.md shows every check."


class Claim(Part):
    """One claim, and one or more ways to read it."""

    says: Text
    where: Text
    quote: StrictStr = ""
    note: StrictStr = ""
    readings: Annotated[tuple[AnyCheck, ...], Field(min_length=1)]

    @model_validator(mode="before")
    @classmethod
    def _short_form(cls, claim: Any) -> Any:  # noqa: ANN401 - whatever the file holds
        """Take a check that stands in the claim itself for its only reading."""
        if not isinstance(claim, dict) or "readings" in claim:
            return claim
        check = {key: value for key, value in claim.items() if key not in _OF_THE_CLAIM}
        if "check" not in check:
            raise ValueError("needs the key check, or a table readings with one check each")
        return {key: claim[key] for key in claim if key in _OF_THE_CLAIM} | {"readings": [check]}

    @model_validator(mode="after")
    def _fits(self) -> Self:
        if self.readings[0].stretched:
            raise ValueError("readings: the first is what the paper says, and is not stretched")
        return self


class Document(Part):
    """All claims of one paper."""

    paper: Text
    title: Text
    citation: Text
    note: StrictStr = ""
    claims: Annotated[tuple[Claim, ...], Field(min_length=1)]


def read_document(path: Path) -> Document:
    """Read a file of claims.

    Raises
    ------
    FileMissing, FileUnreadable
        Nothing is there, or it may not be read.
    TableError
        It is no TOML, or does not follow the layout; the message says where, and what is allowed.
    """
    try:
        text = path.read_bytes().decode("utf-8")
        content = tomllib.loads(text, parse_float=Printed.rounded)
    except FileNotFoundError as error:
        raise errors.FileMissing(f"{path}: no such file. Give a {SUFFIX} file.") from error
    except OSError as error:
        raise errors.FileUnreadable(f"{path}: cannot be read ({error.strerror}).") from error
    except ValueError as error:  # of TOML, of a number that is none, or of UTF-8
        raise errors.TableError(f"{path.name}: is no TOML in UTF-8 ({error}). {_GUIDE}") from error
    try:
        return Document.model_validate(content)
    except ValidationError as error:
        raise errors.TableError(f"{path.name}: {_problem(error, content)} {_GUIDE}") from error


def documents_in(path: Path) -> tuple[Path, ...]:
    """Return the file itself, or all files of claims in a folder by name.

    Raises
    ------
    FileMissing
        Nothing is there, or the folder holds none.
    """
    if not path.is_dir():
        return (path,)
    found = tuple(sorted(path.glob(f"*{SUFFIX}")))
    if not found:
        raise errors.FileMissing(f"{path}: holds no file that ends in {SUFFIX}. Write one.")
    return found


def _problem(error: ValidationError, content: dict[str, Any]) -> str:
    """Say where and how a file breaks the layout, in words that its author knows."""
    first = error.errors(include_url=False, include_input=False)[0]
    place = list(first["loc"])
    words = []
    if place[:1] == ["claims"] and len(place) > 1:
        index = int(place[1])
        claim = content["claims"][index]
        says = claim.get("says") if isinstance(claim, dict) else None
        words.append(f"claim {index + 1}" + (f" ({says})" if says else ""))
        place = place[2:]
        if place[:1] == ["readings"] and len(place) > 1:
            words += [f"reading {int(place[1]) + 1}"] if "readings" in claim else []
            place = place[2:]
    words += [str(part + 1) if isinstance(part, int) else str(part) for part in place]
    return f"{', '.join(words) or 'the file'}: {_message(first['type'], first)}."


def _message(kind: str, first: Any) -> str:  # noqa: ANN401 - pydantic's own record of an error
    if kind == "extra_forbidden":
        return "no such key here"
    if kind == "missing":
        return "this key is missing"
    if kind == "union_tag_invalid":
        return f"no such check; there are {first['ctx']['expected_tags']}"
    if kind == "union_tag_not_found":
        return "a reading needs the key check"
    if kind == "int_type":
        return "should be a whole number of cases, such as 300"
    return str(first["msg"]).removeprefix("Value error, ").rstrip(".")
