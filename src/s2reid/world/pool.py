"""Many tasks over several processes, none of which outlives this one."""

import multiprocessing
import os
import signal
import threading
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor, as_completed
from concurrent.futures.process import BrokenProcessPool
from multiprocessing.process import BaseProcess

import cv2


def count(asked: int | None) -> int:
    """Return how many processes to use: as many as asked, or one a core; raise `ValueError` for less than one."""
    workers = os.cpu_count() or 1 if asked is None else asked
    if workers < 1:
        raise ValueError(f"rendering needs at least 1 worker, found {workers}")
    return workers


def run(tasks: Sequence[Callable[[], int]], workers: int, what: str) -> Iterator[int]:
    """Run tasks here or, with more than one worker, in other processes; yield what each returns, as it ends.

    Raises `ChildProcessError`, which says that `what` stays unfinished, where a process dies.
    """
    if workers == 1 or len(tasks) < 2:
        for task in tasks:
            yield task()
        return
    pool = ProcessPoolExecutor(min(workers, len(tasks)), multiprocessing.get_context("spawn"), initializer=_start)
    try:
        for future in as_completed([pool.submit(task) for task in tasks]):
            yield future.result()
    except BrokenProcessPool:
        raise ChildProcessError(
            f"a rendering process ended by itself, {what} stays unfinished: run the same again to resume, with fewer "
            "workers if memory ran out; a script must call this under `if __name__ == '__main__':`"
        ) from None
    finally:
        # Also on Ctrl-C: what runs ends (a task takes a moment), what waits is dropped.
        pool.shutdown(wait=True, cancel_futures=True)


def _start() -> None:
    """Leave Ctrl-C to the parent, use one core, and never outlive the parent."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    cv2.setNumThreads(1)
    parent = multiprocessing.parent_process()
    if parent is not None:
        threading.Thread(target=_follow, args=(parent,), daemon=True).start()


def _follow(parent: BaseProcess) -> None:
    parent.join()
    os._exit(1)
