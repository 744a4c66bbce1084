"""A bundle: weights, and everything that must be known to use them honestly.

A folder or a zip of ``bundle.json`` (the record below), ``model.onnx`` and, for some,
``model.fast.onnx``. There is no pickle in it, and every file is known by its SHA-256.
"""

import hashlib
import zipfile
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from kellgren import errors
from kellgren.anatomy import Task
from kellgren.bundles import DEFAULT
from kellgren.bundles import FOLDER as SHIPPED
from kellgren.imaging.region import RegionSpec
from kellgren.records import BundleReference

RECORD = "bundle.json"
MODEL = "model.onnx"
FAST_MODEL = "model.fast.onnx"
KNOWN = frozenset({RECORD, MODEL, FAST_MODEL})
"""What a bundle may hold; anything else is refused by its name and never read."""

MAX_FILE_BYTES = 500_000_000
"""Chosen: an order of magnitude above the largest published ensemble; stops zip bombs."""

Sha256 = Annotated[str, Field(pattern=r"^[0-9a-f]{64}$")]
Positive = Annotated[float, Field(gt=0.0)]
Share = Annotated[float, Field(ge=0.0, le=1.0)]


class _Record(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True, allow_inf_nan=False)


class Member(_Record):
    """One network of an ensemble: its seed and the iteration of the snapshot that was kept."""

    seed: int
    iteration: int


class Conformal(_Record):
    """How sets are made: grown from the arg-max until their mass reaches ``q``."""

    method: Literal["contiguous_mass"]
    coverage: Share
    q: Share


class TrainedOn(_Record):
    """A data set that the weights, or the teacher of the weights, learned from."""

    name: str
    kind: Literal["real", "synthetic"]
    source: str
    licence: str
    counts: dict[str, int]
    split_sha256: Sha256


class Result(_Record):
    """One measured number, with its interval and what it was measured on."""

    on: str
    task: str
    metric: str
    value: float
    low: float | None
    high: float | None
    n_patients: int
    n_knees: int


class Requires(_Record):
    """Other bundles that this one needs."""

    localiser: str | None = None


class BundleRecord(_Record):
    """``bundle.json``.

    ``temperature`` divides the fused logits; ``self_test`` is what the bundle said, when it was
    exported, of the phantom that ``kellgren check`` shows it; ``files`` maps each other file to its
    SHA-256; the remaining names are those of the glossary in CONTRIBUTING.md.
    """

    format: Literal[1] = 1
    kind: Literal["grader"]
    name: Annotated[str, Field(pattern=r"^[a-z0-9][a-z0-9_.-]*$")]
    version: Annotated[str, Field(pattern=r"^\d+\.\d+\.\d+$")]
    system: str
    doi: str | None
    fidelity: Literal["paper", "released", "modern"]
    variant: str
    statement_of_use: str
    limits: str
    region: RegionSpec
    tasks: Annotated[tuple[Task, ...], Field(min_length=1)]
    members: tuple[Member, ...]
    fusion: Literal["sum_logits", "mean_logits", "mean_probabilities"]
    temperature: dict[str, Positive]
    conformal: dict[str, Conformal]
    explanation: Literal["cam_exact", "none"]
    operating_points: dict[str, float] = Field(default_factory=dict)
    taught_by: str | None = None
    initialised_from: str | None = None
    trained_on: tuple[TrainedOn, ...]
    results: tuple[Result, ...] = ()
    self_test: dict[str, tuple[float, ...]] = Field(default_factory=dict)
    requires: Requires = Requires()
    files: dict[str, Sha256]

    @property
    def synthetic(self) -> bool:
        """Whether any of its weights learned from phantoms."""
        return any(source.kind == "synthetic" for source in self.trained_on)

    def to_bytes(self) -> bytes:
        """The exact content of ``bundle.json``."""
        return (self.model_dump_json(indent=2) + "\n").encode()


@dataclass(frozen=True, slots=True, eq=False)
class Bundle:
    """A verified bundle.

    Parameters
    ----------
    record
        What ``bundle.json`` says.
    sha256
        Of ``bundle.json``: the identity of the whole, since it holds the other files' hashes.
    contents
        The other files' bytes by name.
    """

    record: BundleRecord
    sha256: str
    contents: dict[str, bytes]

    @property
    def reference(self) -> BundleReference:
        """What a result says about who graded it."""
        return BundleReference(self.record.name, self.record.version, self.sha256)


