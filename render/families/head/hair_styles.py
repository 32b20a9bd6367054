"""Hair styles: where hair grows, how long, which way it is combed; as plain numbers."""

from dataclasses import dataclass, replace

import numpy as np

from render.blender.shapes import Floats, smooth_curve
from render.families.head.face_curves import smooth_step

# The hairline seen from the head's centre: azimuth (0 = face, 180 = nape) and elevation, degrees.
_HAIRLINE = (
    (0.0, 47.0),
    (22.0, 45.0),
    (40.0, 46.0),
    (58.0, 34.0),
    (70.0, 14.0),
    (80.0, -2.0),
    (88.0, 2.0),
    (98.0, 14.0),
    (112.0, 8.0),
    (124.0, -18.0),
    (150.0, -36.0),
    (180.0, -40.0),
)
_HAIRLINE_TABLE = smooth_curve(_HAIRLINE, 240)


@dataclass(frozen=True)
class HairStyle:
    """How hair is cut and combed."""

    kind: str
    num_locks: int
    top_m: float = 0.05  # length above
    side_m: float = 0.03  # at the temples and the nape
    width_m: float = 0.0055  # of a lock, half
    flatness: float = 0.42  # its thickness over its width
    taper: float = 2.6
    lift_m: float = 0.008  # how far locks lie off the skin
    rise: float = 0.25  # how much they stand up at the root
    fall: float = 0.2  # how much they hang
    mess: float = 0.12
    pull: float = 0.35  # how strictly the comb is followed after the root
    part_x_m: float | None = None  # where the parting is; None = combed from the crown
    sweep: tuple[float, float, float] = (0.0, 0.0, 0.0)  # added to the comb above the forehead
    gather: tuple[float, float, float] | None = None  # where locks are drawn together
    bun_m: float = 0.0  # radius of the knot there
    curl_m: float = 0.0
    curl_turns: float = 0.0
    overhang_deg: float | None = None  # how far short hair may reach below the hairline
    scalp_paint: float = 0.97  # how much of the hair's colour the scalp takes

    def lengths_m(self, azimuth_deg: Floats, elevation_deg: Floats) -> Floats:
        """Return the length of a lock by the direction of its root."""
        above = smooth_step((elevation_deg - 15.0) / 40.0)
        length: Floats = self.side_m + (self.top_m - self.side_m) * above
        return length


def hairline_deg(azimuth_deg: Floats) -> Floats:
    """Return the elevation of the hairline by azimuth."""
    around = np.abs((azimuth_deg + 180.0) % 360.0 - 180.0)
    line: Floats = np.interp(around, _HAIRLINE_TABLE[:, 0], _HAIRLINE_TABLE[:, 1])
    return line


def scalp_share(azimuth_deg: Floats, elevation_deg: Floats) -> Floats:
    """Return 1 where hair grows, 0 where none does, with a soft hairline."""
    return smooth_step((elevation_deg - hairline_deg(azimuth_deg) + 2.5) / 5.0)


def comb(style: HairStyle, points: Floats, azimuth_deg: Floats, elevation_deg: Floats) -> Floats:
    """Return the direction in which hair is combed at points, (V, 3), about unit length."""
    if style.gather is not None:
        towards = np.array(style.gather) - points
    elif style.part_x_m is not None:
        side = np.tanh((points[:, 0] - style.part_x_m) / 0.010)
        towards = np.stack([side, np.full_like(side, 0.15), np.full_like(side, -0.35)], axis=1)
    else:
        crown = np.array([0.012, 0.045, 0.125])
        towards = points - crown
    towards = towards / np.maximum(np.linalg.norm(towards, axis=1, keepdims=True), 1e-9)
    front = smooth_step((0.02 - points[:, 1]) / 0.06) * smooth_step((points[:, 2] - 0.03) / 0.05)
    combed: Floats = towards + front[:, None] * np.array(style.sweep)
    return combed


