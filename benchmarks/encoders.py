"""Which PNG settings suit rendered pictures: bytes and milliseconds of each, on real renders.

    python benchmarks/encoders.py out/demo/dataset

Reads pictures of a finished data set; prints a table of means over them.
"""

import argparse
import time
from collections import defaultdict
from pathlib import Path

import cv2
import numpy as np

from cat_dataset.store.pair_dataset import PairDataset

SETTINGS = {
    "level 1": [cv2.IMWRITE_PNG_COMPRESSION, 1],
    "level 3": [cv2.IMWRITE_PNG_COMPRESSION, 3],
    "level 6": [cv2.IMWRITE_PNG_COMPRESSION, 6],
    "huffman only": [cv2.IMWRITE_PNG_STRATEGY, cv2.IMWRITE_PNG_STRATEGY_HUFFMAN_ONLY],
    "run length": [cv2.IMWRITE_PNG_STRATEGY, cv2.IMWRITE_PNG_STRATEGY_RLE],
}
REPEATS = 3


def main() -> None:
    """Parse the options, measure, print."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("dataset", type=Path)
    parser.add_argument("--num", type=int, default=24, help="pairs")
    args = parser.parse_args()
    cv2.setNumThreads(1)
    dataset = PairDataset([args.dataset])
    rows = sorted(dataset.rows, key=lambda row: -row.width_px)[: args.num]
    times_ms, sizes = defaultdict(list), defaultdict(list)
    for row in rows:
        picture = np.ascontiguousarray(dataset.read(row).target_HW3[..., ::-1])
        for name, settings in SETTINGS.items():
            best_ms = min(_encode_ms(picture, settings) for _ in range(REPEATS))
            times_ms[name].append(best_ms)
            sizes[name].append(cv2.imencode(".png", picture, settings)[1].size)
    print(f"{len(rows)} pictures of {rows[0].width_px} x {rows[0].height_px} px")  # noqa: T201  # its output
    print("| settings | ms | kB |\n|---|---|---|")  # noqa: T201  # its output
    for name in SETTINGS:
        cells = f"{np.mean(times_ms[name]):.1f} | {np.mean(sizes[name]) / 1e3:.0f}"
        print(f"| {name} | {cells} |")  # noqa: T201  # its output


def _encode_ms(picture: np.ndarray, settings: list[int]) -> float:
    begin_s = time.perf_counter()
    cv2.imencode(".png", picture, settings)
    return 1e3 * (time.perf_counter() - begin_s)


if __name__ == "__main__":
    main()
