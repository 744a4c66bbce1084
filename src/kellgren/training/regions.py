"""From a manifest to knees in memory, cut once and kept."""

import hashlib
import json
from collections.abc import Callable, Sequence
from dataclasses import asdict
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from kellgren import errors
from kellgren.anatomy import Laterality
from kellgren.datasets.table import Row
from kellgren.files import write_atomically
from kellgren.imaging import RegionSpec, cut_region, read_film, whole_picture


def load_regions(
    rows: Sequence[Row],
    spec: RegionSpec,
    *,
    root: Path,
    cache: Path,
    watch: Callable[[int, int], None],
) -> NDArray[np.uint8]:
    """Cut every row's region to 8 bit, mirrored to the side of the specification.

    Parameters
    ----------
    rows
        Of kind ``region``, laterality known.
    root
        The folder that ``path`` is relative to.
    cache
        Folder for the cut regions; the same rows and specification are read from it.
    watch
        Called with (done, all).

    Returns
    -------
    ndarray
        (n, size_px, size_px).

    Raises
    ------
    TrainingError
        A row is a whole film, its side is unknown, its picture is not the one that the manifest
        describes, or is a phantom of which the manifest does not say so.
    """
    kept = cache / f"regions-{_fingerprint(rows, spec)}.npy"
    if kept.exists():
        regions: NDArray[np.uint8] = np.load(kept, allow_pickle=False)
        return regions
    regions = np.empty((len(rows), spec.size_px, spec.size_px), dtype=np.uint8)
    for index, row in enumerate(rows):
        regions[index] = _region(row, spec, root)
        watch(index + 1, len(rows))
    with write_atomically(kept, binary=True) as stream:
        np.save(stream, regions)
    return regions


def _region(row: Row, spec: RegionSpec, root: Path) -> NDArray[np.uint8]:
    if row.kind != "region":
        raise errors.TrainingError(
            f"{row.path}: a whole film; training takes cut regions (kind 'region')."
        )
    if row.laterality is Laterality.UNKNOWN:
        raise errors.TrainingError(f"{row.path}: the manifest does not say which side it shows.")
    film = read_film(root / row.path)
    if row.sha256 not in {"", film.sha256}:
        raise errors.TrainingError(
            f"{row.path}: not the picture that the manifest describes; its SHA-256 is another. "
            "Make the manifest again."
        )
    if film.synthetic and not row.synthetic:
        raise errors.TrainingError(
            f"{row.path}: a phantom, and the manifest does not say so. Set its column 'synthetic'."
        )
    region = cut_region(film, whole_picture(film, spec), spec)
    if row.laterality != spec.mirror_to:
        region = region.mirror()
    levels: NDArray[np.uint8] = np.rint(region.pixels * 255.0).astype(np.uint8)
    return levels


def _fingerprint(rows: Sequence[Row], spec: RegionSpec) -> str:
    # mean and sd are applied after what is kept here
    cut = {k: v for k, v in asdict(spec).items() if k not in {"mean", "sd"}}
    lines = [json.dumps(cut, sort_keys=True)]
    # whether a phantom may teach is asked when it is cut
    lines += [f"{row.sha256 or row.path} {row.laterality} {row.synthetic}" for row in rows]
    return hashlib.sha256("\n".join(lines).encode()).hexdigest()[:16]
