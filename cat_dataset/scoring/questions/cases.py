"""Held-out pairs with everything that is known of them: pictures, producer, and the truth."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from cat_dataset.attributes.photometric import LIGHT_TEMPERATURE, WHITE_BALANCE
from cat_dataset.attributes.table import (
    AMBIENT,
    BASIS_ATTRIBUTES,
    CAMERA_ATTRIBUTES,
    LAMP,
    LIGHT_OF,
)
from cat_dataset.errors import EditScaleError
from cat_dataset.imaging.display import ToneCurve, decode_display, decode_png
from cat_dataset.imaging.photometry import DAYLIGHT_CCT_K
from cat_dataset.light.light_state import LightState, light_gains_rgb
from cat_dataset.light.readout import readable_mask
from cat_dataset.light.relighting import edit_gain_rgb
from cat_dataset.records import LightBasis
from cat_dataset.scoring.questions.request_plan import frame_positions
from cat_dataset.scoring.truth import (
    REST,
    Display,
    FrameTruth,
    LightTruth,
    Linear,
    Mask,
    Truth,
)
from cat_dataset.store.linear_dataset import kept_bases, read_linear
from cat_dataset.store.pair_dataset import PairDataset, Sample, read_members
from cat_dataset.store.pair_rows import PairRow
from cat_dataset.store.schema import ANNOTATION_MEMBERS

_MASKS = tuple(f"{which}.{ANNOTATION_MEMBERS['mask']}" for which in ("source", "target"))
_SMALLEST_TRUE_STOPS = 0.1  # a smaller true change does not show where the lamp shines
_SMALLEST_TRUE_GAIN = 0.02  # of a colour channel: less of a lamp's tint is lost in 8 bits


@dataclass(frozen=True)
class Case:
    """One held-out pair."""

    row: PairRow
    producer: str
    source_HW3: Display
    target_HW3: Display
    truth: Truth | None  # None: the true picture is known at the pair's own target only
    outside_HW: Mask | None = None  # where neither picture shows what is edited; None: unknown


class CaseReader:
    """Reads pairs and what else their data set holds of their scenes."""

    def __init__(self, dataset: PairDataset) -> None:
        self._dataset = dataset
        self._by_sweep: dict[tuple[str, str], list[PairRow]] = {}
        for row in dataset.rows:
            if len(row.edits) == 1 and row.edits[0].attribute not in BASIS_ATTRIBUTES:
                self._by_sweep.setdefault((row.scene, row.edits[0].task_key), []).append(row)

    def read(self, row: PairRow) -> Case:
        """Return a pair with its truth.

        Raises:
            ShardError: its shard is broken.
        """
        sample = self._dataset.read(row)
        names = {edit.attribute for edit in row.edits}
        truth: Truth | None
        if names <= set(BASIS_ATTRIBUTES):
            truth = light_truth(row, sample)
        else:
            truth = self._frames(row, sample)
        producer = str(sample.record["origin"].get("producer", "unknown"))
        outside_HW = _outside_edit(row)
        return Case(row, producer, sample.source_HW3, sample.target_HW3, truth, outside_HW)

    def _frames(self, row: PairRow, sample: Sample) -> FrameTruth | None:
        """Return the frames of a pair's sweep; None where it is of none, or edits more."""
        if row.source_frame is None or len(row.edits) != 1:
            return None
        name = row.edits[0].task_key
        others = self._by_sweep[row.scene, name]
        frames = {0.0: sample.source_HW3, row.edits[0].value: sample.target_HW3}
        seen = {row.source_frame, row.target_frame}
        for number, position in frame_positions(row, others).items():
            if number not in seen:
                frames[round(position, 9)] = self._frame(number, others)
        shape = sample.source_HW3.shape
        same_size = {value: frame for value, frame in frames.items() if frame.shape == shape}
        return FrameTruth(sample.source_HW3, name, same_size)

    def _frame(self, number: int, rows: Sequence[PairRow]) -> Display:
        for row in rows:
            if number in (row.source_frame, row.target_frame):
                sample = self._dataset.read(row)
                return sample.source_HW3 if number == row.source_frame else sample.target_HW3
        msg = f"frame {number} occurs in no pair"
        raise AssertionError(msg)


def _outside_edit(row: PairRow) -> Mask | None:
    """Return the pixels outside the edit masks of both pictures; None: no masks, or no outside.

    Raises:
        ShardError: the shard is broken.
    """
    spans = {name: row.spans[name] for name in _MASKS if name in row.spans}
    if len(spans) < len(_MASKS):
        return None
    members = read_members(row.tar_path, row.key, spans)
    outside_HW = np.all([decode_png(data)[..., 0] == 0 for data in members.values()], axis=0)
    return outside_HW if outside_HW.any() else None


