"""Writing files so that a half-written one is never seen, and nobody else's is lost."""

import contextlib
import os
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import IO, Any, Literal, overload

from kellgren import errors


@overload
def write_atomically(
    path: Path, *, binary: Literal[True]
) -> contextlib.AbstractContextManager[IO[bytes]]: ...
@overload
def write_atomically(path: Path) -> contextlib.AbstractContextManager[IO[str]]: ...
@contextlib.contextmanager
def write_atomically(path: Path, *, binary: bool = False) -> Iterator[IO[Any]]:
    """Open a file that takes its name only once it is complete.

    The content goes to a temporary file in the same folder, which is renamed into place at the
    end; after an exception, or a kill, the old file (or none) is what stands there.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    handle, temporary = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.", suffix=".part")
    try:
        mode, encoding, newline = ("wb", None, None) if binary else ("w", "utf-8", "")
        with os.fdopen(handle, mode, encoding=encoding, newline=newline) as stream:
            yield stream
        Path(temporary).chmod(0o666 & ~_umask())
        Path(temporary).replace(path)
    except BaseException:
        Path(temporary).unlink(missing_ok=True)
        raise


@contextlib.contextmanager
def named_if_refused(path: Path) -> Iterator[None]:
    """Turn what the system says of writing to a place into an `OutputError`."""
    try:
        yield
    except OSError as error:
        raise errors.OutputError(
            f"{path}: cannot be written ({error.strerror}). Make room, or choose another folder."
        ) from error


def refuse_foreign(folder: Path, *, ours: bool, what: str) -> None:
    """Raise before anything is written where something else stands.

    Parameters
    ----------
    folder
        Where an artefact is to go; it may be absent or empty.
    ours
        Whether what it holds is an earlier one, which the new one replaces.
    what
        The artefact, in words.

    Raises
    ------
    OutputError
        The folder holds something else, or is none.
    """
    with named_if_refused(folder):
        free = not folder.exists() or not any(folder.iterdir())
    if not free and not ours:
        raise errors.OutputError(
            f"{folder}: is not empty, and holds no earlier {what} that could be replaced. Choose "
            "another folder."
        )


def _umask() -> int:
    mask = os.umask(0)
    os.umask(mask)
    return mask
