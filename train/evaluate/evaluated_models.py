"""Editors of the protocol that are models of ours: by number, and by the base's own words."""

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch

from cat_dataset.errors import EditScaleError
from cat_dataset.records import EditScale
from cat_dataset.scoring.editors import Answer, Asked, EditFailure, OracleEditor
from cat_dataset.scoring.questions.known_light import with_known_light
from train.data.batches import resize_area
from train.edit.backends import Channel
from train.edit.editing import Editor
from train.model.log_light import decode_log_light, encode_log_light, linear_of_codes

VAE = "vae"
_BATCH_SIZE = 32


@dataclass(frozen=True)
class AdapterEditor:
    """A trained editor under the protocol, in batches of pictures of one size."""

    name: str
    editor: Editor
    channel: Channel = "numbers"
    light_is_known: bool = False  # the lighting ratio of the source, and a lamp's own colour

    def answer(self, asked: Sequence[Asked]) -> list[Answer]:
        """Return the edited pictures, or why there is none; ranges are the protocol's business."""
        answers: list[Answer | None] = [None] * len(asked)
        groups: dict[tuple[int, ...], list[int]] = defaultdict(list)
        for number, item in enumerate(asked):
            refusal = self._refusal(item)
            if refusal is None:
                groups[item.source_HW3.shape].append(number)
            else:
                answers[number] = refusal
        for numbers in groups.values():
            for start in range(0, len(numbers), _BATCH_SIZE):
                batch = numbers[start : start + _BATCH_SIZE]
                pictures = self.editor.edit_batch(
                    [asked[number].source_HW3 for number in batch],
                    [self._edits(asked[number]) for number in batch],
                    channel=self.channel,
                    beyond_range=True,
                )
                for number, picture in zip(batch, pictures, strict=True):
                    answers[number] = picture
        return [answer for answer in answers if answer is not None]

    def _edits(self, item: Asked) -> Sequence[EditScale]:
        """Return the edits of a request with what the editor is given of the source's light."""
        return (
            with_known_light(item.request, item.truth)
            if self.light_is_known
            else item.request.edits
        )

    def _refusal(self, item: Asked) -> EditFailure | None:
        """Return why a request cannot be edited at all."""
        unknown = [n for n in item.request.attributes if n not in self.editor.tasks]
        if unknown:
            return EditFailure(f"was not trained on {', '.join(unknown)}")
        try:
            self.editor.backend.instruction(item.request.edits, self.channel)
        except EditScaleError as error:
            return EditFailure(str(error))
        return None


@dataclass(frozen=True)
class ThroughVae:
    """The oracle's edits through the VAE of a base: what no adapter on that base can beat."""

    editor: Editor
    name: str = VAE

    def answer(self, asked: Sequence[Asked]) -> list[Answer]:
        """Return the true edits as the base's VAE lets them through."""
        truths = OracleEditor().answer(asked)
        return [
            truth
            if isinstance(truth, EditFailure)
            else self.editor.through_base(item.source_HW3, truth, item.request.edits)
            for item, truth in zip(asked, truths, strict=True)
        ]


def float_order_gap(editor: Editor, asked: Sequence[Asked]) -> float | None:
    """Return the largest difference of light, in [0, 1], between two orders of the same edits.

    Taken from the network's own output in float32, before the display rounds it to 8 bits.
    None: nothing was asked in two orders.
    """
    items = [i for i in asked if i.request.role == "combined"]
    gaps = []
    for item in items:
        height_px, width_px = item.source_HW3.shape[:2]
        view_px = editor.view_size(height_px, width_px)
        view = resize_area(linear_of_codes(item.source_HW3), *view_px)
        source_BCHW = encode_log_light(torch.from_numpy(view).permute(2, 0, 1)[None])
        edits = item.request.edits
        both = editor.backend.predict(source_BCHW.expand(2, -1, -1, -1), [edits, edits[::-1]])
        one, other = decode_log_light(both).numpy()
        gaps.append(float(np.abs(one - other).max()))
    return max(gaps, default=None)
