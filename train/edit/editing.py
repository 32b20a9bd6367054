"""Edit a picture by numbers with a trained adapter.

    editor = load_editor("out/demo/training/adapter")
    edited = editor.edit_file("photo.jpg", ["exposure=+1.5EV", "white_balance=3200K"])
    edited.save("edited.png")

An edit is the gain of light between the prediction with the numbers and that of the picture without
an edit (`train.edit.backends`); it is laid over the full picture. Scaled, the base sees the whole
picture at the size it was trained on; tiled, it sees parts of it at full size. Either way number
zero returns the picture exactly.

Shapes: B batch, C = 3 channels, H height, W width.
"""

from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import cast

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from cat_dataset.errors import EditScaleError, JobError
from cat_dataset.requests.edited_picture import EditedPicture, Method, read_picture, resolve_edits
from train.adapter.adapter import NumericAdapter, Task, check_task
from train.adapter.lora import load_lora
from train.adapter.number_prompt import NumberPrompt
from train.data.batches import Linear, resize_area
from train.edit.backends import Channel, CompactBackend, EditBackend, Edits, PipelineBackend
from train.edit.tiling import blended_rows, tile_corners
from train.edit.upsampling import developed, finished_picture
from train.model.compact import PATCH_PX, load_compact
from train.model.log_light import HALF_RANGE_STOPS, encode_log_light, linear_of_codes
from train.model.relighting import PartGain, composed_gain
from train.pretrained.checkpoint import load_base
from train.runs.run_folder import finished_editor

_BATCH_SIZE = 32
_MAX_ASPECT = 3.0  # longer pictures are squeezed to this for the model's view, not in the result
Display = NDArray[np.uint8]


