"""Run calls in supervised worker processes: a time limit each, a dead worker replaced.

Workers are spawned, never forked (LibRaw's OpenMP and Blender deadlock after a fork), one thread
of arithmetic each. A call that fails by itself is answered with its error; one whose worker dies
or runs out of time is tried again, then given up.
"""

import ctypes
import gc
import multiprocessing
import os
import sys
import traceback
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, wait
from concurrent.futures import TimeoutError as FutureTimeoutError
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any, Generic, TypeVar

import cv2
import psutil
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
class WorkerLimits:
    """When a worker is replaced by a fresh process: memory that libraries keep is given back."""

    num_calls: int = 500
    memory_bytes: int = 6 * 2**30  # held after a call


@dataclass(frozen=True)
class Outcome(Generic[ResultT]):
    """What came of one call: a result, or the reason why there is none."""

    index: int
    result: ResultT | None
    failure: str | None = None  # one line
    details: str | None = None  # traceback of an unexpected error


DEFAULT_LIMITS = WorkerLimits()


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


def _start_worker(log: Path | None) -> None:
    cv2.setNumThreads(1)  # OpenCV has its own pool, which no variable limits
    if log is None:
        return
    # Readable as well: what a library printed during one call can be read back from here.
    sink = os.open(log, os.O_RDWR | os.O_CREAT | os.O_APPEND, 0o644)
    for stream, descriptor in ((sys.stdout, 1), (sys.stderr, 2)):
        stream.flush()
        os.dup2(sink, descriptor)
    os.close(sink)


def _with_memory(call: Callable[[], ResultT], *, is_logged: bool) -> tuple[ResultT, int]:
    """Return a call's result and the bytes of memory that its worker holds afterwards."""
    result = call()
    _give_memory_back()
    memory_bytes = int(psutil.Process().memory_info().rss)
    if is_logged:
        sys.stdout.write(f"holds {memory_bytes / 2**20:.0f} MiB\n")
    return result, memory_bytes


def _give_memory_back() -> None:
    """Return what libraries freed to the system; glibc would keep it for the next large scene."""
    gc.collect()
    if sys.platform == "linux":
        trim = getattr(ctypes.CDLL(None), "malloc_trim", None)
        if trim is not None:
            trim(0)


class _Worker:
    """One supervised process, replaced when it has grown or served long enough."""

    def __init__(self, limits: WorkerLimits, log: Path | None) -> None:
        self._limits = limits
        self._log = log
        self._start()

    def _start(self) -> None:
        self._num_calls = 0
        self._pool: Any = ProcessPool(
            max_workers=1,
            initializer=_start_worker,
            initargs=(self._log,),
            context=multiprocessing.get_context("spawn"),
        )

    def schedule(self, call: Callable[[], ResultT], timeout_s: float) -> Future[Any]:
        """Start one call; the worker must be idle."""
        self._num_calls += 1
        measured = partial(_with_memory, call, is_logged=self._log is not None)
        future: Future[Any] = self._pool.schedule(measured, timeout=timeout_s)
        return future

    def after_call(self, memory_bytes: int) -> None:
        """Replace the process if it has grown too large or served long enough."""
        if memory_bytes > self._limits.memory_bytes or self._num_calls >= self._limits.num_calls:
            self._pool.close()
            self._pool.join()  # only this ends the process and gives its memory back
            self._start()

    def end(self, *, at_once: bool) -> None:
        """Let the process finish, or stop it, and wait for its end."""
        if at_once:
            self._pool.stop()
        else:
            self._pool.close()
        self._pool.join()


def supervise(
    calls: Sequence[Callable[[], ResultT]],
    *,
    num_workers: int,
    timeout_s: float,
    max_tries: int = 2,
    limits: WorkerLimits = DEFAULT_LIMITS,
    log_folder: Path | None = None,
) -> Iterator[Outcome[ResultT]]:
    """Yield the outcome of every call, in the order in which they finish.

    Calls must be picklable. What workers and their libraries print goes to `log_folder`, a file
    each, also if they die.
    """
    with _worker_environment():
        workers = []
        for number in range(min(num_workers, len(calls))):
            log = None if log_folder is None else log_folder / f"worker-{number}.log"
            workers.append(_Worker(limits, log))
        try:
            yield from _collect(workers, calls, timeout_s, max_tries)
        except BaseException:
            for worker in workers:
                worker.end(at_once=True)  # Ctrl-C: what runs is dropped, what is finished stays
            raise
        for worker in workers:
            worker.end(at_once=False)


def _collect(
    workers: Sequence[_Worker],
    calls: Sequence[Callable[[], ResultT]],
    timeout_s: float,
    max_tries: int,
) -> Iterator[Outcome[ResultT]]:
    waiting = [(index, 1) for index in reversed(range(len(calls)))]
    idle = list(reversed(workers))
    running: dict[Future[Any], tuple[_Worker, int, int]] = {}
    while waiting or running:
        while waiting and idle:
            worker, (index, attempt) = idle.pop(), waiting.pop()
            running[worker.schedule(calls[index], timeout_s)] = (worker, index, attempt)
        done, _ = wait(running, return_when=FIRST_COMPLETED)
        for future in done:
            worker, index, attempt = running.pop(future)
            outcome, is_final, memory_bytes = _outcome(index, future, timeout_s)
            worker.after_call(memory_bytes)
            idle.append(worker)
            if is_final or attempt >= max_tries:
                yield outcome
            else:
                waiting.append((index, attempt + 1))


def _outcome(index: int, future: Future[Any], timeout_s: float) -> tuple[Outcome[Any], bool, int]:
    """Return the outcome of a finished call, whether trying again is pointless, and the memory.

    The memory is what the worker holds afterwards, in bytes; 0 where there is no telling.
    """
    try:
        result, memory_bytes = future.result()
        return Outcome(index, result), True, memory_bytes
    except DiskFullError:
        raise  # no other call would fare better
    except CatError as error:
        return Outcome(index, None, str(error).replace("\n", "; ")), True, 0
    except FutureTimeoutError:
        return Outcome(index, None, f"ran longer than {timeout_s:g} s and was stopped"), False, 0
    except ProcessExpired as error:
        return Outcome(index, None, f"its worker died (exit code {error.exitcode})"), False, 0
    except Exception as error:  # a bug or a machine fault: it costs this call only, and is shown
        details = "".join(traceback.format_exception(error))
        # its words may name places of this machine, so they stay in the log
        failure = f"{type(error).__name__}, a fault of the program or the machine; see logs/"
        return Outcome(index, None, failure, details), False, 0
