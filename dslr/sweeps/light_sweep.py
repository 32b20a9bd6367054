"""Series in which the light or its balance differs: computed exactly from linear frames.

A white-balance series gives the balances that were set; one frame developed under each of them is
the pair. Two frames with a lamp off and on give the lamp alone, as their difference, and from then
on any power of it.
"""

from collections.abc import Mapping, Sequence
from itertools import permutations
from typing import Any

import numpy as np
from numpy.typing import NDArray

from cat_dataset.attributes.photometric import WHITE_BALANCE
from cat_dataset.errors import BracketError
from cat_dataset.imaging.channels import darkest_channel
from cat_dataset.imaging.photometry import DAYLIGHT_CCT_K, mired
from cat_dataset.light import readout
from cat_dataset.light.relighting import balance_gain_rgb
from cat_dataset.records import LightBasis, LightGroup, Reading, Sweep, SweepFrame
from dslr.grouping.series import EQUAL_STOPS, Setting, setting_axes
from dslr.sweeps.develop_bursts import ReadCapture, ReadGroup, file_origin
from dslr.sweeps.series_frames import SeriesName

MIN_BALANCE_STEP_MIRED = 3.0  # balances nearer than this are one
_MAX_CLIPPED_SHARE = 0.01  # of the frame that computed pairs start from


def white_balance_sweep(
    group: ReadGroup, name: SeriesName, origin: Mapping[str, Any]
) -> Sweep | None:
    """Return one frame developed under every balance of a series; None: fewer than two differ.

    Raises:
        BracketError: the camera's matrices are unknown, so that multipliers have no kelvin.
    """
    base = group.captures[group.anchor]
    base_k = group.plan.balance.cct_k
    if base_k is None:
        msg = "the colour matrix of this camera is unknown, so its balances have no kelvin"
        raise BracketError(msg)
    temperatures_k = _distinct_k(group.captures)
    if len(temperatures_k) < 2:
        return None
    frames = tuple(
        SweepFrame(
            absolute_value=cct_k,
            axis_value=mired(cct_k),
            linear_HW3=base.developed.linear_HW3
            * balance_gain_rgb(base_k, cct_k).astype(np.float32),
            clipped_HW=base.developed.clipped_HW,
            origin={**file_origin(base), "balance": _balance_origin(read, cct_k)},
        )
        for cct_k, read in temperatures_k.items()
    )
    readings = {
        (i, j): _balance_reading(frames[i], frames[j])
        for i, j in permutations(range(len(frames)), 2)
    }
    return Sweep(
        scene=name.unit_id,
        split=name.split,
        attribute=WHITE_BALANCE.name,
        frames=frames,
        readings=readings,
        wb_cct_k=base_k,
        origin=origin,
    )


def _balance_origin(read: ReadCapture, cct_k: float) -> dict[str, Any]:
    """Return where a balance comes from: the multipliers are exact, kelvin is derived of them."""
    return {
        "file": read.capture.name,
        "wb_multipliers": list(read.balance.multipliers_rgb),
        "wb_cct_k": cct_k,
        "wb_duv": read.balance.duv,
    }


def _distinct_k(captures: Sequence[ReadCapture]) -> dict[float, ReadCapture]:
    found: dict[float, ReadCapture] = {}
    for read in captures:
        cct_k = read.balance.cct_k if read.capture.stated is None else read.capture.stated
        if cct_k is None:
            continue
        if all(abs(mired(cct_k) - mired(other)) >= MIN_BALANCE_STEP_MIRED for other in found):
            found[cct_k] = read
    return found


def _balance_reading(source: SweepFrame, target: SweepFrame) -> Reading:
    lit = darkest_channel(np.minimum(source.linear_HW3, target.linear_HW3)) > np.float32(2.0**-9)
    if source.clipped_HW is not None:
        lit &= ~source.clipped_HW
    source_k = source.absolute_value or DAYLIGHT_CCT_K
    return readout.camera_change(
        WHITE_BALANCE.name,
        source.linear_HW3,
        target.linear_HW3,
        lit,
        {WHITE_BALANCE.name: source_k},
    )


