import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch
from torch import Tensor, nn

from cat_dataset.errors import EditScaleError, JobError
from cat_dataset.imaging.photometry import DAYLIGHT_CCT_K
from cat_dataset.jobs.train_job import TrainJob
from cat_dataset.jobs.train_settings import AdapterSettings
from cat_dataset.records import EditScale
from tests.train.small_bases import predict, predict_edited, random_base
from train.adapter.adapter import NumericAdapter, Task, number_features
from train.adapter.fresh_adapter import fresh_adapter
from train.adapter.hooks import modulation_linears
from train.model.compact import CompactBase
from train.model.vocabulary import words_by_number

SMALL_CODE = TrainJob(adapter=AdapterSettings(code_size=16))
EXPOSURE = Task("exposure", "exposure", "stops", -2.0, 2.0, None, None)
BALANCE = Task("white_balance", "white balance", "mired", -120.0, 120.0, DAYLIGHT_CCT_K, "K")
BRIGHTER, COOLER = EditScale("exposure", 1.3), EditScale("white_balance", 40.0)


@pytest.fixture
def base() -> CompactBase:
    """A base with random weights in every layer, the last included."""
    return random_base(["exposure", "white_balance"])


@pytest.fixture
def adapter(base: CompactBase) -> NumericAdapter:
    """A fresh adapter for that base."""
    torch.manual_seed(1)
    return fresh_adapter(base.transformer, [EXPOSURE, BALANCE], SMALL_CODE)


@pytest.fixture
def trained(adapter: NumericAdapter) -> NumericAdapter:
    """An adapter whose every weight has moved."""
    torch.manual_seed(2)
    nn.init.normal_(adapter.to_modulations.weight, std=0.3)
    return adapter


def test_a_fresh_adapter_leaves_the_base_bit_identical(
    base: CompactBase, adapter: NumericAdapter
) -> None:
    """The one zero-initialised layer on the path is the projection."""
    assert torch.equal(predict_edited(base, adapter, BRIGHTER, COOLER), predict(base))


def test_a_trained_adapter_is_exactly_neutral_at_zero(
    base: CompactBase, trained: NumericAdapter
) -> None:
    """No bias anywhere: number zero, or no number, is the base itself, to the last bit."""
    zero = EditScale("exposure", 0.0), EditScale("white_balance", 0.0, 4200.0, 4200.0)

    assert torch.equal(predict_edited(base, trained, *zero), predict(base))
    assert torch.equal(predict_edited(base, trained), predict(base))
    assert not torch.equal(predict_edited(base, trained, BRIGHTER), predict(base))


def test_the_order_of_edits_changes_nothing(base: CompactBase, trained: NumericAdapter) -> None:
    """Codes are summed in the order of tasks, so swapped edits agree to the last bit."""
    forward = predict_edited(base, trained, BRIGHTER, COOLER)
    backward = predict_edited(base, trained, COOLER, BRIGHTER)

    assert torch.equal(forward, backward)


def test_every_modulation_of_the_base_is_reached(
    base: CompactBase, trained: NumericAdapter
) -> None:
    """Both double blocks twice, four single blocks, the last norm: 9 paths, each its own width."""
    offsets = trained(trained.features([[BRIGHTER]]))

    linears = modulation_linears(base.transformer)
    assert len(linears) == 9
    assert {n: o.shape[1] for n, o in offsets.items()} == {
        n: layer.out_features for n, layer in linears.items()
    }


def test_the_last_modulation_acts_in_a_straight_line_and_fifteen_times_as_much(
    base: CompactBase, trained: NumericAdapter
) -> None:
    """Twice the offsets are twice the change where it acts alone; where others do, they are not."""
    weight = trained.to_modulations.weight
    width = trained.config["modulation_widths"][-1][1]
    features = trained.features([[BRIGHTER]])
    code = trained.encoders["exposure"](features[:, 0])
    torch.testing.assert_close([*trained(features).values()][-1], 15.0 * code @ weight[-width:].T)

    def change(times: float) -> Tensor:
        with torch.no_grad():
            weight.mul_(times)
        edited = predict_edited(base, trained, BRIGHTER)
        with torch.no_grad():
            weight.div_(times)
        return edited - predict(base)

    bent, straight = change(2.0) - 2.0 * change(1.0), change(1.0)
    assert bent.abs().max() > 0.1 * straight.abs().max()
    nn.init.zeros_(weight[:-width])
    assert change(1.0).abs().max() > 0.1
    torch.testing.assert_close(change(2.0), 2.0 * change(1.0), rtol=1e-4, atol=1e-5)


def test_leaving_the_context_takes_the_adapter_off(
    base: CompactBase, trained: NumericAdapter
) -> None:
    """Also after an error inside: no hook stays behind."""
    before = predict(base)

    with pytest.raises(RuntimeError), trained.attach(base.transformer, [[BRIGHTER]] * 2):
        raise RuntimeError

    assert torch.equal(predict(base), before)
    assert not any(
        linear._forward_hooks for linear in modulation_linears(base.transformer).values()
    )


