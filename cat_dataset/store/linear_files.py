"""Linear light on disk: light bases and sweeps as half-float OpenEXR with a JSON record, and back.

A half float has 11 bits between 6e-5 and 65504, so light is stored times a power of two that brings
what is typical near 1: exact to undo, and 14 stops remain below and 16 above.
"""

import hashlib
import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from cat_dataset.imaging.exr import read_exr, write_exr
from cat_dataset.records import (
    Annotation,
    LightBasis,
    LightGroup,
    LinearSample,
    Reading,
    Sweep,
    SweepFrame,
)
from cat_dataset.store.schema import EXR_PARTS, JSON, LINEAR
from cat_dataset.system.atomic import write_bytes_atomic

LINEAR_FOLDER = "linear"  # in a data set folder: the light that its pairs were composed from
MAX_HALF = 65504.0
_MAX_EXPONENT = 100  # of the factor: far inside float32


@dataclass
class _PartWriter:
    """Collects the parts of one file."""

    light_factor: float  # stored = light * light_factor
    num_clamped: int = 0  # values beyond a half float
    parts: dict[str, NDArray[Any]] = field(default_factory=dict)

    def add(self, name: str, picture: NDArray[Any]) -> None:
        """Take a picture as it is."""
        if name in self.parts:
            msg = f"part '{name}' occurs twice: light groups must differ in name from all parts"
            raise ValueError(msg)
        self.parts[name] = picture

    def add_light(self, name: str, linear_HW3: NDArray[np.float32]) -> None:
        """Take linear light, scaled; what a half float cannot hold is clamped and counted."""
        scaled = linear_HW3 * np.float32(self.light_factor)
        self.num_clamped += int((np.abs(scaled) > MAX_HALF).sum())
        self.add(name, np.clip(scaled, -MAX_HALF, MAX_HALF).astype(np.float16))

    def add_extras(
        self, prefix: str, clipped_HW: NDArray[np.bool_] | None, annotation: Annotation | None
    ) -> None:
        """Take what rides along with a picture, as far as there is any."""
        if clipped_HW is not None:
            self.add(prefix + EXR_PARTS.clipped, clipped_HW.astype(np.float16))
        if annotation is not None:
            self.add(prefix + EXR_PARTS.mask, annotation.mask_HW.astype(np.float16))
            self.add(prefix + EXR_PARTS.depth, annotation.depth_HW.astype(np.float32))
            self.add(prefix + EXR_PARTS.normal, annotation.normal_HW3.astype(np.float16))


def linear_key(light: LightBasis | Sweep) -> str:
    """Return the sample key of linear light: its scene, and what a sweep changes."""
    return light.scene if isinstance(light, LightBasis) else f"{light.scene}-{light.attribute}"


def linear_size_px(light: LightBasis | Sweep) -> tuple[int, int]:
    """Return (width, height) of the pictures of linear light."""
    picture = light.images_GHW3[0] if isinstance(light, LightBasis) else light.frames[0].linear_HW3
    return picture.shape[1], picture.shape[0]


def encode_linear(light: LightBasis | Sweep) -> LinearSample:
    """Return linear light as it is stored; equal to it up to half-float precision."""
    if isinstance(light, LightBasis):
        writer = _PartWriter(_light_factor(light.images_GHW3.sum(axis=0)))
        written = _write_basis(light, writer)
    else:
        writer = _PartWriter(_light_factor(light.frames[0].linear_HW3))
        written = _write_sweep(light, writer)
    exr = write_exr(writer.parts)
    width_px, height_px = linear_size_px(light)
    swept = light if isinstance(light, Sweep) else None
    record: dict[str, Any] = {
        "key": linear_key(light),
        "split": light.split,
        "scene": light.scene,
        "view": light.view,
        "kind": "basis" if swept is None else "sweep",
        "attribute": None if swept is None else swept.attribute,
        "subject": None if swept is None else swept.subject,
        "width_px": width_px,
        "height_px": height_px,
        "wb_cct_k": light.wb_cct_k,
        "light_factor": writer.light_factor,
        "num_clamped": writer.num_clamped,
        "exr_sha256": hashlib.sha256(exr).hexdigest(),
        "light": written,
        "origin": dict(light.origin),
    }
    return LinearSample(
        key=record["key"],
        kind=record["kind"],
        split=light.split,
        scene=light.scene,
        attribute=record["attribute"],
        shape_HW=(height_px, width_px),
        exr=exr,
        record=record,
    )


def _light_factor(linear_HW3: NDArray[np.float32]) -> float:
    """Return the power of two that brings the median of green near 1; black gives 1."""
    green = linear_HW3[..., 1]
    typical = float(np.median(green[green > 0.0])) if (green > 0.0).any() else 1.0
    exponent = -round(math.log2(typical))
    return math.exp2(max(-_MAX_EXPONENT, min(exponent, _MAX_EXPONENT)))


def _write_basis(basis: LightBasis, writer: _PartWriter) -> dict[str, Any]:
    for group, image in zip(basis.groups, basis.images_GHW3, strict=True):
        writer.add_light(group.name, image)
    writer.add_extras("", basis.clipped_HW, basis.annotation)
    return {
        "groups": [vars(group) for group in basis.groups],
        "visible_share": _visible_share(basis.annotation),
        "main_lamp": basis.main_lamp,
    }


def _frame_name(number: int) -> str:
    return f"frame-{number:02d}"


