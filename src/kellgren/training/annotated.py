"""Annotated pictures, and phantoms, as sources of composite films."""

import hashlib
from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from kellgren import errors
from kellgren.datasets.landmarks import Placed, read_landmarks
from kellgren.datasets.phantom import draw_knee, landmarks, sample_knee
from kellgren.datasets.splits import part_of
from kellgren.datasets.table import Row, read_table
from kellgren.imaging import read_film
from kellgren.localise.landmarks import LANDMARKS
from kellgren.training.composites import Source

_NOWHERE = (float("nan"), float("nan"))


@dataclass(frozen=True, slots=True, eq=False)
class Annotated:
    """One annotated picture and where it comes from."""

    row: Row
    source: Source
    sha256: str

    @property
    def fingerprint(self) -> str:
        """A hash of the file and of the landmarks on it."""
        return hashlib.sha256(self.sha256.encode() + self.source.knees.tobytes()).hexdigest()


def annotated(manifests: Iterable[Path], tables: Iterable[Path]) -> tuple[Annotated, ...]:
    """Read every annotated picture that a manifest lists.

    Parameters
    ----------
    manifests
        Tidy tables that say where the pictures are.
    tables
        Landmarks tables.

    Raises
    ------
    TrainingError
        A table names a picture that no manifest lists, or that is not the one listed.
    InputError
        A picture cannot be read.
    """
    listed = {
        (row.dataset, row.picture): (row, manifest.parent)
        for manifest in manifests
        for row in read_table(manifest)
    }
    by_picture: dict[tuple[str, str], list[Placed]] = defaultdict(list)
    for table in tables:
        for placed in read_landmarks(table):
            by_picture[placed.dataset, placed.image].append(placed)
    found = []
    for key, of_picture in sorted(by_picture.items()):
        if key not in listed:
            raise errors.TrainingError(
                f"no manifest lists {key[1]!r} of {key[0]!r}, which is annotated. Give --data for "
                "that data set as well."
            )
        row, root = listed[key]
        film = read_film(root / row.path)
        if row.sha256 not in {"", film.sha256}:
            raise errors.TrainingError(
                f"{row.path}: not the picture that the manifest describes; its SHA-256 is another. "
                "Make the manifest again."
            )
        source = Source(
            pixels=_eight_bit(film.pixels),
            knees=_knees(of_picture),
            laterality=of_picture[0].laterality,
            whole=row.kind == "film",
        )
        found.append(Annotated(row, source, film.sha256))
    return tuple(found)


def divided(pictures: Sequence[Annotated]) -> tuple[list[Annotated], list[Annotated]]:
    """Those that teach and those of held-back patients (or clusters).

    Raises
    ------
    TrainingError
        A picture is of an official part that never teaches.
    """
    strangers = sorted({p.row.split for p in pictures} - {"train", ""})
    if strangers:
        raise errors.TrainingError(
            f"annotated pictures of the split {strangers[0]!r}: a localiser learns from 'train', "
            "or from data sets without splits. Leave those landmarks out."
        )
    learning: list[Annotated] = []
    held_back: list[Annotated] = []
    for picture in pictures:
        unit = picture.row.resampled_by
        (learning if part_of(unit) == "learning" else held_back).append(picture)
    return learning, held_back


def phantoms(number: int, *, seed: int) -> list[Source]:
    """Drawn knees with exact landmarks."""
    sources = []
    for index in range(number):
        knee = sample_knee(np.random.default_rng((seed, 2, index)))
        places = {place.name: (place.x, place.y) for place in landmarks(knee)}
        knees = np.array([[places.get(name, _NOWHERE) for name in LANDMARKS]], dtype=np.float32)
        sources.append(Source(draw_knee(knee), knees, knee.laterality))
    return sources


def _knees(placed: Sequence[Placed]) -> NDArray[np.float32]:
    knees: dict[int, dict[str, tuple[float, float]]] = defaultdict(dict)
    for place in placed:
        if place.visible and place.x is not None and place.y is not None:
            knees[place.knee][place.landmark] = (place.x, place.y)
    rows = [[knees[knee].get(name, _NOWHERE) for name in LANDMARKS] for knee in sorted(knees)]
    return np.array(rows, dtype=np.float32).reshape(-1, len(LANDMARKS), 2)


def _eight_bit(pixels: NDArray[np.generic]) -> NDArray[np.uint8]:
    if pixels.dtype == np.uint8:
        return np.asarray(pixels, dtype=np.uint8)
    values = pixels.astype(np.float32)
    low, high = np.percentile(values, (0.1, 99.9))
    scaled = np.clip((values - low) / max(float(high - low), 1.0), 0.0, 1.0)
    return np.asarray(np.rint(scaled * 255.0), dtype=np.uint8)
