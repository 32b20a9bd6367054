"""Keys of manifests as they were called before, and how they are written now."""

from collections.abc import Mapping
from types import MappingProxyType

_MOVED = {
    "base": ("base_path", "cache_folder", "size_px", "hidden_size", "num_base_steps",
             "base_learning_rate", "light_loss_weight", "change_loss_weight", "worded_tasks",
             "time_shift"),
    "adapter": ("num_adapter_steps", "adapter_learning_rate", "code_size", "token_tasks",
                "num_tokens"),
    "data": ("pairs", "held_out_combinations", "held_out_values", "identity_share",
             "value_ranges", "draw_weights", "max_edits", "light_beyond_white"),
    "optimizer": ("batch_size", "micro_batch_size", "warm_up_steps", "weight_decay",
                  "largest_gradient_norm", "ema_decay"),
}  # fmt: skip
_CALLED = {
    "base_path": "path",
    "num_base_steps": "num_steps",
    "base_learning_rate": "learning_rate",
    "worded_tasks": "prompt_hint_attributes",
    "num_adapter_steps": "num_steps",
    "adapter_learning_rate": "learning_rate",
    "token_tasks": "token_attributes",
}
# Key with its tables -> what to write instead.
RENAMED_KEYS: Mapping[str, str] = MappingProxyType(
    {
        **{
            f"train.{key}": f"{_CALLED.get(key, key)} in [train.{table}]"
            for table, keys in _MOVED.items()
            for key in keys
        },
        "train.lora_rank": "rank in [train.adapter.lora]",
        "train.lora_learning_rate": "learning_rate in [train.adapter.lora]",
        "train.numbers": 'method in [train]: "adapter" or "prompt"',
        "train.joint": 'method = "joint" in [train]',
        "train.task_ids": 'method in [train]: "adapter", or "no_task_id" for task_ids = false',
        "evaluate.held_out_values": "held_out_values in [train.data] alone, for both",
    }
)
