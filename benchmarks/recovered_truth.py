"""What the ingester recovers of simulated brackets: the largest error of any pair, case by case.

    python benchmarks/recovered_truth.py

Every case is photographed with a simulated camera, grouped, aligned and measured; recorded values
are held against the times that the shutter really took.
"""

import argparse
import json
import sys
import tempfile
from collections.abc import Iterator
from itertools import permutations
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parents[1]
sys.path.insert(0, str(ROOT))
SIDE_PX = {"width_px": 512, "height_px": 384}
TIMES_S = {
    3: (1 / 15, 1 / 60, 1 / 250),
    5: (1 / 15, 1 / 30, 1 / 60, 1 / 125, 1 / 250),
    7: (1 / 8, 1 / 15, 1 / 30, 1 / 60, 1 / 125, 1 / 250, 1 / 500),
}


def cases(num_scenes: int) -> Iterator[tuple[str, str, dict[str, Any]]]:
    """Yield (case, scene, settings of the camera)."""
    for number in range(num_scenes):
        scene = f"scene-{number}"
        for count, times_s in TIMES_S.items():
            yield f"tripod, {count} frames", scene, {"exposure_times_s": times_s}
        yield (
            "tripod, 5 frames and 2 duplicates",
            scene,
            {
                "exposure_times_s": TIMES_S[5],
                "duplicates": (1, 3),
            },
        )
        for shake_px in (1.0, 2.0, 3.0):
            yield (
                f"by hand, {shake_px:g} px and 0.3 degree (one sigma)",
                scene,
                {
                    "exposure_times_s": TIMES_S[5],
                    "shake_px": shake_px,
                    "shake_deg": 0.3,
                },
            )
        for share in (0.02, 0.05):
            yield (
                f"{share:.0%} of the picture passes by",
                scene,
                {
                    "exposure_times_s": TIMES_S[3],
                    "passing_object_share": share,
                },
            )
    for order in permutations(range(3)):
        yield (
            "tripod, 3 frames in all orders",
            "ordered",
            {
                "exposure_times_s": TIMES_S[3],
                "shot_order": order,
            },
        )


def recovered(scene: str, settings: dict[str, Any]) -> dict[str, Any]:
    """Return what came of one case: frames, pairs, and the largest error in stops."""
    from cat_dataset.jobs.datasets import CaptureSource
    from cat_dataset.jobs.manifest import DatasetJob
    from cat_dataset.jobs.plans import PairPlan
    from dslr.units import ingest_unit, scan_folder
    from tests.dslr.conftest import photograph, read_truth

    with tempfile.TemporaryDirectory() as folder:
        paths = photograph(Path(folder), scene, **{**SIDE_PX, **settings})
        truth = {frame["file"]: frame["exposure_stops"] for frame in read_truth(paths)}
        plan = PairPlan(num_pairs=60)
        batch = CaptureSource(name="b", folder=Path(folder), attributes={"exposure": plan})
        groups = scan_folder(batch, num_workers=1)
        job = DatasetJob(name="b", seed=1, annotations=("moving",))
        results = [ingest_unit(job, batch, group) for group in groups if len(group.paths) > 1]
    pairs = [p for result in results for p in result.pairs if "-single-" not in p.key]
    errors = [
        abs(
            pair.edits[0].value
            - truth[pair.origin["target"]["file"]]
            + truth[pair.origin["source"]["file"]]
        )
        for pair in pairs
    ]
    return {
        "grouped": sum(len(group.paths) for group in groups if group.kind == "exposure"),
        "frames": len(paths),
        "pairs": len(pairs),
        "largest_error_stops": max(errors, default=0.0),
        "stderrs_off": max(
            (e / (p.edits[0].measured_se or 1.0) for e, p in zip(errors, pairs, strict=True)),
            default=0.0,
        ),
    }


def main() -> None:
    """Parse the options, measure, print."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--num-scenes", type=int, default=4)
    parser.add_argument("--json", action="store_true")
    args = parser.parse_args()
    found: dict[str, list[dict[str, Any]]] = {}
    for case, scene, settings in cases(args.num_scenes):
        found.setdefault(case, []).append(recovered(scene, settings))
    if args.json:
        print(json.dumps(found, indent=1))  # noqa: T201  # its output
        return
    print("| case | frames grouped | pairs | largest error, stops |\n|---|---|---|---|")  # noqa: T201  # its output
    for case, runs in found.items():
        grouped = f"{sum(r['grouped'] for r in runs)} of {sum(r['frames'] for r in runs)}"
        largest = max(r["largest_error_stops"] for r in runs)
        print(f"| {case} | {grouped} | {sum(r['pairs'] for r in runs)} | {largest:.4f} |")  # noqa: T201  # its output


if __name__ == "__main__":
    main()
