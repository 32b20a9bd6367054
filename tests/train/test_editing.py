import shutil
from pathlib import Path

import numpy as np
import pytest

from cat_dataset.errors import EditScaleError, JobError
from cat_dataset.manifest import EvaluateJob
from cat_dataset.records import EditScale
from cat_dataset.seeding import derive_rng
from train.editing import Display, Editor, load_editor, view_size
from train.evaluation import evaluate
from train.loop import run_training

from .conftest import tiny_job


@pytest.fixture(scope="module")
def run_folder(data_folder: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A run long enough for numbers to do something visible."""
    folder = tmp_path_factory.mktemp("editing") / "run"
    job = tiny_job().model_copy(
        update={"num_base_steps": 80, "num_adapter_steps": 120, "batch_size": 8}
    )
    run_training(job, [data_folder], folder, num_threads=2)
    return folder


@pytest.fixture(scope="module")
def editor(run_folder: Path) -> Editor:
    """The editor of that run."""
    return load_editor(run_folder / "adapter")


def picture(height_px: int, width_px: int) -> Display:
    """Return a smooth colourful picture."""
    row, column = np.mgrid[0:height_px, 0:width_px]
    waves = [np.sin(row / 9 + k) * np.cos(column / 13 - k) for k in range(3)]
    return (110 + 50 * np.stack(waves, axis=-1)).astype(np.uint8)


@pytest.mark.parametrize("size", [(32, 32), (48, 31), (200, 300), (7, 5), (20, 400)])
def test_any_size_comes_back_at_its_size(editor: Editor, size: tuple[int, int]) -> None:
    """Small, large, odd and very long pictures."""
    edited = editor.edit(picture(*size), [EditScale("exposure", 1.0)])

    assert edited.shape == (*size, 3)
    assert edited.dtype == np.uint8


def test_more_exposure_is_brighter_and_less_is_darker(editor: Editor) -> None:
    """Even 200 small steps teach the direction."""
    source = picture(64, 64)

    brighter = editor.edit(source, [EditScale("exposure", 1.0)])
    darker = editor.edit(source, [EditScale("exposure", -1.0)])

    assert brighter.mean() > source.mean() + 10
    assert darker.mean() < source.mean() - 10


def test_number_zero_returns_the_picture_itself(editor: Editor) -> None:
    """Every code of it, black and white included: the gain is the change that numbers make."""
    source = picture(64, 96)
    source[:8], source[8:16] = 0, 255

    kept = editor.edit(source, [EditScale("exposure", 0.0), EditScale("light_power", 0.0)])

    assert (kept == source).all()
    assert (editor.edit(source, []) == source).all()


def test_editing_is_deterministic_and_free_of_order(editor: Editor) -> None:
    """The noise is fixed and codes are summed."""
    source = picture(40, 40)
    edits = [EditScale("exposure", 0.7), EditScale("white_balance", 50.0)]

    assert (editor.edit(source, edits) == editor.edit(source, edits[::-1])).all()


def test_detail_finer_than_the_model_sees_survives(editor: Editor) -> None:
    """Grain on a large picture is still there after an edit that the model made at 32 px."""
    grain = derive_rng(0, "grain").integers(-20, 21, (256, 256, 1))
    source = (picture(256, 256).astype(int) + grain).clip(0, 255).astype(np.uint8)

    edited = editor.edit(source, [EditScale("exposure", 0.5)])

    before, after = (np.diff(p[..., 1].astype(float), axis=1).ravel() for p in (source, edited))
    assert np.corrcoef(before, after)[0, 1] > 0.95


def test_values_outside_the_trained_range_are_refused_with_the_range(editor: Editor) -> None:
    """Also when several edits of one attribute add up to it."""
    high = editor.tasks["exposure"].high

    with pytest.raises(EditScaleError, match=rf"was trained on, -{high:g} to \+{high:g} stops"):
        editor.edit(picture(32, 32), [EditScale("exposure", high + 0.1)])
    with pytest.raises(EditScaleError, match="was trained on"):
        editor.edit(picture(32, 32), [EditScale("exposure", 0.6 * high)] * 2)
    with pytest.raises(EditScaleError, match="not trained on aperture; it knows exposure"):
        editor.edit(picture(32, 32), [EditScale("aperture", 1.0)])


def test_adapter_and_base_move_together(run_folder: Path, editor: Editor, tmp_path: Path) -> None:
    """The config points to the base by a relative path."""
    for name in ("adapter", "base"):
        shutil.copytree(run_folder / name, tmp_path / name)

    moved = load_editor(tmp_path / "adapter")

    edits = [EditScale("exposure", 1.0)]
    assert (moved.edit(picture(32, 32), edits) == editor.edit(picture(32, 32), edits)).all()


def test_an_adapter_without_its_base_names_what_is_missing(
    run_folder: Path, tmp_path: Path
) -> None:
    """And a folder that is no adapter at all says so."""
    shutil.copytree(run_folder / "adapter", tmp_path / "adapter")

    with pytest.raises(JobError, match="is missing; move both together"):
        load_editor(tmp_path / "adapter")
    with pytest.raises(JobError, match=r"holds no config\.json"):
        load_editor(tmp_path)


def test_a_trained_adapter_is_evaluated_on_held_out_scenes(
    run_folder: Path, data_folder: Path, tmp_path: Path
) -> None:
    """The whole path: shards, training, editing, readouts."""
    report = evaluate(run_folder / "adapter", [data_folder], EvaluateJob(), tmp_path)

    exposure = report.scores[0]
    assert exposure.attribute == "exposure"
    assert exposure.mae < 0.7 * exposure.copy_mae
    assert {score.attribute for score in report.scores} == {
        "exposure",
        "white_balance",
        "light_power",
    }


@pytest.mark.parametrize(
    ("size", "view"),
    [
        ((768, 1024), (64, 88)),
        ((1024, 768), (88, 64)),
        ((10, 10), (64, 64)),
        ((50, 900), (64, 192)),
    ],
)
def test_the_model_sees_whole_patches_of_the_right_shape(
    size: tuple[int, int], view: tuple[int, int]
) -> None:
    """The shorter side is the trained size, the longer one at most three times that."""
    assert view_size(*size, 64) == view
