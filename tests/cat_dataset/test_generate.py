import hashlib
import os
import resource
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import replace
from functools import partial
from pathlib import Path

import pyarrow.parquet as pq
import pytest

from cat_dataset.compose.basis_pairs import compose_basis
from cat_dataset.errors import CatError, JobError
from cat_dataset.generate import RunSummary, WorkUnit, check_summary, run_units
from cat_dataset.jobs.manifest import DatasetJob, DatasetManifest, load_job
from cat_dataset.jobs.plans import PairPlan
from cat_dataset.records import UnitResult
from cat_dataset.system.progress import SilentProgress
from tests.cat_dataset.conftest import make_light_basis

PLANS = {"exposure": PairPlan(num_pairs=2), "light_power": PairPlan(num_pairs=2)}
NUM_UNITS = 5


def unit_of(name: str, call: Callable[[], UnitResult]) -> WorkUnit:
    """Return a unit of work."""
    return WorkUnit(name, "render", call)


def good_units(job: DatasetJob) -> list[WorkUnit]:
    """Return units that compose pairs from light made in the test."""
    return [
        unit_of(f"unit-{n}", partial(compose_basis, make_light_basis(f"unit-{n}"), PLANS, job))
        for n in range(NUM_UNITS)
    ]


def run(units: list[WorkUnit], job: DatasetJob, folder: Path, num_workers: int = 2) -> RunSummary:
    """Run units in real worker processes."""
    progress = SilentProgress()
    manifest = DatasetManifest(dataset=job)
    return run_units(manifest, units, folder, num_workers=num_workers, progress=progress)


def digests(folder: Path) -> dict[str, str]:
    """Return the sha256 of every file of a data set; logs say what happened, and may differ."""
    return {
        str(path.relative_to(folder)): hashlib.sha256(path.read_bytes()).hexdigest()
        for path in sorted(folder.rglob("*"))
        if path.is_file() and path.parent.name != "logs"
    }


def test_one_and_two_workers_write_the_same_bytes(tmp_path: Path, dataset_job: DatasetJob) -> None:
    """Which worker did what, and when, leaves no trace; the second run does nothing."""
    units = good_units(dataset_job)

    first = run(units, dataset_job, tmp_path / "one", num_workers=1)
    run(units, dataset_job, tmp_path / "two", num_workers=2)
    again = run(units, dataset_job, tmp_path / "one", num_workers=1)

    assert digests(tmp_path / "one") == digests(tmp_path / "two")
    assert (first.num_units_run, again.num_units_run) == (NUM_UNITS, 0)
    assert first.num_ok == again.num_ok > 0
    assert {"manifest.toml", "index.parquet", "README.md"} <= set(digests(tmp_path / "one"))
    assert not (tmp_path / "one" / "staging").exists()


@pytest.mark.slow
def test_faults_cost_their_own_unit_and_nothing_else(
    tmp_path: Path, dataset_job: DatasetJob
) -> None:
    """A dead worker, an endless unit, bad input and a bug each become one failed row."""
    job = dataset_job.model_copy(update={"unit_timeout_s": 5.0})
    bad = [
        unit_of("dies", partial(os._exit, 3)),
        unit_of("hangs", partial(time.sleep, 600.0)),
        unit_of("bad-input", partial(load_job, tmp_path / "missing.toml")),
        unit_of("bug", partial(int, "not a number")),
    ]

    summary = run(good_units(job) + bad, job, tmp_path / "out")

    rows = pq.read_table(tmp_path / "out" / "index.parquet").to_pylist()
    reasons = {row["key"]: row["reason"] for row in rows if row["status"] == "failed"}
    assert set(reasons) == {"dies", "hangs", "bad-input", "bug"}
    assert "exit code 3" in reasons["dies"]
    assert "ran longer than 5 s" in reasons["hangs"]
    assert "no such file" in reasons["bad-input"]
    assert "ValueError" in reasons["bug"]
    assert "Traceback" in (tmp_path / "out" / "logs" / "bug.txt").read_text()
    assert summary.num_ok >= 2 * NUM_UNITS
    with pytest.raises(CatError, match="4 failed, everything else is written"):
        check_summary(summary)


def test_a_folder_of_another_manifest_is_refused(tmp_path: Path, dataset_job: DatasetJob) -> None:
    """Two data sets never mix in one folder."""
    run(good_units(dataset_job), dataset_job, tmp_path)

    with pytest.raises(JobError, match="give another --out"):
        run(good_units(dataset_job), dataset_job.model_copy(update={"seed": 9}), tmp_path)
    with pytest.raises(JobError, match="give another --out"):
        run(good_units(dataset_job)[:-1], dataset_job, tmp_path)


def test_units_made_of_other_files_are_refused(tmp_path: Path, dataset_job: DatasetJob) -> None:
    """The same unit names over other captures must not pass as the same data set."""
    units = [replace(unit, made_of="a.dng 100 abc") for unit in good_units(dataset_job)]
    run(units, dataset_job, tmp_path)

    with pytest.raises(JobError, match="of other captures"):
        run([replace(unit, made_of="b.dng 100 def") for unit in units], dataset_job, tmp_path)


