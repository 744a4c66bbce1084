"""The files of a bundle, of whatever kind: found, limited, and checked byte by byte.

A bundle is a folder or a zip of ``bundle.json`` (its record), ``model.onnx`` and, for some,
``model.fast.onnx``. There is no pickle in it, and every file is known by its SHA-256.
"""

import hashlib
import json
import zipfile
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from kellgren import errors
from kellgren.bundles import FOLDER as SHIPPED

RECORD = "bundle.json"
MODEL = "model.onnx"
FAST_MODEL = "model.fast.onnx"
KNOWN = frozenset({RECORD, MODEL, FAST_MODEL})
"""What a bundle may hold; anything else is refused by its name and never read."""

MAX_FILE_BYTES = 500_000_000
"""Chosen: an order of magnitude above the largest published ensemble; stops zip bombs."""


@dataclass(frozen=True, slots=True, eq=False)
class Stored:
    """What was read of a bundle: the bytes of its record, and of its other files by name."""

    source: str
    record: bytes
    contents: dict[str, bytes]

    @property
    def sha256(self) -> str:
        """Of ``bundle.json``: the identity of the whole, since it holds the other files' hashes."""
        return hashlib.sha256(self.record).hexdigest()


def read_files(source: str | Path) -> Stored:
    """Read a bundle's files.

    Parameters
    ----------
    source
        The name of a shipped bundle, or the path of a folder or zip.

    Raises
    ------
    BundleNotFound
        Nothing has that name; the message lists what ships.
    BundleInvalid
        There is no record in it.
    """
    files = dict(_read_files(_find(source)))
    if RECORD not in files:
        raise errors.BundleInvalid(
            f"{source}: holds no {RECORD}. Export it with 'kellgren export'."
        )
    return Stored(str(source), files.pop(RECORD), files)


def verify(stored: Stored, recorded: Mapping[str, str]) -> None:
    """Raise unless the files are exactly those recorded, name → SHA-256.

    Raises
    ------
    BundleInvalid
        The record lists other files than a bundle has.
    BundleTampered
        A file is missing, added, or not the one recorded.
    """
    source, files = stored.source, stored.contents
    for name in sorted(recorded.keys() | files.keys()):
        if name not in files:
            raise errors.BundleTampered(f"{source}: {name} is missing. Get the bundle again.")
        if name not in recorded:
            raise errors.BundleTampered(f"{source}: {name} does not belong to it. Remove the file.")
        if hashlib.sha256(files[name]).hexdigest() != recorded[name]:
            raise errors.BundleTampered(
                f"{source}: {name} is not the file that was exported. Get the bundle again."
            )


def shipped(kind: str | None = None) -> tuple[str, ...]:
    """The names of the bundles inside the installed package; of one kind, where one is given."""
    records = sorted(SHIPPED.glob(f"*/{RECORD}"))
    return tuple(
        path.parent.name
        for path in records
        if kind is None or json.loads(path.read_bytes()).get("kind") == kind
    )


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