def test_each_sample_of_a_batch_obeys_its_own_number(
    base: CompactBase, trained: NumericAdapter
) -> None:
    """The first picture is edited, the second has no edit and stays the base's."""
    with torch.no_grad(), trained.attach(base.transformer, [[BRIGHTER], []]):
        mixed = predict(base)

    assert not torch.allclose(mixed[0], predict(base)[0])
    torch.testing.assert_close(mixed[1], predict(base)[1])


def test_a_saved_adapter_comes_back_with_its_task_table(
    base: CompactBase, trained: NumericAdapter, tmp_path: Path
) -> None:
    """config.json holds units and ranges, safetensors the weights."""
    trained.save_pretrained(tmp_path)
    loaded = NumericAdapter.from_pretrained(tmp_path)

    assert loaded.tasks == {"exposure": EXPOSURE, "white_balance": BALANCE}
    assert sorted(path.name for path in tmp_path.iterdir()) == [
        "config.json",
        "diffusion_pytorch_model.safetensors",
    ]
    assert torch.equal(
        predict_edited(base, loaded, BRIGHTER, COOLER),
        predict_edited(base, trained, BRIGHTER, COOLER),
    )


def test_an_attribute_without_a_task_is_refused(adapter: NumericAdapter) -> None:
    """The message says what the adapter knows."""
    with pytest.raises(EditScaleError, match="not trained on light_power; it knows exposure"):
        adapter.features([[EditScale("light_power", 1.0)]])


def test_features_keep_the_order_of_numbers_also_outside_the_range() -> None:
    """Every feature rises with the number; the first is a line without end."""
    rows = [
        number_features(EXPOSURE, EditScale("exposure", v), 2.0) for v in (-4, -2, -0.5, 0, 1, 3)
    ]

    for feature in zip(*rows, strict=True):
        assert list(feature) == sorted(set(feature))
    assert [row[0] for row in rows] == [-2.0, -1.0, -0.25, 0.0, 0.5, 1.5]


def test_two_steps_in_kelvin_have_the_features_of_the_whole_way() -> None:
    """6500 K to 5000 K to 4000 K adds up to 6500 K to 4000 K, as the gains do."""
    first, second, whole = (
        number_features(BALANCE, EditScale("white_balance", 1e6 / b - 1e6 / a, a, b), 120.0)
        for a, b in ((6500.0, 5000.0), (5000.0, 4000.0), (6500.0, 4000.0))
    )

    assert [a + b for a, b in zip(first, second, strict=True)] == pytest.approx(whole)


@pytest.fixture
def without_ids(base: CompactBase) -> NumericAdapter:
    """An adapter that isolates neither tasks nor units, every weight moved."""
    torch.manual_seed(1)
    job = SMALL_CODE.with_settings({"method": "no_task_id"})
    adapter = fresh_adapter(base.transformer, [EXPOSURE, BALANCE], job)
    nn.init.normal_(adapter.to_modulations.weight, std=0.3)
    return adapter


def test_without_task_ids_equal_numbers_are_one_edit_whatever_their_unit(
    without_ids: NumericAdapter, trained: NumericAdapter
) -> None:
    """One encoder, one common number: 2 stops and 2 mired have one offset, unlike with ids."""
    stops, mired = EditScale("exposure", 2.0), EditScale("white_balance", 2.0)

    def offset(adapter: NumericAdapter, edit: EditScale) -> Tensor:
        return torch.cat(list(adapter(adapter.features([[edit]])).values()), dim=1)

    torch.testing.assert_close(offset(without_ids, stops), offset(without_ids, mired))
    assert not torch.allclose(offset(trained, stops), offset(trained, mired))
    # divided by the geometric mean of 2 stops and 120 mired
    assert without_ids.features([[stops]])[0, 0, 0].item() == pytest.approx(2.0 / 240.0**0.5)


def test_without_task_ids_words_name_the_attributes_in_any_order(
    without_ids: NumericAdapter, trained: NumericAdapter
) -> None:
    """By name alone, without direction or strength; with ids nothing is named."""
    named = without_ids.instruction([COOLER, BRIGHTER], num_places=1)

    assert named == ("by-number", "exposure", "white_balance")
    assert without_ids.instruction([BRIGHTER, COOLER], num_places=1) == named
    assert without_ids.instruction([], num_places=1) == words_by_number(1)
    assert trained.instruction([BRIGHTER], num_places=1) == words_by_number(1)


def test_a_saved_adapter_remembers_that_it_has_no_task_ids(
    base: CompactBase, without_ids: NumericAdapter, tmp_path: Path
) -> None:
    """Its config says so; order and zero are free as with ids."""
    without_ids.save_pretrained(tmp_path)
    loaded = NumericAdapter.from_pretrained(tmp_path)

    edited = predict_edited(base, loaded, BRIGHTER, COOLER)
    assert torch.equal(edited, predict_edited(base, without_ids, COOLER, BRIGHTER))
    assert torch.equal(predict_edited(base, loaded, EditScale("exposure", 0.0)), predict(base))


