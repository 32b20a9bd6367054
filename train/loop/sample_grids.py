"""Pictures edited while a stage trains: a row per pair with source, edited and target."""

from contextlib import ExitStack
from dataclasses import replace
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from cat_dataset.imaging.display import encode_display, encode_png
from cat_dataset.jobs.train_job import TrainJob
from cat_dataset.system.atomic import write_bytes_atomic
from train.data.batches import Batch
from train.model.flow import euler_sample
from train.objective.train_step import TrainStage

NUM_ROWS = 6
_NUM_SAMPLING_STEPS = 4
_NOISE_SEED = 0  # always the same noise: grids differ by what was learned
_GAP_PX = 2
_WHITE = 255


@torch.no_grad()
def write_sample_grid(
    folder: Path, stage: TrainStage, job: TrainJob, batch: Batch, num_steps_done: int
) -> Path:
    """Write STAGE-STEP.png from the first samples of a batch and return its path."""
    shown = next(batch.parts(NUM_ROWS))
    shape, device = shown.source_BCHW.shape, shown.source_BCHW.device
    asked = replace(shown, target_BCHW=shown.source_BCHW)  # an editor has not seen the target
    noise = torch.randn(shape, generator=torch.Generator().manual_seed(_NOISE_SEED)).to(device)

    def predict(noisy_BCHW: Tensor, time_B: Tensor) -> Tensor:
        with ExitStack() as contexts:
            return stage.predict(asked, 0, noisy_BCHW, time_B, contexts)

    edited_BCHW = euler_sample(predict, noise, _NUM_SAMPLING_STEPS, stage.shift_in(job))
    pictures = (shown.source_BCHW, edited_BCHW, shown.target_BCHW)
    columns = [_column(stage.objective.develop(each)) for each in pictures]
    path = folder / f"{stage.name}-{num_steps_done:07d}.png"
    folder.mkdir(parents=True, exist_ok=True)
    write_bytes_atomic(path, encode_png(np.concatenate(columns, axis=1)))
    return path


def _column(linear_BHWC: NDArray[np.float32]) -> NDArray[np.uint8]:
    """Return pictures below each other, 8-bit sRGB, with a white margin."""
    margin = ((0, _GAP_PX), (0, _GAP_PX), (0, 0))
    pictures = [
        np.pad(encode_display(linear, 1.0), margin, constant_values=_WHITE)
        for linear in linear_BHWC
    ]
    return np.concatenate(pictures)
