"""The Numeric Adapter: edits as numbers, added to every AdaLN modulation of a frozen transformer.

Each task (attribute) has its own bias-free encoder; the codes of all edits are summed, so their
order cannot matter, and zero is exactly the zero code, so no number means no change. One bias-free
projection, zero at the start, leads to all modulations: a fresh adapter changes nothing. A task
that modulation cannot carry has tokens instead, with the same properties (`edit_tokens`).

Shapes: B batch, K tasks, F features of a number, E code, M all modulations.
"""

import math
from collections.abc import Collection, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import asdict, dataclass
from types import MappingProxyType
from typing import Any, Literal, cast

import torch
from diffusers import ConfigMixin, ModelMixin
from diffusers.configuration_utils import register_to_config
from torch import Tensor, nn

from cat_dataset.attributes.table import find_attribute
from cat_dataset.attributes.task_key import task_key
from cat_dataset.errors import EditScaleError, JobError
from cat_dataset.records import EditScale
from cat_dataset.requests.edited_picture import resolve_edits
from train.adapter.edit_tokens import AttentionShape, EditTokens
from train.adapter.hooks import Attachment, add_to_modulations
from train.adapter.token_hooks import add_to_attentions
from train.model.vocabulary import words_by_number, words_of_edits

_KNOTS = (-1.0, 0.0, 1.0)  # where the bends of the features lie, in trained ranges
NUM_FEATURES = 1 + len(_KNOTS)
_ALL = "all"  # name of the encoder that tasks without ids share
_NAMES_OF_OLD = MappingProxyType({"is_worded": "has_prompt_hint"})  # of a task in a config
Carrier = Literal["modulation", "tokens"]


@dataclass(frozen=True)
class Task:
    """One thing that the adapter edits, with its range; stored in its config."""

    attribute: str
    label: str
    unit: str
    low: float  # smallest and largest value trained, in `unit`
    high: float
    default_source: float | None  # absolute value a picture has where none is given
    absolute_unit: str | None
    carrier: Carrier = "modulation"  # tokens: for what modulation cannot carry
    has_prompt_hint: bool = False  # the instruction names direction and rough size as well
    subject: str | None = None  # of the key, where the subject is what is edited: "smile"

    @property
    def key(self) -> str:
        """Under which the task is asked for and stored: "exposure", "shape_key:smile"."""
        return task_key(self.attribute, self.subject)

    @property
    def largest_value(self) -> float:
        """The largest magnitude trained; numbers are divided by it."""
        return max(abs(self.low), abs(self.high))


