"""What the qualities of the denoiser cost, and how near each comes to a picture without noise.

    python benchmarks/denoisers.py --family tabletop interior

Renders each scene once as data sets are rendered and once with 16 times the samples; every light
group is denoised by itself. Prints seconds, and the mean error of the picture in 8-bit codes.
"""

import argparse
import sys
import time
from pathlib import Path

import numpy as np

ROOT = Path(__file__).parents[1]
sys.path.insert(0, str(ROOT))
REFERENCE_TIMES = 16
SEED = 11


def main() -> None:
    """Parse the options, measure, print."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--family", nargs="+", default=["tabletop", "interior"])
    parser.add_argument("--num", type=int, default=2, help="scenes of each")
    parser.add_argument("--size", type=int, default=192)
    parser.add_argument("--samples", type=int, default=64)
    args = parser.parse_args()
    print(f"{args.size} px, {args.samples} samples, {args.num} scenes of each family")  # noqa: T201  # its output
    print("| family | quality | s | error in codes |\n|---|---|---|---|")  # noqa: T201  # its output
    for family in args.family:
        rows = [figures(family, number, args) for number in range(args.num)]
        for quality in rows[0]:
            seconds, codes = np.mean([row[quality] for row in rows], axis=0)
            print(f"| {family} | {quality} | {seconds:.2f} | {codes:.2f} |")  # noqa: T201  # its output


def figures(family: str, number: int, args: argparse.Namespace) -> dict[str, tuple[float, float]]:
    """Return (seconds, mean error in codes) of each quality, and of leaving the noise as it is."""
    from cat_dataset.system.seeding import derive_seed
    from render.basis import render_groups
    from render.blender.denoise import shared_denoiser
    from render.blender.renderer import RenderSettings
    from render.blender.session import captured_output
    from render.families.registry import build_scene

    pictures = []
    for samples in (args.samples, REFERENCE_TIMES * args.samples):
        seed = derive_seed(SEED, "denoisers", f"{family}-{number}")
        with captured_output():
            built = build_scene(family, seed, args.size, args.size)
            settings = RenderSettings(args.size, args.size, samples, seed=1)
            pictures.append(render_groups(built, settings))
    noisy, reference = pictures
    truth_HW3 = reference.images_GHW3.sum(axis=0)
    found = {"none": (0.0, error_codes(noisy.images_GHW3.sum(axis=0), truth_HW3))}
    for quality in ("fast", "balanced", "high"):
        denoiser = shared_denoiser(quality)
        guides = denoiser.clean_guides(noisy.albedo_HW3, noisy.normal_HW3)
        begin_s = time.perf_counter()
        clean = np.stack([denoiser.denoise(image, guides) for image in noisy.images_GHW3])
        seconds = time.perf_counter() - begin_s
        found[quality] = (seconds, error_codes(clean.sum(axis=0), truth_HW3))
    return found


def error_codes(picture_HW3: np.ndarray, truth_HW3: np.ndarray) -> float:
    """Return the mean difference of two linear pictures shown alike, in 8-bit codes."""
    white = float(np.percentile(truth_HW3, 99.0))
    shown = [np.clip(p / white, 0.0, 1.0) ** (1.0 / 2.2) for p in (picture_HW3, truth_HW3)]
    return 255.0 * float(np.abs(shown[0] - shown[1]).mean())


if __name__ == "__main__":
    main()
