"""The log of a training run: one JSON line per entry, and the same numbers for TensorBoard."""

import json
from pathlib import Path
from typing import Any

from torch.utils.tensorboard import SummaryWriter

from cat_dataset.system.atomic import write_text_atomic

LOG_NAME = "train_log.jsonl"


class RunLog:
    """Writes entries of one stage; a resumed stage drops what lies after its checkpoint."""

    def __init__(self, run_folder: Path, stage_name: str, num_steps_done: int) -> None:
        """Open the log of a stage that has `num_steps_done` steps behind it."""
        self._path = run_folder / LOG_NAME
        self._stage_name = stage_name
        kept = [
            entry
            for entry in read_log(run_folder)
            if entry["stage"] != stage_name or entry["step"] <= num_steps_done
        ]
        write_text_atomic(self._path, "".join(json.dumps(entry) + "\n" for entry in kept))
        self._board = SummaryWriter(
            str(run_folder / "tensorboard" / stage_name), purge_step=num_steps_done + 1
        )

    def write(self, step: int, **numbers: float) -> None:
        """Append one entry; `step` counts finished steps."""
        entry = {"stage": self._stage_name, "step": step, **numbers}
        with self._path.open("a", encoding="utf-8") as file:
            file.write(json.dumps(entry) + "\n")
        for name, number in numbers.items():
            self._board.add_scalar(name, number, step)

    def close(self) -> None:
        """Flush everything to disk."""
        self._board.close()


def read_log(run_folder: Path) -> list[dict[str, Any]]:
    """Return the entries of a run's log, in the order written; none if there is no log yet.

    A last line cut off by a kill is left out.
    """
    path = run_folder / LOG_NAME
    if not path.is_file():
        return []
    text = path.read_text(encoding="utf-8")
    whole = text[: text.rfind("\n") + 1]
    return [json.loads(line) for line in whole.splitlines()]
