import tomllib
from pathlib import Path
from typing import Any

import pytest
from pydantic import ValidationError

from cat_dataset.jobs.manifest import dump_job
from cat_dataset.jobs.train_job import TrainJob

KLEIN = {"base": "klein", "base_path": "klein", "size_px": 512}


@pytest.mark.parametrize(
    ("settings", "rule"),
    [
        ({"attributes": ["exposure", "exposure"]}, "name one twice; remove it"),
        ({"batch_size": 32, "micro_batch_size": 5}, "micro_batch_size 5 must divide batch_size 32"),
        ({"max_edits": 2}, 'set pairs = "composed", or remove them'),
        ({"value_ranges": {"exposure": [-1.0, 1.0]}}, 'set pairs = "composed", or remove them'),
        ({"draw_weights": {"exposure": 2}}, 'set pairs = "composed", or remove them'),
        ({"pairs": "composed", "draw_weights": {"aperture": 2}}, "draw_weights: aperture is not"),
        (
            {"pairs": "composed", "value_ranges": {"aperture": [-1.0, 1.0]}},
            "aperture is none of the trained attributes that are composed",
        ),
        (
            {"pairs": "composed", "value_ranges": {"exposure": [1.0, -1.0]}},
            "must rise; swap the two numbers",
        ),
        ({"held_out_combinations": ["exposure"]}, "must name two or more of the attributes"),
        ({"held_out_combinations": ["exposure+roughness"]}, "must name two or more of the attrib"),
        ({"held_out_values": {"exposure": [[1.0, 0.5]]}}, "must rise; swap its ends"),
        (
            {"held_out_values": {"roughness": [[1.0, 5.0]]}},
            "held_out_values: roughness is not trained",
        ),
        (
            {"baselines": ["no_task_id"], "task_ids": False},
            "compared with an adapter that has task ids",
        ),
        ({"numbers": "prompt", "task_ids": False}, "and numbers = .prompt. trains none"),
        ({"token_tasks": ["aperture"]}, "token_tasks: aperture is not trained; remove it"),
        ({"worded_tasks": ["aperture"]}, "worded_tasks: aperture is not trained; remove it"),
        (
            {"worded_tasks": ["exposure"], "numbers": "prompt"},
            "only the compact base beside an adapter",
        ),
        ({"base": "klein"}, "is read from a folder: set base_path"),
        ({"base_path": "klein"}, "base_path: the compact base is trained here and caches nothing"),
        ({**KLEIN, "hidden_size": 64}, "hidden_size: trains the compact base, and base = .klein."),
        ({**KLEIN, "numbers": "prompt"}, "numbers = .prompt.: trains the compact base"),
        ({**KLEIN, "baselines": ["number_in_prompt"]}, "baselines: number_in_prompt: trains the"),
        ({**KLEIN, "pairs": "composed"}, "make stored pairs with `cat-dataset compose`"),
        ({**KLEIN, "size_px": 48}, "size_px 48: base = .klein. takes multiples of 16, at least 64"),
        ({**KLEIN, "size_px": 72}, "size_px 72: base = .klein. takes multiples of 16"),
        ({"lora_learning_rate": 1e-3}, "lora_learning_rate without lora_rank trains nothing"),
        ({"baselines": ["words"]}, "Input should be 'number_in_prompt', 'no_task_id', 'with_lora'"),
        ({"baselines": ["joint"], "joint": True}, "compared with an adapter that has task ids"),
        ({"baselines": ["with_lora"], "lora_rank": 4}, "the adapter has a LoRA already"),
        ({"joint": True, "lora_rank": 4}, "joint trains an adapter and its whole base"),
        ({**KLEIN, "joint": True}, "joint: trains the compact base, and base = .klein."),
        ({**KLEIN, "baselines": ["joint"]}, "baselines: joint: trains the compact base"),
    ],
)
def test_settings_that_do_not_fit_are_refused(settings: dict[str, Any], rule: str) -> None:
    """Each with the rule it breaks."""
    with pytest.raises(ValidationError, match=rule):
        TrainJob.model_validate(settings)


def test_what_is_held_out_and_composed_is_read() -> None:
    """The parts of a combination may stand in any order."""
    job = TrainJob.model_validate(
        {
            "pairs": "composed",
            "max_edits": 2,
            "value_ranges": {"exposure": [-1.0, 1.5]},
            "held_out_combinations": ["light_power+exposure"],
            "held_out_values": {"exposure": [[0.4, 0.6], [-1.0, -0.9]]},
        }
    )

    assert job.value_ranges == {"exposure": (-1.0, 1.5)}
    assert job.held_out_values == {"exposure": ((0.4, 0.6), (-1.0, -0.9))}


def test_paths_of_a_manifest_are_relative_to_its_folder() -> None:
    """Absolute ones and those not given stay as they are."""
    job = TrainJob.model_validate({**KLEIN, "cache_folder": "/fast/cache"})

    found = job.beside(Path("jobs"))

    assert (found.base_path, found.cache_folder) == (str(Path("jobs/klein")), "/fast/cache")
    assert TrainJob().beside(Path("jobs")) == TrainJob()


@pytest.mark.parametrize("settings", [{}, KLEIN, {**KLEIN, "lora_rank": 8}])
def test_a_resolved_job_is_a_job(settings: dict[str, Any]) -> None:
    """What `--dry-run` prints names every setting, and can be run."""
    job = TrainJob.model_validate(settings)

    assert TrainJob.model_validate(tomllib.loads(dump_job(job))) == job