@dataclass(frozen=True)
class Editor:
    """A frozen base and its adapter, ready to edit."""

    backend: EditBackend
    size_px: int  # shorter side of the picture that the model sees

    @property
    def tasks(self) -> dict[str, Task]:
        """What can be edited, by the keys of its tasks."""
        return self.backend.adapter.tasks

    def edit_file(
        self, path: Path | str, edits: Sequence[str], method: Method = "scaled"
    ) -> EditedPicture:
        """Edit a picture file by typed edits, in any order and in any unit of their attribute.

        Absolute values (`white_balance=3200K`, `aperture=f/8`) need the picture's own: typed
        (`from 5600K to 3200K`), or from its EXIF; a picture without one counts as balanced for its
        display, 6500 K. An edit of a light obeys the picture's lighting ratio where that is typed
        (`light_power=2x at 5,4,2.5:1`); else the base guesses it. A shape is named
        (`shape_key:smile=60%`), an object may be (`object_rotation:teapot=30deg`).

        Raises:
            CatError: the file is no picture.
            EditScaleError: an edit cannot be read, is out of range, or was not trained.
        """
        picture, own = read_picture(Path(path))
        defaults = {name: task.default_source for name, task in self.tasks.items()}
        scales = resolve_edits(edits, {**defaults, **own})
        edited, used = self.edit_at(picture, scales, method)
        return EditedPicture(edited, scales, used)

    def edit(self, source_HW3: Display, edits: Edits) -> Display:
        """Return the edited picture, uint8 display sRGB, same size; the order of edits is free.

        Raises:
            EditScaleError: an attribute the adapter does not know, or a value outside its range.
        """
        return self.edit_batch([source_HW3], [edits])[0]

    def edit_at(self, source_HW3: Display, edits: Edits, method: Method) -> tuple[Display, Method]:
        """Return the edited picture, and how it was seen: too small a one is never tiled.

        Nor is one whose lighting ratio is given: that is a property of the whole picture.

        Raises:
            EditScaleError: as `edit`.
        """
        ratio_is_known = any(edit.light_ratio is not None for edit in edits)
        if method == "scaled" or ratio_is_known or min(source_HW3.shape[:2]) < self.size_px:
            return self.edit(source_HW3, edits), "scaled"
        self.check(edits)
        height_px, width_px = source_HW3.shape[:2]
        corners = tile_corners(height_px, width_px, self.size_px)
        edited_HW3 = np.empty_like(source_HW3)
        gains = self._tile_gains(source_HW3, corners, edits)
        for row, gain_RW3 in blended_rows(gains, corners, width_px):  # light of a few rows at once
            rows = slice(row, row + len(gain_RW3))
            edited_HW3[rows] = developed(
                linear_of_codes(source_HW3[rows]), gain_RW3, edits, first_row=row
            )
        return edited_HW3, "tiled"

    def _tile_gains(
        self, source_HW3: Display, corners: Sequence[tuple[int, int]], edits: Edits
    ) -> Iterator[NDArray[np.float32]]:
        """Yield the gain in each tile, (T, T, 3), a batch at a time."""
        size = self.size_px
        for n in range(0, len(corners), _BATCH_SIZE):
            tiles = [
                linear_of_codes(source_HW3[row : row + size, column : column + size])
                for row, column in corners[n : n + _BATCH_SIZE]
            ]
            parts = self.part_gains(tiles, [edits] * len(tiles))
            yield from map(composed_gain, tiles, parts)

    def edit_batch(
        self,
        sources: Sequence[Display],
        edits: Sequence[Edits],
        *,
        channel: Channel = "numbers",
        beyond_range: bool = False,
    ) -> list[Display]:
        """Return edited pictures; the sources must share one size.

        `beyond_range` lets values through that were not trained, to see what they do.

        Raises:
            EditScaleError: as `edit`; and more edits at once than the base has words for.
        """
        for sample in () if beyond_range else edits:
            self.check(sample)
        height_px, width_px = sources[0].shape[:2]
        view_px = self.view_size(height_px, width_px)
        linear_of = {id(source): linear_of_codes(source) for source in sources}
        small_of = {key: resize_area(light, *view_px) for key, light in linear_of.items()}
        small = [small_of[id(source)] for source in sources]
        gains = self.part_gains(small, edits, channel)
        return [
            finished_picture(linear_of[id(source)], view, parts)
            for source, view, parts in zip(sources, small, gains, strict=True)
        ]

    def part_gains(
        self, views: Sequence[Linear], edits: Sequence[Edits], channel: Channel = "numbers"
    ) -> list[list[PartGain]]:
        """Return what the edits do to views of one size, by the parts that are predicted apart.

        The picture without an edit is predicted once for a view that occurs again. A sample without
        an edit has one part that changes nothing.
        """
        different = list({id(view): view for view in views}.values())
        place_of = {id(view): number for number, view in enumerate(different)}
        identity_BCHW = self.backend.predict_identity(_log_light(different))
        identity_BCHW = identity_BCHW[[place_of[id(view)] for view in views]]
        active = [[edit for edit in sample if edit.value != 0.0] for sample in edits]
        parts = [(n, p) for n, edit in enumerate(active) for p in self.backend.parts(edit, channel)]
        gains: list[list[PartGain]] = [[] for _ in views]
        if parts:
            sources_BCHW = _log_light([views[number] for number, _ in parts])
            predicted = self.backend.predict(sources_BCHW, [part for _, part in parts], channel)
            for (number, part), picture_CHW in zip(parts, predicted, strict=True):
                gain_CHW = HALF_RANGE_STOPS * (picture_CHW - identity_BCHW[number])
                gains[number].append(PartGain(part, gain_CHW.permute(1, 2, 0).numpy()))
        return [
            own or [PartGain((), np.zeros_like(view))]
            for own, view in zip(gains, views, strict=True)
        ]

    def through_base(self, source_HW3: Display, target_HW3: Display, edits: Edits) -> Display:
        """Return a target made anew by the gain between both pictures as the base keeps them.

        What is lost is what its VAE loses, and what the size of the view does.
        """
        linear_HW3 = linear_of_codes(source_HW3)
        view_px = self.view_size(*source_HW3.shape[:2])
        views = [resize_area(p, *view_px) for p in (linear_HW3, linear_of_codes(target_HW3))]
        source_CHW, target_CHW = self.backend.predict_identity(_log_light(views))
        gain_HW3 = (HALF_RANGE_STOPS * (target_CHW - source_CHW)).permute(1, 2, 0).numpy()
        return finished_picture(linear_HW3, views[0], [PartGain(edits, gain_HW3)])

    def view_size(self, height_px: int, width_px: int) -> tuple[int, int]:
        """Return (height, width) at which the model sees a picture."""
        return view_size(height_px, width_px, self.size_px, self.backend.step_px)

    def check(self, edits: Edits) -> None:
        """Raise EditScaleError if the adapter was not trained on an edit; edits of one add up."""
        sums: dict[str, float] = defaultdict(float)
        for edit in edits:
            sums[edit.task_key] += edit.value
        for name, value in sums.items():
            check_task(self.tasks, name)
            task = self.tasks[name]
            if not task.low <= value <= task.high:
                msg = (
                    f"{name}: an edit of {value:+.4g} {task.unit} lies outside what this adapter "
                    f"was trained on, {task.low:+g} to {task.high:+g} {task.unit}"
                )
                raise EditScaleError(msg)


