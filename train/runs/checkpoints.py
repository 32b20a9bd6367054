"""Moving averages and checkpoints of a stage's trained weights.

A checkpoint is one safetensors file: weights, their moving average, the optimiser's moments, and
in its header the step and the job it belongs to. It appears whole or not at all.
"""

import json
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from safetensors import SafetensorError, safe_open
from safetensors.torch import save
from torch import Tensor, nn

from cat_dataset.errors import JobError
from cat_dataset.system.atomic import write_bytes_atomic

_NUM_KEPT = 2  # the newest checkpoint and, should it prove bad, the one before
_EMA_WARM_UP_STEPS = 10
_BETAS = (0.9, 0.98)
_MOMENTS = ("exp_avg", "exp_avg_sq", "step")


@dataclass
class TrainedWeights:
    """Everything that changes while a stage trains."""

    parameters: dict[str, nn.Parameter]
    average: dict[str, Tensor]  # exponential moving average; this is what is shipped
    optimizer: torch.optim.AdamW
    ema_decay: float
    num_steps_done: int = 0

    @classmethod
    def fresh(
        cls,
        parameters: Mapping[str, nn.Parameter],
        *,
        ema_decay: float = 0.98,
        weight_decay: float = 0.01,
        factor_of: Callable[[str], float] = lambda _name: 1.0,
    ) -> "TrainedWeights":
        """Return the state before the first step.

        `factor_of` says by name at which part of the learning rate a parameter learns.
        """
        average = {name: p.detach().clone() for name, p in parameters.items()}
        groups: dict[float, list[nn.Parameter]] = {}
        for name, parameter in parameters.items():
            groups.setdefault(factor_of(name), []).append(parameter)
        optimizer = torch.optim.AdamW(
            [{"params": group, "factor": factor} for factor, group in groups.items()],
            lr=0.0,
            betas=_BETAS,
            weight_decay=weight_decay,
            fused=True,
        )
        return cls(dict(parameters), average, optimizer, ema_decay)

    def update(self, learning_rate: float) -> None:
        """Apply the gradients of one step and move the average along."""
        for group in self.optimizer.param_groups:
            group["lr"] = learning_rate * group["factor"]
        self.optimizer.step()
        self.optimizer.zero_grad(set_to_none=True)
        done = self.num_steps_done
        decay = min(self.ema_decay, (1 + done) / (_EMA_WARM_UP_STEPS + done))
        with torch.no_grad():  # all at once: one by one takes as long as the optimiser itself
            torch._foreach_lerp_(
                list(self.average.values()), list(self.parameters.values()), 1.0 - decay
            )
        self.num_steps_done = done + 1

    @contextmanager
    def averaged(self) -> Iterator[None]:
        """Let the networks hold the moving average while the context lasts."""
        raw = {name: parameter.detach().clone() for name, parameter in self.parameters.items()}
        self.ship_average()
        try:
            yield
        finally:
            with torch.no_grad():
                for name, parameter in self.parameters.items():
                    parameter.copy_(raw[name])

    def ship_average(self) -> None:
        """Put the moving average in the place of the raw weights."""
        with torch.no_grad():
            for name, parameter in self.parameters.items():
                parameter.copy_(self.average[name])

    def tensors(self) -> dict[str, Tensor]:
        """Return the whole state as named tensors."""
        tensors = {f"weight/{name}": p.detach() for name, p in self.parameters.items()}
        tensors |= {f"average/{name}": value for name, value in self.average.items()}
        for name, parameter in self.parameters.items():
            state = self.optimizer.state[parameter]
            tensors |= {f"{moment}/{name}": state[moment] for moment in _MOMENTS if state}
        return tensors

    def restore(self, tensors: Mapping[str, Tensor], num_steps_done: int) -> None:
        """Take over a state saved by `tensors`."""
        with torch.no_grad():
            for name, parameter in self.parameters.items():
                parameter.copy_(tensors[f"weight/{name}"])
                self.average[name].copy_(tensors[f"average/{name}"])
                self.optimizer.state[parameter] = {
                    moment: tensors[f"{moment}/{name}"].to(parameter.device, copy=True)
                    for moment in _MOMENTS
                }
        self.num_steps_done = num_steps_done


def write_checkpoint(folder: Path, stage_name: str, run_hash: str, weights: TrainedWeights) -> Path:
    """Write the state of a stage and remove all but the newest checkpoints of it."""
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / f"{stage_name}-{weights.num_steps_done:07d}.safetensors"
    header = {"stage": stage_name, "step": weights.num_steps_done, "run_hash": run_hash}
    tensors = {name: value.contiguous() for name, value in weights.tensors().items()}
    write_bytes_atomic(path, save(tensors, metadata={"cat": json.dumps(header)}))
    for old in checkpoint_paths(folder, stage_name)[:-_NUM_KEPT]:
        old.unlink()
    return path


def restore_newest(
    folder: Path, stage_name: str, run_hash: str, weights: TrainedWeights
) -> Path | None:
    """Take over the newest checkpoint of a stage, if there is any.

    Raises:
        JobError: a checkpoint is broken or of another run.
    """
    paths = checkpoint_paths(folder, stage_name)
    if not paths:
        return None
    header, tensors = _read(paths[-1])
    if header["run_hash"] != run_hash:
        msg = f"checkpoint {paths[-1]}: is of another job or other data; use a new run folder"
        raise JobError(msg)
    weights.restore(tensors, header["step"])
    return paths[-1]


def checkpoint_paths(folder: Path, stage_name: str) -> list[Path]:
    """Return the checkpoints of a stage, oldest first."""
    return sorted(folder.glob(f"{stage_name}-*.safetensors"))


def all_finite(tensors: Iterable[Tensor]) -> bool:
    """Return whether no value is NaN or infinite."""
    return all(bool(torch.isfinite(tensor).all()) for tensor in tensors)


def _read(path: Path) -> tuple[dict[str, Any], dict[str, Tensor]]:
    try:
        with safe_open(path, framework="pt") as file:
            header = json.loads(file.metadata()["cat"])
            return header, {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118  # no mapping
    except (SafetensorError, KeyError, TypeError, ValueError) as error:
        msg = (
            f"checkpoint {path}: cannot be read ({error}); delete it to resume from the one before"
        )
        raise JobError(msg) from None
