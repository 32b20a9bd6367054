"""Edits as tokens: on the compact base, and on the blocks of FLUX.1 and FLUX.2."""

from collections.abc import Mapping
from contextlib import ExitStack
from pathlib import Path
from types import MappingProxyType

import pytest
import torch
from diffusers import Flux2Transformer2DModel
from torch import Tensor, nn

from cat_dataset.errors import JobError
from cat_dataset.imaging.photometry import DAYLIGHT_CCT_K
from cat_dataset.jobs.train_job import TrainJob
from cat_dataset.records import EditScale
from tests.train.conftest import ATTRIBUTES, SIZE_PX, tiny_job
from tests.train.small_bases import predict, predict_edited, random_base, take_steps
from tests.train.stopped_runs import StopAfter, StoppedError, hashes
from train.adapter.adapter import NumericAdapter, Task
from train.adapter.edit_tokens import TokenAttention
from train.adapter.fresh_adapter import fresh_adapter
from train.adapter.token_hooks import attention_shapes
from train.data.batches import draw_batch, whole_batch
from train.data.pairs import TrainingPairs
from train.data.task_ids import tasks_of_pairs
from train.edit.editing import load_editor
from train.loop.loop import run_training
from train.model.compact import CompactBase, build_compact
from train.model.vocabulary import words_by_number
from train.objective.train_step import adapter_stage, base_stage, flow_loss

TASKS = [
    Task("aperture", "aperture", "stops", -4.0, 4.0, None, "f-number"),
    Task("exposure", "exposure", "stops", -2.0, 2.0, None, None),
    Task("white_balance", "white balance", "mired", -120.0, 120.0, DAYLIGHT_CCT_K, "K"),
]
SHARPER, BRIGHTER = EditScale("aperture", 2.0), EditScale("exposure", 1.3)
COOLER = EditScale("white_balance", 40.0)
MIXED, ALL = ("aperture", "exposure"), ("aperture", "exposure", "white_balance")


@pytest.fixture
def base() -> CompactBase:
    """A base with random weights in every layer, the last included."""
    return random_base(ALL)


def fresh(
    transformer: nn.Module,
    token_attributes: tuple[str, ...],
    settings: Mapping[str, object] = MappingProxyType({}),
) -> NumericAdapter:
    """Return a fresh adapter with some tasks carried by tokens."""
    torch.manual_seed(1)
    tokens = {"adapter.code_size": 16, "adapter.token_attributes": token_attributes}
    job = TrainJob(attributes=ALL).with_settings({**tokens, **settings})
    return fresh_adapter(transformer, TASKS, job)


def trained(adapter: NumericAdapter) -> NumericAdapter:
    """Return the adapter with every weight moved."""
    assert adapter.tokens is not None
    torch.manual_seed(2)
    nn.init.normal_(adapter.to_modulations.weight, std=0.3)
    for attention in adapter.tokens.attentions:
        nn.init.normal_(attention.to_output.weight, std=0.3)
    return adapter


@pytest.mark.parametrize("token_attributes", [MIXED, ALL])
def test_a_fresh_adapter_leaves_the_base_bit_identical(
    base: CompactBase, token_attributes: tuple[str, ...]
) -> None:
    """The one zero-initialised layer on the path is what leads back into the base."""
    adapter = fresh(base.transformer, token_attributes)

    assert torch.equal(predict_edited(base, adapter, SHARPER, BRIGHTER, COOLER), predict(base))
    assert adapter.tokens is not None
    zero = [name for name, weight in adapter.tokens.named_parameters() if not weight.any()]
    assert zero == [f"attentions.{k}.to_output.weight" for k in range(6)]


def test_tokens_are_exactly_neutral_at_zero(base: CompactBase) -> None:
    """Values are bias-free in the number: zero, or no number, is the base to the last bit."""
    adapter = trained(fresh(base.transformer, MIXED))
    zeros = EditScale("aperture", 0.0), EditScale("exposure", 0.0)

    assert torch.equal(predict_edited(base, adapter, *zeros), predict(base))
    assert torch.equal(predict_edited(base, adapter), predict(base))
    for edit in (SHARPER, BRIGHTER, COOLER):
        assert not torch.allclose(predict_edited(base, adapter, edit), predict(base))


def test_the_order_of_edits_changes_nothing(base: CompactBase) -> None:
    """Tokens and modulations together: what edits bring is summed in the order of tasks."""
    adapter = trained(fresh(base.transformer, MIXED))

    forward = predict_edited(base, adapter, SHARPER, BRIGHTER, COOLER)
    backward = predict_edited(base, adapter, COOLER, BRIGHTER, SHARPER)

    torch.testing.assert_close(forward, backward, rtol=0.0, atol=1e-6)