def light_truth(row: PairRow, sample: Sample) -> LightTruth | None:
    """Return the layers of light in a pair's source, as finely as they are known.

    Where the light basis was kept beside the pairs, from that; else a pair that edits one lamp
    shows the lamp's light as the difference of its pictures. None: the change is too small to
    show it.
    """
    tone_curve: ToneCurve = sample.record["develop"]["tone_curve"]
    setting_k = _camera_setting(row, sample.record)
    states = [sample.record["origin"].get(f"{which}_state") for which in ("source", "target")]
    kept = _kept_light(row, sample, states[0])
    if kept is not None:
        layers, known_HW, lamp_k = kept
        return LightTruth(sample.source_HW3, layers, known_HW, setting_k, lamp_k, tone_curve)
    source = decode_display(sample.source_HW3, tone_curve)
    if all(edit.attribute in CAMERA_ATTRIBUTES for edit in row.edits):
        known_HW = readable_mask(source, source)
        return LightTruth(sample.source_HW3, {REST: source}, known_HW, setting_k, None, tone_curve)
    if len(row.edits) > 1:
        return None
    target = decode_display(sample.target_HW3, tone_curve)
    try:
        layer = _layer_of_pair(row, source, target)
    except EditScaleError:
        return None
    edit = row.edits[0]
    lamp_k = _lamp_colour(states) if edit.source_value is None else edit.source_value
    return LightTruth(
        sample.source_HW3,
        {LIGHT_OF[edit.attribute]: layer, REST: source - layer},
        readable_mask(source, target),
        setting_k,
        lamp_k,
        tone_curve,
        is_from_pair=True,
    )


def _layer_of_pair(row: PairRow, source: Linear, target: Linear) -> Linear:
    """Return the light in the source that a pair's edit changes, from how it changes.

    Raises:
        EditScaleError: the change is too small.
    """
    edit = row.edits[0]
    gain = edit_gain_rgb(edit)
    if gain is None:
        msg = f"pair {row.key}: does not record between which colours its lamp changes"
        raise EditScaleError(msg)
    change = gain - 1.0
    if edit.attribute == LIGHT_TEMPERATURE.name:
        is_small = np.abs(change).min() < _SMALLEST_TRUE_GAIN
    else:
        is_small = abs(edit.value) < _SMALLEST_TRUE_STOPS
    if is_small:
        msg = f"pair {row.key}: its change is too small to see where the lamp shines"
        raise EditScaleError(msg)
    layer: Linear = (target - source) / change.astype(np.float32)
    return layer


def _camera_setting(row: PairRow, record: Mapping[str, Any]) -> float:
    for edit in row.edits:
        if edit.attribute == WHITE_BALANCE.name and edit.source_value is not None:
            return edit.source_value
    state = record["origin"].get("source_state") or {}
    return float(state.get("wb_cct_k", DAYLIGHT_CCT_K))


def _lamp_colour(states: Sequence[Mapping[str, Any] | None]) -> float | None:
    """Return the colour of the only lamp that differs between two states."""
    if states[0] is None or states[1] is None:
        return None
    before, after = states[0].get("lamps", {}), states[1].get("lamps", {})
    changed = [name for name, lamp in before.items() if lamp != after.get(name)]
    return before[changed[0]]["cct_k"] if len(changed) == 1 else None


def _kept_light(
    row: PairRow, sample: Sample, state: Mapping[str, Any] | None
) -> tuple[dict[str, Linear], Mask, float | None] | None:
    """Return layers, known pixels and lamp colour from the light kept beside the pairs."""
    rows = kept_bases(row.tar_path.parents[1])
    if state is None or row.scene not in rows:
        return None
    basis = read_linear(rows[row.scene])
    shape = sample.source_HW3.shape
    if not isinstance(basis, LightBasis) or basis.images_GHW3.shape[1:] != shape:
        return None
    light_state = LightState.from_json(state)
    anchor = sample.record["develop"]["exposure_anchor"]
    gains_G3 = light_gains_rgb(basis, light_state) * anchor
    layers: dict[str, Linear] = {}
    for group, image, gain_3 in zip(basis.groups, basis.images_GHW3, gains_G3, strict=True):
        is_main = group.name == basis.main_lamp
        name = LAMP if is_main else AMBIENT if group.kind == "ambient" else REST
        light = image * gain_3.astype(np.float32)
        layers[name] = layers[name] + light if name in layers else light
    known_HW = np.ones(shape[:2], np.bool_) if basis.clipped_HW is None else ~basis.clipped_HW
    main = None if basis.main_lamp is None else light_state.lamps[basis.main_lamp].cct_k
    return layers, known_HW, main