class NumericAdapter(ModelMixin, ConfigMixin):  # type: ignore[misc]  # diffusers ships no types
    """Encoders per task and one projection into the modulations of a transformer.

    Args:
        tasks: the task table, `Task` as plain dictionaries.
        modulation_widths: (module name, width) of each modulation, in the order of the weights; a
            list, because the config file sorts the keys of a mapping.
        code_size: channels of the summed code.
        base_path: the base it was trained on, relative to the adapter's folder, or absolute.
        size_px: shorter side of the pictures it was trained on.
        task_ids: False is the baseline that isolates neither tasks nor units: one encoder for all,
            numbers in their units divided by one number, and the attribute is named by words alone.
        num_tokens: of an edit whose task is carried by tokens.
        attention_shapes: (name, heads, head width, output width) of each attention of the base;
            needed where a task is carried by tokens.
        base: kind of that base, as `kind` in `[train.base]` names it.
        lora_path: the LoRA that was trained with it, relative to the adapter's folder.
        paint_time: of the noise under which the compact base is shown the source when it edits.
        last_gain: of the offsets of the last modulation, which is learned so much faster. What it
            does to the picture is a straight line in the code; what all others do bends.
    """

    @register_to_config  # type: ignore[untyped-decorator]  # diffusers ships no types
    def __init__(
        self,
        tasks: Sequence[Mapping[str, Any]],
        modulation_widths: Sequence[tuple[str, int]],
        code_size: int,
        base_path: str,
        size_px: int,
        task_ids: bool = True,
        num_tokens: int = 4,
        attention_shapes: Sequence[tuple[str, int, int, int]] = (),
        base: str = "compact",
        lora_path: str | None = None,
        paint_time: float = 1.0,
        last_gain: float = 1.0,
    ) -> None:
        super().__init__()
        self.tasks = read_tasks(tasks)
        self._widths: dict[str, int] = dict(modulation_widths)
        self._encoder_of, of_tokens = (
            {
                n: n if task_ids else _ALL
                for n, task in self.tasks.items()
                if task.carrier == carrier
            }
            for carrier in ("modulation", "tokens")
        )
        self._places = {name: place for place, name in enumerate(self.tasks)}
        self.encoders = nn.ModuleDict(
            {
                name: nn.Linear(NUM_FEATURES, code_size, bias=False)
                for name in dict.fromkeys(self._encoder_of.values())
            }
        )
        self._token_places = [self._places[name] for name in of_tokens]
        shapes = [AttentionShape(*shape) for shape in attention_shapes]
        self.tokens = (
            EditTokens(of_tokens, NUM_FEATURES, num_tokens, code_size, shapes)
            if of_tokens
            else None
        )
        self.to_modulations = nn.Linear(code_size, sum(self._widths.values()), bias=False)
        nn.init.zeros_(self.to_modulations.weight)  # the only zero-initialised layer on the path

    def features(self, samples: Sequence[Sequence[EditScale]]) -> Tensor:
        """Return the features (B, K, F) of each sample's edits.

        Raises:
            EditScaleError: an edit that this adapter has no task for.
        """
        table = [[self._task_features(name, edits) for name in self.tasks] for edits in samples]
        for key in sorted({edit.task_key for edits in samples for edit in edits}):
            check_task(self.tasks, key)
        return torch.tensor(table, dtype=torch.float32)

    def _task_features(self, name: str, edits: Sequence[EditScale]) -> list[float]:
        task = self.tasks[name]
        unit = task.largest_value if self.config["task_ids"] else self._common_unit()
        rows = [number_features(task, edit, unit) for edit in _added_up(task, edits)]
        return [math.fsum(column) for column in zip(*rows, strict=True)] or [0.0] * NUM_FEATURES

    def _common_unit(self) -> float:
        """Return the one number that all numbers are divided by where units are not isolated.

        The geometric mean of the ranges: no task's numbers are more out of scale than they must be.
        """
        logs = [math.log(task.largest_value) for task in self.tasks.values()]
        return math.exp(math.fsum(logs) / len(logs))

    def instruction(self, edits: Sequence[EditScale], num_places: int) -> tuple[str, ...]:
        """Return the words under which these edits are made, whatever their order.

        They are neutral, without direction or number, but for tasks with a prompt hint: these are
        named with direction and a third of the range, and the number says how far exactly.

        Raises:
            EditScaleError: more hinted edits than places; without task ids, more attributes than
                the words can name.
        """
        hinted = [
            EditScale(task.attribute, math.fsum(own), subject=task.subject)
            for key, task in self.tasks.items()
            if task.has_prompt_hint and (own := [e.value for e in edits if e.task_key == key])
        ]
        hinted = [edit for edit in hinted if edit.value != 0.0]
        if hinted:
            largest = {key: task.largest_value for key, task in self.tasks.items()}
            return words_of_edits(hinted, largest, num_places)
        edited = {edit.task_key for edit in edits}
        named = [] if self.config["task_ids"] else [name for name in self.tasks if name in edited]
        return words_by_number(num_places, named)

    def forward(self, features_BKF: Tensor) -> dict[str, Tensor]:
        """Return the offset (B, width) of each modulation, by module name."""
        codes = [
            self.encoders[encoder](features_BKF[:, self._places[name]])
            for name, encoder in self._encoder_of.items()
        ]
        nothing_BE = features_BKF.new_zeros(len(features_BKF), self.config["code_size"])
        offsets_BM = self.to_modulations(torch.stack([nothing_BE, *codes]).sum(dim=0))
        *parts, last_BW = offsets_BM.split(list(self._widths.values()), dim=1)
        parts.append(last_BW * self.config["last_gain"])
        return dict(zip(self._widths, parts, strict=True))

    def attach(
        self, model: nn.Module, edits: Sequence[EditScale] | Sequence[Sequence[EditScale]]
    ) -> Attachment:
        """Steer a transformer by numbers until the attachment is removed, or its context left.

        `edits` are those of every picture, or a list for each picture (each prompt) of a call. A
        stock pipeline is called as ever:

        >>> # with adapter.attach(pipeline.transformer, [EditScale("exposure", 1.0)]):
        >>> #     pipeline(image=picture, prompt="Change only the exposure.")

        The numbers act in every pass, the negative one of classifier-free guidance included: there
        guidance multiplies what the prompt changes and leaves the numbers at their unit. In the
        conditional pass alone, guidance 4 would make four stops of one.

        Raises:
            EditScaleError: an edit that this adapter has no task for.
            JobError: the transformer is not of the kind that it was trained on.
        """
        features_BKF = self.features(_of_samples(edits)).to(self.device)
        modulated = add_to_modulations(model, self(features_BKF))
        if self.tokens is None:
            return modulated
        with ExitStack() as undo:
            undo.enter_context(modulated)
            attended = add_to_attentions(model, self.tokens, features_BKF[:, self._token_places])
            undo.pop_all()
        return Attachment([*modulated.handles, *attended.handles])

    def typed(self, texts: Sequence[str]) -> tuple[EditScale, ...]:
        """Return edits as people type them, "exposure=+1.5EV" or "white_balance=5600K->3200K".

        Raises:
            EditScaleError: as `resolve_edits`.
        """
        sources = {name: task.default_source for name, task in self.tasks.items()}
        return resolve_edits(texts, sources)


