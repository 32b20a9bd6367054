"""Where furniture may stand: oriented footprints that never meet, and the camera's view of them.

Everything is in the room's own frame (see `interior.room`); the camera is turned into it.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from render.blender.shapes import Floats
from render.families.craft.props import Prop
from render.families.interior.room import FRONT_M, Room, along_sign, wall_frames
from render.scene import SENSOR_LONG_SIDE_MM, CameraPose

GAP_M = 0.05  # between two pieces
_WALL_GAP_M = 0.02  # behind a piece; skirting goes there
MOVE_M, MOVE_SHARE, MOVE_GAP_M = 0.2, 0.35, 0.03  # the main object may be moved so far, in metres
# or in its own widths, whatever is more


@dataclass(frozen=True)
class Piece:
    """An object in the room."""

    prop: Prop
    x_m: float
    y_m: float
    z_m: float
    heading_deg: float  # counter-clockwise seen from above; 0 = faces -y, away from the back wall

    @property
    def corners_42(self) -> Floats:
        """Corners of its footprint, counter-clockwise, in the room's frame, metres."""
        vertices = self.prop.shape.vertices_V3
        (x0, y0), (x1, y1) = vertices[:, :2].min(axis=0), vertices[:, :2].max(axis=0)
        own = np.array([[x0, y0], [x1, y0], [x1, y1], [x0, y1]])
        return own @ _turn_22(self.heading_deg).T + [self.x_m, self.y_m]


def _turn_22(angle_deg: float) -> Floats:
    cosine, sine = math.cos(math.radians(angle_deg)), math.sin(math.radians(angle_deg))
    return np.array([[cosine, -sine], [sine, cosine]])


def footprints_meet(first_42: Floats, second_42: Floats, gap_m: float = 0.0) -> bool:
    """Whether two rectangles come closer than a gap (separating axes)."""
    for rectangle in (first_42, second_42):
        for edge in (rectangle[1] - rectangle[0], rectangle[2] - rectangle[1]):
            axis = edge / np.linalg.norm(edge)
            a, b = first_42 @ axis, second_42 @ axis
            if a.min() >= b.max() + gap_m or b.min() >= a.max() + gap_m:
                return False
    return True


def is_in_circle(corners_42: Floats, radius_m: float) -> bool:
    """Whether a rectangle reaches into a circle around the origin."""
    edges = np.roll(corners_42, -1, axis=0) - corners_42
    share = -(corners_42 * edges).sum(axis=1) / (edges**2).sum(axis=1)
    nearest = corners_42 + np.clip(share, 0.0, 1.0)[:, None] * edges
    return bool((np.hypot(nearest[:, 0], nearest[:, 1]) < radius_m).any())


@dataclass(frozen=True)
class View:
    """The camera in the room's frame."""

    camera: CameraPose  # in the world's
    turn_deg: float  # of the room against the world
    aspect: float  # width over height of the frame

    def project(self, points_N3: Floats) -> Floats:
        """Return where points appear: (N, 3), x and y in [-1, 1] inside the frame, and depth."""
        world = points_N3.copy()
        world[:, :2] = points_N3[:, :2] @ _turn_22(self.turn_deg).T
        eye, aim = np.array(self.camera.position_m), np.array(self.camera.look_at_m)
        forward = (aim - eye) / np.linalg.norm(aim - eye)
        right = np.cross(forward, [0.0, 0.0, 1.0])
        right /= np.linalg.norm(right)
        up = np.cross(right, forward)
        away = world - eye
        depth = away @ forward
        half = SENSOR_LONG_SIDE_MM / 2.0 / self.camera.focal_length_mm
        half_x, half_y = half * min(self.aspect, 1.0), half * min(1.0 / self.aspect, 1.0)
        safe = np.maximum(depth, 0.05)
        return np.column_stack([away @ right / safe / half_x, away @ up / safe / half_y, depth])

    def shows(self, points_N3: Floats, margin: float) -> bool:
        """Whether all points are inside the frame, `margin` of its half size from its border."""
        seen = self.project(points_N3)
        return bool((seen[:, 2] > 0.1).all() and (np.abs(seen[:, :2]) < 1.0 - margin).all())


def piece_points(piece: Piece) -> Floats:
    """Return the eight corners of a piece's box in the room's frame, (8, 3)."""
    z = piece.prop.shape.vertices_V3[:, 2]
    corners = piece.corners_42
    return np.concatenate(
        [
            np.column_stack([corners, np.full(4, piece.z_m + level)])
            for level in (float(z.min()), float(z.max()))
        ]
    )


