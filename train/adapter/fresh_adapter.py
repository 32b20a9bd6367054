"""An adapter that fits a base and changes nothing yet."""

from collections.abc import Sequence
from dataclasses import astuple, replace
from pathlib import Path

from torch import nn

from cat_dataset.attributes.task_key import selects
from cat_dataset.jobs.train_job import TrainJob
from train.adapter.adapter import NumericAdapter, Task, task_table
from train.adapter.hooks import modulation_linears
from train.adapter.lora import LORA_BESIDE_ADAPTER
from train.adapter.token_hooks import attention_shapes
from train.model.compact import paint_time

BASE_BESIDE_ADAPTER = "../base"
# An exposure is a constant in log light, which the last modulation adds and all others bend.
# Measured on the compact base alone: latents of a VAE bend anyway.
_COMPACT_LAST_GAIN = 15.0


def fresh_adapter(transformer: nn.Module, tasks: Sequence[Task], job: TrainJob) -> NumericAdapter:
    """Return an adapter that fits a transformer; torch's global generator must be seeded."""
    linears = modulation_linears(transformer)
    widths = [(name, linear.out_features) for name, linear in linears.items()]
    hints = job.compact.prompt_hint_attributes if job.is_compact else ()
    carried = [
        replace(
            task,
            carrier="tokens" if selects(job.adapter.token_attributes, task.key) else "modulation",
            has_prompt_hint=selects(hints, task.key),
        )
        for task in tasks
    ]
    needs_tokens = any(task.carrier == "tokens" for task in carried)
    adapter: NumericAdapter = NumericAdapter(
        task_table(carried),
        widths,
        job.adapter.code_size,
        BASE_BESIDE_ADAPTER if job.is_compact else str(Path(job.pretrained.path).absolute()),
        job.base.size_px,
        job.method != "no_task_id",
        job.adapter.num_tokens,
        [astuple(shape) for shape in attention_shapes(transformer)] if needs_tokens else (),
        job.base.kind,
        None if job.adapter.lora is None else LORA_BESIDE_ADAPTER,
        *((paint_time(job.base.time_shift), _COMPACT_LAST_GAIN) if job.is_compact else ()),
    )
    return adapter
