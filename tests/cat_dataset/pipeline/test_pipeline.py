"""The steps of a job as they are called from Python."""

from pathlib import Path
from typing import Any

import pytest

import cat_dataset
from cat_dataset.errors import CatError, JobError
from cat_dataset.jobs.datasets import ComposeJob
from cat_dataset.jobs.manifest import DatasetJob
from cat_dataset.jobs.plans import PairPlan
from tests.cat_dataset.linear_light import make_linear_dataset
from tests.command_line import ROOT

JOB = cat_dataset.Job(
    dataset=DatasetJob(name="called", seed=3),
    compose=ComposeJob(attributes={"exposure": PairPlan(num_pairs=1)}),
)


class CountedProgress:
    """Keeps what was reported."""

    def __init__(self) -> None:
        self.steps: list[tuple[str, int]] = []
        self.parts = 0

    def start(self, name: str, total: int) -> None:
        """Keep a step."""
        self.steps.append((name, total))

    def advance(self, parts: int) -> None:
        """Count its parts."""
        self.parts += parts


@pytest.fixture(scope="module")
def light(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with the linear light of three scenes."""
    folder = tmp_path_factory.mktemp("light")
    make_linear_dataset(folder)
    return folder


def test_a_job_made_in_python_composes_and_reports_where_it_is(light: Path, tmp_path: Path) -> None:
    """A summary comes back, progress goes where it is wanted, nothing is printed."""
    progress = CountedProgress()

    summary = cat_dataset.compose_dataset(light, JOB, tmp_path, num_workers=1, progress=progress)

    assert (summary.num_ok, summary.num_failed) == (3, 0)
    assert progress.steps == [("making pairs", 3)]
    assert progress.parts == 3
    assert cat_dataset.verify_dataset(tmp_path).faults == ()
    assert cat_dataset.compose_dataset(light, JOB, tmp_path).num_units_run == 0


def test_nothing_is_printed(light: Path, tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    """Text is for whoever calls."""
    cat_dataset.compose_dataset(light, JOB, tmp_path, num_workers=1)

    assert tuple(capfd.readouterr()) == ("", "")


def test_light_is_not_overwritten_by_what_is_composed_from_it(light: Path) -> None:
    """The folder that is read cannot be the one that is written."""
    with pytest.raises(JobError, match="is where the light is read from; give another folder"):
        cat_dataset.compose_dataset(light, JOB, light)


@pytest.mark.parametrize(
    ("call", "complaint"),
    [
        (lambda out: cat_dataset.render_dataset(JOB, out), r"job called: declares no \[\[render\]"),
        (
            lambda out: cat_dataset.render_dataset(ROOT / "manifests" / "compose.toml", out),
            r"manifest .*compose.toml: declares no \[\[render\]\] source",
        ),
        (lambda out: cat_dataset.simulate_captures(JOB, out), r"no \[simulate_camera\]"),
        (lambda out: cat_dataset.train_adapter(JOB, [out], out), r"declares no \[train\]"),
        (lambda out: cat_dataset.run_job(out / "no.toml", out), "no such file; see manifests/"),
        (lambda out: cat_dataset.ingest_captures(out, out, name="No.Dots"), "ingest: name = "),
        (
            lambda out: cat_dataset.edit_picture("a.png", out, ["glow=1"]),
            "unknown attribute 'glow'",
        ),
        (lambda out: cat_dataset.write_report(out), "holds no dataset folder"),
    ],
)
def test_a_wrong_call_is_refused_before_any_work(call: Any, complaint: str, tmp_path: Path) -> None:
    """The same errors as on the command line, as exceptions; nothing is written."""
    with pytest.raises(CatError, match=complaint):
        call(tmp_path)

    assert list(tmp_path.iterdir()) == []


def test_an_unknown_name_of_the_package_is_an_attribute_error() -> None:
    """As of any module; the names that exist are listed."""
    with pytest.raises(AttributeError, match="has no attribute 'paint'"):
        _ = cat_dataset.paint

    assert set(cat_dataset.__all__) <= set(dir(cat_dataset))