def test_edits_are_isolated(base: CompactBase) -> None:
    """What one edit brings is the same to the bit whatever the others are; together, their sum."""
    tokens = trained(fresh(base.transformer, MIXED)).tokens
    assert tokens is not None
    attention = tokens.attentions[0]
    assert isinstance(attention, TokenAttention)
    queries = torch.randn(1, 6, 1, 32)
    features = torch.randn(1, 2, 4)
    other = features.clone()
    other[:, 1] = 5.0

    with torch.no_grad():
        alone = attention.brought(queries, tokens(features), tokens.tasks())
        beside = attention.brought(queries, tokens(other), tokens.tasks())
        together = attention(queries, tokens(features), tokens.tasks())

    assert torch.equal(alone[:, 0], beside[:, 0])
    assert not torch.allclose(alone[:, 1], beside[:, 1])
    torch.testing.assert_close(together, attention.to_output(alone.sum(dim=1).flatten(2)))


def test_attention_to_edits_is_what_its_formula_says(base: CompactBase) -> None:
    """Against a slow loop over edits, heads and picture tokens."""
    tokens = trained(fresh(base.transformer, MIXED)).tokens
    assert tokens is not None
    attention = tokens.attentions[0]
    assert isinstance(attention, TokenAttention)
    queries, features = torch.randn(1, 3, 1, 32), torch.randn(1, 2, 4)

    with torch.no_grad():
        ours = attention(queries, tokens(features), tokens.tasks())
        numbers, tasks = tokens(features)[0], tokens.tasks()
        expected = torch.zeros(3, 16)
        for edit in range(2):
            keys = attention.to_keys(numbers[edit] + tasks[edit])
            shares = torch.softmax(queries[0, :, 0] @ keys.T / 32**0.5, dim=-1)
            expected += shares @ attention.to_values(numbers[edit])

        torch.testing.assert_close(ours[0], attention.to_output(expected))


def test_only_picture_tokens_attend_to_edits(base: CompactBase) -> None:
    """In the single blocks, where text and picture stand in one sequence, text comes first."""
    adapter = trained(fresh(base.transformer, ALL))
    block = base.transformer.single_transformer_blocks[0].attn
    outputs: list[Tensor] = []

    with torch.no_grad():
        for edits in ([], [SHARPER]):
            with adapter.attach(base.transformer, [edits, edits]):
                # what comes before the block must be equal: take off all other hooks
                for name, module in base.transformer.named_modules():
                    if module is not base.transformer and not name.startswith(
                        "single_transformer_blocks.0.attn"
                    ):
                        module._forward_hooks.clear()
                keep = block.register_forward_hook(lambda _m, _i, output: outputs.append(output))
                predict(base)
                keep.remove()

    without, edited = outputs
    num_text = len(words_by_number(1))
    assert torch.equal(edited[:, :num_text], without[:, :num_text])
    assert not torch.isclose(edited[:, num_text:], without[:, num_text:]).all(dim=-1).any()


def test_hooks_are_removed(base: CompactBase) -> None:
    """Also after an error inside, and when the base turns out to be another one."""
    adapter = trained(fresh(base.transformer, MIXED))
    before = predict(base)

    with pytest.raises(RuntimeError), adapter.attach(base.transformer, [[SHARPER]] * 2):
        raise RuntimeError

    assert torch.equal(predict(base), before)
    for module in base.transformer.modules():
        assert not module._forward_hooks
        assert not module._forward_pre_hooks


def test_a_base_with_other_attentions_is_refused(base: CompactBase) -> None:
    """And nothing stays on it."""
    adapter = trained(fresh(base.transformer, MIXED))
    assert adapter.tokens is not None
    adapter.tokens.names = adapter.tokens.names[:-1]

    with pytest.raises(JobError, match="has 6 attentions and the adapter was trained for 5"):
        adapter.attach(base.transformer, [[SHARPER]])

    assert not any(module._forward_hooks for module in base.transformer.modules())


@pytest.mark.parametrize("settings", [{}, {"method": "no_task_id"}, {"adapter.num_tokens": 2}])
def test_a_saved_adapter_comes_back_with_its_carriers(
    base: CompactBase, settings: dict[str, object], tmp_path: Path
) -> None:
    """config.json says which task is carried by what."""
    adapter = trained(fresh(base.transformer, MIXED, settings))

    adapter.save_pretrained(tmp_path)
    loaded = NumericAdapter.from_pretrained(tmp_path)

    carriers = {name: task.carrier for name, task in loaded.tasks.items()}
    assert carriers == {"aperture": "tokens", "exposure": "tokens", "white_balance": "modulation"}
    edits = SHARPER, BRIGHTER, COOLER
    assert torch.equal(predict_edited(base, loaded, *edits), predict_edited(base, adapter, *edits))


def test_each_picture_obeys_its_own_number(base: CompactBase) -> None:
    """The first picture is edited, the second has no edit and stays the base's."""
    adapter = trained(fresh(base.transformer, MIXED))

    with torch.no_grad(), adapter.attach(base.transformer, [[SHARPER], []]):
        mixed = predict(base)

    assert not torch.allclose(mixed[0], predict(base)[0])
    torch.testing.assert_close(mixed[1], predict(base)[1])


