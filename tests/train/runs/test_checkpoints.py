from pathlib import Path

import pytest
import torch
from torch import nn

from cat_dataset.errors import JobError
from train.runs.checkpoints import (
    TrainedWeights,
    checkpoint_paths,
    restore_newest,
    write_checkpoint,
)


def make_weights(seed: int) -> TrainedWeights:
    """Return the fresh state of a small layer."""
    torch.manual_seed(seed)
    return TrainedWeights.fresh(dict(nn.Linear(3, 2).named_parameters()))


def take_steps(weights: TrainedWeights, num_steps: int) -> None:
    """Take steps whose gradients depend on the step alone."""
    for _ in range(num_steps):
        torch.manual_seed(100 + weights.num_steps_done)
        for parameter in weights.parameters.values():
            parameter.grad = torch.randn_like(parameter)
        weights.update(0.01)


def test_a_restored_state_goes_on_bit_for_bit(tmp_path: Path) -> None:
    """Weights, averages and moments after 3 + 4 steps equal those after 7."""
    straight, first = make_weights(0), make_weights(0)
    take_steps(straight, 7)
    take_steps(first, 3)
    write_checkpoint(tmp_path, "base", "hash", first)

    resumed = make_weights(1)
    restore_newest(tmp_path, "base", "hash", resumed)
    take_steps(resumed, 4)

    assert resumed.num_steps_done == 7
    for name, tensor in straight.tensors().items():
        assert torch.equal(tensor, resumed.tensors()[name]), name


def test_equal_states_give_equal_bytes(tmp_path: Path) -> None:
    """A checkpoint holds no clock and no order of its own."""
    for folder in ("a", "b"):
        weights = make_weights(0)
        take_steps(weights, 2)
        write_checkpoint(tmp_path / folder, "base", "hash", weights)

    first, second = (checkpoint_paths(tmp_path / folder, "base")[0] for folder in ("a", "b"))
    assert first.read_bytes() == second.read_bytes()


def test_two_checkpoints_are_kept(tmp_path: Path) -> None:
    """The newest, and the one before should it prove bad."""
    weights = make_weights(0)
    for _ in range(4):
        take_steps(weights, 1)
        write_checkpoint(tmp_path, "base", "hash", weights)

    assert [p.name for p in checkpoint_paths(tmp_path, "base")] == [
        "base-0000003.safetensors",
        "base-0000004.safetensors",
    ]


def test_a_checkpoint_of_another_run_is_refused(tmp_path: Path) -> None:
    """The hash of job and data is in the header."""
    weights = make_weights(0)
    take_steps(weights, 1)
    write_checkpoint(tmp_path, "base", "hash", weights)

    with pytest.raises(JobError, match="is of another job or other data"):
        restore_newest(tmp_path, "base", "other", make_weights(0))


def test_a_broken_checkpoint_names_the_remedy(tmp_path: Path) -> None:
    """A file cut by something other than us."""
    weights = make_weights(0)
    take_steps(weights, 1)
    path = write_checkpoint(tmp_path, "base", "hash", weights)
    path.write_bytes(path.read_bytes()[:100])

    with pytest.raises(JobError, match="delete it to resume from the one before"):
        restore_newest(tmp_path, "base", "hash", make_weights(0))


def test_nothing_to_restore_leaves_a_fresh_state(tmp_path: Path) -> None:
    """The first start of a run."""
    weights = make_weights(0)

    assert restore_newest(tmp_path, "base", "hash", weights) is None
    assert weights.num_steps_done == 0


def test_the_average_lags_behind_and_is_what_is_shipped() -> None:
    """After shipping, the parameters are the moving average."""
    weights = make_weights(0)
    take_steps(weights, 20)
    raw = {name: p.detach().clone() for name, p in weights.parameters.items()}

    weights.ship_average()

    for name, parameter in weights.parameters.items():
        assert not torch.equal(parameter, raw[name])
        assert torch.equal(parameter, weights.average[name])
