"""A contender's own process: waits for a line on stdin, works, answers with a line on stdout.

``python -m benchmarks.serve CONTENDER FOLDER`` answers ``"ready"``, then each request, in JSON:

- ``["time", WARM, CALLS]``: the seconds of each of CALLS, after WARM that do not count. The
  folder's pictures, right knees, are taken in turn, going on where the last request ended.
- ``["answer", [[PATH, LATERALITY], …]]``: the probabilities of each picture.
"""

import ctypes
import itertools
import json
import os
import signal
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import TextIO

import numpy as np

from benchmarks.contenders import CONTENDERS, Contender, Job
from kellgren.anatomy import Laterality


def main(name: str, folder: Path) -> None:
    """Serve until stdin ends."""
    _leave_with_parent()
    replies = _own_stdout()
    contender = CONTENDERS[name]()
    films = [path.read_bytes() for path in sorted(folder.iterdir())]
    jobs = itertools.cycle([contender.job(film, Laterality.RIGHT) for film in films])
    _say(replies, "ready")
    for line in sys.stdin:
        match json.loads(line):
            case ["time", int(warm), int(calls)]:
                _say(replies, _seconds(jobs, warm, calls))
            case ["answer", [*pictures]]:
                _say(replies, [_answer(contender, *picture) for picture in pictures])
            case other:
                raise ValueError(f"not a request: {other}")


def _seconds(jobs: Iterator[Job], warm: int, calls: int) -> list[float]:
    for job in itertools.islice(jobs, warm):
        job()
    taken = []
    for job in itertools.islice(jobs, calls):
        began = time.perf_counter()
        job()
        taken.append(time.perf_counter() - began)
    return taken


def _answer(contender: Contender, path: str, laterality: str) -> list[float]:
    found = contender.job(Path(path).read_bytes(), Laterality(laterality))()
    return [float(share) for share in np.asarray(found)]


def _own_stdout() -> TextIO:
    """Stdout for replies alone: what a library prints goes to stderr."""
    replies = os.fdopen(os.dup(sys.stdout.fileno()), "w", encoding="utf-8")
    os.dup2(sys.stderr.fileno(), sys.stdout.fileno())
    return replies


def _say(replies: TextIO, value: object) -> None:
    replies.write(json.dumps(value) + "\n")
    replies.flush()


def _leave_with_parent() -> None:
    """Let nothing but the run end this process, and the run's end always."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C reaches the whole group
    if sys.platform == "linux":
        # A stopped process does not see its pipe close; PR_SET_PDEATHSIG is 1, see prctl(2).
        ctypes.CDLL(None).prctl(1, signal.SIGKILL)


if __name__ == "__main__":
    main(sys.argv[1], Path(sys.argv[2]))
