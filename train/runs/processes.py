"""Start the other processes of a run on this machine, so that one command uses several cores.

This process is the first one and keeps its progress; the others are spawned beside it. Processes
that `torchrun` started are left as they are.
"""

import os
import signal
import socket
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from multiprocessing import get_context
from multiprocessing.connection import wait
from multiprocessing.process import BaseProcess
from multiprocessing.queues import SimpleQueue

from cat_dataset.errors import CatError
from train.runs.distributed import joined_world

_NAMES = ("RANK", "LOCAL_RANK", "WORLD_SIZE", "LOCAL_WORLD_SIZE", "MASTER_ADDR", "MASTER_PORT")
_DEATH_IS_SEEN_S = 60.0  # a lost connection shows before the process that lost it is gone


@contextmanager
def joined_processes(num_processes: int, device: str, call: Callable[[], object]) -> Iterator[None]:
    """Run `call` in `num_processes` - 1 more processes while the body runs as the first one.

    `call` must be picklable and do what the body does. Where `torchrun` or `accelerate launch`
    started this process, nothing more is started.

    Raises:
        CatError: another process failed or was killed.
    """
    if num_processes == 1 or "WORLD_SIZE" in os.environ:
        with joined_world(device):
            yield
        return
    spawn = get_context("spawn")
    complaints: SimpleQueue[str] = spawn.SimpleQueue()
    shared = _meeting_place(num_processes)
    others: list[BaseProcess] = [
        spawn.Process(target=_run_as, args=(_as_rank(shared, rank), call, complaints))
        for rank in range(1, num_processes)
    ]
    for process in others:
        process.start()
    os.environ.update(_as_rank(shared, 0))
    try:
        with joined_world(device):
            try:
                yield
            except BaseException as error:
                cause = _cause(others, complaints, error)
                _end(others)  # before they see that this process has left them
                if cause is error:
                    raise
                raise cause from error
        for process in others:
            process.join()
    finally:
        for name in _NAMES:
            del os.environ[name]
        _end(others)


def _run_as(
    environment: Mapping[str, str], call: Callable[[], object], complaints: "SimpleQueue[str]"
) -> None:
    """Run a call as one of several processes; what is wrong is left to the first one to say."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # the first process ends the others
    os.environ.update(environment)
    try:
        call()
    except CatError as error:
        complaints.put(str(error))
        raise SystemExit(1) from None


def _meeting_place(num_processes: int) -> dict[str, str]:
    """Return what torch.distributed reads of a run on this machine, on a port that is free now."""
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        port = listener.getsockname()[1]
    return {
        "WORLD_SIZE": str(num_processes),
        "LOCAL_WORLD_SIZE": str(num_processes),
        "MASTER_ADDR": "127.0.0.1",
        "MASTER_PORT": str(port),
    }


def _as_rank(shared: Mapping[str, str], rank: int) -> dict[str, str]:
    return {**shared, "RANK": str(rank), "LOCAL_RANK": str(rank)}


def _cause(
    others: list[BaseProcess], complaints: "SimpleQueue[str]", error: BaseException
) -> BaseException:
    """Return why the body failed: the complaint or the death of another process, else its own."""
    if not isinstance(error, RuntimeError):  # what gloo raises where a process is lost
        return error
    wait([process.sentinel for process in others], _DEATH_IS_SEEN_S)
    for process in others:
        if process.exitcode:
            if not complaints.empty():
                return CatError(complaints.get())
            msg = (
                f"one of the {len(others) + 1} training processes ended with exit code "
                f"{process.exitcode} (-9: killed, mostly for want of memory); set a smaller "
                f"num_processes in [train] where memory is short, or run the same command again: "
                f"it goes on from the last checkpoint"
            )
            return CatError(msg)
    return error


def _end(others: list[BaseProcess]) -> None:
    for process in others:
        process.terminate()
        process.join()
