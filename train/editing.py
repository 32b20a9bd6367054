"""Edit a picture by numbers with a trained adapter.

    editor = load_editor(Path("out/demo/training/adapter"))
    edited = editor.edit(picture, [parse_edit("exposure=+1.5EV").resolve(None)])

The compact base sees the picture at the size it was trained on. A photometric edit is the gain of
light between what the base paints with the numbers and without them, from the same noise; it is
laid over the full picture, so any size keeps its detail and number zero returns it exactly.

Shapes: B batch, C = 3 channels, H height, W width.
"""

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from cat_dataset.display import encode_display
from cat_dataset.errors import EditScaleError, JobError
from cat_dataset.plans import BASIS_ATTRIBUTES
from cat_dataset.records import EditScale
from train.adapter import NumericAdapter, Task
from train.batches import Linear, resize_area
from train.compact import PATCH_PX, CompactBase, load_compact, predict_target
from train.flow import euler_sample
from train.gain import apply_gain, log2_light, transfer_gain
from train.log_light import HALF_STOPS, decode_log_light, encode_log_light, linear_of_codes
from train.words import words_by_number

NUM_SAMPLING_STEPS = 2
_MAX_ASPECT = 3.0  # longer pictures are squeezed to this for the model's view, not in the result
_NOISE_SEED = 0
Display = NDArray[np.uint8]


@dataclass(frozen=True)
class Editor:
    """A frozen base and its adapter, ready to edit."""

    base: CompactBase
    adapter: NumericAdapter
    size_px: int  # shorter side of the picture that the model sees

    @property
    def tasks(self) -> dict[str, Task]:
        """What can be edited, by attribute."""
        return self.adapter.tasks

    def edit(self, source_HW3: Display, edits: Sequence[EditScale]) -> Display:
        """Return the edited picture, uint8 display sRGB, same size; the order of edits is free.

        Raises:
            EditScaleError: an attribute the adapter does not know, or a value outside its range.
        """
        return self.edit_batch([source_HW3], [edits])[0]

    def edit_batch(
        self, sources: Sequence[Display], edits: Sequence[Sequence[EditScale]]
    ) -> list[Display]:
        """Return edited pictures; the sources must share one size.

        Raises:
            EditScaleError: as `edit`.
        """
        for sample in edits:
            self.check(sample)
        edits = [[edit for edit in sample if edit.value != 0.0] for sample in edits]
        linear = [linear_of_codes(source) for source in sources]
        height_px, width_px = sources[0].shape[:2]
        view_px = view_size(height_px, width_px, self.size_px)
        small = [resize_area(picture, *view_px) for picture in linear]
        source_BCHW = encode_log_light(torch.from_numpy(np.stack(small)).permute(0, 3, 1, 2))
        edited_BCHW = self.sample(source_BCHW, edits)
        kept_BCHW = self.sample(source_BCHW, [()] * len(edits))
        results = zip(linear, small, edited_BCHW, kept_BCHW, edits, strict=True)
        return [_finish(*result) for result in results]

    @torch.no_grad()
    def sample(self, source_BCHW: Tensor, edits: Sequence[Sequence[EditScale]]) -> Tensor:
        """Return the model's picture in log light, at the size of its source."""
        generator = torch.Generator().manual_seed(_NOISE_SEED)
        noise_CHW = torch.randn(source_BCHW.shape[1:], generator=generator)
        instruction = words_by_number(self.base.word_encoder.num_places)

        def predict(noisy_BCHW: Tensor, time_B: Tensor) -> Tensor:
            instructions = [instruction] * len(source_BCHW)
            return predict_target(self.base, noisy_BCHW, time_B, source_BCHW, instructions)

        with self.adapter.attached(self.base.transformer, edits):
            return euler_sample(predict, noise_CHW.expand_as(source_BCHW), NUM_SAMPLING_STEPS)

    def check(self, edits: Sequence[EditScale]) -> None:
        """Raise EditScaleError if the adapter was not trained on an edit; edits of one add up."""
        sums: dict[str, float] = defaultdict(float)
        for edit in edits:
            sums[edit.attribute] += edit.value
        for name, value in sums.items():
            if name not in self.tasks:
                msg = f"this adapter was not trained on {name}; it knows {', '.join(self.tasks)}"
                raise EditScaleError(msg)
            task = self.tasks[name]
            if not task.low <= value <= task.high:
                msg = (
                    f"{name}: an edit of {value:+.4g} {task.unit} lies outside what this adapter "
                    f"was trained on, {task.low:+g} to {task.high:+g} {task.unit}"
                )
                raise EditScaleError(msg)


def load_editor(adapter_folder: Path) -> Editor:
    """Read an adapter and the base its config points to; the two folders move together.

    Raises:
        JobError: a folder is missing.
    """
    if not (adapter_folder / "config.json").is_file():
        msg = f"adapter {adapter_folder}: holds no config.json; give the adapter folder of a run"
        raise JobError(msg)
    adapter = NumericAdapter.from_pretrained(adapter_folder, use_safetensors=True)
    base_folder = adapter_folder / adapter.config["base_path"]
    if not base_folder.is_dir():
        msg = f"adapter {adapter_folder}: its base {base_folder} is missing; move both together"
        raise JobError(msg)
    base = load_compact(base_folder)
    for network in (*base.modules(), adapter):
        network.eval().requires_grad_(False)
    return Editor(base, adapter, adapter.config["size_px"])


def view_size(height_px: int, width_px: int, size_px: int) -> tuple[int, int]:
    """Return (height, width) at which the model sees a picture: whole patches, short side fixed.

    >>> view_size(768, 1024, 64)
    (64, 88)
    """
    longer = max(height_px, width_px) / min(height_px, width_px)
    long_px = round(min(longer, _MAX_ASPECT) * size_px / PATCH_PX) * PATCH_PX
    return (size_px, long_px) if width_px >= height_px else (long_px, size_px)


def _finish(
    linear_HW3: Linear,
    small_HW3: Linear,
    edited_CHW: Tensor,
    kept_CHW: Tensor,
    edits: Sequence[EditScale],
) -> Display:
    """Return the full picture from what the base paints with and without numbers, log light.

    The difference cancels the base's own small error, which is the same in both.
    """
    if not all(edit.attribute in BASIS_ATTRIBUTES for edit in edits):
        painted = decode_log_light(edited_CHW).permute(1, 2, 0).numpy()
        return encode_display(resize_area(painted, *linear_HW3.shape[:2]), 1.0)
    gain_HW3 = (HALF_STOPS * (edited_CHW - kept_CHW)).permute(1, 2, 0).numpy()
    full_gain_HW3 = transfer_gain(log2_light(small_HW3), gain_HW3, log2_light(linear_HW3))
    return encode_display(apply_gain(linear_HW3, full_gain_HW3), 1.0)
