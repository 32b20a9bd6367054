"""The adapter's stage on a pretrained base, and what it needs before the first step.

Shapes: B batch, C channels, h height, w width of latents.
"""

from collections.abc import Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import torch
from torch import Tensor

from cat_dataset.jobs.train_job import TrainJob
from cat_dataset.system.seeding import derive_rng
from train.adapter.adapter import NumericAdapter
from train.adapter.lora import LoraWeights
from train.data.batches import Batch
from train.data.pairs import TrainingPairs
from train.model.flow import scheduler_shift
from train.objective.train_step import TrainStage, adapter_networks, rate_factors
from train.pretrained.caches import TensorCache, open_cache
from train.pretrained.checkpoint import load_base, parts_hash
from train.pretrained.latent_space import PREPROCESSING, LatentObjective, fill_latents, has_latents
from train.pretrained.pipelines import LATENT_BASES, PX_PER_TOKEN, LatentBase
from train.pretrained.prompts import NO_TEXT, instruction_of, without_names
from train.pretrained.text_cache import TEMPLATE, TextBook, fill_texts, has_texts
from train.runs.distributed import World

# Of the samples, where the base has a negative pass: that pass must know numbers without a text.
_NO_TEXT_SHARE = 0.1
_UNNAMED_SHARE = 0.5  # of the samples, whose prompt says "the main object" without its name


@dataclass(frozen=True)
class FrozenBase:
    """A pretrained base with everything that its encoders made of the data."""

    base: LatentBase
    objective: LatentObjective
    texts: TextBook

    def time_shift(self, size_px: int) -> float:
        """Return the shift of times that the base's scheduler has at a size."""
        num_tokens = (size_px // PX_PER_TOKEN) ** 2
        return scheduler_shift(self.base.pipeline.scheduler.config, num_tokens)


def freeze_base(
    job: TrainJob,
    pairs: Sequence[TrainingPairs],
    cache_folder: Path,
    world: World,
    device: torch.device,
) -> FrozenBase:
    """Return the base of a job, after the first process has encoded what the caches lack.

    Raises:
        JobError: the base is missing or of another kind, or another one filled the caches.
        ShardError: a shard is broken.
    """
    folder = Path(job.pretrained.path)
    latents, texts = open_caches(job, folder, cache_folder)
    wanted = texts_of(pairs)
    if world.is_first:
        _fill(job, folder, latents, texts, pairs, wanted, device)
    world.wait()
    without = LATENT_BASES[job.base.kind].text_folders
    base = load_base(
        job.base.kind, folder, leave_out=without, precision=job.precision, device=device
    )
    if job.gradient_checkpointing:
        base.pipeline.transformer.enable_gradient_checkpointing()
    objective = LatentObjective(base, latents)
    return FrozenBase(base, objective, TextBook.read(texts, wanted, device))


def open_caches(job: TrainJob, base_folder: Path, folder: Path) -> tuple[TensorCache, TensorCache]:
    """Return the caches of latents and of texts.

    Raises:
        JobError: another VAE, text encoder, size or version filled one.
    """
    base_class = LATENT_BASES[job.base.kind]
    made_by = {
        "kind": "latents",
        "vae": parts_hash(base_folder, ["vae"]),
        "size_px": str(job.base.size_px),
        "preprocessing": PREPROCESSING,
    }
    latents = open_cache(folder / "latents", made_by)
    made_by = {
        "kind": "texts",
        "text_encoder": parts_hash(base_folder, base_class.text_folders),
        "precision": job.precision,
        "prompt_template": TEMPLATE,
    }
    return latents, open_cache(folder / "texts", made_by)


def texts_of(pairs: Sequence[TrainingPairs]) -> set[str]:
    """Return every prompt that a run on these pairs can need."""
    edits = [row.edits for part in pairs for row in part.rows]
    texts = {instruction_of(own) for own in edits}
    texts |= {instruction_of(without_names(own)) for own in edits}
    return texts | {NO_TEXT, instruction_of([])}


def _fill(
    job: TrainJob,
    folder: Path,
    latents: TensorCache,
    texts: TensorCache,
    pairs: Sequence[TrainingPairs],
    wanted: set[str],
    device: torch.device,
) -> None:
    """Encode what the caches lack; text encoders are gone before the VAE comes."""
    load = partial(load_base, job.base.kind, folder, device=device)
    if not has_texts(texts, wanted):
        encoders = load(leave_out=("transformer", "vae"), precision=job.precision)
        fill_texts(texts, encoders, wanted)
        del encoders
    if not all(has_latents(latents, part) for part in pairs):
        without = ("transformer", *LATENT_BASES[job.base.kind].text_folders)
        vae = load(leave_out=without)  # in float32: it is small
        for part in pairs:
            fill_latents(latents, vae, part, job.base.size_px)


def latent_adapter_stage(
    job: TrainJob, frozen: FrozenBase, adapter: NumericAdapter, lora: LoraWeights | None = None
) -> TrainStage:
    """Return the stage in which the adapter learns numbers on a pretrained base.

    Pairs without an edit teach an adapter nothing, which is silent there; a LoRA learns from them
    to keep the picture.
    """
    base, texts = frozen.base, frozen.texts

    def predict(
        batch: Batch, step: int, noisy_BCHW: Tensor, time_B: Tensor, contexts: ExitStack
    ) -> Tensor:
        contexts.enter_context(adapter.attach(base.pipeline.transformer, batch.edits))
        prompts = _prompts(job, step, batch)
        if base.has_negative_pass:
            prompts = _some_silenced(job, step, batch, prompts)
        velocity_BCHW = base.velocity(noisy_BCHW, time_B, batch.source_BCHW, texts.of(prompts))
        return noisy_BCHW - time_B.view(-1, 1, 1, 1) * velocity_BCHW.float()

    return TrainStage(
        "adapter",
        adapter_networks(adapter, lora),
        job.adapter.num_steps,
        job.adapter.learning_rate,
        0.0 if lora is None else job.data.identity_share,
        frozen.time_shift(job.base.size_px),
        predict,
        frozen.objective,
        rate_factors(job, lora),
    )


def _prompts(job: TrainJob, step: int, batch: Batch) -> list[str]:
    """Return the prompt of each sample; a share of them does not name its object.

    So an edit that names none, of the main object, has a prompt that was trained too. Chosen by
    the place in the whole batch.
    """
    rng = derive_rng(job.seed, "adapter", "names", step)
    is_unnamed = rng.random(batch.num_whole or len(batch))[batch.places] < _UNNAMED_SHARE
    return [
        instruction_of(without_names(edits) if unnamed else edits)
        for edits, unnamed in zip(batch.edits, is_unnamed, strict=True)
    ]


def _some_silenced(job: TrainJob, step: int, batch: Batch, prompts: Sequence[str]) -> list[str]:
    """Return the texts, a share of them empty: chosen by the place in the whole batch."""
    rng = derive_rng(job.seed, "adapter", "texts", step)
    is_silent = rng.random(batch.num_whole or len(batch))[batch.places] < _NO_TEXT_SHARE
    return [NO_TEXT if silent else text for silent, text in zip(is_silent, prompts, strict=True)]