@pytest.mark.slow
def test_failed_units_are_made_anew_when_asked(tmp_path: Path, dataset_job: DatasetJob) -> None:
    """A fault that has passed leaves no trace: the bytes are those of a run without it."""
    marker = tmp_path / "mended"
    flaky = good_units(dataset_job)
    flaky[1] = unit_of("unit-1", partial(compose_once_mended, marker, dataset_job))
    assert run(flaky, dataset_job, tmp_path / "flaky").num_failed == 1
    marker.touch()
    assert run(flaky, dataset_job, tmp_path / "flaky").num_failed == 1

    progress, manifest = SilentProgress(), DatasetManifest(dataset=dataset_job)
    mended = run_units(
        manifest, flaky, tmp_path / "flaky", num_workers=2, progress=progress, retry_failed=True
    )
    run(good_units(dataset_job), dataset_job, tmp_path / "good")

    assert mended.num_failed == 0
    assert digests(tmp_path / "flaky") == digests(tmp_path / "good")


def compose_once_mended(marker: Path, job: DatasetJob) -> UnitResult:
    """Fail until the marker exists."""
    if not marker.exists():
        msg = "not mended yet"
        raise CatError(msg)
    return compose_basis(make_light_basis("unit-1"), PLANS, job)


def test_what_a_killed_writer_left_is_removed(tmp_path: Path, dataset_job: DatasetJob) -> None:
    """A half-written file of a process that is gone does not stay for ever."""
    (tmp_path / "shards").mkdir()
    (tmp_path / "shards" / "000000.tar.99999.partial").write_bytes(b"half")

    run(good_units(dataset_job), dataset_job, tmp_path)

    assert not list(tmp_path.rglob("*.partial"))


_SCRIPT = """
import sys
from pathlib import Path
from cat_dataset.jobs.manifest import DatasetJob
from tests.cat_dataset.test_generate import good_units, run
if __name__ == "__main__":
    job = DatasetJob(name="small", seed=3, units_per_shard=2, unit_timeout_s=60.0)
    run(good_units(job), job, Path(sys.argv[1]))
"""


@pytest.mark.slow
def test_a_run_killed_at_any_moment_ends_with_the_same_bytes(
    tmp_path: Path, dataset_job: DatasetJob
) -> None:
    """SIGKILL to the whole process group, again and again, then one run to the end."""
    run(good_units(dataset_job), dataset_job, tmp_path / "straight")
    script = tmp_path / "script.py"
    script.write_text(_SCRIPT)
    root = Path(__file__).parents[2]
    command = [sys.executable, str(script), str(tmp_path / "killed")]
    environment = {**os.environ, "PYTHONPATH": str(root)}

    for delay_s in (0.9, 1.3, 1.7, 2.1):
        process = subprocess.Popen(command, env=environment, cwd=root, start_new_session=True)
        time.sleep(delay_s)
        os.killpg(process.pid, signal.SIGKILL)
        process.wait()
    subprocess.run(command, env=environment, cwd=root, check=True)

    assert digests(tmp_path / "killed") == digests(tmp_path / "straight")


_NO_ROOM_SCRIPT = """
import resource, signal, sys
from pathlib import Path
from cat_dataset.errors import DiskFullError
from cat_dataset.jobs.manifest import DatasetJob
from tests.cat_dataset.test_generate import good_units, run
if __name__ == "__main__":
    signal.signal(signal.SIGXFSZ, signal.SIG_IGN)  # writing past the limit then fails with EFBIG
    resource.setrlimit(resource.RLIMIT_FSIZE, (int(sys.argv[2]), int(sys.argv[2])))
    job = DatasetJob(name="small", seed=3, units_per_shard=2, unit_timeout_s=60.0)
    try:
        run(good_units(job), job, Path(sys.argv[1]))
    except DiskFullError as error:
        print(error)
        sys.exit(7)
"""


@pytest.mark.slow
def test_a_full_disk_stops_the_run_and_loses_nothing(
    tmp_path: Path, dataset_job: DatasetJob
) -> None:
    """The error says what to do; with room again the same bytes come out."""
    assert resource.getrlimit(resource.RLIMIT_FSIZE)[0] == resource.RLIM_INFINITY
    run(good_units(dataset_job), dataset_job, tmp_path / "straight")
    script = tmp_path / "script.py"
    script.write_text(_NO_ROOM_SCRIPT)
    root = Path(__file__).parents[2]
    environment = {**os.environ, "PYTHONPATH": str(root)}
    limit = max(p.stat().st_size for p in (tmp_path / "straight" / "shards").glob("*.tar")) - 1

    stopped = subprocess.run(
        [sys.executable, str(script), str(tmp_path / "full"), str(limit)],
        env=environment,
        cwd=root,
        capture_output=True,
        text=True,
        check=False,
    )
    assert stopped.returncode == 7, stopped.stderr
    assert "no room to write it" in stopped.stdout
    assert "make room and run the same command again" in stopped.stdout
    assert not list((tmp_path / "full").rglob("*.partial"))

    run(good_units(dataset_job), dataset_job, tmp_path / "full")
    assert digests(tmp_path / "full") == digests(tmp_path / "straight")