def _write_sweep(sweep: Sweep, writer: _PartWriter) -> dict[str, Any]:
    for number, frame in enumerate(sweep.frames):
        writer.add_light(_frame_name(number), frame.linear_HW3)
        writer.add_extras(f"{_frame_name(number)}.", frame.clipped_HW, frame.annotation)
        if frame.moving_HW is not None:
            writer.add(
                f"{_frame_name(number)}.{EXR_PARTS.moving}", frame.moving_HW.astype(np.float16)
            )
    if sweep.noise_HW3 is not None:
        writer.add_light(EXR_PARTS.noise, sweep.noise_HW3)
    return {
        "frames": [
            {
                "absolute_value": frame.absolute_value,
                "axis_value": frame.axis_value,
                "visible_share": _visible_share(frame.annotation),
                "origin": dict(frame.origin),
            }
            for frame in sweep.frames
        ],
        "readings": [
            {"source": source, "target": target, **vars(reading)}
            for (source, target), reading in sorted(sweep.readings.items())
        ],
        "is_measured_the_scale": sweep.is_measured_the_scale,
        "edited_area": sweep.edited_area,
    }


def decode_linear(exr: bytes, record: Mapping[str, Any]) -> LightBasis | Sweep:
    """Return the light basis or sweep of a stored sample.

    Raises:
        ValueError: the bytes are not those that the record was written with, or it lacks a field.
    """
    try:
        if hashlib.sha256(exr).hexdigest() != record["exr_sha256"]:
            msg = "its light has another sha256 than its record: it was damaged or replaced"
            raise ValueError(msg)
        parts, light_factor = read_exr(exr), record["light_factor"]
        read = _basis if record["kind"] == "basis" else _sweep
        return read(parts, np.float32(1.0 / light_factor), record)
    except (KeyError, TypeError) as error:
        msg = f"its record of linear light is incomplete ({error})"
        raise ValueError(msg) from None


def _light(part: NDArray[np.float16], gain: np.float32) -> NDArray[np.float32]:
    light: NDArray[np.float32] = part.astype(np.float32) * gain
    return light


def _basis(
    parts: Mapping[str, NDArray[Any]], gain: np.float32, record: Mapping[str, Any]
) -> LightBasis:
    groups = tuple(LightGroup(**group) for group in record["light"]["groups"])
    return LightBasis(
        scene=record["scene"],
        split=record["split"],
        groups=groups,
        images_GHW3=np.stack([_light(parts[group.name], gain) for group in groups]),
        wb_cct_k=record["wb_cct_k"],
        main_lamp=record["light"]["main_lamp"],
        clipped_HW=_pixels(parts, EXR_PARTS.clipped),
        annotation=_annotation(parts, "", record["light"]["visible_share"]),
        view=record["view"],
        origin=record["origin"],
    )


def _sweep(parts: Mapping[str, NDArray[Any]], gain: np.float32, record: Mapping[str, Any]) -> Sweep:
    stored = record["light"]
    names = [_frame_name(number) for number in range(len(stored["frames"]))]
    return Sweep(
        scene=record["scene"],
        split=record["split"],
        attribute=record["attribute"],
        frames=tuple(
            SweepFrame(
                absolute_value=frame["absolute_value"],
                axis_value=frame["axis_value"],
                linear_HW3=_light(parts[name], gain),
                clipped_HW=_pixels(parts, f"{name}.{EXR_PARTS.clipped}"),
                moving_HW=_pixels(parts, f"{name}.{EXR_PARTS.moving}"),
                annotation=_annotation(parts, f"{name}.", frame["visible_share"]),
                origin=frame["origin"],
            )
            for name, frame in zip(names, stored["frames"], strict=True)
        ),
        readings={
            (row["source"], row["target"]): Reading(row["value"], row["stderr"], row["num_px"])
            for row in stored["readings"]
        },
        is_measured_the_scale=stored["is_measured_the_scale"],
        subject=record["subject"],
        wb_cct_k=record["wb_cct_k"],
        noise_HW3=_light(parts[EXR_PARTS.noise], gain) if EXR_PARTS.noise in parts else None,
        edited_area=stored["edited_area"],
        view=record["view"],
        origin=record["origin"],
    )


def _pixels(parts: Mapping[str, NDArray[Any]], name: str) -> NDArray[np.bool_] | None:
    part = parts.get(name)
    return None if part is None else part > 0.5


def _visible_share(annotation: Annotation | None) -> float | None:
    return None if annotation is None else annotation.visible_share


def _annotation(
    parts: Mapping[str, NDArray[Any]], prefix: str, visible_share: float
) -> Annotation | None:
    if prefix + EXR_PARTS.mask not in parts:
        return None
    return Annotation(
        mask_HW=parts[prefix + EXR_PARTS.mask] > 0.5,
        depth_HW=parts[prefix + EXR_PARTS.depth],
        normal_HW3=parts[prefix + EXR_PARTS.normal].astype(np.float32),
        visible_share=visible_share,
    )


def write_linear_files(folder: Path, staged: pa.Table) -> None:
    """Write the linear samples of a staged table as plain files, with a shard's very bytes.

    `KEY.basis.exr` or `KEY.sweep.exr`, then `KEY.json`, which marks the sample complete.
    """
    for row in staged.to_pylist():
        data = {member["name"]: member["data"] for member in row["members"]}
        write_bytes_atomic(folder / f"{row['key']}.{row['kind']}.exr", data[LINEAR])
        write_bytes_atomic(folder / f"{row['key']}.json", data[JSON])