def test_blocks_of_flux2_are_reached_too() -> None:
    """Its attention is another class, and its single blocks have one projection for everything."""
    torch.manual_seed(0)
    model = Flux2Transformer2DModel(
        in_channels=8,
        num_layers=1,
        num_single_layers=2,
        attention_head_dim=16,
        num_attention_heads=2,
        joint_attention_dim=12,
        axes_dims_rope=(4, 4, 4, 4),
    )
    adapter = fresh(model, ALL)
    assert [shape.output_width for shape in attention_shapes(model)] == [32] * 3

    def call() -> Tensor:
        generator = torch.Generator().manual_seed(0)
        with torch.no_grad():
            result: Tensor = model(
                hidden_states=torch.randn(1, 6, 8, generator=generator),
                encoder_hidden_states=torch.randn(1, 5, 12, generator=generator),
                timestep=torch.tensor([0.5]),
                img_ids=torch.zeros(6, 4),
                txt_ids=torch.zeros(5, 4),
                guidance=torch.tensor([4.0]),
                return_dict=False,
            )[0]
        return result

    before = call()
    with adapter.attach(model, [SHARPER]):
        assert torch.equal(call(), before)
    with trained(adapter).attach(model, [SHARPER]):
        assert not torch.allclose(call(), before)
    with adapter.attach(model, [EditScale("aperture", 0.0)]):
        assert torch.equal(call(), before)


def train_pairs(data_folder: Path) -> TrainingPairs:
    """Return the training split."""
    return TrainingPairs([data_folder], ("train",), ATTRIBUTES)


def token_job() -> TrainJob:
    """Return the tiny job with two tasks carried by tokens."""
    return tiny_job().with_settings({"adapter.token_attributes": ("exposure", "light_power")})


def test_one_batch_overfits_on_a_frozen_base(data_folder: Path) -> None:
    """Tokens alone steer a base that knows the words: errors of four pairs fall to a third."""
    job = tiny_job().with_settings({"adapter.token_attributes": ATTRIBUTES})
    pairs = train_pairs(data_folder)
    tasks = tasks_of_pairs(pairs.rows, ATTRIBUTES)
    torch.manual_seed(0)
    base = build_compact(32, ATTRIBUTES, num_places=1)  # starts as the identity, as trained ones do
    many = whole_batch(pairs, range(0, len(pairs), 6), SIZE_PX)
    take_steps(base_stage(job, base, tasks), job, many, 120, 3e-3)
    adapter = fresh_adapter(base.transformer, tasks, job)

    few = whole_batch(pairs, [0, 10, 20, 30], SIZE_PX)
    losses = take_steps(adapter_stage(job, base, adapter), job, few, 80, 1e-2)

    assert sum(losses[-10:]) / 10 < 0.35 * sum(losses[:3]) / 3  # 0.316 here; 1 without tokens


def test_checkpointed_blocks_have_the_same_gradients(data_folder: Path) -> None:
    """The attention to edits is computed again with its block on the way back."""
    job, pairs = token_job(), train_pairs(data_folder)
    batch = draw_batch(pairs, job, "adapter", 3, 0.0)

    def gradients(*, saves_memory: bool) -> dict[str, Tensor]:
        base = random_base(ATTRIBUTES)
        if saves_memory:
            base.transformer.enable_gradient_checkpointing()
        adapter = trained(
            fresh_adapter(base.transformer, tasks_of_pairs(pairs.rows, ATTRIBUTES), job)
        )
        stage = adapter_stage(job, base, adapter)
        with ExitStack() as contexts:
            flow_loss(stage, job, batch, 3, "train", contexts).backward()
        return {n: p.grad for n, p in stage.parameters().items() if p.grad is not None}

    frugal, lavish = gradients(saves_memory=True), gradients(saves_memory=False)

    assert frugal.keys() == lavish.keys()
    assert any("task_vectors" in name for name in lavish)
    for name, gradient in lavish.items():
        torch.testing.assert_close(frugal[name], gradient, rtol=1e-4, atol=1e-8)


def test_a_run_with_tokens_resumes_to_the_same_bytes(data_folder: Path, tmp_path: Path) -> None:
    """Stopped in the adapter stage; the finished adapter loads as any other."""
    straight, folder = tmp_path / "straight", tmp_path / "run"
    run_training(token_job(), [data_folder], straight, num_threads=1)
    with pytest.raises(StoppedError):
        run_training(token_job(), [data_folder], folder, num_threads=1, progress=StopAfter(13))

    run_training(token_job(), [data_folder], folder)

    assert hashes(folder / "adapter") == hashes(straight / "adapter")
    assert load_editor(folder).tasks["exposure"].carrier == "tokens"