def load_bundle(source: str | Path = DEFAULT) -> Bundle:
    """Load a bundle and check every byte of it.

    Parameters
    ----------
    source
        The name of a shipped bundle, or the path of a folder or zip.

    Raises
    ------
    BundleNotFound
        Nothing has that name; the message lists what ships.
    BundleInvalid
        The record breaks the contract.
    BundleTampered
        A file is missing, added, or not the one recorded.
    """
    files = dict(_read_files(_find(source)))
    if RECORD not in files:
        raise errors.BundleInvalid(
            f"{source}: holds no {RECORD}. Export it with 'kellgren export'."
        )
    content = files.pop(RECORD)
    record = parse_record(content, str(source))
    for name in sorted(record.files.keys() | files.keys()):
        if name not in files:
            raise errors.BundleTampered(f"{source}: {name} is missing. Get the bundle again.")
        if name not in record.files:
            raise errors.BundleTampered(f"{source}: {name} does not belong to it. Remove the file.")
        if hashlib.sha256(files[name]).hexdigest() != record.files[name]:
            raise errors.BundleTampered(
                f"{source}: {name} is not the file that was exported. Get the bundle again."
            )
    return Bundle(record, hashlib.sha256(content).hexdigest(), files)


def parse_record(content: bytes, source: str) -> BundleRecord:
    """Read ``bundle.json`` strictly: unknown fields are refused wherever they stand."""
    try:
        record = BundleRecord.model_validate_json(content)
    except ValidationError as error:
        first = error.errors(include_url=False)[0]
        where = ".".join(map(str, first["loc"])) or "the whole"
        raise errors.BundleInvalid(
            f"{source}: {RECORD} is invalid: {where}: {first['msg']}. Use the version of kellgren "
            "that made it, or export it again."
        ) from error
    missing = {task.name for task in record.tasks} ^ record.temperature.keys()
    if missing or record.temperature.keys() != record.conformal.keys():
        raise errors.BundleInvalid(
            f"{source}: {RECORD} needs one temperature and one conformal quantile for each task."
        )
    if MODEL not in record.files or record.files.keys() - {MODEL, FAST_MODEL}:
        raise errors.BundleInvalid(
            f"{source}: {RECORD} must list {MODEL} and at most {FAST_MODEL}."
        )
    return record


def shipped() -> tuple[str, ...]:
    """The names of the bundles inside the installed package."""
    return tuple(sorted(path.parent.name for path in SHIPPED.glob(f"*/{RECORD}")))


def _find(source: str | Path) -> Path:
    named = SHIPPED / str(source)
    if str(source) in shipped():
        return named
    path = Path(source)
    if path.is_dir() or zipfile.is_zipfile(path):
        return path
    raise errors.BundleNotFound(
        f"{source}: neither a shipped bundle ({', '.join(shipped()) or 'none'}) nor the path of a "
        "bundle's folder or zip."
    )


def _read_files(path: Path) -> Iterator[tuple[str, bytes]]:
    if path.is_dir():
        for item in path.iterdir():
            if item.name in KNOWN and item.is_file():
                _limit(item.stat().st_size, item.name)
                yield item.name, item.read_bytes()
            else:
                yield item.name, b""
        return
    try:
        with zipfile.ZipFile(path) as archive:
            _refuse_twins(archive.namelist(), path)
            for info in archive.infolist():
                _limit(info.file_size, info.filename)
                yield info.filename, archive.read(info) if info.filename in KNOWN else b""
    except errors.BundleError:
        raise
    except Exception as error:  # zipfile raises anything at all on damaged content
        raise errors.BundleTampered(
            f"{path}: the zip is damaged ({error}). Get the bundle again."
        ) from error


def _refuse_twins(names: list[str], path: Path) -> None:
    name, count = Counter(names).most_common(1)[0] if names else ("", 0)
    if count > 1:
        raise errors.BundleInvalid(f"{path}: holds {name} more than once. Keep one.")


def _limit(size: int, name: str) -> None:
    if size > MAX_FILE_BYTES:
        raise errors.BundleInvalid(
            f"{name}: {size} bytes; a bundle's file has at most {MAX_FILE_BYTES}."
        )
