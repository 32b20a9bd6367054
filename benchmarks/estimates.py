"""How close `--dry-run` comes: a measured fraction of a manifest over its own estimate.

    python benchmarks/estimates.py manifests/cat-small.toml --scenes 1 --size 512 --samples 64

Runs a few scenes of every source, at a smaller size if asked, on one worker; prints pairs, core
seconds and bytes over what was estimated for that very fraction.
"""

import argparse
import json
import re
import resource
import subprocess
import sys
from pathlib import Path

import pyarrow.parquet as pq

from cat_dataset.jobs.estimates import estimate_source
from cat_dataset.jobs.manifest import Job, dump_job, load_job

ROOT = Path(__file__).parents[1]


def main() -> None:
    """Parse the options, run, print."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("manifest", type=Path)
    parser.add_argument("--out", type=Path, default=ROOT / "out" / "estimates")
    parser.add_argument("--scenes", type=int, default=1, help="of every source")
    parser.add_argument("--size", type=int, default=128)
    parser.add_argument("--samples", type=int, default=16)
    parser.add_argument("--only", default="", help="regular expression of source names")
    args = parser.parse_args()
    job = load_job(args.manifest)
    args.out.mkdir(parents=True, exist_ok=True)
    smaller = {
        "num_scenes": args.scenes,
        "width_px": args.size,
        "height_px": args.size,
        "samples_per_pixel": args.samples,
    }
    figures = {}
    for source in (source for source in job.render if re.search(args.only, source.name)):
        alone = Job(dataset=job.dataset, render=(source.model_copy(update=smaller),))
        path = args.out / f"{source.name}.toml"
        path.write_text(dump_job(alone.dataset_manifest()))
        figures[source.name] = _measured_over_estimated(path, args.out / source.name)
        print(json.dumps({source.name: figures[source.name]}), flush=True)  # noqa: T201  # its output
    sums = {
        name: sum(f[name][0] for f in figures.values()) / sum(f[name][1] for f in figures.values())
        for name in ("pairs", "core_s", "bytes")
    }
    print(json.dumps({"measured over estimated": sums}, indent=1))  # noqa: T201  # its output


def _measured_over_estimated(manifest: Path, out: Path) -> dict[str, tuple[float, float]]:
    """Return (measured, estimated) of pairs, core seconds and bytes."""
    job = load_job(manifest)
    estimate = estimate_source(job.dataset, job.render[0])
    code = "from cat_dataset.cli import main; main()"
    command = [sys.executable, "-c", code, "render", str(manifest), "--out", str(out), "-w", "1"]
    begin_s = _children_cpu_s()
    subprocess.run(command, check=True, cwd=ROOT, capture_output=True)
    core_s = _children_cpu_s() - begin_s
    status = pq.read_table(out / "index.parquet")["status"].to_pylist()
    size = sum(path.stat().st_size for path in (out / "shards").iterdir())
    return {
        "pairs": (status.count("ok"), round(sum(estimate.pairs.values()), 1)),
        "core_s": (round(core_s, 1), round(estimate.core_s, 1)),
        "bytes": (size, round(estimate.disk_bytes)),
    }


def _children_cpu_s() -> float:
    """Return the processor time of all finished children: it does not count what else runs."""
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


if __name__ == "__main__":
    main()
