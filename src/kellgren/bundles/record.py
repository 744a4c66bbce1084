"""What the records of all kinds of bundle have in common."""

from dataclasses import dataclass
from typing import Annotated, Generic, Literal, Protocol, TypeVar

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from kellgren.records import BundleReference

Sha256 = Annotated[str, Field(pattern=r"^[0-9a-f]{64}$")]
Share = Annotated[float, Field(ge=0.0, le=1.0)]


class Strict(BaseModel):
    """A part of a record: unknown fields, NaN and infinity are refused."""

    model_config = ConfigDict(extra="forbid", frozen=True, allow_inf_nan=False)


class Record(Strict):
    """What every kind of ``bundle.json`` can do."""

    def to_bytes(self) -> bytes:
        """The exact content of ``bundle.json``."""
        return (self.model_dump_json(indent=2) + "\n").encode()


class Named(Protocol):
    """A record that says whose it is."""

    @property
    def name(self) -> str:
        """Of the bundle."""
        ...

    @property
    def version(self) -> str:
        """Three numbers."""
        ...


R = TypeVar("R", bound=Named)


@dataclass(frozen=True, slots=True, eq=False)
class Verified(Generic[R]):
    """A bundle whose every byte was checked.

    Parameters
    ----------
    record
        What ``bundle.json`` says.
    sha256
        Of ``bundle.json``: the identity of the whole, since it holds the other files' hashes.
    contents
        The other files' bytes by name.
    """

    record: R
    sha256: str
    contents: dict[str, bytes]

    @property
    def reference(self) -> BundleReference:
        """What a result says about who spoke."""
        return BundleReference(self.record.name, self.record.version, self.sha256)


class TrainedOn(Strict):
    """A data set that the weights, or the teacher of the weights, learned from."""

    name: str
    kind: Literal["real", "synthetic"]
    source: str
    licence: str
    counts: dict[str, int]
    split_sha256: Sha256


class Result(Strict):
    """One measured number, with its interval and what it was measured on."""

    on: str
    task: str
    metric: str
    value: float
    low: float | None
    high: float | None
    n_patients: int
    n_knees: int


def problem(error: ValidationError) -> str:
    """Where and how a record breaks the contract, in words."""
    first = error.errors(include_url=False)[0]
    where = ".".join(map(str, first["loc"])) or "the whole"
    return f"{where}: {first['msg']}"
