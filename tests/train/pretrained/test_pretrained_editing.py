"""Editing and evaluation with an adapter whose base is a pretrained one, in miniature."""

from pathlib import Path

import numpy as np
import pytest
import torch
from torch import nn
from typer.testing import CliRunner

from cat_dataset.cli import app
from cat_dataset.errors import JobError
from cat_dataset.imaging.display import encode_png
from cat_dataset.jobs.manifest import EvaluateJob
from cat_dataset.records import EditScale
from tests.train.pretrained_runs import SIZE_PX, latent_job
from train.adapter.adapter import NumericAdapter, Task
from train.adapter.fresh_adapter import fresh_adapter
from train.edit.editing import Display, Editor, load_editor
from train.evaluate.evaluation import evaluate
from train.pretrained.checkpoint import load_base

pytest.importorskip("transformers", reason="the text encoders of stock pipelines: extra 'hub'")

TASKS = [
    Task("exposure", "exposure", "stops", -2.0, 2.0, None, None),
    Task("light_power", "power of the main lamp", "stops", -2.0, 2.0, None, None),
]
BRIGHTER, LAMP = EditScale("exposure", 1.3), EditScale("light_power", -0.7)


@pytest.fixture(scope="session")
def adapters(
    checkpoints: dict[str, Path], tmp_path_factory: pytest.TempPathFactory
) -> dict[str, Path]:
    """An adapter for each base, whose every weight has moved, in a folder."""
    root = tmp_path_factory.mktemp("adapters")
    for kind, folder in checkpoints.items():
        torch.manual_seed(2)
        transformer = load_base(kind, folder).pipeline.transformer
        adapter = fresh_adapter(transformer, TASKS, latent_job(kind, folder))
        nn.init.normal_(adapter.to_modulations.weight, std=0.2)
        adapter.save_pretrained(root / kind)
    return {kind: root / kind for kind in checkpoints}


@pytest.fixture(params=["kontext", "klein"])
def editor(request: pytest.FixtureRequest, adapters: dict[str, Path]) -> Editor:
    """An editor as the commands load it."""
    return load_editor(adapters[request.param])


def picture(height_px: int = 90, width_px: int = 130) -> Display:
    """Return a smooth colourful picture."""
    row, column = np.mgrid[0:height_px, 0:width_px]
    waves = [np.sin(row / 9 + k) * np.cos(column / 13 - k) for k in range(3)]
    return (110 + 50 * np.stack(waves, axis=-1)).astype(np.uint8)


def test_numbers_edit_a_picture_of_any_size_and_zero_keeps_it(editor: Editor) -> None:
    """The stock call makes a view in multiples of 16; its gain is laid over the whole."""
    source = picture()

    edited = editor.edit(source, [BRIGHTER])

    assert editor.view_size(90, 130) == (64, 96)
    assert edited.shape == source.shape
    assert np.abs(edited.astype(int) - source).max() > 2
    assert (editor.edit(source, [EditScale("exposure", 0.0)]) == source).all()
    assert (editor.edit(source, []) == source).all()


def test_the_order_of_edits_reaches_neither_numbers_nor_text(editor: Editor) -> None:
    """Codes are summed, names are sorted, the noise is the same."""
    one, other = (
        editor.edit(picture(64, 64), edits) for edits in ([BRIGHTER, LAMP], [LAMP, BRIGHTER])
    )

    assert (one == other).all()


def test_tiles_are_edited_at_full_size(editor: Editor) -> None:
    """As with the compact base."""
    tiled, method = editor.edit_at(picture(100, 80), [BRIGHTER], "tiled")

    assert method == "tiled"
    assert tiled.shape == (100, 80, 3)


def test_what_the_vae_loses_is_not_part_of_an_edit(editor: Editor) -> None:
    """The reference of a gain is the picture through the VAE, not the picture."""
    source = torch.rand(1, 3, SIZE_PX, SIZE_PX) - 0.5

    kept = editor.backend.predict_identity(source)

    assert kept.shape == source.shape
    assert (kept - source).abs().max() > 0.1  # a random VAE loses nearly all
    assert torch.equal(editor.backend.predict_identity(source), kept)


def test_words_are_english_with_the_number_and_without_the_adapter(editor: Editor) -> None:
    """The baseline of a pretrained base; the numbers' own text has none."""
    backend, source = editor.backend, torch.zeros(1, 3, SIZE_PX, SIZE_PX)

    assert backend.instruction([BRIGHTER], "words") == ("Raise the exposure by 1.3 stops.",)
    assert backend.instruction([BRIGHTER, LAMP]) == backend.instruction([LAMP, BRIGHTER])
    assert not any(c.isdigit() for c in backend.instruction([BRIGHTER, LAMP])[0])
    words = backend.predict(source, [[BRIGHTER]], "words")
    numbers = backend.predict(source, [[BRIGHTER]], "numbers")
    assert not torch.equal(words, numbers)


def test_the_command_edits_with_a_pretrained_base(
    adapters: dict[str, Path], tmp_path: Path
) -> None:
    """Which base it is, the adapter's config says."""
    (tmp_path / "photo.png").write_bytes(encode_png(picture()))
    files = [str(tmp_path / name) for name in ("photo.png", "edited.png")]
    options = ["--adapter", str(adapters["kontext"]), "--edit", "exposure=+1EV"]

    result = CliRunner().invoke(app, ["edit", files[0], *options, "-o", files[1]])

    assert result.exit_code == 0, result.output
    assert (tmp_path / "edited.png").is_file()


def test_a_base_that_is_gone_is_named(adapters: dict[str, Path], tmp_path: Path) -> None:
    """With the two ways to mend it."""
    adapter = NumericAdapter.from_pretrained(adapters["klein"])
    adapter.register_to_config(base_path=str(tmp_path / "gone"))
    adapter.save_pretrained(tmp_path / "adapter")

    with pytest.raises(JobError, match=r"gone is missing; .* correct base_path in config\.json"):
        load_editor(tmp_path / "adapter")


@pytest.mark.slow
def test_an_adapter_of_a_pretrained_base_is_evaluated(
    adapters: dict[str, Path], data_folder: Path, tmp_path: Path
) -> None:
    """By the same protocol, with the floor that its VAE puts under every readout."""
    job = EvaluateJob(
        max_pairs_per_attribute=2,
        num_sweep_scenes=1,
        num_sweep_steps=3,
        num_behaviour_pairs=1,
        num_combination_pairs=1,
    )

    report = evaluate(adapters["kontext"], [data_folder], job, tmp_path)

    assert {"adapter", "words", "vae"} <= set(report.editors)
    assert {score.attribute for score in report.main_scores()} == {"exposure", "light_power"}
    assert any("given the edit in English, its number included" in note for note in report.notes)
