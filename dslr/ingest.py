"""One capture group becomes pairs: measured ones of a series, and computed ones of one frame.

What the sensor clipped is unknown light. Such pixels are white in both pictures of a computed
pair, and no anchor is below 1, so that sensor white never shows as grey: a darkened picture keeps
its burnt-out windows white instead of turning them into grey patches that no camera would record.
"""

from collections.abc import Callable, Mapping, Sequence
from types import MappingProxyType
from typing import Any

from cat_dataset.attributes.photometric import WHITE_BALANCE
from cat_dataset.attributes.table import CAMERA_ATTRIBUTES
from cat_dataset.compose.basis_pairs import compose_basis, compose_light, compose_sweep
from cat_dataset.errors import BracketError
from cat_dataset.imaging.photometry import MAX_CCT_K
from cat_dataset.jobs.datasets import CaptureSource
from cat_dataset.jobs.manifest import DatasetJob
from cat_dataset.jobs.plans import PairPlan
from cat_dataset.jobs.splits import split_of
from cat_dataset.records import LightBasis, Rejection, Sweep, UnitResult
from dslr.develop.white_balance import LOWEST_K
from dslr.files.raw_file import software_versions
from dslr.grouping.bursts import Capture
from dslr.grouping.grouping import Kind
from dslr.grouping.series import ATTRIBUTE_OF_KIND, SeriesKind
from dslr.sweeps.constant_exposure_sweep import constant_exposure_sweep
from dslr.sweeps.develop_bursts import ReadGroup, read_group
from dslr.sweeps.exposure_sweep import exposure_sweep
from dslr.sweeps.light_sweep import lamp_basis, single_basis, white_balance_sweep
from dslr.sweeps.series_frames import SeriesName, SweepAndRejections
from dslr.sweeps.zoom_sweep import zoom_sweep

_SWEEP_OF_KIND: Mapping[
    SeriesKind, Callable[[ReadGroup, SeriesKind, SeriesName, Mapping[str, Any]], SweepAndRejections]
] = MappingProxyType(
    {
        "exposure": exposure_sweep,
        "aperture": constant_exposure_sweep,
        "iso": constant_exposure_sweep,
        "shutter": constant_exposure_sweep,
        "focus_distance": constant_exposure_sweep,
        "focal_length": zoom_sweep,
    }
)


def ingest_captures(
    dataset: DatasetJob,
    source: CaptureSource,
    name: str,
    split_scene: str,
    kind: Kind,
    captures: Sequence[Capture],
) -> UnitResult:
    """Return the pairs of a group: measured ones of its series, computed ones of its best frame.

    Raises:
        RawError: no file of the group can be read.
    """
    group = read_group(captures, kind, source.max_side_px, name)
    rows = SeriesName(name, split_of(dataset, split_scene))
    origin = _group_origin(group, kind)
    results = [UnitResult(rejections=group.rejections)]
    if kind != "single" and kind != "unreadable" and len(group.captures) > 1:
        results.append(_series_result(group, kind, rows, origin, source, dataset))
    basis = single_basis(group, rows, origin)
    plans: dict[str, PairPlan] = {
        a: plan for a, plan in source.attributes.items() if a in CAMERA_ATTRIBUTES
    }
    if group.plan.balance.cct_k is None and plans.pop(WHITE_BALANCE.name, None) is not None:
        results.append(_unknown_balance(name, group))
    results.append(compose_basis(basis, plans, dataset))
    return UnitResult(
        tuple(pair for result in results for pair in result.pairs),
        tuple(rejection for result in results for rejection in result.rejections),
    )


def _unknown_balance(name: str, group: ReadGroup) -> UnitResult:
    """Return the row that says why a group gives no pairs of white balance."""
    why = (
        f"{group.captures[group.anchor].capture.name}: the colour temperature of its balance is "
        f"unknown (no colour matrix, or not between {LOWEST_K:g} K and {MAX_CCT_K:g} K), so a "
        f"difference in mired cannot be stated; convert it to DNG, or do without"
    )
    attribute = WHITE_BALANCE.name
    key = f"{name}-single-{attribute}"
    return UnitResult(rejections=(Rejection(key, name, "rejected", why, attribute),))


def _series_result(
    group: ReadGroup,
    kind: SeriesKind,
    rows: SeriesName,
    origin: Mapping[str, Any],
    source: CaptureSource,
    dataset: DatasetJob,
) -> UnitResult:
    """Return the pairs of a series, or a row that says why it gives none."""
    attribute = ATTRIBUTE_OF_KIND[kind]
    try:
        light, rejections = _light(group, kind, rows, origin)
    except BracketError as error:
        key = f"{rows.unit_id}-{attribute}"
        return UnitResult(
            rejections=(Rejection(key, rows.unit_id, "rejected", str(error), attribute),)
        )
    if light is None:
        return UnitResult(rejections=rejections)
    if isinstance(light, LightBasis):
        plans: dict[str, PairPlan] = {
            a: p for a, p in source.attributes.items() if a not in CAMERA_ATTRIBUTES
        }
        made = compose_light(light, plans, dataset)
    elif attribute in source.attributes:
        made = compose_sweep(light, source.attributes[attribute], dataset)
    else:
        made = UnitResult()
    return UnitResult(made.pairs, rejections + made.rejections)


def _light(
    group: ReadGroup, kind: SeriesKind, rows: SeriesName, origin: Mapping[str, Any]
) -> tuple[Sweep | LightBasis | None, tuple[Rejection, ...]]:
    """Return what a series gives pairs of.

    Raises:
        BracketError: the series cannot be measured.
    """
    if kind == "lamp":
        return lamp_basis(group, rows, origin), ()
    if kind == "white_balance":
        return white_balance_sweep(group, rows, origin), ()
    return _SWEEP_OF_KIND[kind](group, kind, rows, origin)


def _group_origin(group: ReadGroup, kind: Kind) -> dict[str, Any]:
    anchor = group.captures[group.anchor].capture
    return {
        "series": kind,
        "camera_body": anchor.metadata.body or None,
        "lens": anchor.metadata.lens or None,
        "anchor_file": anchor.name,
        "raw_develop": group.plan.to_json(),
        "versions": dict(software_versions()),
    }
