"""What a room and its furniture are made of: draws of finishes in the scene's palette."""

from dataclasses import replace

import numpy as np

from render.blender.finishes import METALS, WOODS, Finish, Palette, Rgb, linear_rgb, shaded

_HIDES = ("6b3f24", "8a5530", "3d2a20", "a8703f", "2b2724", "5c4a3a")  # leather


def mixed_rgb(first: Rgb, second: Rgb, share: float) -> Rgb:
    """Return a colour on the way from the first (share 0) to the second (share 1).

    >>> mixed_rgb((0.0, 0.0, 0.0), (1.0, 0.5, 0.25), 0.5)
    (0.5, 0.25, 0.125)
    """
    red, green, blue = (a + share * (b - a) for a, b in zip(first, second, strict=True))
    return red, green, blue


def upholstery_rand(rng: np.random.Generator, palette: Palette) -> Finish:
    """Draw a cover: woven cloth, velvet, loop yarn or leather."""
    kind = str(rng.choice(["upholstery", "velvet", "boucle", "hide"], p=[0.5, 0.2, 0.12, 0.18]))
    if kind == "hide":
        colour = linear_rgb(_HIDES[int(rng.integers(len(_HIDES)))])
        return Finish("hide", colour, shaded(colour, 0.6), float(rng.uniform(0.32, 0.5)))
    if kind == "boucle":
        colour = shaded(mixed_rgb(palette.light, palette.neutral, float(rng.uniform())), 0.85)
        return Finish("boucle", colour, shaded(colour, 0.7), 0.95)
    colours = (palette.strong, palette.other, palette.dark, palette.neutral)
    colour = colours[int(rng.choice(4, p=(0.38, 0.3, 0.12, 0.2)))]
    return Finish(kind, shaded(colour, float(rng.uniform(0.85, 1.05))), colour, 0.9)


def frame_rand(rng: np.random.Generator, palette: Palette) -> Finish:
    """Draw what legs and frames are made of: wood, painted wood or metal."""
    chance = float(rng.random())
    if chance < 0.7:
        return upright_rand(rng)
    if chance < 0.85:
        return painted(rng, palette)
    name = str(rng.choice(["steel", "brass"]))
    return Finish("polished", METALS[name], METALS[name], float(rng.uniform(0.15, 0.3)))


def wooden_rand(rng: np.random.Generator, palette: Palette) -> Finish:
    """Draw wood, plain or painted."""
    return upright_rand(rng) if rng.random() < 0.78 else painted(rng, palette)


def upright_rand(rng: np.random.Generator) -> Finish:
    """Draw the wood of legs and posts."""
    return replace(timber_rand(rng), kind="upright_timber")


def timber_rand(rng: np.random.Generator) -> Finish:
    """Draw furniture wood."""
    light, dark = WOODS[int(rng.integers(len(WOODS)))]
    return Finish(
        "timber", light, dark, float(rng.uniform(0.32, 0.55)), float(rng.uniform(0.8, 1.3))
    )


def painted(rng: np.random.Generator, palette: Palette) -> Finish:
    """Draw paint on wood or metal: white, black or one of the scene's colours."""
    colours = (linear_rgb("ebe8e1"), linear_rgb("26262a"), palette.dark, palette.other)
    colour = shaded(colours[int(rng.choice(4, p=(0.4, 0.2, 0.2, 0.2)))], 0.9)
    return Finish("plastic", colour, colour, float(rng.uniform(0.25, 0.45)))


def case_rand(rng: np.random.Generator, palette: Palette) -> Finish:
    """Draw what cabinets and shelves are made of."""
    return timber_rand(rng) if rng.random() < 0.65 else painted(rng, palette)


def knob_rand(rng: np.random.Generator) -> Finish:
    """Draw the metal of handles and lamp stands."""
    name = str(rng.choice(["steel", "brass", "brass", "aluminium"]))
    return Finish("polished", METALS[name], METALS[name], float(rng.uniform(0.12, 0.3)))


def floor_rand(rng: np.random.Generator, palette: Palette, room_kind: str) -> Finish:
    """Draw a floor of boards, tiles or fitted carpet."""
    kinds = ["floorboards", "floor_tiles", "carpet"]
    shares = {
        "dining": [0.7, 0.3, 0.0],
        "bedroom": [0.6, 0.0, 0.4],
    }.get(room_kind, [0.75, 0.1, 0.15])
    kind = str(rng.choice(kinds, p=shares))
    if kind == "floorboards":
        light, dark = WOODS[int(rng.integers(len(WOODS)))]
        return Finish(
            kind, light, dark, float(rng.uniform(0.28, 0.5)), float(rng.uniform(0.8, 1.4))
        )
    if kind == "floor_tiles":
        pair = [
            ("d8d2c6", "a39b8f"),
            ("8b8a86", "5f5e5c"),
            ("c9a98a", "8a7462"),
            ("e6e4de", "b9b5ac"),
        ]
        light, joint = (linear_rgb(code) for code in pair[int(rng.integers(len(pair)))])
        return Finish(
            kind, light, joint, float(rng.uniform(0.15, 0.4)), float(rng.uniform(0.3, 0.6))
        )
    colour = shaded(mixed_rgb(palette.neutral, palette.light, float(rng.uniform(0.0, 0.6))), 0.75)
    return Finish(kind, colour, shaded(colour, 0.82), 0.95)


def wall_rand(rng: np.random.Generator, palette: Palette) -> Finish:
    """Draw a wall: mostly pale paint, at times a deeper colour or striped paper."""
    white = linear_rgb("f1eee8")
    chance = float(rng.random())
    if chance < 0.45:
        colour = mixed_rgb(white, palette.light, float(rng.uniform(0.2, 0.9)))
    elif chance < 0.75:
        colour = mixed_rgb(white, palette.neutral, float(rng.uniform(0.4, 0.9)))
    else:
        accent = palette.strong if rng.random() < 0.5 else palette.other
        colour = mixed_rgb(white, accent, float(rng.uniform(0.3, 0.6)))
    colour = shaded(colour, 0.88)
    if rng.random() < 0.18:
        return Finish("wallpaper", colour, shaded(colour, 0.82), 0.8, float(rng.uniform(0.6, 1.5)))
    return Finish("plaster", colour, colour, 0.75)


def rug_finishes_rand(rng: np.random.Generator, palette: Palette) -> tuple[Finish, Finish, Finish]:
    """Draw the border, the line inside it and the field of a rug."""
    if rng.random() < 0.3:  # plain
        colour = shaded(mixed_rgb(palette.light, palette.neutral, float(rng.uniform())), 0.8)
        plain = Finish("carpet", colour, shaded(colour, 0.85), 0.95)
        return plain, plain, plain
    order = [palette.strong, palette.other, palette.neutral, palette.dark, palette.light]
    border, line, field = (shaded(order[int(i)], 0.8) for i in rng.permutation(5)[:3])
    kind = "striped" if rng.random() < 0.4 else "carpet"
    inner = Finish(
        kind, field, shaded(mixed_rgb(field, line, 0.6), 0.9), 0.95, float(rng.uniform(0.8, 2.0))
    )
    return Finish("carpet", border, shaded(border, 0.82)), Finish("carpet", line, line), inner


def drape_rand(rng: np.random.Generator, palette: Palette) -> Finish:
    """Draw the cloth of curtains."""
    colours = (linear_rgb("e9e4d8"), palette.light, palette.neutral, palette.other, palette.strong)
    colour = colours[int(rng.choice(5, p=(0.3, 0.2, 0.25, 0.15, 0.1)))]
    return Finish("drape", shaded(colour, 0.85), colour, 0.9)
