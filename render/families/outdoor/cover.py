"""Which covers lie on the ground of each place: turf, flowers, tufts of dry grass, pebbles."""

from cat_dataset.system.seeding import derive_rng
from render.blender.finishes import Finish, Rgb, linear_rgb, shaded
from render.families.craft.props import Prop
from render.families.outdoor.drawing import Outdoor
from render.families.outdoor.flora import Plant
from render.families.outdoor.groundcover import Grass, View, flowers, grass, pebbles

_FLOWERS: tuple[tuple[Rgb, Rgb], ...] = tuple(
    (linear_rgb(first), linear_rgb(second))
    for first, second in (
        ("e8e4d6", "f2f0e6"),
        ("e0c23c", "ead25a"),
        ("9a78b8", "b496cc"),
        ("c84a3c", "d8644a"),
        ("6f86c8", "8ea0d8"),
    )
)
_STRAW = (("b9a873", "8f8a55"), ("a79a62", "7d8450"), ("c4b182", "9c8d5c"))


def cover_rand(seed: int, drawn: Outdoor, view: View) -> tuple[Plant | Prop, ...]:
    """Draw what covers the ground of a scene, in world space."""
    match drawn.place:
        case "meadow" | "track":
            return _turf(seed, drawn, view)
        case "gravel":
            return (_loose_stones(seed, drawn, view, 5200), _tufts(seed, drawn, view, 3200))
        case "dunes":
            return (_loose_stones(seed, drawn, view, 350), _tufts(seed, drawn, view, 4200))
        case "shore":
            return (_loose_stones(seed, drawn, view, 900), _tufts(seed, drawn, view, 2600))
        case _:
            return ()


def _turf(seed: int, drawn: Outdoor, view: View) -> tuple[Plant | Prop, ...]:
    """Turf, mown or tall, with flowers now and then, and stones where a lane is worn."""
    rng = derive_rng(seed, "turf")
    finish = drawn.ground.finish
    green, dry = shaded(finish.colour, 1.1), finish.second
    is_mown = rng.random() < 0.4
    tall_m = float(rng.uniform(0.05, 0.08) if is_mown else rng.uniform(0.12, 0.24))
    tall_m = min(tall_m, 0.35 * drawn.camera.position_m[2])  # or it would hide the object
    blade = Finish("leaves", green, dry, 0.4)
    turf = Grass(60000, tall_m, 0.05, 9, 45.0, blade)
    covers: list[Plant | Prop] = [grass(rng, turf, view, drawn.ground.relief)]
    if not is_mown and rng.random() < 0.55:
        petal = Finish("leaves", *_FLOWERS[int(rng.integers(len(_FLOWERS)))], 0.6)
        height_m = 0.95 * tall_m
        covers.append(flowers(rng, 1500, height_m, petal, view, drawn.ground.relief))
    if drawn.place == "track":
        covers.append(_loose_stones(seed, drawn, view, 1400))
    return tuple(covers)


def _tufts(seed: int, drawn: Outdoor, view: View, num_blades: int) -> Plant:
    """Separate tufts of hard, dry grass."""
    rng = derive_rng(seed, "tufts")
    light, dark = _STRAW[int(rng.integers(len(_STRAW)))]
    blade = Finish("leaves", linear_rgb(light), linear_rgb(dark), 0.5)
    tall_m = min(float(rng.uniform(0.2, 0.42)), 0.5 * drawn.camera.position_m[2])
    return grass(rng, Grass(num_blades, tall_m, 0.035, 70, 60.0, blade), view, drawn.ground.relief)


def _loose_stones(seed: int, drawn: Outdoor, view: View, num: int) -> Prop:
    rng = derive_rng(seed, "stones")
    base = drawn.ground.finish
    colour = linear_rgb("9a8f80") if base.kind == "lawn" else base.colour
    finish = Finish("granite", colour, shaded(colour, 0.6), 0.85, 0.5)
    largest_m = float(rng.uniform(0.05, 0.12))
    shape = pebbles(
        rng, num, (0.008, largest_m), 45.0, view, drawn.ground.relief, drawn.main.shape.radius_m
    )
    return Prop("stones", shape, (finish,))
