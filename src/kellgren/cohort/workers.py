"""One thing after another, or several at a time in processes of their own; the order stays."""

import contextlib
import itertools
import multiprocessing
import os
import signal
import threading
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import Future, ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from dataclasses import dataclass
from typing import Any, Generic, TypeVar

from kellgren import errors

Item = TypeVar("Item")
Half = TypeVar("Half")
Result = TypeVar("Result")


@dataclass(frozen=True, slots=True)
class TwoSteps(Generic[Item, Half, Result]):
    """Work of a light and a heavy step, of which the light one is done for some items at a time.

    In between the processor's caches belong to the heavy one, which makes the light one half as
    slow again.

    Parameters
    ----------
    light, heavy
        Each other's output and input.
    at_once
        How many halves may be held.
    """

    light: Callable[[Item], Half]
    heavy: Callable[[Half], Result]
    at_once: int = 1

    def __call__(self, item: Item) -> Result:
        """Both steps of one item."""
        return self.heavy(self.light(item))

    def of_all(self, items: Iterable[Item]) -> Iterator[Result]:
        """The results of items, in order."""
        remaining = iter(items)
        while halves := [self.light(item) for item in itertools.islice(remaining, self.at_once)]:
            yield from map(self.heavy, halves)


def in_order(
    items: Sequence[Item],
    make: Callable[[], TwoSteps[Item, Half, Result] | Callable[[Item], Result]],
    workers: int,
) -> Iterator[Result]:
    """Give the result of every item as soon as it and all before it are finished.

    Parameters
    ----------
    items
        What there is to do; with several workers, what can be pickled.
    make
        Makes what turns an item into its result, once in every process; can be pickled too.
    workers
        Processes. One works in this one, where the steps of `TwoSteps` are grouped.

    Raises
    ------
    OutputError
        A worker was killed.
    """
    if workers == 1 or len(items) < 2:
        work = make()
        yield from work.of_all(items) if isinstance(work, TwoSteps) else map(work, items)
        return
    # What cannot be made, such as a bundle that cannot be opened, is the batch's error and not a
    # worker's.
    make()
    # 'spawn': forking a process that has loaded ONNX Runtime's threads is not safe.
    with ProcessPoolExecutor(
        workers,
        mp_context=multiprocessing.get_context("spawn"),
        initializer=_start,
        initargs=(make,),
    ) as pool:
        waiting: deque[Future[Result]] = deque()
        try:
            for item in items:
                with _unborn_workers_deaf():
                    waiting.append(pool.submit(_work, item))
                if len(waiting) > 4 * workers:  # enough to keep all busy; memory stays flat
                    yield waiting.popleft().result()
            while waiting:
                yield waiting.popleft().result()
        except BrokenProcessPool as error:
            raise errors.OutputError(
                "a worker process was killed, most likely for want of memory. Give fewer "
                "--workers, and --resume to go on."
            ) from error
        finally:
            pool.shutdown(cancel_futures=True)


@contextlib.contextmanager
def _unborn_workers_deaf() -> Iterator[None]:
    """Keep Ctrl-C from processes that start meanwhile; here it waits until they have.

    A worker ignores it once it runs; before, in the middle of its imports, it would end with a
    traceback on the user's terminal.
    """
    if not hasattr(signal, "pthread_sigmask"):  # Windows
        yield
        return
    before = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)


_worker: Any = None
"""What this worker process works with: making it once is what a process is for."""


def _start(make: Callable[[], Callable[[Any], Any]]) -> None:
    global _worker  # noqa: PLW0603 - an executor's initialiser has no other place to leave it
    # Ctrl-C reaches the whole group; the batch stops its workers itself, without their tracebacks.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    threading.Thread(target=_leave_with_parent, daemon=True).start()
    _worker = make()


def _leave_with_parent() -> None:
    """End this worker when the batch is killed; the pool's queue would let it wait for ever."""
    parent = multiprocessing.parent_process()
    if parent is not None:
        parent.join()
        os._exit(1)


def _work(item: Any) -> Any:  # noqa: ANN401 - whatever the worker takes and gives
    return _worker(item)
