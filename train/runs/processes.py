"""Start the other processes of a run on this machine, so that one command uses several cores.

This process is the first one and keeps its progress; the others are spawned beside it. Processes
that `torchrun` started are left as they are.
"""

import os
import signal
import socket
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from multiprocessing import get_context, resource_tracker
from multiprocessing.connection import Connection, wait
from multiprocessing.process import BaseProcess

from cat_dataset.errors import CatError
from train.runs.device import check_gpus
from train.runs.distributed import joined_world

_NAMES = ("RANK", "LOCAL_RANK", "WORLD_SIZE", "LOCAL_WORLD_SIZE", "MASTER_ADDR", "MASTER_PORT")
_DEATH_IS_SEEN_S = 60.0  # a lost connection shows before the process that lost it is gone


@dataclass(frozen=True)
class _Other:
    """One of the other processes."""

    process: BaseProcess
    messages: Connection  # one as it begins, then why it failed; its end: the process is gone


@contextmanager
def joined_processes(num_processes: int, device: str, call: Callable[[], object]) -> Iterator[None]:
    """Run `call` in `num_processes` - 1 more processes while the body runs as the first one.

    `call` must be picklable and do what the body does. Where `torchrun` or `accelerate launch`
    started this process, nothing more is started.

    Raises:
        JobError: `device` is "cuda", and there are fewer GPUs than processes.
        CatError: another process failed or was killed before the body was done.
    """
    if num_processes == 1 or "WORLD_SIZE" in os.environ:
        with joined_world(device):
            yield
        return
    check_gpus(device, num_processes)  # one that lacks a GPU would be waited for in vain
    shared = _meeting_place(num_processes)
    others: list[_Other] = []
    try:
        for rank in range(1, num_processes):
            others.append(_started(_as_rank(shared, rank), call))
        _wait_for_begin(others)
        os.environ.update(_as_rank(shared, 0))
        with joined_world(device):
            try:
                yield
            except BaseException as error:
                cause = _cause(others, error)
                _end(others)  # before they see that this process has left them
                if cause is error:
                    raise
                raise cause from error
        for other in others:
            other.process.join()
    finally:
        for name in _NAMES:
            os.environ.pop(name, None)
        _end(others)


def _started(environment: Mapping[str, str], call: Callable[[], object]) -> _Other:
    """Start a process that no interrupt reaches, not even while it imports: the first ends it."""
    spawn = get_context("spawn")
    messages, sender = spawn.Pipe(duplex=False)
    process = spawn.Process(target=_run_as, args=(environment, call, sender))
    resource_tracker.ensure_running()  # starting it lets interrupts through again
    mask = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})  # the process inherits it
    try:
        process.start()
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, mask)
    sender.close()
    return _Other(process, messages)


def _run_as(environment: Mapping[str, str], call: Callable[[], object], sender: Connection) -> None:
    """Run a call as one of several processes; what is wrong is left to the first one to say."""
    os.environ.update(environment)
    sender.send("begun")
    try:
        call()
    except CatError as error:
        sender.send(str(error))
        raise SystemExit(1) from None


def _wait_for_begin(others: Sequence[_Other]) -> None:
    """Wait until all have imported what they need; one that died could never be met.

    Raises:
        CatError: one ended before.
    """
    for other in others:
        if _message(other) is None:
            other.process.join()
            msg = (
                f"one of the {len(others) + 1} training processes ended with exit code "
                f"{other.process.exitcode} before it began; a script of your own must train under "
                f'`if __name__ == "__main__":`, and where memory is short, set a smaller '
                f"num_processes in [train]"
            )
            raise CatError(msg)


def _message(other: _Other) -> str | None:
    """Return the next message of a process; None: it is gone and left none."""
    try:
        return str(other.messages.recv())
    except EOFError:
        return None


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


def _cause(others: Sequence[_Other], error: BaseException) -> BaseException:
    """Return why the body failed: the complaint or the death of another process, else its own."""
    if not isinstance(error, RuntimeError):  # what gloo raises where a process is lost
        return error
    ended = wait([other.process.sentinel for other in others], _DEATH_IS_SEEN_S)
    for other in others:
        if other.process.sentinel in ended:
            other.process.join()  # its files are closed shortly before it has an exit code
        if other.process.exitcode:
            complaint = _message(other)
            if complaint is not None:
                return CatError(complaint)
            msg = (
                f"one of the {len(others) + 1} training processes ended with exit code "
                f"{other.process.exitcode} (-9: killed, mostly for want of memory); set a smaller "
                f"num_processes in [train] where memory is short, or run the same command again: "
                f"it goes on from the last checkpoint"
            )
            return CatError(msg)
    return error


def _end(others: Sequence[_Other]) -> None:
    for other in others:
        other.process.terminate()
    for other in others:
        other.process.join()