def test_tasks_with_a_prompt_hint_are_named_with_direction_and_rough_size(
    base: CompactBase,
) -> None:
    """In any order and in parts; what only the number says, and zero, stay neutral."""
    job = TrainJob().with_settings({"base.prompt_hint_attributes": ["exposure"]})
    adapter = fresh_adapter(base.transformer, [EXPOSURE, BALANCE], job)
    words = ("exposure", "raise", "clearly")

    assert adapter.tasks["exposure"].has_prompt_hint
    assert adapter.instruction([BRIGHTER], 1) == words
    assert adapter.instruction([BRIGHTER, COOLER], 1) == words
    assert adapter.instruction([COOLER, BRIGHTER], 1) == words
    assert adapter.instruction([EditScale("exposure", v) for v in (0.3, 1.0)], 1) == words
    assert adapter.instruction([COOLER], 1) == words_by_number(1)
    assert adapter.instruction([EditScale("exposure", 0.0)], 1) == words_by_number(1)


def test_a_saved_adapter_remembers_which_tasks_have_a_prompt_hint(
    base: CompactBase, tmp_path: Path
) -> None:
    """Else an edit would be edited under other words than it was trained with."""
    job = TrainJob().with_settings({"base.prompt_hint_attributes": ["white_balance"]})
    fresh_adapter(base.transformer, [EXPOSURE, BALANCE], job).save_pretrained(tmp_path)

    tasks = NumericAdapter.from_pretrained(tmp_path).tasks

    assert [task.attribute for task in tasks.values() if task.has_prompt_hint] == ["white_balance"]


def test_two_shapes_are_two_tasks_with_encoders_of_their_own(
    base: CompactBase, tmp_path: Path
) -> None:
    """Also after the adapter was stored; an edit of one leaves the features of the other at 0."""
    tasks = [
        Task("shape_key", "shape", "percentage points", -v, v, None, "%", subject=name)
        for name, v in (("smile", 100.0), ("Key_001", 40.0))
    ]
    job = TrainJob(attributes=["shape_key"]).with_settings(
        {"adapter.token_attributes": ["shape_key:Key_001"]}
    )
    fresh_adapter(base.transformer, tasks, job).save_pretrained(tmp_path)

    adapter = NumericAdapter.from_pretrained(tmp_path)

    assert list(adapter.tasks) == ["shape_key:smile", "shape_key:Key_001"]
    assert [task.carrier for task in adapter.tasks.values()] == ["modulation", "tokens"]
    assert list(adapter.encoders) == ["shape_key:smile"]
    features = adapter.features([[EditScale("shape_key", 20.0, subject="Key.001")]])[0]
    assert features[0].tolist() == [0.0] * 4
    assert features[1, 0].item() == pytest.approx(0.5)
    with pytest.raises(EditScaleError, match="not trained on shape_key:blink; it knows shape_key:"):
        adapter.features([[EditScale("shape_key", 20.0, subject="blink")]])


def rewrite_tasks(folder: Path, change: Callable[[dict[str, Any]], dict[str, Any]]) -> None:
    """Change the tasks of a stored adapter's config."""
    config = json.loads((folder / "config.json").read_text())
    config["tasks"] = [change(task) for task in config["tasks"]]
    (folder / "config.json").write_text(json.dumps(config))


def task_of_old(task: dict[str, Any]) -> dict[str, Any]:
    """Return a task as adapters had it before tasks knew their subjects."""
    return {
        **{name: task[name] for name in ("attribute", "label", "unit", "low", "high")},
        **{name: task[name] for name in ("default_source", "absolute_unit", "carrier")},
        "is_worded": task["has_prompt_hint"],
    }


def test_an_adapter_of_old_is_read_as_it_was(base: CompactBase, tmp_path: Path) -> None:
    """Its tasks name no subject, and call the prompt hint otherwise."""
    job = TrainJob().with_settings({"base.prompt_hint_attributes": ["exposure"]})
    written = fresh_adapter(base.transformer, [EXPOSURE, BALANCE], job)
    written.save_pretrained(tmp_path)
    rewrite_tasks(tmp_path, task_of_old)

    read = NumericAdapter.from_pretrained(tmp_path)

    assert read.tasks == written.tasks
    assert read.tasks["exposure"].has_prompt_hint


def test_an_adapter_of_old_on_a_shape_is_refused(base: CompactBase, tmp_path: Path) -> None:
    """Whose numbers it learned is not known: all shapes were one task."""
    task = Task("shape_key", "shape", "percentage points", -90.0, 90.0, None, "%", subject="smile")
    fresh_adapter(base.transformer, [task], TrainJob(attributes=["shape_key"])).save_pretrained(
        tmp_path
    )
    rewrite_tasks(tmp_path, task_of_old)

    with pytest.raises(JobError, match=r"names no shape, .*as in shape_key:smile; train it"):
        NumericAdapter.from_pretrained(tmp_path)