def _of_samples(
    edits: Sequence[EditScale] | Sequence[Sequence[EditScale]],
) -> Sequence[Sequence[EditScale]]:
    """Return the edits of each picture; one list counts for all."""
    if all(isinstance(edit, EditScale) for edit in edits):
        return [cast("Sequence[EditScale]", edits)]
    return cast("Sequence[Sequence[EditScale]]", edits)


def _added_up(task: Task, edits: Sequence[EditScale]) -> list[EditScale]:
    """Return the edits of a task; without an absolute axis as one, so that parts add up."""
    own = [edit for edit in edits if edit.task_key == task.key]
    if task.default_source is not None or len(own) < 2:
        return own
    return [EditScale(task.attribute, math.fsum(edit.value for edit in own), subject=task.subject)]


def number_features(task: Task, edit: EditScale, unit: float) -> list[float]:
    """Return the NUM_FEATURES features of one edit: f(target) - f(source) on the task's axis.

    Numbers are divided by `unit`, as a rule the task's largest value. f is a line and bends around
    -1, 0 and 1, each rising, so the features keep the order of numbers, extrapolate, and are
    exactly zero for no change. Where absolute values exist (kelvin), the source's position counts:
    equal steps in mired are not quite equal gains. Where only differences exist the source sits at
    0.
    """
    attribute = find_attribute(task.attribute)
    start = 0.0
    source_value = task.default_source if edit.source_value is None else edit.source_value
    if task.default_source is not None and source_value is not None:
        start = attribute.difference(task.default_source, source_value)
    here = start / unit
    there = (start + edit.value) / unit
    bends = [math.tanh(there - knot) - math.tanh(here - knot) for knot in _KNOTS]
    return [edit.value / unit, *bends]


def task_table(tasks: Sequence[Task]) -> list[dict[str, Any]]:
    """Return tasks as they stand in the adapter's config."""
    return [asdict(task) for task in tasks]


def read_tasks(entries: Sequence[Mapping[str, Any]]) -> dict[str, Task]:
    """Return the tasks of an adapter's config by their keys.

    Raises:
        JobError: a task does not name its subject, as adapters of old did not.
    """
    tasks = {}
    for entry in entries:
        task = Task(**{_NAMES_OF_OLD.get(name, name): value for name, value in entry.items()})
        if task.subject is None and find_attribute(task.attribute).is_keyed_by_subject:
            msg = (
                f"adapter: its task {task.attribute} names no shape, and one task is one shape "
                f"now, as in {task.attribute}:smile; train it anew"
            )
            raise JobError(msg)
        tasks[task.key] = task
    return tasks


def check_task(tasks: Collection[str], key: str) -> None:
    """Raise EditScaleError where an adapter has no task of this key."""
    if key not in tasks:
        msg = f"this adapter was not trained on {key}; it knows {', '.join(tasks)}"
        raise EditScaleError(msg)
