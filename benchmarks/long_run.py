"""Whether workers grow over many scenes: memory held after each scene of one long run.

    python benchmarks/long_run.py --out out/long-run --num 300

Prints, for each worker, its memory after its 20th scene and the largest one after that.
"""

import argparse
import json
import re
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[1]
HELD = re.compile(r"^holds (\d+) MiB$", re.M)
SETTLED_AFTER = 20  # scenes
FAMILIES = ("tabletop", "interior", "outdoor", "head")


def manifest_text(num: int) -> str:
    """Return a job of tiny scenes, a quarter of each family."""
    batches = [
        f"""
[[render]]
name = "{family}"
family = "{family}"
num_scenes = {num // len(FAMILIES)}
width_px = 24
height_px = 24
samples_per_pixel = 2

[render.attributes]
exposure = {{ num_pairs = 1 }}
object_rotation = {{ num_frames = 2, num_pairs = 1 }}
"""
        for family in FAMILIES
    ]
    return '[dataset]\nname = "long"\nseed = 1\n' + "".join(batches)


def main() -> None:
    """Parse the options, run, print and write."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--out", type=Path, default=ROOT / "out" / "long-run")
    parser.add_argument("--num", type=int, default=300)
    args = parser.parse_args()
    args.out.mkdir(parents=True, exist_ok=True)
    manifest = args.out / "long.toml"
    manifest.write_text(manifest_text(args.num))
    code = "from cat_dataset.cli import main; main()"
    command = [sys.executable, "-c", code, "render", str(manifest), "--out", str(args.out / "data")]
    subprocess.run(command, check=True, cwd=ROOT)
    figures = {}
    for log in sorted((args.out / "data" / "logs").glob("worker-*.log")):
        held = [int(number) for number in HELD.findall(log.read_text())]
        settled, largest = held[SETTLED_AFTER - 1], max(held[SETTLED_AFTER - 1 :])
        figures[log.stem] = {
            "scenes": len(held),
            "mib_at_scene_20": settled,
            "largest_mib_after": largest,
            "growth": round(largest / settled, 3),
        }
    (args.out / "long_run.json").write_text(json.dumps(figures, indent=1) + "\n")
    print(json.dumps(figures, indent=1))  # noqa: T201  # a benchmark's output is its print


if __name__ == "__main__":
    main()
