import tomllib
from pathlib import Path
from typing import Any

import pytest
from pydantic import BaseModel

from cat_dataset.errors import JobError
from cat_dataset.jobs.manifest import Job, dump_job, validated
from cat_dataset.jobs.renamed_keys import RENAMED_KEYS
from cat_dataset.jobs.train_job import TrainJob
from cat_dataset.jobs.train_settings import KINDS

KLEIN = {"base": {"kind": "klein", "path": "klein"}}
COMPOSED = {"pairs": "composed"}


def train_job(settings: dict[str, Any]) -> TrainJob:
    """Read [train] as a manifest is read."""
    data = {"dataset": {"name": "a", "seed": 1}, "train": settings}
    job = validated(Job, data, "manifest m").train
    assert job is not None
    return job


@pytest.mark.parametrize(
    ("settings", "rule"),
    [
        ({"attributes": ["exposure", "exposure"]}, "name one twice; remove it"),
        (
            {"optimizer": {"batch_size": 32, "micro_batch_size": 5}},
            "micro_batch_size = 5: must divide batch_size 32",
        ),
        (
            {"data": {**COMPOSED, "draw_weights": {"aperture": 2}}},
            "data.draw_weights: aperture is not trained",
        ),
        (
            {"data": {**COMPOSED, "value_ranges": {"aperture": [-1.0, 1.0]}}},
            "aperture is not composed at any value; use exposure",
        ),
        (
            {"data": {**COMPOSED, "value_ranges": {"ambient_level": [-1.0, 1.0]}}},
            "data.value_ranges: ambient_level is not trained",
        ),
        (
            {"data": {**COMPOSED, "value_ranges": {"exposure": [1.0, -1.0]}}},
            "must rise; swap the two numbers",
        ),
        ({"data": {"held_out_combinations": ["exposure"]}}, "must name two or more attributes"),
        (
            {"data": {"held_out_combinations": ["exposure+roughness"]}},
            "data.held_out_combinations: roughness is not trained",
        ),
        ({"data": {"held_out_values": {"exposure": [[1.0, 0.5]]}}}, "must rise; swap its ends"),
        (
            {"data": {"held_out_values": {"roughness": [[1.0, 5.0]]}}},
            "data.held_out_values: roughness is not trained",
        ),
        (
            {"baselines": ["no_task_id"], "method": "no_task_id"},
            'compared with method = "adapter", not "no_task_id"',
        ),
        ({"baselines": ["joint"], "method": "joint"}, 'compared with method = "adapter"'),
        (
            {"adapter": {"token_attributes": ["aperture"]}},
            "adapter.token_attributes: aperture is not trained; remove it",
        ),
        (
            {"base": {"prompt_hint_attributes": ["aperture"]}},
            "base.prompt_hint_attributes: aperture is not trained; remove it",
        ),
        (
            {"base": {"prompt_hint_attributes": ["exposure"]}, "method": "prompt"},
            "the prompt has the whole number",
        ),
        ({**KLEIN, "method": "prompt"}, 'prompt: trains the base, and base.kind = "klein" is'),
        ({**KLEIN, "method": "joint"}, 'joint: trains the base, and base.kind = "klein" is frozen'),
        ({**KLEIN, "baselines": ["number_in_prompt", "joint"]}, "number_in_prompt, joint: trains"),
        ({**KLEIN, "data": COMPOSED}, "make stored pairs with `cat-dataset compose`"),
        ({"baselines": ["words"]}, "input should be 'number_in_prompt', 'no_task_id', 'with_lora'"),
        (
            {"baselines": ["with_lora"], "adapter": {"lora": {"rank": 4}}},
            "the adapter has a LoRA already",
        ),
        ({"method": "joint", "adapter": {"lora": {"rank": 4}}}, '"joint" trains the whole base'),
        ({"method": "words"}, "train.method = 'words': input should be 'adapter'"),
    ],
)
def test_settings_that_do_not_fit_are_refused(settings: dict[str, Any], rule: str) -> None:
    """Each with the rule it breaks."""
    with pytest.raises(JobError, match=rule):
        train_job(settings)


