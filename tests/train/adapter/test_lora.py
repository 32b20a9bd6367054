"""A LoRA beside the adapter: trained with it, its own file, loadable by the stock pipeline."""

import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from diffusers import FluxKontextPipeline
from safetensors.torch import load_file
from torch import nn

from cat_dataset.errors import JobError, MissingExtraError
from cat_dataset.records import EditScale
from tests.train.conftest import tiny_job
from tests.train.pretrained_runs import latent_job
from tests.train.stopped_runs import StopAfter, StoppedError, hashes
from train.adapter.adapter import NumericAdapter
from train.adapter.lora import add_lora, load_lora, without_lora
from train.edit.editing import Editor, load_editor
from train.loop.loop import run_training
from train.model.compact import build_compact
from train.pretrained.checkpoint import load_base

pytest.importorskip("peft", reason="LoRA: extra 'lora'")

RATE = 3e-2  # large, so that few steps show


@pytest.fixture(scope="session", params=["kontext", "klein", "compact"])
def run(
    request: pytest.FixtureRequest,
    checkpoints: dict[str, Path],
    data_folder: Path,
    tmp_path_factory: pytest.TempPathFactory,
) -> Path:
    """A finished run with a LoRA."""
    folder = tmp_path_factory.mktemp("lora") / request.param
    run_training(job_of(request.param, checkpoints), [data_folder], folder, num_threads=1)
    return folder


def job_of(kind: str, checkpoints: dict[str, Path]) -> Any:
    """Return a short run with a LoRA."""
    settings = {"adapter.lora.rank": 2, "adapter.lora.learning_rate": RATE, "adapter.num_steps": 4}
    if kind != "compact":
        return latent_job(kind, checkpoints[kind], settings)
    return tiny_job().with_settings({**settings, "base.num_steps": 4})


def test_adapter_and_lora_are_two_files(run: Path) -> None:
    """The LoRA holds nothing but itself, under the names of stock pipelines, and has learned."""
    names = sorted(path.name for path in (run / "lora").iterdir())
    weights = load_file(run / "lora" / "pytorch_lora_weights.safetensors")

    assert names == ["pytorch_lora_weights.safetensors"]
    assert all(n.startswith("transformer.") and ".lora_" in n for n in weights)
    assert any("single_transformer_blocks" in name for name in weights)
    assert not any("norm" in name or "modulation" in name for name in weights)
    assert max(float(w.abs().max()) for n, w in weights.items() if "lora_B" in n) > 1e-3
    assert not any(
        "lora" in n for n in NumericAdapter.from_pretrained(run / "adapter").state_dict()
    )


def test_an_editor_has_the_lora_of_its_adapter(run: Path) -> None:
    """Numbers come out otherwise than without it; words reach the frozen base alone."""
    editor = load_editor(run / "adapter")
    with_lora = edited(editor)

    with without_lora(editor.backend.transformer):
        alone = edited(editor)

    assert not torch.equal(with_lora, alone)
    assert torch.equal(edited(editor), with_lora)
    source = torch.zeros(1, 3, editor.size_px, editor.size_px)
    words = editor.backend.predict(source, [[EditScale("exposure", 1.0)]], "words")
    with without_lora(editor.backend.transformer):
        plain = editor.backend.predict(source, [[EditScale("exposure", 1.0)]], "words")
    assert torch.equal(words, plain)


def edited(editor: Editor) -> torch.Tensor:
    """Return what an editor makes of grey."""
    source = torch.zeros(1, 3, editor.size_px, editor.size_px)
    return editor.backend.predict(source, [[EditScale("exposure", 1.0)]])


def test_the_stock_pipeline_loads_it(checkpoints: dict[str, Path], run: Path) -> None:
    """`load_lora_weights`, as for any other LoRA, and `unload_lora_weights` takes it off."""
    if run.name == "compact":
        pytest.skip("has no stock pipeline")
    pipeline = load_base(run.name, checkpoints[run.name]).pipeline
    before = {name: p.clone() for name, p in pipeline.transformer.named_parameters()}

    pipeline.load_lora_weights(run / "lora")

    stored = load_file(run / "lora" / "pytorch_lora_weights.safetensors")
    loaded = {n: p for n, p in pipeline.transformer.named_parameters() if "lora_" in n}
    assert len(loaded) == len(stored)
    for name, parameter in loaded.items():
        key = "transformer." + name.replace(".default_0", "").replace(".default", "")
        torch.testing.assert_close(parameter.detach(), stored[key])
    pipeline.unload_lora_weights()
    after = dict(pipeline.transformer.named_parameters())
    assert before.keys() == after.keys()
    assert all(torch.equal(after[name], value) for name, value in before.items())