def load_editor(folder: Path | str) -> Editor:
    """Read an adapter and the base its config points to; the two folders move together.

    `folder` holds the adapter, or is that of a finished run; what a run with numbers in the prompt
    trained is read as well, and edits alike.

    Raises:
        JobError: a folder is missing, or the run is not finished.
    """
    path = _with_config(Path(folder))
    adapter = _load_steering(path)
    base_folder = path / adapter.config["base_path"]  # which may be absolute
    if not base_folder.is_dir():
        msg = (
            f"adapter {path}: its base {base_folder} is missing; move both together, or correct "
            f"base_path in config.json"
        )
        raise JobError(msg)
    backend = _backend_of(adapter, base_folder)
    if adapter.config.get("lora_path") is not None:
        load_lora(backend.transformer, path / adapter.config["lora_path"])
    return Editor(backend, adapter.config["size_px"])


def _backend_of(adapter: NumericAdapter | NumberPrompt, base_folder: Path) -> EditBackend:
    """Return the base of an adapter, frozen, with the adapter that steers it."""
    kind = adapter.config.get("base", "compact")
    if isinstance(adapter, NumericAdapter) and kind != "compact":
        has_gpu = torch.cuda.is_available()
        device = torch.device("cuda" if has_gpu else "cpu")
        precision = "bf16" if has_gpu else "fp32"
        base = load_base(kind, base_folder, precision=precision, device=device)
        return PipelineBackend(base, adapter.to(device))
    compact = load_compact(base_folder)
    for network in compact.modules():
        network.eval().requires_grad_(False)
    return CompactBackend(compact, adapter)


def _with_config(folder: Path) -> Path:
    if (folder / "run.json").is_file():
        finished = finished_editor(folder)
        if finished is None:
            msg = f"run folder {folder}: is not finished; run `cat-dataset train` on it again"
            raise JobError(msg)
        return finished
    if not (folder / "config.json").is_file():
        msg = f"adapter {folder}: holds no config.json; give the adapter folder of a run"
        raise JobError(msg)
    return folder


def _load_steering(folder: Path) -> NumericAdapter | NumberPrompt:
    config = NumberPrompt.load_config(folder)
    if config["_class_name"] == NumberPrompt.__name__:
        return cast("NumberPrompt", NumberPrompt.from_config(config))
    adapter: NumericAdapter = NumericAdapter.from_pretrained(folder, use_safetensors=True)
    adapter.eval().requires_grad_(False)
    return adapter


def view_size(
    height_px: int, width_px: int, size_px: int, step_px: int = PATCH_PX
) -> tuple[int, int]:
    """Return (height, width) at which the model sees a picture: whole patches, short side fixed.

    >>> view_size(768, 1024, 64)
    (64, 88)
    """
    longer = max(height_px, width_px) / min(height_px, width_px)
    long_px = round(min(longer, _MAX_ASPECT) * size_px / step_px) * step_px
    return (size_px, long_px) if width_px >= height_px else (long_px, size_px)


def _log_light(views: Sequence[Linear]) -> Tensor:
    return encode_log_light(torch.from_numpy(np.stack(views)).permute(0, 3, 1, 2))
