"""The grid of the face: rays from inside the head, in columns around it and rows down it.

Rows are bent so that one of them runs along each slit; there it is doubled, so that lids and lips
can part. Columns are spaced so that some end exactly in the corners of eye and mouth.
"""

from dataclasses import dataclass

import numpy as np

from render.blender.shapes import Floats, Ints
from render.families.head.face_slits import (
    EYE_IN_DEG,
    EYE_OUT_DEG,
    LidEdges,
    eye_point,
    mouth_line_points,
)
from render.families.head.face_traits import FaceTraits

HEAD_CENTRE = np.array([0.0, -0.012, -0.015])  # rays start here
_NECK_CENTRE = np.array([0.0, 0.022, -0.235])  # and move down to here
_CHIN_DEG = -57.0  # the last row of the head; the neck's follow
_NUM_NECK_ROWS = 24


@dataclass(frozen=True)
class Chart:
    """Rays of one half, rows from the crown down, columns from the face's midline to the back's."""

    origins_RC3: Floats
    directions_RC3: Floats
    eye_row: int  # edge of the upper lid; the next row is the lower lid's
    mouth_row: int  # edge of the upper lip; the next row is the lower lip's
    eye_columns: tuple[int, int]  # of the corners
    mouth_column: int  # of the corner


def face_chart(traits: FaceTraits) -> Chart:
    """Return the rays that sample a face."""
    upper, lower = _lid_angles(traits)
    mouth = _angles(mouth_line_points(traits, 48))
    corners = np.array([upper[0, 0], mouth[-1, 0], upper[-1, 0]])
    columns, (eye_in, mouth_end, eye_out) = _columns_deg(corners)
    eye_deg = float(0.5 * (upper[0, 1] + upper[-1, 1]))
    mouth_deg = float(mouth[:, 1].mean())
    rows, eye_row, mouth_row = _rows_deg(eye_deg, mouth_deg)
    is_below_eye = (np.arange(len(rows)) > eye_row)[:, None]
    bend_up = _offset(columns, upper, eye_deg)
    bend_low = _offset(columns, lower, eye_deg)
    bend_eye = np.where(is_below_eye, bend_low, bend_up)
    bent = rows[:, None] + bend_eye * _fade((rows - eye_deg) / 15.0)[:, None]
    bent = bent + _offset(columns, mouth, mouth_deg) * _fade((rows - mouth_deg) / 10.0)[:, None]
    origins, directions = _rays(bent, columns)
    return Chart(origins, directions, eye_row, mouth_row, (eye_in, eye_out), mouth_end)


def _lid_angles(traits: FaceTraits) -> tuple[Floats, Floats]:
    """Return both lid edges as (azimuth, elevation) seen from the head's centre, degrees."""
    edges, side = LidEdges(traits), np.linspace(EYE_IN_DEG, EYE_OUT_DEG, 96)
    radius = traits.lid_radius_m
    upper = eye_point(traits, side, edges.upper_deg(side), radius)
    lower = eye_point(traits, side, edges.lower_deg(side), radius)
    return _angles(upper), _angles(lower)


def _angles(points_V3: Floats) -> Floats:
    away = points_V3 - HEAD_CENTRE
    azimuth = np.degrees(np.arctan2(away[:, 0], -away[:, 1]))
    elevation = np.degrees(np.arctan2(away[:, 2], np.hypot(away[:, 0], away[:, 1])))
    return np.stack([azimuth, elevation], axis=1)


def _columns_deg(corners_deg: Floats) -> tuple[Floats, Ints]:
    """Return the columns' azimuths, and which of them are the given corners (in their order)."""
    stops = np.concatenate([[0.0], np.sort(corners_deg), [60.0, 100.0, 180.0]])
    steps_deg = (0.85, 0.85, 0.7, 1.2, 2.4, 4.0)
    spans = [
        np.linspace(low, high, max(2, round((high - low) / step)), endpoint=False)
        for low, high, step in zip(stops[:-1], stops[1:], steps_deg, strict=True)
    ]
    columns = np.concatenate([*spans, [180.0]])
    return columns, np.searchsorted(columns, corners_deg - 1e-9)


def _rows_deg(eye_deg: float, mouth_deg: float) -> tuple[Floats, int, int]:
    """Return the rows' elevations, the slits' doubled, and the indices of the slits' upper rows."""
    above = np.concatenate(
        [
            np.linspace(88.5, 42.0, 15, endpoint=False),
            np.linspace(42.0, eye_deg + 14.0, 12, endpoint=False),
            np.linspace(eye_deg + 14.0, eye_deg, 31),
        ]
    )
    between = np.concatenate(
        [
            np.linspace(eye_deg, eye_deg - 11.0, 24, endpoint=False),
            np.linspace(eye_deg - 11.0, mouth_deg + 8.0, 34, endpoint=False),
            np.linspace(mouth_deg + 8.0, mouth_deg, 21),
        ]
    )
    below = np.concatenate(
        [
            np.linspace(mouth_deg, mouth_deg - 9.0, 22, endpoint=False),
            np.linspace(mouth_deg - 9.0, _CHIN_DEG, 18),
        ]
    )
    rows = np.concatenate([above, between, below])
    return rows, len(above) - 1, len(above) + len(between) - 1


def _offset(columns_deg: Floats, curve: Floats, level_deg: float) -> Floats:
    """Return how far a slit lies above its row's level, by column, fading beyond its ends."""
    offset = np.interp(columns_deg, curve[:, 0], curve[:, 1] - level_deg)
    before = _fade((curve[0, 0] - columns_deg) / 14.0 * (columns_deg < curve[0, 0]))
    after = _fade((columns_deg - curve[-1, 0]) / 25.0 * (columns_deg > curve[-1, 0]))
    faded: Floats = offset * before * after
    return faded


def _fade(distance: Floats) -> Floats:
    """Return 1 at 0, falling smoothly to 0 at a distance of 1."""
    share = np.clip(1.0 - np.abs(distance), 0.0, 1.0)
    smooth: Floats = share * share * (3.0 - 2.0 * share)
    return smooth


def _rays(bent_RC: Floats, columns_deg: Floats) -> tuple[Floats, Floats]:
    """Return origins and directions, with the neck's rows appended."""
    behind = np.clip((columns_deg - 60.0) / 120.0, 0.0, 1.0)
    lift = 1.0 - 0.5 * behind * behind * (3.0 - 2.0 * behind)  # the nape starts higher
    head = np.where(bent_RC < 0.0, bent_RC * lift, bent_RC)
    share = np.linspace(0.0, 1.0, _NUM_NECK_ROWS + 1)[1:, None]
    neck = head[-1] * (1.0 - share)
    elevation = np.radians(np.concatenate([head, neck]))
    azimuth = np.broadcast_to(np.radians(columns_deg), elevation.shape)
    level = np.cos(elevation)
    directions = np.stack(
        [np.sin(azimuth) * level, -np.cos(azimuth) * level, np.sin(elevation)], axis=-1
    )
    directions[:, [0, -1], 0] = 0.0  # exactly on the midline, where sin(pi) is not quite 0
    along = np.concatenate([np.zeros(len(head)), share[:, 0]])[:, None, None]
    origins = HEAD_CENTRE + along * (_NECK_CENTRE - HEAD_CENTRE)
    return np.broadcast_to(origins, directions.shape), directions