def test_a_fresh_lora_changes_nothing_and_trains_alone() -> None:
    """The second factor starts at zero; modulations belong to the numbers."""
    torch.manual_seed(0)
    base = build_compact(32, ["exposure"], num_places=1)
    for network in base.modules():
        network.requires_grad_(False)
    nn.init.normal_(base.transformer.proj_out.weight, std=0.1)
    before = said(base.transformer)

    weights = add_lora(base.transformer, rank=2)

    assert torch.equal(said(base.transformer), before)
    trained = [n for n, p in base.transformer.named_parameters() if p.requires_grad]
    assert sorted(n.replace(".", "/") for n in trained) == sorted(
        name for name, _ in weights.named_parameters()
    )
    assert not any("norm" in name for name in trained)


@torch.no_grad()
def said(transformer: Any) -> torch.Tensor:
    """Return what a transformer of width 32 says to fixed tokens."""
    generator = torch.Generator().manual_seed(1)
    tokens, words = (torch.randn(1, n, c, generator=generator) for n, c in ((4, 384), (3, 32)))
    answer: torch.Tensor = transformer(
        hidden_states=tokens,
        encoder_hidden_states=words,
        pooled_projections=words.mean(dim=1),
        timestep=torch.tensor([0.5]),
        img_ids=torch.zeros(4, 3),
        txt_ids=torch.zeros(3, 3),
        return_dict=False,
    )[0]
    return answer


def test_a_stopped_run_with_a_lora_resumes_to_the_same_bytes(
    checkpoints: dict[str, Path], data_folder: Path, run: Path, tmp_path: Path
) -> None:
    """Adapter and LoRA are in one checkpoint, each with its learning rate."""
    job, folder = job_of(run.name, checkpoints), tmp_path / "run"
    stop_after = 3 if run.name != "compact" else job.compact.num_steps + 3
    with pytest.raises(StoppedError):
        run_training(job, [data_folder], folder, num_threads=1, progress=StopAfter(stop_after))

    run_training(job, [data_folder], folder)

    for name in ("adapter", "lora"):
        assert hashes(folder / name) == hashes(run / name)


def test_a_lora_that_is_gone_or_cannot_be_loaded_is_named(
    run: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """With the remedy: the file, or the extra."""
    transformer = build_compact(32, ["exposure"], num_places=1).transformer

    with pytest.raises(JobError, match=r"holds no pytorch_lora_weights\.safetensors; move it tog"):
        load_lora(transformer, tmp_path)
    monkeypatch.setattr(sys.modules["importlib.util"], "find_spec", lambda _name: None)
    with pytest.raises(MissingExtraError, match=r"pip install 'cat-dataset\[lora\]'"):
        add_lora(transformer, rank=2)
    with pytest.raises(MissingExtraError, match=r"pip install 'cat-dataset\[lora\]'"):
        load_lora(transformer, run / "lora")


def test_adapter_and_lora_steer_the_stock_kontext_together(
    checkpoints: dict[str, Path], run: Path
) -> None:
    """Three lines: load the LoRA, attach the adapter, call."""
    if run.name != "kontext":
        pytest.skip("one stock pipeline is enough")
    pipeline = FluxKontextPipeline.from_pretrained(checkpoints["kontext"], use_safetensors=True)
    pipeline.set_progress_bar_config(disable=True)
    adapter = NumericAdapter.from_pretrained(run / "adapter")
    grey = torch.full((1, 3, 64, 64), 0.4)

    def call() -> np.ndarray:
        return np.asarray(
            pipeline(
                image=grey,
                prompt="keep",
                height=64,
                width=64,
                max_area=64 * 64,
                _auto_resize=False,
                num_inference_steps=2,
                generator=torch.Generator().manual_seed(0),
                output_type="np",
            ).images
        )

    plain = call()
    pipeline.load_lora_weights(run / "lora")
    with_lora = call()
    with adapter.attach(pipeline.transformer, adapter.typed(["exposure=+1EV"])):
        with_both = call()

    assert not np.array_equal(plain, with_lora)
    assert not np.array_equal(with_lora, with_both)
