"""Training on pretrained bases: tiny checkpoints, real pairs, stock pipelines as the reference."""

import shutil
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from PIL import Image
from torch import Tensor

from cat_dataset.errors import JobError
from tests.train.conftest import ATTRIBUTES
from tests.train.pretrained_runs import (
    SIZE_PX,
    another_vae,
    frozen_base,
    latent_job,
    training_pairs,
)
from tests.train.stopped_runs import StopAfter, StoppedError, hashes
from train.adapter.adapter import NumericAdapter
from train.evaluate.baselines import baselines_beside, train_with_baselines
from train.loop.loop import run_training
from train.pretrained.checkpoint import check_base_folder, load_base
from train.pretrained.latent_stage import latent_adapter_stage
from train.pretrained.pipelines import LatentBase
from train.pretrained.prompts import instruction_of
from train.runs.metrics_log import read_log

pytest.importorskip("transformers", reason="the text encoders of stock pipelines: extra 'hub'")

KINDS = ("kontext", "klein")


@pytest.fixture(scope="session")
def finished(
    checkpoints: dict[str, Path], data_folder: Path, tmp_path_factory: pytest.TempPathFactory
) -> dict[str, Path]:
    """A run of each kind that nothing interrupted."""
    root = tmp_path_factory.mktemp("finished")
    for kind in KINDS:
        run_training(latent_job(kind, checkpoints[kind]), [data_folder], root / kind, num_threads=1)
    return {kind: root / kind for kind in KINDS}


@pytest.fixture(params=KINDS)
def kind(request: pytest.FixtureRequest) -> str:
    """Which base."""
    return str(request.param)


@pytest.fixture
def base(kind: str, checkpoints: dict[str, Path]) -> LatentBase:
    """A loaded base."""
    return load_base(kind, checkpoints[kind])


def picture(seed: int = 0) -> np.ndarray:
    """Return a picture of SIZE_PX, uint8."""
    row, column = np.mgrid[0:SIZE_PX, 0:SIZE_PX]
    waves = [np.sin(row / 5 + k + seed) * np.cos(column / 7 - k) for k in range(3)]
    return (120 + 90 * np.stack(waves, axis=-1)).astype(np.uint8)


class FirstCall:
    """The arguments and the answer of the transformer's first call."""

    def __init__(self, transformer: torch.nn.Module) -> None:
        self.arguments: dict[str, Any] = {}
        self.answer: Tensor | None = None
        transformer.register_forward_hook(self._keep, with_kwargs=True)

    def _keep(self, _module: Any, _inputs: Any, arguments: dict[str, Any], answer: Any) -> None:
        if self.answer is None:
            self.arguments, self.answer = dict(arguments), answer[0]


def stock_first_call(base: LatentBase, text: str) -> FirstCall:
    """Call the stock pipeline and return what its transformer was asked first."""
    first = FirstCall(base.pipeline.transformer)
    more = {"max_area": SIZE_PX**2, "_auto_resize": False} if base.kind == "kontext" else {}
    base.pipeline(
        image=Image.fromarray(picture()),
        prompt=text,
        height=SIZE_PX,
        width=SIZE_PX,
        guidance_scale=1.0,
        num_inference_steps=1,
        generator=torch.Generator().manual_seed(0),
        output_type="latent",
        **more,
    )
    return first


