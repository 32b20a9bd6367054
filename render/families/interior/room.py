"""The shell of a room: floor, ceiling, three walls, one of them with a window; the front is open.

The room's own frame: the main object's place is the origin, the back wall is at y = +back_m, the
window's wall is either that one or a side wall, and the camera stands on the -y side.
"""

from dataclasses import dataclass

import numpy as np

from render.blender.finishes import Finish, Palette, linear_rgb, shaded
from render.blender.shapes import Shape, join, rounded_box
from render.families.craft.room_finishes import floor_rand, wall_rand
from render.families.interior.upholstery import board

WALL_M = 0.2  # thickness
FRONT_M = 5.6  # from the main object to the open front, behind the camera
_SKIRTING_M = 0.014


@dataclass(frozen=True)
class Window:
    """An opening in a wall, with its frame."""

    wall: str  # "back", "left" or "right"
    along_m: float  # centre, along x of the back wall, along y of a side wall
    width_m: float
    sill_m: float  # from the floor to the lower edge
    head_m: float  # from the floor to the upper edge
    columns: int  # of panes
    rows: int
    frame: Finish

    @property
    def height_m(self) -> float:
        """Of the opening."""
        return self.head_m - self.sill_m

    def overlaps(self, low_m: float, high_m: float) -> bool:
        """Whether an interval along the wall touches the opening."""
        return low_m < self.along_m + self.width_m / 2 and high_m > self.along_m - self.width_m / 2


@dataclass(frozen=True)
class Room:
    """A room with three walls."""

    left_m: float  # from the main object to the wall on the -x side
    right_m: float
    back_m: float
    height_m: float
    floor: Finish
    wall: Finish
    trim: Finish  # skirting, rail, casing
    window: Window
    skirting_m: float  # height
    rail_m: float  # height of panelling on the back wall, 0 = none


def room_rand(rng: np.random.Generator, palette: Palette, kind: str) -> Room:
    """Draw a room around the main object."""
    side = str(rng.choice(["left", "right"]))
    near_m, far_m = float(rng.uniform(1.55, 2.0)), float(rng.uniform(1.9, 2.7))
    back_m, height_m = float(rng.uniform(1.7, 2.5)), float(rng.uniform(2.5, 2.8))
    if kind == "bedroom":  # a bed is long
        back_m, far_m = back_m + 1.15, far_m + 0.4
    white = shaded(linear_rgb("efece6"), 0.92)
    trim = Finish("plastic", white, white, 0.35)
    left_m, right_m = (near_m, far_m) if side == "left" else (far_m, near_m)
    wall = side if rng.random() < 0.62 else "back"
    window = _window_rand(rng, wall, (left_m, right_m, back_m), trim)
    return Room(
        left_m,
        right_m,
        back_m,
        height_m,
        floor_rand(rng, palette, kind),
        wall_rand(rng, palette),
        trim,
        window,
        float(rng.uniform(0.08, 0.16)),
        float(rng.uniform(0.85, 1.05)) if rng.random() < 0.2 else 0.0,
    )


def _window_rand(
    rng: np.random.Generator, wall: str, walls_m: tuple[float, float, float], trim: Finish
) -> Window:
    left_m, right_m, back_m = walls_m
    is_tall = rng.random() < 0.3
    sill_m = float(rng.uniform(0.08, 0.2) if is_tall else rng.uniform(0.78, 1.0))
    head_m = float(rng.uniform(2.1, 2.3))
    if wall == "back":
        width_m = float(rng.uniform(0.8, 1.25))
        # On the side of the nearer wall, so that the rest of the wall stays free.
        side = -1.0 if left_m < right_m else 1.0
        reach_m = min(left_m, right_m) - width_m / 2 - 0.25
        along_m = side * max(float(rng.uniform(0.55, 1.0)) * reach_m, 0.2)
    else:
        width_m = float(rng.uniform(1.0, 1.5))
        along_m = float(rng.uniform(0.35, 0.75)) * (back_m - width_m / 2 - 0.3)
    dark = Finish("plastic", (0.025, 0.026, 0.028), roughness=0.4)
    frame = trim if rng.random() < 0.75 else dark
    columns = int(rng.choice([1, 2, 3], p=[0.15, 0.6, 0.25]))
    rows = int(rng.choice([1, 2, 3], p=[0.35, 0.4, 0.25]))
    return Window(wall, along_m, width_m, sill_m, head_m, columns, rows, frame)


def wall_frames(room: Room) -> dict[str, tuple[tuple[float, float], float, tuple[float, float]]]:
    """Return for each wall its point at along = 0, its turn in degrees and its ends along x.

    Turned and moved there, what is drawn against y = 0 facing -y stands against the wall.
    """
    return {
        "back": ((0.0, room.back_m), 0.0, (-room.left_m, room.right_m)),
        "left": ((-room.left_m, 0.0), 90.0, (-FRONT_M, room.back_m)),
        "right": ((room.right_m, 0.0), -90.0, (-room.back_m, FRONT_M)),
    }


def along_sign(wall: str) -> float:
    """Return the sign of the wall's own x axis against the room's axis along it."""
    return -1.0 if wall == "right" else 1.0


