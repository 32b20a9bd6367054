import json
import shutil
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from cat_dataset.errors import EditScaleError, JobError
from cat_dataset.imaging.display import encode_png
from cat_dataset.jobs.manifest import EvaluateJob
from cat_dataset.records import EditScale
from cat_dataset.system.seeding import derive_rng
from train.edit.editing import Display, Editor, load_editor, view_size
from train.evaluate.evaluation import evaluate
from train.model.log_light import linear_of_codes


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


def test_parts_are_predicted_as_if_alone(editor: Editor) -> None:
    """What one part does to a view does not depend on what else is asked."""
    view = linear_of_codes(picture(32, 32))
    edits = [EditScale("exposure", 0.7), EditScale("white_balance", 50.0),
             EditScale("light_power", 0.5)]  # fmt: skip

    together = editor.part_gains([view], [edits[::-1]])[0]

    assert [part.edits for part in together] == [[edit] for edit in edits]
    for part, edit in zip(together, edits, strict=True):
        (alone,) = editor.part_gains([view], [[edit]])[0]
        np.testing.assert_allclose(part.gain_HW3, alone.gain_HW3, atol=1e-5)
    assert editor.backend.parts(edits, "words") == [edits]


@pytest.mark.parametrize("stops", [-1.0, 1.0])
def test_an_edit_of_a_lamp_obeys_the_ratio_it_is_given(editor: Editor, stops: float) -> None:
    """The same picture edited as one where the lamp gives little, half, and most of the light."""
    source = picture(32, 32)
    change = [
        float(np.abs(editor.edit(source, [edit]).astype(int) - source).mean())
        for edit in (EditScale("light_power", stops, light_ratio=(r,)) for r in (0.1, 1.0, 10.0))
    ]

    assert change[0] < 0.6 * change[1] < 0.6 * change[2]


def test_a_given_ratio_is_of_the_whole_picture(editor: Editor) -> None:
    """So the picture is seen whole where tiles were asked for."""
    given = [EditScale("light_power", 0.5, light_ratio=(1.0,))]

    assert editor.edit_at(picture(64, 64), given, "tiled")[1] == "scaled"


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
    """The whole path: shards, training, editing, readouts; better than a copy."""
    job = EvaluateJob(num_sweep_scenes=1, num_behaviour_pairs=1, num_combination_pairs=1)
    report = evaluate(run_folder / "adapter", [data_folder], job, tmp_path)

    (copy,) = [
        c
        for c in report.comparisons
        if (c.attribute, c.values, c.readout, c.other) == ("exposure", "within", "physical", "copy")
    ]
    assert copy.ratio is not None
    assert copy.ratio > 1 / 0.7
    assert {score.attribute for score in report.main_scores()} == {
        "exposure",
        "white_balance",
        "light_power",
    }


def test_three_lines_edit_a_file_and_write_its_edits_into_it(
    run_folder: Path, tmp_path: Path
) -> None:
    """The Python API of the README; Pillow reads the edits back."""
    (tmp_path / "photo.png").write_bytes(encode_png(picture(75, 130)))

    editor = load_editor(run_folder / "adapter")
    edited = editor.edit_file(tmp_path / "photo.png", ["exposure=2x", "white_balance=5600K"])
    edited.save(tmp_path / "edited.png")

    with Image.open(tmp_path / "edited.png") as image:
        record = json.loads(image.text["cat-edits"])
        assert image.size == (130, 75)
    assert record["method"] == "scaled"
    assert [edit["value"] for edit in record["edits"]] == pytest.approx([1.0, 24.725], abs=0.001)
    assert edited.describe() == (
        "exposure +1 stops, white_balance +24.73 mired (6500 to 5600 K); scaled"
    )


def test_a_number_in_any_unit_and_order_gives_the_same_picture(
    editor: Editor, tmp_path: Path
) -> None:
    """Stops or a factor, K or mired, first or last."""
    path = tmp_path / "photo.png"
    path.write_bytes(encode_png(picture(64, 64)))

    one = editor.edit_file(path, ["exposure=+1EV", "white_balance=from 6500K to 5000K"])
    other = editor.edit_file(path, ["white_balance=46.1538462mired", "exposure=2x"])

    assert (one.picture_HW3 == other.picture_HW3).all()


def test_tiles_see_the_picture_at_full_size_and_leave_no_border(editor: Editor) -> None:
    """Zero stays exact; an exposure is as strong as scaled, and the answer says which it was."""
    source = picture(100, 170)

    kept, method = editor.edit_at(source, [EditScale("exposure", 0.0)], "tiled")
    tiled, _ = editor.edit_at(source, [EditScale("exposure", 1.0)], "tiled")
    scaled, other = editor.edit_at(source, [EditScale("exposure", 1.0)], "scaled")

    assert (method, other) == ("tiled", "scaled")
    assert (kept == source).all()
    assert np.abs(tiled.astype(int) - scaled).mean() < 12
    assert tiled.mean() > source.mean() + 10


def test_a_picture_smaller_than_a_tile_is_scaled_and_said_so(editor: Editor) -> None:
    """There is nothing to tile."""
    edited, method = editor.edit_at(picture(20, 400), [EditScale("exposure", 0.5)], "tiled")

    assert method == "scaled"
    assert edited.shape == (20, 400, 3)


def test_a_batch_gives_what_single_edits_give(editor: Editor) -> None:
    """One source predicted once for three numbers, and another one among them."""
    one, other = picture(40, 48), picture(40, 48)[::-1].copy()
    edits = [[EditScale("exposure", value)] for value in (0.5, -0.5, 0.0, 1.0)]
    sources = [one, one, other, other]

    together = editor.edit_batch(sources, edits)

    for source, edit, edited in zip(sources, edits, together, strict=True):
        alone = editor.edit(source, edit)
        assert np.abs(edited.astype(int) - alone).max() <= 1  # sums of a batch round otherwise


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
