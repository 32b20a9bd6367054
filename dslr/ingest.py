"""One capture group becomes pairs: a measured sweep of exposure, and computed pairs of one frame.

What the sensor clipped is unknown light. Such pixels are white in both pictures of a computed
pair, and no anchor is below 1, so that sensor white never shows as grey: a darkened picture keeps
its burnt-out windows white instead of turning them into grey patches that no camera would record.
"""

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from cat_dataset.batches import CaptureBatch
from cat_dataset.compose import compose_basis, compose_sweep
from cat_dataset.errors import RawError
from cat_dataset.manifest import DatasetJob
from cat_dataset.photometry import DAYLIGHT_CCT_K
from cat_dataset.plans import PairPlan
from cat_dataset.records import (
    LightBasis,
    LightGroup,
    Rejection,
    Split,
    Sweep,
    SweepFrame,
    UnitResult,
)
from cat_dataset.splits import split_of
from dslr.bracket import BracketFrame, pair_readings, place_frames
from dslr.develop import Developed, DevelopPlan, develop, plan_develop
from dslr.exposure import exposure_axis
from dslr.grouping import Capture
from dslr.measure import CellGrid, cell_grid
from dslr.raw_file import open_raw, read_mosaic, software_versions
from dslr.white_balance import white_balance_of

_MAX_CLIPPED_SHARE = 0.01  # of the frame that computed pairs start from


@dataclass(frozen=True)
class ReadCapture:
    """One capture, developed by its group's plan, and its cells for measuring."""

    capture: Capture
    sha256: str  # of the RAW file
    developed: Developed
    cells: CellGrid


@dataclass(frozen=True)
class ReadGroup:
    """All readable captures of a group in the order of their files; the anchor made the plan."""

    captures: tuple[ReadCapture, ...]
    anchor: int  # index into `captures`
    plan: DevelopPlan
    rejections: tuple[Rejection, ...]  # files that cannot be read


def ingest_captures(
    dataset: DatasetJob,
    batch: CaptureBatch,
    unit_id: str,
    split_scene: str,
    captures: Sequence[Capture],
) -> UnitResult:
    """Return the pairs of a group: measured ones of a bracket, computed ones of its best frame.

    Raises:
        RawError: no file of the group can be read.
    """
    split = split_of(dataset, split_scene)
    group = read_group(captures, batch.max_side_px, unit_id)
    results = [UnitResult(rejections=group.rejections)]
    if "exposure" in batch.attributes and len(group.captures) > 1:
        results.append(_sweep_pairs(group, unit_id, split, batch, dataset))
    basis = _basis(group, f"{unit_id}-single", split)
    plans = dict[str, PairPlan](batch.attributes.items())
    results.append(compose_basis(basis, plans, dataset))
    return UnitResult(
        tuple(pair for result in results for pair in result.pairs),
        tuple(rejection for result in results for rejection in result.rejections),
    )


def read_group(captures: Sequence[Capture], max_side_px: int, unit_id: str) -> ReadGroup:
    """Read and develop every capture once, the anchor first: the frame of middle exposure.

    Raises:
        RawError: no file can be read; the reason of the last one.
    """
    plan: DevelopPlan | None = None
    read: dict[int, ReadCapture] = {}
    failures: dict[int, str] = {}
    for index in _middle_first(captures):
        try:
            read[index], plan = _read_capture(captures[index], plan, max_side_px)
        except RawError as error:
            # rows name files as seen from the folder: the same bytes wherever it lies
            path, name = str(captures[index].path), captures[index].name
            failures[index] = str(error).replace(path, name)
    if plan is None:
        raise RawError("; ".join(failures[index] for index in sorted(failures)))
    in_order = sorted(read)
    rejections = tuple(
        Rejection(f"{unit_id}-file-{index:02d}", unit_id, "failed", failures[index])
        for index in sorted(failures)
    )
    anchor = in_order.index(next(iter(read)))
    return ReadGroup(tuple(read[index] for index in in_order), anchor, plan, rejections)


