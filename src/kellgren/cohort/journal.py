"""The journal: what is finished, so that a killed batch goes on without doing anything twice.

One header, then one line a film, written after the film's artefacts stand in place. A torn last
line, the mark of a kill, is dropped.
"""

import contextlib
import json
import os
from collections.abc import Mapping
from pathlib import Path
from types import TracebackType
from typing import IO, Any, Self

from kellgren import errors
from kellgren.cohort import lock
from kellgren.files import named_if_refused
from kellgren.records import FilmResult
from kellgren.reporting import from_json, to_json

NAME = "journal.jsonl"


class Journal:
    """An open journal, and the folder's lock. Use it as a context manager.

    Parameters
    ----------
    folder
        The output folder.
    header
        Bundles' hashes and the options that results depend on.
    resume
        Whether a journal that is there is gone on with.

    Raises
    ------
    OutputError
        The folder is not empty and ``resume`` was not said, or it holds something else than a
        batch.
    OutputInUse
        Another batch is writing there.
    JournalMismatch
        The journal was begun with another header, or was changed since.
    """

    def __init__(self, folder: Path, header: Mapping[str, Any], *, resume: bool) -> None:
        self.path = folder / NAME
        self._results: dict[str, FilmResult] = {}
        _refuse_foreign(folder)
        with contextlib.ExitStack() as held:
            with named_if_refused(folder):
                folder.mkdir(parents=True, exist_ok=True)
                held.enter_context(lock.locked(folder))
            if self.path.exists() and not resume:
                raise errors.OutputError(
                    f"{folder}: is not empty. Choose another folder, or say --resume to go on in "
                    "it."
                )
            lines = _whole_lines(self.path)
            if lines:
                self._restore(lines, header)
            with named_if_refused(self.path):
                self._stream: IO[bytes] = held.enter_context(
                    self.path.open("r+b" if self.path.exists() else "w+b")
                )
                self._stream.truncate(sum(len(line) + 1 for line in lines))
                self._stream.seek(0, os.SEEK_END)
            if not lines:
                self._append(json.dumps({"journal": 1, **header}, sort_keys=True))
            self._held = held.pop_all()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._held.close()

    @property
    def results(self) -> tuple[FilmResult, ...]:
        """What is finished, by source."""
        return tuple(self._results[source] for source in sorted(self._results))

    def finished(self, source: str) -> FilmResult | None:
        """The result of a film, if it needs no second try."""
        result = self._results.get(source)
        if result is None or (result.error is not None and result.error.code in _RETRIED):
            return None
        return result

    def add(self, result: FilmResult) -> None:
        """Record a finished film; on disk when this returns."""
        self._append(to_json(result))
        self._results[result.source] = result

    def _restore(self, lines: list[bytes], header: Mapping[str, Any]) -> None:
        try:
            was = dict(json.loads(lines[0]))
            results = [from_json(line.decode()) for line in lines[1:]]
        except (ValueError, TypeError) as error:
            raise errors.JournalMismatch(
                f"{self.path}: is damaged, or no journal of this version ({error}). Grade into "
                "another folder."
            ) from error
        now = json.loads(json.dumps({"journal": 1, **header}))
        different = sorted(k for k in was.keys() | now.keys() if was.get(k) != now.get(k))
        if different:
            raise errors.JournalMismatch(
                f"{self.path}: was begun with another {', '.join(different)}. "
                "Give the same bundle and options, or another output folder."
            )
        self._results = {result.source: result for result in results}

    def _append(self, line: str) -> None:
        with named_if_refused(self.path):
            self._stream.write(line.encode() + b"\n")
            self._stream.flush()
            os.fsync(self._stream.fileno())


def _refuse_foreign(folder: Path) -> None:
    """Raise before anything is written where something else than a batch stands."""
    with named_if_refused(folder):
        there = {item.name for item in folder.iterdir()} if folder.exists() else set()
    if there - {lock.NAME} and not (folder / NAME).is_file():
        raise errors.OutputError(
            f"{folder}: is not empty, and holds no {NAME} to go on with. Choose another folder."
        )


def _retried(error: type[errors.KellgrenError]) -> set[str]:
    own = {error.code} if error.retry else set()
    return own.union(*(_retried(kind) for kind in error.__subclasses__()))


_RETRIED = frozenset(_retried(errors.KellgrenError))


def _whole_lines(path: Path) -> list[bytes]:
    if not path.exists():
        return []
    return path.read_bytes().split(b"\n")[:-1]
