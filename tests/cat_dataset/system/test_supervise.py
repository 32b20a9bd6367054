"""Supervised workers: replaced when they have grown, their output kept even if they die."""

import os
from functools import partial
from pathlib import Path

import psutil

from cat_dataset.system.supervise import Outcome, WorkerLimits, supervise

_kept: list[bytearray] = []  # in a worker: what it never gives back


def _grow(num_bytes: int) -> int:
    """Keep memory for good; returns the process that does."""
    _kept.append(bytearray(os.urandom(1024)) * (num_bytes // 1024))
    return os.getpid()


def _is_alive(pid: int) -> bool:
    return psutil.pid_exists(pid)


def _say_and_die(text: str) -> None:
    os.write(1, text.encode())
    os._exit(7)


def _outcomes(calls: list[partial[int]], limits: WorkerLimits) -> list[Outcome[int]]:
    found = supervise(calls, num_workers=1, timeout_s=60.0, limits=limits)
    return sorted(found, key=lambda outcome: outcome.index)


def test_a_worker_that_has_grown_is_replaced() -> None:
    """Memory decides, not the number of calls; small workers live on."""
    limits = WorkerLimits(memory_bytes=400 * 2**20)
    sizes = [2**20, 2**20, 500 * 2**20, 2**20]
    calls = [partial(_grow, size) for size in sizes]

    pids, were_alive = [], []
    for outcome in supervise(calls, num_workers=1, timeout_s=60.0, limits=limits):
        pids.append(outcome.result or 0)
        were_alive.append(_is_alive(pids[0]))

    assert pids[0] == pids[1] == pids[2] != pids[3]
    assert were_alive == [True, True, False, False], "the grown process must end at once"


def test_a_worker_is_replaced_after_its_number_of_calls() -> None:
    """Every third call starts in a fresh process."""
    limits = WorkerLimits(num_calls=2)

    pids = [o.result for o in _outcomes([partial(_grow, 1024)] * 4, limits)]

    assert pids[0] == pids[1]
    assert pids[2] == pids[3]
    assert pids[1] != pids[2]


def test_what_a_worker_printed_before_it_died_is_kept(tmp_path: Path) -> None:
    """The log is written as it comes, by C code as well, and survives the process."""
    calls = [partial(_say_and_die, "before the crash\n")]

    outcomes = list(
        supervise(calls, num_workers=1, timeout_s=60.0, max_tries=1, log_folder=tmp_path)
    )

    assert outcomes[0].failure == "its worker died (exit code 7)"
    assert "before the crash" in (tmp_path / "worker-0.log").read_text()
