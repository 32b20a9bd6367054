"""Read many files in supervised processes: a file that crashes or hangs LibRaw costs only itself.

Previews are read and compared a few hundred at a time, so that a folder of thousands of captures
fits into memory.
"""

import tempfile
from collections.abc import Callable, Iterator, Sequence
from functools import partial
from pathlib import Path
from typing import TypeVar

from cat_dataset.system.supervise import Outcome, supervise
from dslr.develop.framing import Preview, preview_of_file
from dslr.grouping.bursts import Capture
from dslr.grouping.grouping import Grouped, group_burst, may_be_series

FILE_TIMEOUT_S = 60.0  # for reading one file; a 60-megapixel file takes about 3 s
_BURST_TIMEOUT_S = 600.0  # for comparing the frames of one burst; a pair takes about 0.1 s
_CAPTURES_AT_ONCE = 256  # previews in memory, about 1 MB each

ResultT = TypeVar("ResultT")
Burst = tuple[Capture, ...]


def read_in_workers(
    paths: Sequence[Path], read: Callable[[Path], ResultT], num_workers: int
) -> tuple[dict[Path, ResultT], dict[Path, str]]:
    """Return what was read of each file in a supervised process, and why some could not be."""
    results: dict[int, ResultT] = {}
    failures: dict[int, str] = {}
    calls = [partial(read, path) for path in paths]
    for outcome in _quietly(calls, num_workers, FILE_TIMEOUT_S):
        if outcome.result is not None:
            results[outcome.index] = outcome.result
        else:
            failures[outcome.index] = _named_failure(paths[outcome.index], outcome.failure)
    return (
        {paths[index]: results[index] for index in sorted(results)},
        {paths[index]: failures[index] for index in sorted(failures)},
    )


def group_bursts(
    bursts: Sequence[Burst], num_workers: int
) -> tuple[list[Grouped], dict[Path, str]]:
    """Return the groups of all bursts, and why files have no pixels."""
    found: list[Grouped] = []
    broken: dict[Path, str] = {}
    for numbers in _portions(bursts):
        to_view = [c.path for n in numbers if may_be_series(bursts[n]) for c in bursts[n]]
        previews, failures = read_in_workers(to_view, preview_of_file, num_workers)
        broken |= failures
        whole = {n: tuple(c for c in bursts[n] if c.path not in failures) for n in numbers}
        calls = [
            partial(_groups, burst, {c.path: previews[c.path] for c in burst if c.path in previews})
            for burst in whole.values()
            if burst
        ]
        kept = [n for n, burst in whole.items() if burst]
        for outcome in _quietly(calls, num_workers, _BURST_TIMEOUT_S):
            found += _found(whole[kept[outcome.index]], outcome)
    return found, broken


def _portions(bursts: Sequence[Burst]) -> Iterator[list[int]]:
    """Yield the numbers of bursts in portions of a few hundred captures; a burst stays whole."""
    portion: list[int] = []
    size = 0
    for number, burst in enumerate(bursts):
        if portion and size + len(burst) > _CAPTURES_AT_ONCE:
            yield portion
            portion, size = [], 0
        portion.append(number)
        size += len(burst)
    if portion:
        yield portion


def _groups(burst: Burst, previews: dict[Path, Preview]) -> list[Grouped]:
    return list(group_burst(burst, previews))


def _found(burst: Burst, outcome: Outcome[list[Grouped]]) -> list[Grouped]:
    """Return the groups of a burst; singles where comparing its frames failed."""
    if outcome.result is not None:
        return outcome.result
    reason = f"its burst of {len(burst)} captures could not be compared: {outcome.failure}"
    return [Grouped((capture,), "single", reason) for capture in burst]


def _quietly(
    calls: Sequence[Callable[[], ResultT]], num_workers: int, timeout_s: float
) -> Iterator[Outcome[ResultT]]:
    """Yield outcomes; what LibRaw prints about damaged files is said again by their rows."""
    with tempfile.TemporaryDirectory() as logs:
        yield from supervise(
            calls, num_workers=num_workers, timeout_s=timeout_s, log_folder=Path(logs)
        )


def _named_failure(path: Path, failure: str | None) -> str:
    """Return why a file could not be read; what befell its worker does not name it."""
    why = failure or "its worker gave no result"
    if str(path) in why:
        return why
    return f"{path}: {why}; leave it out, or convert it to DNG"