def test_a_step_asks_the_transformer_what_the_stock_pipeline_asks(base: LatentBase) -> None:
    """Packing, ids, text codes, time and guidance: every argument, and the answer."""
    stock = stock_first_call(base, "raise the exposure")
    ours = FirstCall(base.pipeline.transformer)
    source = base.encode(picture()[None])
    packed = stock.arguments["hidden_states"]
    noisy_tokens = packed[:, : packed.shape[1] // 2]
    if base.kind == "kontext":
        noisy = base.pipeline._unpack_latents(noisy_tokens, SIZE_PX, SIZE_PX, 8)
    else:
        noisy = noisy_tokens.permute(0, 2, 1).reshape(source.shape)

    with torch.no_grad():
        velocity = base.velocity(
            noisy, torch.ones(1), source, base.encode_text(["raise the exposure"])
        )

    for name, wanted in stock.arguments.items():
        if isinstance(wanted, Tensor):
            torch.testing.assert_close(ours.arguments[name], wanted, msg=name)
    assert velocity.shape == source.shape
    torch.testing.assert_close(ours.answer, stock.answer)


def test_latents_become_pictures_as_in_the_stock_pipeline(base: LatentBase) -> None:
    """Normalisation and packing are undone in the order in which they were done."""
    decoded = base.decode(base.encode(picture()[None]))

    vae = base.pipeline.vae
    codes = torch.from_numpy(picture()).permute(2, 0, 1)[None].float() / 127.5 - 1.0
    with torch.no_grad():
        plain = vae.decode(vae.encode(codes).latent_dist.mode(), return_dict=False)[0]
    torch.testing.assert_close(decoded, (plain / 2 + 0.5).clamp(0, 1), atol=1e-4, rtol=1e-4)


def test_the_loss_is_that_of_the_velocity(
    kind: str, checkpoints: dict[str, Path], data_folder: Path, tmp_path: Path
) -> None:
    """x0 is predicted, and its error divided by the time is the error of the velocity."""
    job = latent_job(kind, checkpoints[kind])
    frozen = frozen_base(job, data_folder, tmp_path)
    pairs = training_pairs(data_folder)
    batch = frozen.objective.whole_batch(pairs, [0, 1])
    noise, time = torch.randn_like(batch.target_BCHW), torch.tensor([0.9, 0.3])
    t = time.view(-1, 1, 1, 1)
    noisy = (1 - t) * batch.target_BCHW + t * noise
    said = torch.randn_like(noise)

    loss = frozen.objective.loss(job, noisy - t * said, batch, time)

    wanted = torch.nn.functional.mse_loss(said, noise - batch.target_BCHW)
    torch.testing.assert_close(loss, wanted)


def test_a_run_ends_with_an_adapter_that_has_learned(
    kind: str, finished: dict[str, Path], checkpoints: dict[str, Path]
) -> None:
    """It names its base, steers it, and the log has finite losses and a validation."""
    adapter = NumericAdapter.from_pretrained(finished[kind] / "adapter")

    assert adapter.config["base"] == kind
    assert Path(adapter.config["base_path"]) == checkpoints[kind]
    assert adapter.to_modulations.weight.abs().max() > 0
    log = read_log(finished[kind])
    assert any("validation_loss" in entry for entry in log)
    assert all(np.isfinite(entry["loss"]) for entry in log if "loss" in entry)
    assert (finished[kind] / "samples" / "adapter-0000006.png").is_file()


def test_a_baseline_has_the_same_base_and_caches(
    checkpoints: dict[str, Path], data_folder: Path, finished: dict[str, Path], tmp_path: Path
) -> None:
    """Nothing is encoded twice; the baseline is an adapter with one encoder for all tasks."""
    shutil.copytree(finished["klein"], tmp_path / "run")
    job = latent_job("klein", checkpoints["klein"], {"baselines": ("no_task_id",)})
    cached = hashes(tmp_path / "run" / "cache")

    train_with_baselines(job, [data_folder], tmp_path / "run", num_threads=1)

    baseline = baselines_beside(tmp_path / "run")["no_task_id"]
    adapter = NumericAdapter.from_pretrained(baseline)
    assert Path(adapter.config["base_path"]) == checkpoints["klein"]
    assert len(adapter.encoders) == 1
    assert hashes(tmp_path / "run" / "cache") == cached
    assert not (baseline.parent / "cache").exists()


@pytest.mark.parametrize("num_workers", [0, 2])
@pytest.mark.parametrize("num_steps", [1, 3])
def test_a_stopped_run_resumes_to_the_same_bytes(
    num_steps: int,
    num_workers: int,
    checkpoints: dict[str, Path],
    data_folder: Path,
    finished: dict[str, Path],
    tmp_path: Path,
) -> None:
    """Between and at checkpoints, with and without workers; the caches are kept."""
    job = latent_job("klein", checkpoints["klein"], {"num_loader_workers": num_workers})
    with pytest.raises(StoppedError):
        run_training(
            job, [data_folder], tmp_path / "run", num_threads=1, progress=StopAfter(num_steps)
        )

    run_training(job, [data_folder], tmp_path / "run")

    assert hashes(tmp_path / "run" / "adapter") == hashes(finished["klein"] / "adapter")


def test_memory_saving_and_parts_change_nothing_but_rounding(
    kind: str,
    checkpoints: dict[str, Path],
    data_folder: Path,
    finished: dict[str, Path],
    tmp_path: Path,
) -> None:
    """Gradient checkpointing and micro batches: each sample has its own text, noise and time."""
    job = latent_job(
        kind, checkpoints[kind], {"gradient_checkpointing": True, "optimizer.micro_batch_size": 2}
    )

    adapter = NumericAdapter.from_pretrained(
        run_training(job, [data_folder], tmp_path / "run", num_threads=1)
    )

    wanted = NumericAdapter.from_pretrained(finished[kind] / "adapter")
    for name, weight in wanted.state_dict().items():
        torch.testing.assert_close(adapter.state_dict()[name], weight, atol=1e-4, rtol=1e-2)


def test_bf16_trains_a_float32_adapter(
    kind: str, checkpoints: dict[str, Path], data_folder: Path, tmp_path: Path
) -> None:
    """The base is read in half precision, the adapter stays whole."""
    job = latent_job(kind, checkpoints[kind], {"precision": "bf16", "adapter.num_steps": 2})

    adapter = NumericAdapter.from_pretrained(
        run_training(job, [data_folder], tmp_path / "run", num_threads=1)
    )

    assert adapter.to_modulations.weight.dtype == torch.float32
    assert adapter.to_modulations.weight.abs().max() > 0


def test_another_base_is_another_run(
    checkpoints: dict[str, Path], data_folder: Path, finished: dict[str, Path], tmp_path: Path
) -> None:
    """The folder of the base may move, its weights may not change."""
    moved = shutil.copytree(checkpoints["klein"], tmp_path / "moved")
    run_training(latent_job("klein", moved), [data_folder], finished["klein"])
    another_vae(moved)

    with pytest.raises(JobError, match="another base"):
        run_training(latent_job("klein", moved), [data_folder], finished["klein"])


def test_a_folder_that_is_no_such_base_is_refused(
    checkpoints: dict[str, Path], tmp_path: Path
) -> None:
    """Empty, of another kind, or distilled."""
    with pytest.raises(JobError, match=r"holds no model_index\.json; .*hf download"):
        check_base_folder("klein", tmp_path)
    with pytest.raises(JobError, match=r'FluxKontextPipeline, and base\.kind = "klein"'):
        check_base_folder("klein", checkpoints["kontext"])
    distilled = shutil.copytree(checkpoints["klein"], tmp_path / "distilled")
    index = distilled / "model_index.json"
    index.write_text(index.read_text().replace('"is_distilled": false', '"is_distilled": true'))
    with pytest.raises(JobError, match="is the distilled model"):
        check_base_folder("klein", distilled)


def test_the_shift_of_times_is_the_schedulers(
    kind: str, checkpoints: dict[str, Path], data_folder: Path, tmp_path: Path
) -> None:
    """16 tokens: a little below the base_shift of 256."""
    job = latent_job(kind, checkpoints[kind])
    frozen = frozen_base(job, data_folder, tmp_path)
    adapter = NumericAdapter([], [("a", 4)], 4, "", SIZE_PX)

    stage = latent_adapter_stage(job, frozen, adapter)

    scheduler = frozen.base.pipeline.scheduler
    slope = (1.15 - 0.5) / (4096 - 256)
    assert stage.time_shift == pytest.approx(np.exp(0.5 + slope * (16 - 256)))
    half = scheduler.time_shift(np.log(stage.time_shift), 1.0, torch.tensor([0.5]))
    assert float(half) == pytest.approx(stage.time_shift / (1 + stage.time_shift))


def test_texts_name_attributes_and_no_numbers(data_folder: Path) -> None:
    """So that guidance multiplies no number, and there are few texts."""
    texts = {instruction_of(row.edits) for row in training_pairs(data_folder).rows}

    assert len(texts) == len(ATTRIBUTES)
    assert not any(character.isdigit() for text in texts for character in text)
