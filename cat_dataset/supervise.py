"""Run calls in supervised worker processes: a time limit each, a dead worker replaced.

Workers are spawned, never forked (LibRaw's OpenMP and Blender deadlock after a fork), one thread
of arithmetic each. A call that fails by itself is answered with its error; one whose worker dies
or runs out of time is tried again, then given up.
"""

import multiprocessing
import os
import traceback
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, wait
from concurrent.futures import TimeoutError as FutureTimeoutError
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, Generic, TypeVar

import cv2
from pebble import ProcessExpired, ProcessPool

from cat_dataset.errors import CatError, DiskFullError

ResultT = TypeVar("ResultT")

# Read by libraries when they load, so they must stand in the environment a worker starts with.
WORKER_ENVIRONMENT: Mapping[str, str] = {
    "OMP_NUM_THREADS": "1",
    "OPENBLAS_NUM_THREADS": "1",
    "MKL_NUM_THREADS": "1",
    "PYTHONSAFEPATH": "1",  # the folder a command is started in holds no modules for a worker
}


@dataclass(frozen=True)
class Outcome(Generic[ResultT]):
    """What came of one call: a result, or the reason why there is none."""

    index: int
    result: ResultT | None
    failure: str | None = None  # one line
    details: str | None = None  # traceback of an unexpected error


@contextmanager
def _worker_environment() -> Iterator[None]:
    before = {name: os.environ.get(name) for name in WORKER_ENVIRONMENT}
    os.environ.update(WORKER_ENVIRONMENT)
    try:
        yield
    finally:
        for name, value in before.items():
            if value is None:
                os.environ.pop(name, None)
            else:
                os.environ[name] = value


def _start_worker() -> None:
    cv2.setNumThreads(1)  # OpenCV has its own pool, which no variable limits


def supervise(
    calls: Sequence[Callable[[], ResultT]],
    *,
    num_workers: int,
    timeout_s: float,
    max_tries: int = 2,
    calls_per_worker: int = 0,
) -> Iterator[Outcome[ResultT]]:
    """Yield the outcome of every call, in the order in which they finish.

    Calls must be picklable. `calls_per_worker` replaces a worker after so many calls; 0 = never.
    """
    context = multiprocessing.get_context("spawn")
    with _worker_environment():
        pool: Any = ProcessPool(
            max_workers=num_workers,
            max_tasks=calls_per_worker,
            initializer=_start_worker,
            context=context,
        )
        try:
            yield from _collect(pool, calls, num_workers, timeout_s, max_tries)
            pool.close()
        except BaseException:
            pool.stop()  # Ctrl-C: what runs is dropped, what is finished stays on disk
            raise
        finally:
            pool.join()


def _collect(
    pool: Any,
    calls: Sequence[Callable[[], ResultT]],
    num_workers: int,
    timeout_s: float,
    max_tries: int,
) -> Iterator[Outcome[ResultT]]:
    waiting = [(index, 1) for index in reversed(range(len(calls)))]
    running: dict[Future[ResultT], tuple[int, int]] = {}
    while waiting or running:
        # A short queue keeps the workers fed and leaves little to drop at an interrupt.
        while waiting and len(running) < 2 * num_workers:
            index, attempt = waiting.pop()
            running[pool.schedule(calls[index], timeout=timeout_s)] = (index, attempt)
        done, _ = wait(running, return_when=FIRST_COMPLETED)
        for future in done:
            index, attempt = running.pop(future)
            outcome, is_final = _outcome(index, future, timeout_s)
            if is_final or attempt >= max_tries:
                yield outcome
            else:
                waiting.append((index, attempt + 1))


def _outcome(
    index: int, future: Future[ResultT], timeout_s: float
) -> tuple[Outcome[ResultT], bool]:
    """Return the outcome of a finished call and whether trying again is pointless."""
    try:
        return Outcome(index, future.result()), True
    except DiskFullError:
        raise  # no other call would fare better
    except CatError as error:
        return Outcome(index, None, str(error).replace("\n", "; ")), True
    except FutureTimeoutError:
        return Outcome(index, None, f"ran longer than {timeout_s:g} s and was stopped"), False
    except ProcessExpired as error:
        return Outcome(index, None, f"its worker died (exit code {error.exitcode})"), False
    except Exception as error:  # a bug or a machine fault: it costs this call only, and is shown
        details = "".join(traceback.format_exception(error))
        # its words may name places of this machine, so they stay in the log
        failure = f"{type(error).__name__}, a fault of the program or the machine; see logs/"
        return Outcome(index, None, failure, details), False