@pytest.mark.parametrize(
    ("settings", "line"),
    [
        (
            {"data": {"max_edits": 2}},
            'train.data.max_edits = 2: belongs to pairs = "composed"; set that, or remove it',
        ),
        (
            {"base": {"path": "klein"}},
            'train.base.path = \'klein\': belongs to kind = "klein" or "kontext"; set that, or '
            "remove it",
        ),
        (
            {"base": {**KLEIN["base"], "hidden_size": 64}},
            'train.base.hidden_size = 64: belongs to kind = "compact"; set that, or remove it',
        ),
        ({"base": {"kind": "klein"}}, "train.base.path: field required"),
        (
            {"base": {**KLEIN["base"], "size_px": 48}},
            "train.base.size_px = 48: input should be greater than or equal to 64",
        ),
        (
            {"base": {**KLEIN["base"], "size_px": 72}},
            "train.base.size_px = 72: input should be a multiple of 16",
        ),
        (
            {"base": {"kind": "flux"}},
            'train.base: must be a table with kind = "compact" or "klein" or "kontext"',
        ),
        (
            {"base": "klein"},  # as it was written before
            'train.base = \'klein\': must be a table with kind = "compact" or "klein" or "kontext"',
        ),
        (
            {"data": {"pairs": "drawn"}},
            'train.data: must be a table with pairs = "stored" or "composed"',
        ),
        ({"adapter": {"lora": {"learning_rate": 1e-3}}}, "train.adapter.lora.rank: field required"),
        (
            {"data": {"colour": 1}},
            "train.data.colour = 1: extra inputs are not permitted; remove it or check its "
            "spelling",
        ),
    ],
)
def test_what_does_not_go_together_has_no_place(settings: dict[str, Any], line: str) -> None:
    """A key of another kind is no key here; the message says whose it is, in one line."""
    with pytest.raises(JobError) as caught:
        train_job(settings)

    assert str(caught.value) == f"manifest m: {line}"


@pytest.mark.parametrize(("old", "new"), RENAMED_KEYS.items())
def test_a_key_of_before_is_answered_with_its_new_spelling(old: str, new: str) -> None:
    """One sentence, whatever its value was."""
    table, key = old.split(".")
    data = {"dataset": {"name": "a", "seed": 1}, table: {key: 1}}
    with pytest.raises(JobError) as caught:
        validated(Job, data, "manifest m")

    assert str(caught.value) == f"manifest m: {old} = 1: is written as {new}"


@pytest.mark.parametrize("new", RENAMED_KEYS.values())
def test_the_new_spelling_of_a_key_is_a_key(new: str) -> None:
    """Its table has it."""
    key, path = new.split(" ")[0], new.split("[")[1].split("]")[0].split(".")[1:]
    model: type[BaseModel] = TrainJob
    offered: list[type[BaseModel]] = [model]
    for table in path:
        if table in KINDS:
            offered = list(KINDS[table].values())
        else:
            (inner,) = {m.model_fields[table].annotation for m in offered}
            offered = [a for a in getattr(inner, "__args__", (inner,)) if a is not type(None)]

    assert any(key in model.model_fields for model in offered)


def test_what_is_held_out_and_composed_is_read() -> None:
    """The parts of a combination may stand in any order."""
    job = train_job(
        {
            "data": {
                **COMPOSED,
                "max_edits": 2,
                "value_ranges": {"exposure": [-1.0, 1.5]},
                "held_out_combinations": ["light_power+exposure"],
                "held_out_values": {"exposure": [[0.4, 0.6], [-1.0, -0.9]]},
            }
        }
    )

    assert job.composed.value_ranges == {"exposure": (-1.0, 1.5)}
    assert job.data.held_out_values == {"exposure": ((0.4, 0.6), (-1.0, -0.9))}


def test_paths_of_a_manifest_are_relative_to_its_folder() -> None:
    """Absolute ones and those not given stay as they are."""
    job = train_job({"base": {**KLEIN["base"], "cache_folder": "/fast/cache"}})

    found = job.beside(Path("jobs")).pretrained

    assert (found.path, found.cache_folder) == (str(Path("jobs/klein")), "/fast/cache")
    assert TrainJob().beside(Path("jobs")) == TrainJob()


@pytest.mark.parametrize("settings", [{}, KLEIN, {"adapter": {"lora": {"rank": 8}}}])
def test_a_resolved_job_is_a_job(settings: dict[str, Any]) -> None:
    """What `--dry-run` prints names every setting, and can be run."""
    job = train_job(settings)

    assert TrainJob.model_validate(tomllib.loads(dump_job(job))) == job


def test_settings_are_changed_by_their_dotted_keys() -> None:
    """Tables that were absent appear; everything else stays, and rules hold."""
    job = TrainJob().with_settings({"base.num_steps": 7, "adapter.lora.rank": 4})

    assert job.adapter.lora is not None
    assert (job.compact.num_steps, job.adapter.lora.rank) == (7, 4)
    assert job.with_settings({"base.num_steps": 500, "adapter.lora": None}) == TrainJob()
    with pytest.raises(ValueError, match="trains the whole base"):
        job.with_settings({"method": "joint"})
