import base64
import json
import re
from pathlib import Path

import pytest

from cat_dataset.compose.basis_pairs import compose_basis
from cat_dataset.errors import CatError
from cat_dataset.imaging.display import encode_png
from cat_dataset.jobs.manifest import DatasetJob
from cat_dataset.jobs.plans import PairPlan
from cat_dataset.records import Rejection, UnitResult
from cat_dataset.reporting.html_report import write_report
from cat_dataset.store.shards import shard_path, write_index, write_shard
from cat_dataset.store.tables import staged_table
from cat_dataset.system.seeding import derive_rng
from tests.cat_dataset.conftest import make_light_basis
from tests.cat_dataset.linear_light import make_linear_dataset

EVALUATION = {
    "split": "test",
    "editors": ["adapter", "copy"],
    "num_edits": 40,
    "notes": ["the base has <never> seen numbers"],
    "scores": [
        {"editor": "adapter", "attribute": "exposure", "mae": 0.0171, "mae_interval": [0.01, 0.02],
         "slope": None, "hit_rate": 0.5, "hit_tolerance": 0.1, "is_too_coarse": False}
    ],
    "behaviour": [{"editor": "adapter", "identity_mean_db": 47.3}],
    "cross_talk": [
        {"editor": "adapter", "swept": "exposure", "read": name, "slope": slope}
        for name, slope in (("exposure", 0.98), ("white_balance", 0.02))
    ],
    "failures": ["a--pair-00: was not trained on fog"],
    "curves": [
        {"editor": name, "attribute": "exposure", "readout": readout,
         "asked": [-1.0, 0.0, 1.0], "achieved": [-0.9, 0.0, None]}
        for name in ("adapter", "copy") for readout in ("physical", "matching")
    ],
    "samples": [
        {
            "attribute": "exposure", "asked": 1.0, "achieved": 0.98,
            "source_png": "a.png", "target_png": "a.png", "ours_png": "a.png",
        }
    ],
}  # fmt: skip


@pytest.fixture(params=["render", "dslr"])  # computed pairs of a RAW file have no second frame
def job_folder(tmp_path: Path, dataset_job: DatasetJob, request: pytest.FixtureRequest) -> Path:
    """Return a job folder with a data set, a training log and an evaluation."""
    plans = {"exposure": PairPlan(num_pairs=3), "white_balance": PairPlan(num_pairs=3)}
    composed = compose_basis(make_light_basis("scene-a"), plans, dataset_job)
    failure = Rejection("scene-x", "scene-x", "failed", "the lamp <fell> over")
    result = UnitResult(composed.pairs, (failure,))
    dataset = tmp_path / "dataset"
    table = staged_table(result, producer=request.param, unit_id="scene-a", origin={})
    write_shard(shard_path(dataset, 0), [table])
    write_index(dataset, [shard_path(dataset, 0)])
    log = [
        {"stage": s, "step": 10 * n, "loss": 1.0 / n} for s in ("base", "adapter") for n in (1, 2)
    ]
    (tmp_path / "training").mkdir()
    (tmp_path / "training" / "train_log.jsonl").write_text(
        "".join(f"{json.dumps(e)}\n" for e in log)
    )
    (tmp_path / "evaluation").mkdir()
    (tmp_path / "evaluation" / "evaluation.json").write_text(json.dumps(EVALUATION))
    picture = derive_rng(0, "report").integers(0, 255, (8, 8, 3)).astype("uint8")
    (tmp_path / "evaluation" / "a.png").write_bytes(encode_png(picture))
    return tmp_path


def test_the_page_is_self_contained_and_shows_what_was_measured(job_folder: Path) -> None:
    """No link leads out of it; pictures, plots, scores and reasons are in it."""
    page = write_report(job_folder).read_text()

    assert not re.search(r'(src|href)="(?!data:|#)', page)
    assert page.count("data:image/png;base64,") >= 2 * 2 + 3
    assert page.count("<svg") == 4  # histograms, measured, training, response
    assert "the lamp &lt;fell&gt; over" in page
    assert "<td>0.0171</td>" in page
    assert "<td>0.01 to 0.02</td>" in page
    assert "<td>50.0 % in 0.1</td>" in page
    assert "<h3>Behaviour</h3>" in page
    assert "Several numbers at once" not in page  # none were asked
    assert re.search(r"<td>exposure</td><td>0.98</td><td>0.02</td>", page)
    assert "never&gt; seen numbers" in page
    assert "was not trained on fog" in page
    assert "asked +1 stops, achieved +0.98 stops" in page
    assert "Rejected and failed" in page


def test_pictures_in_the_page_are_those_of_the_data_set(job_folder: Path) -> None:
    """The contact sheet holds the very bytes of the shard."""
    page = write_report(job_folder).read_text()
    tar = shard_path(job_folder / "dataset", 0).read_bytes()

    embedded = [
        base64.b64decode(m)
        for m in re.findall(r'alt="target" src="data:image/png;base64,([^"]+)', page)
    ]

    assert embedded
    assert all(png in tar for png in embedded)


def test_a_page_without_training_leaves_those_parts_out(job_folder: Path) -> None:
    """What is not there yet is not shown, and nothing is invented."""
    (job_folder / "training" / "train_log.jsonl").unlink()
    (job_folder / "evaluation" / "evaluation.json").unlink()

    page = write_report(job_folder).read_text()

    assert "<h2>Training" not in page
    assert "obey the number" not in page
    assert "<h2>Scales" in page


def test_stored_light_is_counted_and_has_no_pairs_to_show(tmp_path: Path) -> None:
    """A data set of linear light has a page too: pairs are composed where it is read."""
    make_linear_dataset(tmp_path / "dataset")

    page = write_report(tmp_path).read_text()

    assert "0 pairs, 5 samples of linear light" in page
    assert "<figure>" not in page


def test_a_folder_without_a_data_set_is_refused(tmp_path: Path) -> None:
    """The error says which folder is meant."""
    with pytest.raises(CatError, match="give the folder that `run` wrote"):
        write_report(tmp_path)
