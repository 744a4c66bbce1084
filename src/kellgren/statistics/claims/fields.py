"""The values that a file of claims may hold. None is converted, so that no digit is lost."""

from typing import Annotated, TypeGuard

from pydantic import BaseModel, ConfigDict, Field, PlainValidator, StrictInt, StrictStr

from kellgren.statistics.claims.rounding import Printed


class Part(BaseModel):
    """A table of the file: unknown keys are refused."""

    model_config = ConfigDict(extra="forbid", frozen=True)


def _is_whole(value: object) -> TypeGuard[int]:
    return isinstance(value, int) and not isinstance(value, bool)


def _number(value: object) -> Printed:
    return Printed.exact(value) if _is_whole(value) else _rounded(value)


def _rounded(value: object) -> Printed:
    if isinstance(value, Printed):
        return value
    if _is_whole(value):
        return Printed.rounded(value)
    raise ValueError(
        f"should be a number with the digits that are printed, such as 0.830, not {value!r}"
    )


MOST = 10_000_000
"""Cases that a count may have; chosen: more than any cohort of knees, and quick to go through."""

Text = Annotated[StrictStr, Field(min_length=1)]
Count = Annotated[StrictInt, Field(ge=0, le=MOST)]
Size = Annotated[StrictInt, Field(ge=1, le=MOST)]
Number = Annotated[Printed, PlainValidator(_number)]
"""A whole number is exact, as counts and settings are; one with decimals was rounded to them."""
Rounded = Annotated[Printed, PlainValidator(_rounded)]
"""A number that was rounded to its digits, even where it is whole: 83 is 82.5 to 83.5."""