def _middle_first(captures: Sequence[Capture]) -> list[int]:
    """Return indices by distance from the middle exposure, which stands for the whole group."""
    if len(captures) == 1:
        return [0]
    stops = exposure_axis([capture.metadata for capture in captures]).snapped_stops
    middle = sorted(stops)[len(stops) // 2]
    return sorted(range(len(captures)), key=lambda index: (abs(stops[index] - middle), index))


def _read_capture(
    capture: Capture, plan: DevelopPlan | None, max_side_px: int
) -> tuple[ReadCapture, DevelopPlan]:
    """Read one file; without a plan it is the anchor and makes the plan."""
    with open_raw(capture.path) as raw:
        mosaic = read_mosaic(raw, capture.path)
        if plan is None:
            dng_colour = capture.metadata.dng_colour
            balance = white_balance_of(raw, dng_colour)
            plan = plan_develop(raw, mosaic, balance, dng_colour, max_side_px)
        developed = develop(raw, mosaic, plan)
    sha256 = hashlib.sha256(capture.path.read_bytes()).hexdigest()
    return ReadCapture(capture, sha256, developed, cell_grid(mosaic)), plan


def _sweep_pairs(
    group: ReadGroup, unit_id: str, split: Split, batch: CaptureBatch, dataset: DatasetJob
) -> UnitResult:
    """Return pairs of real frames whose scale is what the sensor values say."""
    metadata = [read.capture.metadata for read in group.captures]
    cells = [read.cells for read in group.captures]
    frames, dropped = place_frames(exposure_axis(metadata), cells, group.anchor)
    rejections = tuple(
        Rejection(f"{unit_id}-frame-{index:02d}", unit_id, "rejected", why, "exposure")
        for index, why in sorted(dropped.items())
    )
    sweep = Sweep(
        scene=unit_id,
        split=split,
        attribute="exposure",
        frames=tuple(_sweep_frame(group.captures[frame.index], frame) for frame in frames),
        readings=pair_readings(frames, cells),
        is_measured_the_scale=True,
        origin=_group_origin(group),
    )
    composed = compose_sweep(sweep, batch.attributes["exposure"], dataset)
    return UnitResult(composed.pairs, rejections + composed.rejections)


def _sweep_frame(read: ReadCapture, frame: BracketFrame) -> SweepFrame:
    return SweepFrame(
        absolute_value=None,
        axis_value=frame.measured.value,
        linear_HW3=read.developed.linear_HW3,
        clipped_HW=read.developed.clipped_HW,
        origin={**_file_origin(read), "stops": frame.to_json()},
    )


def _basis(group: ReadGroup, scene: str, split: Split) -> LightBasis:
    """Return the best-exposed frame as a light basis of one group: all light is ambient."""
    best = _best_exposed(group.captures)
    cct_k = group.plan.balance.cct_k
    return LightBasis(
        scene=scene,
        split=split,
        groups=(LightGroup("all", "ambient", None),),
        images_GHW3=best.developed.linear_HW3[None],
        wb_cct_k=DAYLIGHT_CCT_K if cct_k is None else cct_k,
        clipped_HW=best.developed.clipped_HW,
        origin={**_group_origin(group), "capture": _file_origin(best)},
    )


def _best_exposed(captures: Sequence[ReadCapture]) -> ReadCapture:
    """Return the brightest capture that hardly clips, or the one that clips least."""
    clipped = [float(read.developed.clipped_HW.mean()) for read in captures]
    hardly = [read for read, c in zip(captures, clipped, strict=True) if c <= _MAX_CLIPPED_SHARE]
    if not hardly:
        return captures[clipped.index(min(clipped))]
    return max(hardly, key=lambda read: float(read.developed.linear_HW3.mean()))


def _group_origin(group: ReadGroup) -> dict[str, Any]:
    anchor = group.captures[group.anchor].capture
    return {
        "camera_body": anchor.metadata.body or None,
        "lens": anchor.metadata.lens or None,
        "anchor_file": anchor.name,
        "raw_develop": group.plan.to_json(),
        "software": dict(software_versions()),
    }


def _file_origin(read: ReadCapture) -> dict[str, Any]:
    """Return which file a picture comes from, and the settings the camera printed."""
    metadata = read.capture.metadata
    return {
        "file": read.capture.name,
        "sha256": read.sha256,
        "exposure_time_s": metadata.exposure_time_s,
        "f_number": metadata.f_number,
        "iso": metadata.iso,
        "focal_length_mm": metadata.focal_length_mm,
        "settings_from": metadata.source,
    }