def wall_shape(room: Room, wall: str) -> Shape:
    """Return a wall in its own frame, inner face at y = 0, around its opening if it has one."""
    _, _, (low_m, high_m) = wall_frames(room)[wall]
    low_m, high_m = low_m - WALL_M, high_m + WALL_M  # corners overlap, so that no light leaks
    if room.window.wall != wall:
        return _wall_part(low_m, high_m, -0.05, room.height_m + 0.05)
    centre = along_sign(wall) * room.window.along_m
    left, right = centre - room.window.width_m / 2, centre + room.window.width_m / 2
    return join(
        [
            _wall_part(low_m, left, -0.05, room.height_m + 0.05),
            _wall_part(right, high_m, -0.05, room.height_m + 0.05),
            _wall_part(left, right, -0.05, room.window.sill_m),
            _wall_part(left, right, room.window.head_m, room.height_m + 0.05),
        ]
    )


def _wall_part(low_m: float, high_m: float, bottom_m: float, top_m: float) -> Shape:
    size = (high_m - low_m, WALL_M, top_m - bottom_m)
    block = rounded_box(size, 0.0005, num_steps=1)
    return block.moved((low_m + high_m) / 2, WALL_M / 2, bottom_m)


def trim_shape(room: Room, wall: str) -> Shape:
    """Return a wall's skirting and panelling, interrupted by a window that reaches the floor."""
    _, _, (low_m, high_m) = wall_frames(room)[wall]
    spans = [(low_m, high_m)]
    window = room.window
    if window.wall == wall and window.sill_m < max(room.skirting_m, room.rail_m):
        centre, half = along_sign(wall) * window.along_m, window.width_m / 2 + 0.07
        spans = [(low_m, centre - half), (centre + half, high_m)]
    parts = []
    for start, end in spans:
        middle, length = (start + end) / 2, end - start
        size = (length, _SKIRTING_M, room.skirting_m)
        parts.append(board(size, (middle, -_SKIRTING_M / 2, 0.0), 0, 0.004))
        if wall == "back" and room.rail_m > 0.0:
            parts.append(_panelling(start, end, room.rail_m))
    return join(parts)


def _panelling(start_m: float, end_m: float, rail_m: float) -> Shape:
    """Return a painted dado: a sheet, upright and level battens, a rail on top."""
    middle, length = (start_m + end_m) / 2, end_m - start_m
    parts = [board((length, 0.006, rail_m), (middle, -0.003, 0.0), 0, 0.0005)]
    parts.append(board((length, 0.04, 0.03), (middle, -0.02, rail_m), 0, 0.006))
    parts.append(board((length, 0.018, 0.07), (middle, -0.009, rail_m - 0.07), 0, 0.002))
    for x_m in np.linspace(start_m + 0.04, end_m - 0.04, max(2, round(length / 0.5))):
        parts.append(board((0.07, 0.018, rail_m), (float(x_m), -0.009, 0.0), 0, 0.002))
    return join(parts)


def window_shape(room: Room) -> Shape:
    """Return sash, glazing bars, sill board and casing, in the wall's frame around along = 0."""
    window = room.window
    width, height, low = window.width_m, window.height_m, window.sill_m
    outer_y, bar = 0.12, 0.055
    parts = [
        board((bar, 0.06, height), (side * (width - bar) / 2, outer_y, low), 1)
        for side in (-1.0, 1.0)
    ]
    parts += [
        board((width, 0.06, bar), (0.0, outer_y, z_m), 1) for z_m in (low, low + height - bar)
    ]
    for column in range(1, window.columns):
        x_m = (column / window.columns - 0.5) * width
        thick = 0.075 if window.columns == 2 else 0.04
        parts.append(board((thick, 0.055, height), (x_m, outer_y, low), 1))
    for row in range(1, window.rows):
        z_m = low + height * row / window.rows
        parts.append(board((width, 0.045, 0.03), (0.0, outer_y, z_m - 0.015), 1))
    casing = 0.075
    for side in (-1.0, 1.0):
        x_m = side * (width + casing) / 2
        parts.append(board((casing, 0.018, height + casing), (x_m, -0.009, low), 0, 0.003))
    top = (width + 2.0 * casing + 0.02, 0.022, casing)
    parts.append(board(top, (0.0, -0.011, low + height), 0, 0.003))
    if low > 0.5:
        sill = (width + 2.0 * casing + 0.04, 0.2, 0.03)
        parts.append(board(sill, (0.0, 0.03, low - 0.03), 0, 0.008))
    return join(parts)


def floor_shape(room: Room) -> Shape:
    """Return the floor, its surface at z = 0."""
    return _slab(room, 0.0 - 0.1, 0.1)


def ceiling_shape(room: Room) -> Shape:
    """Return the ceiling, its underside at the room's height."""
    return _slab(room, room.height_m, 0.1)


def _slab(room: Room, bottom_m: float, thick_m: float) -> Shape:
    width, depth = room.left_m + room.right_m + 2 * WALL_M, FRONT_M + room.back_m + WALL_M
    slab = rounded_box((width, depth, thick_m), 0.0005, num_steps=1)
    x_m, y_m = (room.right_m - room.left_m) / 2, (room.back_m + WALL_M - FRONT_M) / 2
    return slab.moved(x_m, y_m, bottom_m)