def lamp_basis(group: ReadGroup, name: SeriesName, origin: Mapping[str, Any]) -> LightBasis:
    """Return ambient light and lamp, each alone, from frames with the lamp off and on.

    The frame in which the lamp is brightest is used, since its share of the noise is least.

    Raises:
        BracketError: the lamp's power is 0 in no frame or in all, or it adds no light.
    """
    off, on = _off_and_on(group.captures)
    _check_equal_exposure(off, on)
    lamp_HW3 = on.developed.linear_HW3 - off.developed.linear_HW3
    clipped_HW = on.developed.clipped_HW | off.developed.clipped_HW
    _check_only_adds(off.developed.linear_HW3, lamp_HW3, clipped_HW)
    cct_k = group.plan.balance.cct_k
    return LightBasis(
        scene=f"{name.unit_id}-lamp",
        split=name.split,
        groups=(LightGroup("lamp", "lamp", None), LightGroup("ambient", "ambient", None)),
        images_GHW3=np.stack([lamp_HW3, off.developed.linear_HW3]),
        wb_cct_k=DAYLIGHT_CCT_K if cct_k is None else cct_k,
        main_lamp="lamp",
        clipped_HW=clipped_HW,
        origin={**origin, "lamp_off": file_origin(off), "lamp_on": file_origin(on)},
    )


def _off_and_on(
    captures: Sequence[ReadCapture],
) -> tuple[ReadCapture, ReadCapture]:
    """Return the frames without the lamp, and with it at its brightest."""
    stated = [read.capture.stated for read in captures]
    if None in stated:
        ranked = sorted(captures, key=lambda read: float(read.developed.linear_HW3.mean()))
        return ranked[0], ranked[-1]
    powers = [float(power) for power in stated if power is not None]
    if min(powers) > 0.0 or max(powers) <= 0.0:
        msg = f"powers of the lamp {powers}: give one frame with 0, the lamp off, and one with more"
        raise BracketError(msg)
    return captures[powers.index(0.0)], captures[powers.index(max(powers))]


def _check_equal_exposure(off: ReadCapture, on: ReadCapture) -> None:
    """Raise BracketError where settings differ: the difference would not be the lamp alone."""
    axes = setting_axes([off.capture.metadata, on.capture.metadata])
    settings: tuple[Setting, ...] = ("time", "f_number", "iso")
    differ = [s for s in settings if axes.spread(s) > EQUAL_STOPS or s in axes.half_known]
    if differ:
        msg = (
            f"{off.capture.name} and {on.capture.name} differ in {' and '.join(differ)}: a lamp is "
            f"the difference of two equal exposures; set the camera to manual"
        )
        raise BracketError(msg)


def _check_only_adds(
    ambient_HW3: NDArray[np.float32], lamp_HW3: NDArray[np.float32], clipped_HW: NDArray[np.bool_]
) -> None:
    """Raise BracketError where the light with the lamp is not ambient light and more."""
    added = float(lamp_HW3[~clipped_HW].mean()) if (~clipped_HW).any() else 0.0
    if added <= 0.0:
        msg = "the frame with the lamp on is not brighter than the one with it off"
        raise BracketError(msg)
    taken_HW = lamp_HW3[..., 1] < -0.15 * np.maximum(ambient_HW3[..., 1], 2.0**-6)
    share = float(taken_HW[~clipped_HW].mean())
    if share > 0.02:
        msg = (
            f"{share:.0%} of the picture is darker with the lamp on, at most 2 % may be: "
            f"something else changed, or the frames are named in the wrong order"
        )
        raise BracketError(msg)


def single_basis(group: ReadGroup, name: SeriesName, origin: Mapping[str, Any]) -> LightBasis:
    """Return the best-exposed frame as a light basis of one group: all light is ambient."""
    best = _best_exposed(group.captures)
    cct_k = group.plan.balance.cct_k
    return LightBasis(
        scene=f"{name.unit_id}-single",
        split=name.split,
        groups=(LightGroup("all", "ambient", None),),
        images_GHW3=best.developed.linear_HW3[None],
        wb_cct_k=DAYLIGHT_CCT_K if cct_k is None else cct_k,
        clipped_HW=best.developed.clipped_HW,
        origin={**origin, "capture": file_origin(best)},
    )


def _best_exposed(captures: Sequence[ReadCapture]) -> ReadCapture:
    """Return the brightest capture that hardly clips, or the one that clips least."""
    clipped = [float(read.developed.clipped_HW.mean()) for read in captures]
    hardly = [read for read, c in zip(captures, clipped, strict=True) if c <= _MAX_CLIPPED_SHARE]
    if not hardly:
        return captures[clipped.index(min(clipped))]
    return max(hardly, key=lambda read: float(read.developed.linear_HW3.mean()))