@dataclass
class FloorPlan:
    """Pieces placed so far, and the rules for the next one."""

    room: Room
    view: View
    main: Piece
    pieces: list[Piece]

    @property
    def clear_m(self) -> float:
        """Radius around the main object that stays free for its turns and moves."""
        shape = self.main.prop.shape
        width_m = float(np.ptp(shape.vertices_V3[:, :2], axis=0).max())
        return shape.radius_m + max(MOVE_M, MOVE_SHARE * width_m) + MOVE_GAP_M

    def admits(self, piece: Piece) -> bool:
        """Whether a standing piece touches nothing and hides nothing."""
        corners = piece.corners_42
        room = self.room
        x, y = corners[:, 0], corners[:, 1]
        if x.min() < -room.left_m or x.max() > room.right_m or y.max() > room.back_m:
            return False
        if y.min() < -FRONT_M or is_in_circle(corners, self.clear_m):
            return False
        if any(footprints_meet(corners, other.corners_42, GAP_M) for other in self.pieces):
            return False
        return not self._is_in_the_way(piece)

    def _is_in_the_way(self, piece: Piece) -> bool:
        """Whether a piece stands in front of the main object, or looms beside the camera."""
        seen = self.view.project(piece_points(piece))
        own = self.view.project(piece_points(self.main))
        if seen[:, 2].min() > own[:, 2].mean():
            return False
        is_aside = seen[:, 0].min() > own[:, 0].max() or seen[:, 0].max() < own[:, 0].min()
        is_near = seen[:, 2].min() < 0.8 * own[:, 2].min()
        is_seen = seen[:, 0].min() < 1.05 and seen[:, 0].max() > -1.05
        return is_seen and (is_near or not is_aside)

    def blocks_window(self, piece: Piece, wall: str) -> bool:
        """Whether a piece against the window's wall reaches above the sill."""
        window = self.room.window
        if window.wall != wall:
            return False
        axis = 0 if wall == "back" else 1
        span = piece.corners_42[:, axis]
        is_tall = piece.prop.shape.height_m > window.sill_m - 0.03
        return is_tall and window.overlaps(float(span.min()) - 0.1, float(span.max()) + 0.1)

    def against(self, wall: str, prop: Prop, along_m: float) -> Piece:
        """Return a piece whose back touches a wall; `along_m` is on the room's axis along it."""
        (x_m, y_m), turn_deg, _ = wall_frames(self.room)[wall]
        back_m = float(prop.shape.vertices_V3[:, 1].max()) + _WALL_GAP_M
        own = _turn_22(turn_deg) @ [along_sign(wall) * along_m, -back_m]
        return Piece(prop, x_m + float(own[0]), y_m + float(own[1]), 0.0, turn_deg)

    def place_against(
        self, rng: np.random.Generator, prop: Prop, walls: Sequence[str], num_tries: int = 24
    ) -> Piece | None:
        """Add a piece against one of the walls, where the camera sees its middle; None: no room."""
        for number in range(num_tries):
            wall = walls[number % len(walls)]
            low, high = (
                (-self.room.left_m, self.room.right_m)
                if wall == "back"
                else (-0.6, self.room.back_m)
            )
            piece = self.against(wall, prop, float(rng.uniform(low, high)))
            middle = np.array([[piece.x_m, piece.y_m, 0.5 * prop.shape.height_m]])
            is_seen = abs(self.view.project(middle)[0, 0]) < 0.95
            if is_seen and self.admits(piece) and not self.blocks_window(piece, wall):
                self.pieces.append(piece)
                return piece
        return None

    def place_free(
        self,
        rng: np.random.Generator,
        prop: Prop,
        low_m: tuple[float, float],
        high_m: tuple[float, float],
        heading_deg: float,
        num_tries: int = 40,
    ) -> Piece | None:
        """Add a piece somewhere in a rectangle of the floor; None: no room."""
        for _ in range(num_tries):
            x_m = float(rng.uniform(low_m[0], high_m[0]))
            y_m = float(rng.uniform(low_m[1], high_m[1]))
            piece = Piece(prop, x_m, y_m, 0.0, heading_deg)
            middle = np.array([[x_m, y_m, 0.5 * prop.shape.height_m]])
            if abs(self.view.project(middle)[0, 0]) < 0.98 and self.admits(piece):
                self.pieces.append(piece)
                return piece
        return None
