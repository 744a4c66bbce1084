"""A localiser's bundle: one graph that finds landmarks, and how its answer becomes a region."""

from pathlib import Path
from typing import Annotated, Literal

from pydantic import Field, ValidationError

from kellgren import errors
from kellgren.bundles import DEFAULT_LOCALISER
from kellgren.bundles.record import Record, Result, Sha256, Share, TrainedOn, Verified, problem
from kellgren.bundles.store import MODEL, RECORD, read_files, verify
from kellgren.imaging.region import RegionSpec
from kellgren.localise.landmarks import LEFT, MIDDLE, RIGHT

NEEDED = frozenset({LEFT, RIGHT, MIDDLE})
"""The landmarks without which there is no region."""

MULTIPLE = 32
"""Contract: sides of the graph's input are multiples of this."""


class LocaliserRecord(Record):
    """``bundle.json`` of a localiser.

    Parameters
    ----------
    film
        How a film, or a part of it, is shown to the network: ``size_px`` is its longest side.
    landmarks
        Names of the heat maps, in their order.
    first_look
        Certainty from which a joint on the whole film is looked at closely.
    accepted
        Certainty, when looked at closely, from which it counts as a knee.
    beside
        Certainty that is enough for a knee beside a sure one of about its size.
    zoom
        Side of the close look, in plateau widths.
    centre
        (x, y) of a region's centre from the joint's middle, in plateau widths along the plateau;
        measured on the annotated regions.
    """

    format: Literal[1] = 1
    kind: Literal["localiser"]
    name: Annotated[str, Field(pattern=r"^[a-z0-9][a-z0-9_.-]*$")]
    version: Annotated[str, Field(pattern=r"^\d+\.\d+\.\d+$")]
    statement_of_use: str
    limits: str
    film: RegionSpec
    landmarks: Annotated[tuple[str, ...], Field(min_length=1)]
    first_look: Share
    accepted: Share
    beside: Share
    zoom: Annotated[float, Field(gt=1.0)]
    centre: tuple[float, float]
    trained_on: tuple[TrainedOn, ...]
    results: tuple[Result, ...] = ()
    files: dict[str, Sha256]

    @property
    def synthetic(self) -> bool:
        """Whether it learned from phantoms only; beside real pictures they do no harm.

        A grader may have none: what they teach of grades is not true of people.
        """
        return {source.kind for source in self.trained_on} == {"synthetic"}


class LocaliserBundle(Verified[LocaliserRecord]):
    """A verified localiser bundle."""


def load_localiser(source: str | Path = DEFAULT_LOCALISER) -> LocaliserBundle:
    """Load a localiser's bundle and check every byte of it.

    Parameters
    ----------
    source
        The name of a shipped bundle, or the path of a folder or zip.

    Raises
    ------
    BundleNotFound
        Nothing has that name; the message lists what ships.
    BundleInvalid
        The record breaks the contract, or is not a localiser's.
    BundleTampered
        A file is missing, added, or not the one recorded.
    """
    stored = read_files(source)
    try:
        record = LocaliserRecord.model_validate_json(stored.record)
    except ValidationError as error:
        raise errors.BundleInvalid(
            f"{source}: {RECORD} is not a localiser's: {problem(error)}. Use the version of "
            "kellgren that made it, or export it again."
        ) from error
    names = set(record.landmarks)
    if not names >= NEEDED or len(names) != len(record.landmarks):
        raise errors.BundleInvalid(
            f"{source}: {RECORD} needs the landmarks {', '.join(sorted(NEEDED))}, each once."
        )
    if record.files.keys() != {MODEL}:
        raise errors.BundleInvalid(f"{source}: {RECORD} must list {MODEL} alone.")
    if record.film.size_px < MULTIPLE or record.film.size_px % MULTIPLE:
        raise errors.BundleInvalid(
            f"{source}: {RECORD} shows films at {record.film.size_px} px; sides of the graph's "
            f"input are multiples of {MULTIPLE}."
        )
    verify(stored, record.files)
    return LocaliserBundle(record, stored.sha256, stored.contents)
