"""The adapter on stock pipelines: their classes, their calls, tiny checkpoints on disk."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from diffusers import Flux2KleinPipeline, FluxKontextPipeline
from numpy.typing import NDArray
from PIL import Image
from torch import nn

from cat_dataset.errors import EditScaleError, JobError
from cat_dataset.imaging.photometry import DAYLIGHT_CCT_K
from cat_dataset.jobs.train_job import TrainJob
from cat_dataset.jobs.train_settings import AdapterSettings
from cat_dataset.records import EditScale
from train.adapter.adapter import NumericAdapter, Task
from train.adapter.fresh_adapter import fresh_adapter
from train.adapter.hooks import modulation_linears
from train.model.compact import build_compact

pytest.importorskip("transformers", reason="the text encoders of stock pipelines: extra 'hub'")

SIZE_PX = 64  # FLUX.2 takes no smaller pictures
EXPOSURE = Task("exposure", "exposure", "stops", -2.0, 2.0, None, None)
BALANCE = Task("white_balance", "white balance", "mired", -120.0, 120.0, DAYLIGHT_CCT_K, "K")
BRIGHTER, COOLER = EditScale("exposure", 1.3), EditScale("white_balance", 40.0)
Call = Callable[..., NDArray[np.float32]]
PIPELINES = ("kontext", "klein")


def kontext_call(pipeline: Any) -> Call:
    """Return the call of the documentation of FluxKontextPipeline, small."""

    def call(prompt: str | list[str] = "raise the exposure", **more: Any) -> NDArray[np.float32]:
        result = pipeline(
            image=picture(),
            prompt=prompt,
            guidance_scale=2.5,
            generator=torch.Generator().manual_seed(42),
            height=SIZE_PX,
            width=SIZE_PX,
            max_area=SIZE_PX**2,
            _auto_resize=False,
            num_inference_steps=2,
            output_type="np",
            **more,
        )
        return np.asarray(result.images)

    return call


def klein_call(pipeline: Any) -> Call:
    """Return the call of the documentation of Flux2KleinPipeline, small."""

    def call(prompt: str | list[str] = "raise the exposure", **more: Any) -> NDArray[np.float32]:
        settings = {"guidance_scale": 4.0, "num_inference_steps": 2, **more}
        result = pipeline(
            image=picture(),
            prompt=prompt,
            generator=torch.Generator().manual_seed(42),
            output_type="np",
            **settings,
        )
        return np.asarray(result.images)

    return call


def picture() -> Image.Image:
    """Return a small picture."""
    row, column = np.mgrid[0:SIZE_PX, 0:SIZE_PX]
    waves = [np.sin(row / 5 + k) * np.cos(column / 7 - k) for k in range(3)]
    return Image.fromarray((120 + 90 * np.stack(waves, axis=-1)).astype(np.uint8))


@pytest.fixture(params=PIPELINES)
def pipeline(request: pytest.FixtureRequest, checkpoints: dict[str, Path]) -> Any:
    """A stock pipeline, loaded as users load it."""
    kind = {"kontext": FluxKontextPipeline, "klein": Flux2KleinPipeline}[request.param]
    loaded = kind.from_pretrained(checkpoints[request.param], use_safetensors=True)
    loaded.set_progress_bar_config(disable=True)
    return loaded


@pytest.fixture
def call(pipeline: Any) -> Call:
    """Its documented call."""
    is_kontext = isinstance(pipeline, FluxKontextPipeline)
    return kontext_call(pipeline) if is_kontext else klein_call(pipeline)


@pytest.fixture(params=[(), ("exposure",)], ids=["modulation", "tokens"])
def fresh(pipeline: Any, request: pytest.FixtureRequest) -> NumericAdapter:
    """An adapter that has learned nothing; exposure is carried by either."""
    torch.manual_seed(1)
    job = TrainJob().with_settings(
        {"adapter.code_size": 16, "adapter.token_attributes": request.param}
    )
    return fresh_adapter(pipeline.transformer, [EXPOSURE, BALANCE], job)


@pytest.fixture
def trained(fresh: NumericAdapter) -> NumericAdapter:
    """An adapter whose every weight has moved."""
    torch.manual_seed(2)
    nn.init.normal_(fresh.to_modulations.weight, std=0.3)
    for attention in () if fresh.tokens is None else fresh.tokens.attentions:
        nn.init.normal_(attention.to_output.weight, std=0.3)
    return fresh


def test_a_fresh_adapter_leaves_a_stock_pipeline_bit_identical(
    pipeline: Any, call: Call, fresh: NumericAdapter
) -> None:
    """Through scheduler, guidance and VAE; the call does not change."""
    before = call()

    with fresh.attach(pipeline.transformer, [BRIGHTER, COOLER]):
        attached = call()

    assert np.array_equal(attached, before)


def test_a_trained_adapter_steers_and_is_neutral_at_zero(
    pipeline: Any, call: Call, trained: NumericAdapter
) -> None:
    """Numbers change the picture; zero, none, and a removed adapter are the base to the bit."""
    before = call()

    handle = trained.attach(pipeline.transformer, [BRIGHTER])
    steered = call()
    handle.remove()
    detached = call()
    with trained.attach(pipeline.transformer, [EditScale("exposure", 0.0)]):
        at_zero = call()
    with trained.attach(pipeline.transformer, []):
        without_numbers = call()

    assert np.abs(steered - before).max() > 1e-3
    for same in (detached, at_zero, without_numbers):
        assert np.array_equal(same, before)


def test_the_order_of_edits_does_not_matter_to_a_stock_pipeline(
    pipeline: Any, call: Call, trained: NumericAdapter
) -> None:
    """Codes are summed in the order of tasks."""
    with trained.attach(pipeline.transformer, [BRIGHTER, COOLER]):
        one = call()
    with trained.attach(pipeline.transformer, [COOLER, BRIGHTER]):
        other = call()

    assert np.abs(one - other).max() <= 1e-6


def test_pictures_of_one_prompt_share_its_numbers(
    pipeline: Any, call: Call, trained: NumericAdapter
) -> None:
    """Two prompts, two pictures each: a, a, b, b; every one as if it were called alone."""
    edits = [[BRIGHTER], []]
    with trained.attach(pipeline.transformer, edits):
        four = call(prompt=["raise", "lower"], num_images_per_prompt=2)
    with trained.attach(pipeline.transformer, []):
        unsteered = call(prompt=["raise", "lower"], num_images_per_prompt=2)

    assert len(four) == 4
    is_steered = np.abs(four - unsteered).max(axis=(1, 2, 3)) > 1e-3
    assert is_steered.tolist() == [True, True, False, False]


def test_a_batch_that_edits_do_not_fit_is_refused(
    pipeline: Any, call: Call, trained: NumericAdapter
) -> None:
    """Three prompts and two lists of edits: nobody knows which belongs to which."""
    with (
        trained.attach(pipeline.transformer, [[BRIGHTER], []]),
        pytest.raises(EditScaleError, match="3 pictures and was given the edits of 2"),
    ):
        call(prompt=["raise", "lower", "keep"])


def test_numbers_act_in_the_negative_pass_too(
    pipeline: Any, call: Call, trained: NumericAdapter
) -> None:
    """The transformer is called twice a step, and both times the modulations are offset.

    So with prompts that say the same, guidance changes nothing of what a number does.
    """
    more = {"negative_prompt": "", "true_cfg_scale": 4.0}
    if isinstance(pipeline, Flux2KleinPipeline):
        more = {"guidance_scale": 4.0}
    off = {"guidance_scale": 1.0} if isinstance(pipeline, Flux2KleinPipeline) else {}

    with trained.attach(pipeline.transformer, [BRIGHTER]):
        guided, unguided = call(prompt="", **more), call(prompt="", **off)
    base_guided = call(prompt="", **more)

    assert np.abs(guided - unguided).max() < 1e-4
    assert np.abs(guided - base_guided).max() > 1e-3


def test_a_base_in_half_precision_stays_in_half_precision(
    pipeline: Any, call: Call, fresh: NumericAdapter
) -> None:
    """A float32 adapter must not widen what follows: a fresh one is still exactly neutral."""
    pipeline.to(torch.bfloat16)
    before = call()

    with fresh.attach(pipeline.transformer, [BRIGHTER]):
        attached = call()

    assert np.array_equal(attached, before)


def test_an_adapter_of_another_base_is_refused(pipeline: Any) -> None:
    """The message names a modulation that does not fit."""
    base = build_compact(32, ["exposure"], num_places=1)
    other = fresh_adapter(
        base.transformer, [EXPOSURE], TrainJob(adapter=AdapterSettings(code_size=16))
    )

    with pytest.raises(JobError, match="it was trained on another base"):
        other.attach(pipeline.transformer, [BRIGHTER])


def test_flux_2_is_steered_by_its_shared_modulations(checkpoints: dict[str, Path]) -> None:
    """Two for the double blocks, one for the single ones, and the last norm."""
    loaded = Flux2KleinPipeline.from_pretrained(checkpoints["klein"], use_safetensors=True)

    assert list(modulation_linears(loaded.transformer)) == [
        "double_stream_modulation_img.linear",
        "double_stream_modulation_txt.linear",
        "single_stream_modulation.linear",
        "norm_out.linear",
    ]


def test_edits_are_typed_as_people_say_them(trained: NumericAdapter) -> None:
    """A factor or stops, kelvin against the picture's usual balance."""
    edits = trained.typed(["exposure=2x", "white_balance=5000K"])

    assert [edit.value for edit in edits] == pytest.approx([1.0, 46.1538], abs=1e-4)
