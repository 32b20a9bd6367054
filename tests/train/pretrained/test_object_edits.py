"""Pretrained bases on edits of objects and shapes: trained, asked by name, scored."""

import json
from pathlib import Path

import numpy as np
import pytest

from cat_dataset.errors import EditScaleError
from cat_dataset.imaging.display import encode_png
from cat_dataset.jobs.manifest import EvaluateJob
from tests.train.object_data import OBJECT_ATTRIBUTES, SIZE_PX, TASKS, write_object_pairs
from tests.train.pretrained_runs import latent_job
from train.edit.editing import load_editor
from train.evaluate.evaluation import evaluate
from train.loop.loop import run_training

pytest.importorskip("transformers", reason="the text encoders of stock pipelines: extra 'hub'")

JOB = EvaluateJob(
    max_pairs_per_attribute=2, num_sweep_scenes=1, num_sweep_steps=3, num_behaviour_pairs=1
)


@pytest.fixture(scope="module")
def objects(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Pairs of a rotation and of two shapes."""
    return write_object_pairs(tmp_path_factory.mktemp("objects"))


@pytest.mark.parametrize("kind", ["klein", "kontext"])
def test_object_edits_are_trained_typed_and_scored(
    kind: str, checkpoints: dict[str, Path], objects: Path, tmp_path: Path
) -> None:
    """Every prompt of training is known: backwards, with the object's name and without it."""
    settings = {"attributes": OBJECT_ATTRIBUTES, "adapter.num_steps": 8}
    job = latent_job(kind, checkpoints[kind], settings)

    run_training(job, [objects], tmp_path / "run", num_threads=1)

    editor = load_editor(tmp_path / "run")
    assert tuple(editor.tasks) == TASKS
    assert [task.high for task in editor.tasks.values()] == [60.0, 40.0, 100.0]
    codes = np.linspace(20, 220, SIZE_PX * SIZE_PX * 3).astype(np.uint8)
    picture = tmp_path / "photo.png"
    picture.write_bytes(encode_png(codes.reshape(SIZE_PX, SIZE_PX, 3)))
    edited = editor.edit_file(picture, ["object_rotation:tea pot=30deg", "shape_key:smile=60%"])
    assert [edit.subject for edit in edited.edits] == ["tea pot", "smile"]
    assert edited.edits[1].value == 60.0
    assert editor.backend.instruction(edited.edits) == (
        "Change only the expression or shape (smile) and the rotation of the main object "
        "(tea pot); keep everything else.",
    )
    with pytest.raises(EditScaleError, match=r"not trained on shape_key:frown; it knows .*blink"):
        editor.edit_file(picture, ["shape_key:frown=60%"])
    with pytest.raises(EditScaleError, match="outside what this adapter was trained on, -40 to"):
        editor.edit_file(picture, ["shape_key:blink=60%"])

    evaluate(tmp_path / "run", [objects], JOB, tmp_path / "report", trained=job)

    report = json.loads((tmp_path / "report" / "evaluation.json").read_text())
    assert {score["attribute"] for score in report["scores"]} == set(TASKS)
    assert report["num_failures"] == 0
