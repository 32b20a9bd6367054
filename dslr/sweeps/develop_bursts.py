"""Read all captures of a group alike: one develop plan, one framing, cells to measure with."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from cat_dataset.errors import BracketError, RawError
from cat_dataset.records import Rejection
from cat_dataset.store.shards import sha256_of_file
from dslr.develop.alignment import (
    STANDS_STILL,
    Alignment,
    align,
    aligned_mosaic,
    aligned_picture,
    alignment_view,
    common_margin_px,
    cropped,
    without_border,
)
from dslr.develop.develop import Developed, DevelopPlan, develop, plan_develop, turned
from dslr.develop.exposure import exposure_axis
from dslr.develop.framing import Preview, sensor_shape_of
from dslr.develop.white_balance import WhiteBalance, white_balance_of
from dslr.files.raw_file import Mosaic, open_raw, read_mosaic
from dslr.grouping.bursts import Capture
from dslr.grouping.grouping import Kind
from dslr.measure.noise import NoisePair, measure_noise
from dslr.measure.photon_transfer import FrameNoise, frame_noise
from dslr.measure.regions import CellGrid, cell_grid, measure_stops
from dslr.measure.residual import Residual, residual_of

# Other light, or another focal length: the pictures differ by design.
_NOT_ALIGNED: tuple[Kind, ...] = ("single", "unreadable", "focal_length", "lamp")
_MOTION_SHOWS: tuple[Kind, ...] = ("exposure", "iso", "shutter")
_OTHER_BLUR: tuple[Kind, ...] = ("aperture", "focus_distance")


@dataclass(frozen=True)
class ReadCapture:
    """One capture, developed by its group's plan and framed like its anchor."""

    capture: Capture
    sha256: str  # of the RAW file
    developed: Developed
    cells: CellGrid  # what moved counts as clipped
    balance: WhiteBalance  # the camera's own
    alignment: Alignment
    residual: Residual | None  # against the anchor; None: not compared
    moving_HW: NDArray[np.bool_] | None  # of the picture: what moved since the anchor
    noise: NoisePair | None  # against the anchor, of an ISO series
    frame_noise: FrameNoise | None  # of this frame by itself


@dataclass(frozen=True)
class ReadGroup:
    """All readable captures of a group in the order of their files; the anchor made the plan."""

    captures: tuple[ReadCapture, ...]
    anchor: int  # index into `captures`
    plan: DevelopPlan
    rejections: tuple[Rejection, ...]  # files that cannot be read, frames that do not fit
    numbers: tuple[int, ...]  # of each capture among all files of the group

    @property
    def anchor_cells(self) -> CellGrid:
        """Cells of the anchor frame."""
        return self.captures[self.anchor].cells


@dataclass(frozen=True)
class _Anchor:
    """What the other frames are held against."""

    plan: DevelopPlan
    sensor_shape: tuple[int, int]
    view: Preview | None  # None: frames of this kind are not aligned
    cells: CellGrid
    mosaic: Mosaic | None  # kept where noise is measured


def read_group(
    captures: Sequence[Capture], kind: Kind, max_side_px: int, unit_id: str
) -> ReadGroup:
    """Read and develop every capture once, the anchor first: the frame of middle exposure.

    Raises:
        RawError: no file can be read; the reason of the last one.
    """
    anchor: _Anchor | None = None
    read: dict[int, ReadCapture] = {}
    failed: dict[int, str] = {}
    refused: dict[int, str] = {}
    for index in _middle_first(captures):
        capture = captures[index]
        try:
            if anchor is None:
                read[index], anchor = _read_anchor(capture, kind, max_side_px)
            else:
                read[index] = _read_frame(capture, kind, anchor)
        except RawError as error:
            # rows name files as seen from the folder: the same bytes wherever it lies
            failed[index] = str(error).replace(str(capture.path), capture.name)
        except BracketError as error:
            refused[index] = f"{capture.name}: {error}"
    if anchor is None:
        raise RawError("; ".join(failed[index] for index in sorted(failed)))
    in_order = sorted(read)
    rejections = (
        *(
            Rejection(f"{unit_id}-file-{i:02d}", unit_id, "failed", failed[i])
            for i in sorted(failed)
        ),
        *(
            Rejection(f"{unit_id}-frame-{i:02d}", unit_id, "rejected", refused[i])
            for i in sorted(refused)
        ),
    )
    at = in_order.index(next(iter(read)))
    framed = _framed(tuple(read[index] for index in in_order), anchor)
    return ReadGroup(framed, at, anchor.plan, rejections, tuple(in_order))


