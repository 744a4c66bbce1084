"""One batch at a time in a folder: a lock that the system lets go of when its process ends."""

import contextlib
import errno
import io
import logging
import os
import sys
from collections.abc import Iterator
from pathlib import Path

from kellgren import errors

NAME = ".journal.lock"

_HELD = frozenset({errno.EACCES, errno.EAGAIN, errno.EDEADLK})
"""What ``flock(2)`` and Windows' ``_locking`` say of a lock that somebody else holds."""

_log = logging.getLogger(__name__)


@contextlib.contextmanager
def locked(folder: Path) -> Iterator[None]:
    """Hold a folder's lock; the file that it is, with the process's number, goes at the end.

    A file that a killed process left behind is no lock any more.

    Raises
    ------
    OutputInUse
        Another process holds it.
    OSError
        The folder cannot be written.
    """
    path = folder / NAME
    stream = _open(path)
    try:
        stream.truncate(0)
        stream.write(str(os.getpid()).encode())
        yield
    finally:
        if sys.platform == "win32":
            stream.close()  # an open file cannot be removed there
        with contextlib.suppress(OSError):
            path.unlink()
        stream.close()


def _open(path: Path) -> io.FileIO:
    while True:
        stream = path.open("a+b", buffering=0)
        try:
            _acquire(stream, path.parent)
            if _is_at(stream, path):
                return stream
        except BaseException:
            stream.close()
            raise
        stream.close()


def _is_at(stream: io.FileIO, path: Path) -> bool:
    """Whether nobody removed the file after it was opened; then the next one would not see it."""
    try:
        return os.path.samestat(os.fstat(stream.fileno()), path.stat())
    except FileNotFoundError:
        return False


def _acquire(stream: io.FileIO, folder: Path) -> None:
    try:
        _lock(stream.fileno())
    except OSError as error:
        if error.errno not in _HELD:
            # Some network drives have no locks. One batch alone is as safe as ever.
            _log.warning("%s: no locks here (%s). Start no second batch.", folder, error)
            return
        stream.seek(0)
        number = stream.read(20).decode("ascii", "replace")
        who = f" (process {number})" if number.isdigit() else ""
        raise errors.OutputInUse(
            f"{folder}: another batch{who} is writing there. Wait until it has ended, or choose "
            "another folder."
        ) from error


if sys.platform == "win32":
    import msvcrt

    def _lock(handle: int) -> None:
        # Windows lets nobody else read a locked byte, so it is one behind the number.
        os.lseek(handle, 1024, os.SEEK_SET)
        msvcrt.locking(handle, msvcrt.LK_NBLCK, 1)

else:
    import fcntl

    def _lock(handle: int) -> None:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
