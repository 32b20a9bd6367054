"""What makes one face differ from another, as plain numbers; drawn once, used by every part of it.

The head's frame: metres, the face looks along -y, z up, the origin between the eyes' heights and
the ears. The character's left is +x; everything is symmetric, so only x >= 0 is described.
"""

from dataclasses import dataclass

import numpy as np

from render.blender.shapes import Floats

PIT_Z_M = -0.178  # of the pit of the neck in the head's frame: where the bust's origin is


@dataclass(frozen=True)
class FaceTraits:
    """Proportions of one head; the means are an adult's."""

    youth: float  # 0 = grown up, 1 = a child of six
    age: float  # 0 = smooth, 1 = lined
    width: float  # of the whole head, 1 = mean
    jaw_width: float
    jaw_drop: float  # length of the lower face, 1 = mean
    chin_m: float  # how far the chin stands out
    cheek_m: float  # fullness of the cheeks
    brow_m: float  # how far the brow ridge stands out
    socket_m: float  # depth of the eye sockets
    eye_radius_m: float
    eye_x_m: float
    eye_tilt_deg: float  # of the line between the corners, positive = outer corner higher
    eye_open_deg: float  # upper lid's edge above the eye's middle
    crease_m: float  # depth of the fold in the upper lid
    nose_m: float  # how far the tip stands out
    nose_width: float
    nose_tip_up_m: float
    bridge_m: float  # height of the bridge
    mouth_half_m: float
    upper_lip_m: float
    lower_lip_m: float
    lip_fullness: float
    ear: float
    neck_m: float  # radius
    brow_thick: float  # of the eyebrows
    lash_m: float
    smile_part_m: float  # how far the lips part in a full smile

    @property
    def eye_centre(self) -> Floats:
        """Centre of the left eyeball."""
        return np.array([self.eye_x_m, -0.0845 + self.eye_radius_m, 0.0])

    @property
    def lid_radius_m(self) -> float:
        """Outer radius of the lids about the eye's centre: lids are thick enough to slide."""
        return 1.075 * self.eye_radius_m

    @property
    def mouth_z_m(self) -> float:
        """Height of the line between the lips."""
        return -0.0715 * self.jaw_drop

    @property
    def chin_z_m(self) -> float:
        """Height of the middle of the chin."""
        return -0.1005 * self.jaw_drop

    @property
    def nose_tip(self) -> Floats:
        """Centre of the ball of the nose."""
        return np.array([0.0, -0.1055 - self.nose_m, -0.0375 + self.nose_tip_up_m])


def face_traits_rand(rng: np.random.Generator) -> FaceTraits:
    """Draw a face; what belongs together, such as a child's large eyes and small nose, is."""
    youth = float(rng.choice([0.0, 1.0], p=[0.8, 0.2]) * rng.uniform(0.5, 1.0))
    age = float(rng.uniform(0.0, 1.0)) ** 2 * (1.0 - youth)
    build = float(rng.normal(0.0, 1.0)) * (1.0 - youth)  # slender to sturdy

    def about(mean: float, spread: float, by_build: float = 0.0, by_youth: float = 0.0) -> float:
        chance = float(np.clip(rng.normal(), -2.0, 2.0))
        lean = float(np.clip(build, -1.6, 1.6))
        return mean + spread * chance + by_build * lean + by_youth * youth

    return FaceTraits(
        youth=youth,
        age=age,
        width=about(1.0, 0.03, 0.01, 0.02),
        jaw_width=about(1.0, 0.07, 0.06, -0.02),
        jaw_drop=about(1.0, 0.032, 0.02, -0.1),
        chin_m=about(0.0, 0.0022, 0.0015, -0.003),
        cheek_m=about(0.0, 0.0020, -0.0005, 0.004),
        brow_m=about(0.0, 0.0008, 0.0017, -0.0015),
        socket_m=about(0.0, 0.0008, 0.0005, -0.001),
        eye_radius_m=about(0.0190, 0.0008, -0.0003, 0.0010),
        eye_x_m=about(0.0340, 0.0008, 0.0, 0.0004),
        eye_tilt_deg=about(3.5, 3.0),
        eye_open_deg=about(17.8, 1.2, -0.9, 2.2),
        crease_m=about(0.0011, 0.0003),
        nose_m=float(np.clip(about(-0.0005, 0.0026, 0.0013, -0.0055), -0.0075, 0.0040)),
        nose_width=about(1.0, 0.15, 0.03, -0.05),
        nose_tip_up_m=about(0.0, 0.0015, -0.0005, 0.004),
        bridge_m=about(0.0, 0.0013, 0.0008, -0.003),
        mouth_half_m=about(0.0242, 0.0014, 0.0006, -0.002),
        upper_lip_m=about(0.0080, 0.0009, -0.0004),
        lower_lip_m=about(0.0102, 0.001, -0.0004),
        lip_fullness=about(1.0, 0.16, -0.06),
        ear=about(1.0, 0.07, 0.02, 0.0),
        neck_m=about(0.0445, 0.002, 0.0035, -0.007),
        brow_thick=about(1.0, 0.2, 0.15, -0.25),
        lash_m=about(0.0032, 0.0007, -0.0009),
        smile_part_m=float(rng.uniform(0.0, 0.0055)),
    )
