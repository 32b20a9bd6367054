"""How well one picture tells which part of its light a lamp gives: the bound of every lamp edit.

    OMP_NUM_THREADS=2 python benchmarks/lamp_share.py LINEAR [MINUTES]

LINEAR holds kept light (`render --keep-linear`). A network of the compact base's size is trained
for nothing but this: to paint the lamp's share of each pixel, from the true shares of the training
scenes. Its error on held-out scenes bounds an editor that has to change the lamp by a number, for
that has to find the same share and then paint as well.

Shapes: B batch, C = 3 channels, H height, W width.
"""

import sys
import time
from pathlib import Path

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional

from cat_dataset.imaging.photometry import REC709_LUMINANCE
from cat_dataset.records import LightBasis
from cat_dataset.store.linear_dataset import LinearDataset
from train.model.compact import CompactBase, build_compact, predict_target
from train.model.log_light import encode_log_light
from train.model.vocabulary import words_by_number

SIZE_PX, BATCH_SIZE, LEARNING_RATE = 48, 32, 2e-3
LAMP_STOPS = 1.5  # sources have their lamp up to so far from what was rendered, as pairs do
VALUES_STOPS = (-2.0, -1.0, -0.5, 0.5, 1.0, 2.0)
SMALLEST_GAIN = 2.0**-6  # as the evaluation counts a lamp that seems off


def main() -> None:
    """Train the network and print how far off it is."""
    folder, minutes = Path(sys.argv[1]), float(sys.argv[2]) if len(sys.argv) > 2 else 5.0
    torch.manual_seed(0)
    train, test = (lights_of(folder, split) for split in ("train", "test"))
    base = build_compact(128, ["light_power"], 1)
    learn(base, train, 60.0 * minutes)
    errors = share_errors(base, test)
    lines = [
        f"{len(train[0])} scenes to learn from, {len(test[0])} held out, {minutes:g} minutes",
        f"lamp misjudged by {errors.abs().mean():.1%} of itself",
        *(f"{v:+.1f} stops asked: off by {stops_error(errors, v):.3f} stop" for v in VALUES_STOPS),
    ]
    sys.stdout.write("\n".join(lines) + "\n")


def lights_of(folder: Path, split: str) -> tuple[Tensor, Tensor]:
    """Return the main lamp's light and the rest of every scene that has a lamp, (B, C, H, W)."""
    dataset = LinearDataset([folder], splits=(split,))
    lamps, others = [], []
    for row in dataset.rows:
        basis = dataset.read(row)
        if not isinstance(basis, LightBasis) or basis.main_lamp is None:
            continue
        number = [group.name for group in basis.groups].index(basis.main_lamp)
        lamps.append(basis.images_GHW3[number])
        others.append(basis.images_GHW3.sum(axis=0) - basis.images_GHW3[number])
    lamps_BCHW, others_BCHW = (
        torch.from_numpy(np.stack(lights)).permute(0, 3, 1, 2) for lights in (lamps, others)
    )
    return lamps_BCHW, others_BCHW


def sources(
    lights: tuple[Tensor, Tensor], places: Tensor, generator: torch.Generator
) -> tuple[Tensor, Tensor]:
    """Return exposed pictures and the lamp's light in them, at the size the network sees."""
    size = (len(places), 1, 1, 1)
    lamp, other = (light[places] for light in lights)
    stops = LAMP_STOPS * (2.0 * torch.rand(size, generator=generator) - 1.0)
    lamp = lamp * torch.exp2(stops)
    weights = torch.tensor(REC709_LUMINANCE).view(1, 3, 1, 1)
    level = ((lamp + other) * weights).sum(dim=1).flatten(1).quantile(0.9, dim=1)
    exposure = 0.5 / level.view(size) * torch.exp2(torch.rand(size, generator=generator) - 0.5)
    pictures = [(lamp + other) * exposure, lamp * exposure]
    both = [functional.interpolate(p, size=(SIZE_PX, SIZE_PX), mode="area") for p in pictures]
    return both[0], both[1]


def shares(base: CompactBase, picture_BCHW: Tensor) -> Tensor:
    """Return the lamp's share of every pixel in [0, 1], as the network sees it."""
    log_light = encode_log_light(picture_BCHW)
    words = [words_by_number(1)] * len(log_light)
    ones_B = torch.ones(len(log_light))
    painted = predict_target(base, torch.zeros_like(log_light), ones_B, log_light, words)
    return torch.sigmoid(2.0 * (painted - log_light))


def lamp_error(share_BCHW: Tensor, picture_BCHW: Tensor, lamp_BCHW: Tensor) -> Tensor:
    """Return by which part of itself the lamp is misjudged, by projection as it is read (B,)."""
    readable = ((picture_BCHW < 0.98) & (picture_BCHW > 2.0**-9)).all(dim=1, keepdim=True)
    lamp = lamp_BCHW * readable
    energy = lamp.square().sum(dim=(1, 2, 3)) + 1e-6
    return ((share_BCHW * picture_BCHW - lamp_BCHW) * lamp).sum(dim=(1, 2, 3)) / energy


def learn(base: CompactBase, lights: tuple[Tensor, Tensor], seconds: float) -> None:
    """Train on pixels and on the whole lamp alike."""
    parameters = [p for network in base.modules() for p in network.parameters()]
    optimiser = torch.optim.AdamW(parameters, lr=LEARNING_RATE, weight_decay=0.01)
    generator = torch.Generator().manual_seed(0)
    began_s = time.perf_counter()
    while (done := (time.perf_counter() - began_s) / seconds) < 1.0:
        optimiser.param_groups[0]["lr"] = LEARNING_RATE * 0.5 * (1.0 + np.cos(np.pi * done))
        places = torch.randint(len(lights[0]), (BATCH_SIZE,), generator=generator)
        picture, lamp = sources(lights, places, generator)
        share = shares(base, picture)
        of_pixels = (share - (lamp / picture.clamp(min=1e-6)).clamp(0.0, 1.0)).square().mean()
        of_lamp = functional.huber_loss(
            lamp_error(share, picture, lamp), torch.zeros(BATCH_SIZE), delta=0.2
        )
        optimiser.zero_grad()
        (of_pixels + 0.2 * of_lamp).backward()
        nn.utils.clip_grad_norm_(parameters, 1.0)
        optimiser.step()


@torch.no_grad()
def share_errors(base: CompactBase, lights: tuple[Tensor, Tensor]) -> Tensor:
    """Return the lamp's error in every held-out scene."""
    generator = torch.Generator().manual_seed(1)
    errors = []
    for places in torch.arange(len(lights[0])).split(BATCH_SIZE):
        picture, lamp = sources(lights, places, generator)
        errors.append(lamp_error(shares(base, picture), picture, lamp))
    return torch.cat(errors)


def stops_error(errors: Tensor, value_stops: float) -> float:
    """Return how far off a lamp edit is on average, where the lamp is misjudged by `errors`."""
    gains = 1.0 + (2.0**value_stops - 1.0) * (1.0 + errors)
    return float((torch.log2(gains.clamp(min=SMALLEST_GAIN)) - value_stops).abs().mean())


if __name__ == "__main__":
    main()
