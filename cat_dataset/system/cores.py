"""How many cores this process may use, and how workers share them."""

import os


def available_cores() -> int:
    """Return the number of cores that the system lets this process run on."""
    return len(os.sched_getaffinity(0))


def threads_per_worker(num_workers: int) -> int:
    """Return how many threads each worker gets: fewer workers than cores get several."""
    return max(1, available_cores() // num_workers)
