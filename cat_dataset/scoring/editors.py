"""Who edits: the baselines that every run computes, and other people's editors.

An editor of other people is a function (source, edits, instruction) -> picture, or a folder with a
picture for every request; what it raises or leaves out costs its edit, never the run.
"""

import importlib
import inspect
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any, Protocol

import numpy as np

from cat_dataset.attributes.table import CAMERA_ATTRIBUTES
from cat_dataset.errors import CatError, JobError
from cat_dataset.imaging.display import decode_png, encode_display
from cat_dataset.records import EditScale
from cat_dataset.scoring.questions.known_light import lights_of
from cat_dataset.scoring.questions.requests import EditRequest
from cat_dataset.scoring.questions.value_ranges import Ranges
from cat_dataset.scoring.truth import Display, FrameTruth, LightTruth, Truth


@dataclass(frozen=True)
class Asked:
    """One request with the picture to edit; `truth` is for baselines that may use it."""

    request: EditRequest
    source_HW3: Display
    truth: Truth | None = None


@dataclass(frozen=True)
class EditFailure:
    """An edit that did not come about."""

    reason: str


Answer = Display | EditFailure


class ScoredEditor(Protocol):
    """What is scored."""

    @property
    def name(self) -> str:
        """How the tables call it."""

    def answer(self, asked: Sequence[Asked]) -> list[Answer]:
        """Return a picture of the source's size for each request, or why there is none."""


@dataclass(frozen=True)
class CopyEditor:
    """Returns its source: best in identity, and obeys nothing."""

    name: str = "copy"

    def answer(self, asked: Sequence[Asked]) -> list[Answer]:
        """Return the sources."""
        return [item.source_HW3 for item in asked]


@dataclass(frozen=True)
class BlendEditor:
    """Adds a share of the full edit pixel by pixel: (value / largest value) of the way to it."""

    ranges: Ranges
    name: str = "blend"

    def answer(self, asked: Sequence[Asked]) -> list[Answer]:
        """Return linear blends of display codes."""
        return [self._blend(item) for item in asked]

    def _blend(self, item: Asked) -> Answer:
        if item.truth is None:
            return EditFailure("the full edit is not known")
        blended = item.source_HW3.astype(np.float64)
        for edit in item.request.edits:
            full = self._full_value(item.truth, edit)
            picture = item.truth.picture({edit.task_key: full}) if full else None
            if picture is None and edit.value:
                return EditFailure(f"the full edit of {edit.task_key} is not known")
            if picture is not None:
                change = picture.astype(np.float64) - item.truth.source_HW3
                blended += edit.value / full * change
        codes: Display = np.rint(blended.clip(0.0, 255.0)).astype(np.uint8)
        return codes

    def _full_value(self, truth: Truth, edit: EditScale) -> float:
        """Return the value of the full edit on the side that is asked for."""
        if isinstance(truth, FrameTruth):
            return max((v for v in truth.frames if v * edit.value > 0.0), key=abs, default=0.0)
        low, high = self.ranges.get(edit.attribute, (-abs(edit.value), abs(edit.value)))
        lowest, highest = truth.feasible(edit.attribute)
        return max(low, lowest) if edit.value < 0.0 else min(high, highest)


@dataclass(frozen=True)
class OracleEditor:
    """The analytic operator: gains on the source's own light; of a sweep, the frame itself."""

    name: str = "oracle"

    def answer(self, asked: Sequence[Asked]) -> list[Answer]:
        """Return what exact knowledge of the light gives."""
        return [self._operate(item) for item in asked]

    def _operate(self, item: Asked) -> Answer:
        truth, totals = item.truth, item.request.totals()
        if truth is None:
            return EditFailure("the true picture is not known")
        if isinstance(truth, LightTruth) and set(totals) <= set(CAMERA_ATTRIBUTES):
            light = truth.source_light * truth.gain_rgb("", totals).astype(np.float32)
            return encode_display(light, 1.0, truth.tone_curve)
        picture = truth.picture(totals)
        names = ", ".join(totals)
        return picture if picture is not None else EditFailure(f"no true picture of {names} there")


