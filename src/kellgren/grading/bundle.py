"""A grader's bundle: weights, and everything that must be known to use them honestly."""

from pathlib import Path
from typing import Annotated, Literal

from pydantic import Field, FiniteFloat, ValidationError

from kellgren import errors
from kellgren.anatomy import Task
from kellgren.bundles import DEFAULT
from kellgren.bundles.record import (
    Record,
    Result,
    Sha256,
    Share,
    Strict,
    TrainedOn,
    Verified,
    problem,
)
from kellgren.bundles.store import FAST_MODEL, MODEL, RECORD, read_files, verify
from kellgren.grading.calibration import Calibration
from kellgren.imaging.region import RegionSpec

Positive = Annotated[float, Field(gt=0.0)]


class Member(Strict):
    """One network of an ensemble: its seed and the iteration of the snapshot that was kept."""

    seed: int
    iteration: int


class Conformal(Strict):
    """How sets are made: grown from the arg-max until their mass reaches ``q``."""

    method: Literal["contiguous_mass"]
    coverage: Share
    q: Share


class Requires(Strict):
    """Other bundles that this one needs."""

    localiser: str | None = None


class BundleRecord(Record):
    """``bundle.json``.

    ``temperature`` divides the fused logits and ``bias`` is added to them, class by class;
    ``operating_points`` maps a cut such as ``kl>=2`` to the probability that calls a knee positive;
    ``self_test`` is what the bundle said, when it was
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
    bias: dict[str, tuple[FiniteFloat, ...]] = Field(default_factory=dict)
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

    def thresholds(self, task: Task) -> dict[int, float]:
        """Cut → the probability from which a knee is called at least so bad."""
        names = {cut: operating_point(task, cut) for cut in range(1, len(task.classes))}
        points = self.operating_points
        return {cut: points[name] for cut, name in names.items() if name in points}

    def calibration(self, task: Task) -> Calibration:
        """What turns the fused logits of a task into probabilities."""
        return Calibration(self.temperature[task.name], self.bias.get(task.name, ()))


def operating_point(task: Task, cut: int) -> str:
    """The name of a threshold in ``operating_points``, such as ``kl>=2``."""
    return f"{task.name}>={cut}"


class Bundle(Verified[BundleRecord]):
    """A verified grader bundle."""


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
    stored = read_files(source)
    record = parse_record(stored.record, stored.source)
    verify(stored, record.files)
    return Bundle(record, stored.sha256, stored.contents)


def parse_record(content: bytes, source: str) -> BundleRecord:
    """Read ``bundle.json`` strictly: unknown fields are refused wherever they stand."""
    try:
        record = BundleRecord.model_validate_json(content)
    except ValidationError as error:
        raise errors.BundleInvalid(
            f"{source}: {RECORD} is invalid: {problem(error)}. Use the version of kellgren that "
            "made it, or export it again."
        ) from error
    missing = {task.name for task in record.tasks} ^ record.temperature.keys()
    if missing or record.temperature.keys() != record.conformal.keys():
        raise errors.BundleInvalid(
            f"{source}: {RECORD} needs one temperature and one conformal quantile for each task."
        )
    classes = {task.name: len(task.classes) for task in record.tasks}
    if any(len(bias) != classes.get(name) for name, bias in record.bias.items()):
        raise errors.BundleInvalid(
            f"{source}: {RECORD} needs a bias for each class of a task, or none."
        )
    if MODEL not in record.files or record.files.keys() - {MODEL, FAST_MODEL}:
        raise errors.BundleInvalid(
            f"{source}: {RECORD} must list {MODEL} and at most {FAST_MODEL}."
        )
    return record