def _middle_first(captures: Sequence[Capture]) -> list[int]:
    """Return indices by distance from the middle exposure, which stands for the whole group."""
    if len(captures) == 1 or any(c.metadata.exposure_time_s is None for c in captures):
        return list(range(len(captures)))
    stops = exposure_axis([capture.metadata for capture in captures]).snapped_stops
    middle = sorted(stops)[len(stops) // 2]
    return sorted(range(len(captures)), key=lambda index: (abs(stops[index] - middle), index))


def _read_anchor(capture: Capture, kind: Kind, max_side_px: int) -> tuple[ReadCapture, _Anchor]:
    """Read the file that makes the group's plan."""
    with open_raw(capture.path) as raw:
        mosaic = read_mosaic(raw, capture.path)
        colour = capture.metadata.dng_colour
        balance = white_balance_of(raw, colour)
        plan = plan_develop(raw, mosaic, balance, colour, max_side_px)
        developed = develop(raw, mosaic, plan)
    view = None if kind in _NOT_ALIGNED else alignment_view(mosaic)
    anchor = _Anchor(
        plan, sensor_shape_of(mosaic), view, cell_grid(mosaic), mosaic if kind == "iso" else None
    )
    read = ReadCapture(
        capture,
        sha256_of_file(capture.path),
        developed,
        anchor.cells,
        balance,
        STANDS_STILL,
        None,
        None,
        None,
        frame_noise(mosaic),
    )
    return read, anchor


def _read_frame(capture: Capture, kind: Kind, anchor: _Anchor) -> ReadCapture:
    """Read another file of a group, moved onto the anchor where the camera moved.

    Raises:
        BracketError: it shows something else, or the camera moved too far.
    """
    with open_raw(capture.path) as raw:
        mosaic = read_mosaic(raw, capture.path)
        _check_sensor_size(mosaic, anchor)
        balance = white_balance_of(raw, capture.metadata.dng_colour)
        developed = develop(raw, mosaic, anchor.plan)
    alignment = STANDS_STILL
    if anchor.view is not None:
        alignment = align(
            anchor.view,
            alignment_view(mosaic),
            has_other_blur=kind in _OTHER_BLUR,
            may_breathe=kind == "focus_distance",
        )
    flip = anchor.plan.flip
    developed = aligned_picture(developed, alignment, flip, sensor_shape_of(mosaic))
    cells = cell_grid(aligned_mosaic(mosaic, alignment))
    residual = _residual(anchor.cells, cells) if kind in _MOTION_SHOWS else None
    noise = None
    if anchor.mosaic is not None and not alignment.is_applied:  # moving would smooth the noise
        noise = _noise(anchor.mosaic, mosaic)
    still = cells if residual is None else without(cells, residual.moving_HW)
    moving_HW = None if residual is None else _moving_picture(residual, developed, flip)
    return ReadCapture(
        capture,
        sha256_of_file(capture.path),
        developed,
        still,
        balance,
        alignment,
        residual,
        moving_HW,
        noise,
        frame_noise(mosaic),
    )


def _check_sensor_size(mosaic: Mosaic, anchor: _Anchor) -> None:
    height, width = sensor_shape_of(mosaic)
    if (height, width) != anchor.sensor_shape:
        msg = (
            f"has {width}x{height} sensor pixels, the anchor frame {anchor.sensor_shape[1]}x"
            f"{anchor.sensor_shape[0]}; do not mix crop modes"
        )
        raise BracketError(msg)


def _moving_picture(residual: Residual, developed: Developed, flip: int) -> NDArray[np.bool_]:
    """Return the cells that moved as pixels of the upright picture."""
    upright_HW = turned(residual.moving_HW.astype(np.uint8), flip)
    size = developed.clipped_HW.shape[::-1]
    return np.asarray(cv2.resize(upright_HW, size, interpolation=cv2.INTER_NEAREST)) > 0


def _residual(anchor: CellGrid, cells: CellGrid) -> Residual | None:
    """Return what moved or drifted against the anchor; None where they share no light."""
    try:
        stops = measure_stops(anchor, cells).reading.value
    except BracketError:
        return None
    return residual_of(anchor, cells, stops)


def _noise(anchor: Mosaic, mosaic: Mosaic) -> NoisePair | None:
    try:
        return measure_noise(anchor, mosaic)
    except BracketError:
        return None


def without(cells: CellGrid, left_out_HW: NDArray[np.bool_]) -> CellGrid:
    """Return cells of which some are not measured with."""
    return replace(cells, is_clipped_3HW=cells.is_clipped_3HW | left_out_HW)


def _framed(captures: tuple[ReadCapture, ...], anchor: _Anchor) -> tuple[ReadCapture, ...]:
    """Return the captures cut to what all of them show."""
    if anchor.view is None:
        return captures
    side_px = max(captures[0].developed.clipped_HW.shape)
    margin_px = common_margin_px(
        [read.alignment for read in captures], anchor.view.sensor_shape, side_px
    )
    return tuple(
        replace(
            read,
            developed=cropped(read.developed, margin_px),
            moving_HW=None if read.moving_HW is None else without_border(read.moving_HW, margin_px),
        )
        for read in captures
    )


def file_origin(read: ReadCapture) -> dict[str, Any]:
    """Return which file a picture comes from, and the settings the camera printed."""
    metadata = read.capture.metadata
    origin: dict[str, Any] = {
        "file": read.capture.name,
        "sha256": read.sha256,
        "exposure_time_s": metadata.exposure_time_s,
        "f_number": metadata.f_number,
        "iso": metadata.iso,
        "focal_length_mm": metadata.focal_length_mm,
        "bracket_kind": metadata.bracket_kind,
        "bracket_shot": metadata.bracket_shot,
        "is_flash_fired": metadata.is_flash_fired,
        "baseline_exposure_stops": metadata.baseline_exposure_stops,
        "settings_from": metadata.source,
        "alignment": read.alignment.to_json(),
    }
    if read.capture.stated is not None:
        origin["stated_value"] = read.capture.stated
    if read.frame_noise is not None:
        origin["noise"] = read.frame_noise.to_json()
    if read.residual is not None:
        origin["residual"] = read.residual.to_json()
    return origin
