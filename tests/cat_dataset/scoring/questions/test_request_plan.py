from collections.abc import Sequence
from dataclasses import replace

from cat_dataset.jobs.manifest import EvaluateJob
from cat_dataset.records import EditScale
from cat_dataset.scoring.questions.request_plan import plan_requests
from cat_dataset.store.pair_dataset import PairDataset

GAP = {"exposure": ((0.6, 0.9),)}


def asked(held_out: PairDataset, values: Sequence[float], most: int) -> list[float]:
    """Return which of some exposures a plan asks for, in its order."""
    rows = [
        replace(held_out.rows[0], key=f"row-{number:02d}", edits=(EditScale("exposure", value),))
        for number, value in enumerate(values)
    ]
    job = EvaluateJob(max_pairs_per_attribute=most, held_out_values=GAP, num_sweep_scenes=1)
    plan = plan_requests(rows, {"exposure": (-2.0, 2.0)}, job)
    pairs = [request for request in plan.requests() if request.role == "pair"]
    return [request.edits[0].value for request in pairs]


def test_values_never_trained_are_asked_first(held_out: PairDataset) -> None:
    """Both of ten, whose others fill up to four; in the order of the data, evenly spread."""
    values = [-1.5, -1.2, 0.7, -0.4, 0.1, 0.3, 0.5, 1.0, -0.8, 1.5]

    assert asked(held_out, values, 4) == [-1.5, 0.7, -0.8, 1.5]
    assert asked(held_out, values, 2) == [0.7, -0.8]
    assert asked(held_out, values, 1) == [0.7]
    assert asked(held_out, values, 99) == values