EditFunction = Callable[..., Any]  # (source, edits, instruction), or with light= as well


@dataclass(frozen=True)
class FunctionEditor:
    """Somebody's function: (source_HW3 uint8, [(task key, value)], instruction) -> picture.

    Values are in the attribute's unit (`cat_dataset.attributes.table`), positive as it says there.
    A function with a parameter `light` is given the light that it edits, see
    `known_light.lights_of`.
    """

    name: str
    function: EditFunction

    def answer(self, asked: Sequence[Asked]) -> list[Answer]:
        """Return what the function returns."""
        return [self._call(item) for item in asked]

    @cached_property
    def _takes_light(self) -> bool:
        try:
            return "light" in inspect.signature(self.function).parameters
        except (TypeError, ValueError):  # some that are written in C have no signature
            return False

    def _call(self, item: Asked) -> Answer:
        edits = [(edit.task_key, edit.value) for edit in item.request.edits]
        known = {"light": lights_of(item.request, item.truth)} if self._takes_light else {}
        try:
            picture = self.function(
                item.source_HW3.copy(), edits, item.request.instruction, **known
            )
        except (Exception, SystemExit) as error:  # other people's code: a row, not our end
            return EditFailure(f"{type(error).__name__}: {error}")
        return checked_answer(picture, item.source_HW3)


@dataclass(frozen=True)
class FolderEditor:
    """Pictures that were edited elsewhere: KEY.png for each request of the list."""

    name: str
    folder: Path

    def answer(self, asked: Sequence[Asked]) -> list[Answer]:
        """Return the pictures of the folder."""
        return [self._read(item) for item in asked]

    def _read(self, item: Asked) -> Answer:
        path = self.folder / f"{item.request.key}.png"
        try:
            return checked_answer(decode_png(path.read_bytes()), item.source_HW3)
        except (OSError, ValueError) as error:
            return EditFailure(f"{path.name}: {error}")


def checked_answer(picture: Any, source_HW3: Display) -> Answer:
    """Return a picture as it must be: uint8 and of the source's size."""
    is_picture = isinstance(picture, np.ndarray) and picture.dtype == np.uint8
    if not is_picture or picture.shape != source_HW3.shape:
        found = f"{type(picture).__name__}"
        if isinstance(picture, np.ndarray):
            found = f"{picture.dtype} of shape {picture.shape}"
        return EditFailure(f"returned {found}; uint8 of shape {source_HW3.shape} is needed")
    return np.ascontiguousarray(picture)


def load_function(spec: str) -> FunctionEditor:
    """Return the editor that `module:function` names.

    Raises:
        CatError: there is no such function.
    """
    module_name, colon, function_name = spec.partition(":")
    if not colon or not function_name:
        msg = f"--editor {spec}: write MODULE:FUNCTION, for example my_editor:edit"
        raise CatError(msg)
    try:
        function = getattr(importlib.import_module(module_name), function_name)
    except ImportError as error:
        msg = f"--editor {spec}: {error}; run where Python finds the module, or set PYTHONPATH"
        raise CatError(msg) from None
    except AttributeError:
        msg = f"--editor {spec}: module {module_name} has no {function_name}"
        raise CatError(msg) from None
    except (Exception, SystemExit) as error:  # other people's code, run by its import
        msg = f"--editor {spec}: its import fails ({type(error).__name__}: {error}); repair it"
        raise CatError(msg) from None
    if not callable(function):
        msg = f"--editor {spec}: is no function but {type(function).__name__}"
        raise CatError(msg)
    return FunctionEditor(spec.replace(":", "."), function)


def open_folder(folder: Path, requests: Sequence[EditRequest]) -> FolderEditor:
    """Return the editor of a folder of pictures.

    Raises:
        JobError: it holds the picture of no request.
    """
    if not any((folder / f"{request.key}.png").is_file() for request in requests):
        msg = (
            f"--edited {folder}: holds no KEY.png of the {len(requests)} requests; write the list "
            f"with --write-requests and save each result under its key"
        )
        raise JobError(msg)
    return FolderEditor(folder.name, folder)