def hair_style_rand(rng: np.random.Generator, age: float) -> HairStyle:
    """Draw a style; the older, the more often there is little hair."""
    kinds = ("crop", "swept", "bob", "long", "bun", "curly", "buzz", "bald")
    weights = np.array([0.17, 0.17, 0.16, 0.1, 0.14, 0.14, 0.07, 0.03 + 0.15 * age])
    kind = str(rng.choice(kinds, p=weights / weights.sum()))
    return _STYLES_RAND[kind](rng)


def _crop_rand(rng: np.random.Generator) -> HairStyle:
    return HairStyle(
        "crop",
        900,
        top_m=float(rng.uniform(0.03, 0.042)),
        side_m=float(rng.uniform(0.014, 0.022)),
        width_m=0.0040,
        overhang_deg=8.0,
        lift_m=float(rng.uniform(0.008, 0.012)),
        rise=0.8,
        fall=0.0,
        mess=float(rng.uniform(0.15, 0.3)),
        sweep=(float(rng.uniform(-0.5, 0.5)), 0.0, float(rng.uniform(0.0, 0.5))),
    )


def _swept_rand(rng: np.random.Generator) -> HairStyle:
    side = float(rng.choice([-1.0, 1.0]))
    return HairStyle(
        "swept",
        560,
        top_m=float(rng.uniform(0.065, 0.085)),
        side_m=float(rng.uniform(0.022, 0.035)),
        width_m=0.0052,
        overhang_deg=4.0,
        lift_m=0.013,
        rise=0.8,
        fall=0.0,
        mess=0.10,
        part_x_m=-side * 0.032,
        sweep=(side * 0.4, float(rng.uniform(0.5, 1.0)), 0.35),
    )


def _bob_rand(rng: np.random.Generator) -> HairStyle:
    return HairStyle(
        "bob",
        620,
        top_m=float(rng.uniform(0.20, 0.235)),
        side_m=float(rng.uniform(0.10, 0.13)),
        width_m=0.0062,
        lift_m=0.012,
        rise=0.3,
        fall=1.3,
        mess=0.06,
        taper=6.0,
        part_x_m=float(rng.choice([-0.028, 0.0, 0.028])),
    )


def _long_rand(rng: np.random.Generator) -> HairStyle:
    return replace(
        _bob_rand(rng),
        kind="long",
        top_m=float(rng.uniform(0.30, 0.36)),
        side_m=float(rng.uniform(0.20, 0.24)),
        curl_m=float(rng.choice([0.0, 0.006])),
        curl_turns=2.5,
    )


def _bun_rand(rng: np.random.Generator) -> HairStyle:
    high = rng.random() < 0.5
    return HairStyle(
        "bun",
        560,
        top_m=0.12,
        side_m=0.13,
        width_m=0.0052,
        lift_m=0.005,
        rise=0.1,
        fall=0.0,
        mess=0.03,
        pull=1.5,
        taper=8.0,
        gather=(0.0, 0.065, 0.128) if high else (0.0, 0.105, 0.055),
        bun_m=float(rng.uniform(0.026, 0.034)),
    )


def _curly_rand(rng: np.random.Generator) -> HairStyle:
    return HairStyle(
        "curly",
        760,
        top_m=float(rng.uniform(0.06, 0.10)),
        side_m=float(rng.uniform(0.045, 0.075)),
        width_m=0.0042,
        flatness=0.7,
        overhang_deg=5.0,
        lift_m=float(rng.uniform(0.012, 0.026)),
        rise=1.2,
        fall=0.25,
        mess=0.35,
        curl_m=float(rng.uniform(0.005, 0.0075)),
        curl_turns=float(rng.uniform(1.6, 2.6)),
    )


def _buzz_rand(rng: np.random.Generator) -> HairStyle:
    return HairStyle("buzz", 0, scalp_paint=float(rng.uniform(0.55, 0.85)))


def _bald_rand(rng: np.random.Generator) -> HairStyle:
    return HairStyle("bald", 0, scalp_paint=0.0)


_STYLES_RAND = {
    "crop": _crop_rand,
    "swept": _swept_rand,
    "bob": _bob_rand,
    "long": _long_rand,
    "bun": _bun_rand,
    "curly": _curly_rand,
    "buzz": _buzz_rand,
    "bald": _bald_rand,
}
