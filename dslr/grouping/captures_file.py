"""captures.toml: what a photographer says about a folder, where files alone do not tell.

    exclude = ["test-*.cr2"]

    [[series]]
    kind = "lamp"
    files = ["IMG_0101.CR2", "IMG_0102.CR2"]
    values = [0.0, 60.0]

It names series, states values that the camera does not know (the power of a lamp, a focus
distance, a filter), and leaves files out. Names are relative to its folder, with wildcards.
"""

import tomllib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from fnmatch import fnmatchcase
from pathlib import Path
from types import MappingProxyType
from typing import Annotated, Self

from pydantic import Field, FiniteFloat, model_validator

from cat_dataset.errors import RawError
from cat_dataset.jobs.manifest import validated
from cat_dataset.jobs.plans import StrictModel
from dslr.grouping.series import SeriesKind

CAPTURES_FILE = "captures.toml"
# What the numbers of `values` are, one for each file.
UNIT_OF_VALUES: Mapping[SeriesKind, str] = MappingProxyType(
    {
        "exposure": "stops of light that reach the sensor",
        "aperture": "f-number",
        "iso": "ISO",
        "shutter": "s",
        "focal_length": "mm",
        "focus_distance": "m",
        "white_balance": "K",
        "lamp": "power of the lamp in any unit, 0 = off",
    }
)


class StatedSeries(StrictModel):
    """Captures that belong together because the photographer says so."""

    name: Annotated[str, Field(max_length=64)] | None = None
    kind: SeriesKind
    files: Annotated[tuple[str, ...], Field(min_length=1)]  # names or wildcards
    values: tuple[FiniteFloat, ...] | None = None  # one for each file; see UNIT_OF_VALUES

    @model_validator(mode="after")
    def _a_lamp_has_values(self) -> Self:
        if self.kind == "lamp" and (self.values is None or 0.0 not in self.values):
            msg = "a lamp series needs values: the lamp's power in each file, 0 where it is off"
            raise ValueError(msg)
        signed = self.kind == "exposure"
        if not signed and any(value < 0.0 for value in self.values or ()):
            msg = f"values are in {UNIT_OF_VALUES[self.kind]}: none may be negative"
            raise ValueError(msg)
        if self.kind not in ("exposure", "lamp") and 0.0 in (self.values or ()):
            msg = f"values are in {UNIT_OF_VALUES[self.kind]}: none may be 0"
            raise ValueError(msg)
        return self


class CapturesFile(StrictModel):
    """The whole file."""

    exclude: tuple[str, ...] = ()
    series: tuple[StatedSeries, ...] = ()


@dataclass(frozen=True)
class StatedGroup:
    """One stated series with the files it names, and a value for each; None: the camera's own."""

    series: StatedSeries
    paths: tuple[Path, ...]
    values: tuple[float | None, ...]


def read_captures_files(
    folder: Path, paths: Sequence[Path]
) -> tuple[tuple[StatedGroup, ...], frozenset[Path]]:
    """Return the stated series and the excluded files of all captures.toml below a folder.

    Raises:
        JobError: a file breaks a rule of its keys and values.
        RawError: a file is no TOML, or names captures that do not exist or are named twice.
    """
    stated = {file: _load(file) for file in sorted(folder.rglob(CAPTURES_FILE))}
    below = {file: [p for p in paths if p.is_relative_to(file.parent)] for file in stated}
    excluded = {  # of all files first: a series above does not bring back what one below excludes
        path
        for file, said in stated.items()
        for pattern in said.exclude
        for path in _matching(file, below[file], pattern)
    }
    groups = [
        _group(file, series, [path for path in below[file] if path not in excluded])
        for file, said in stated.items()
        for series in said.series
    ]
    _check_named_once(groups)
    return tuple(groups), frozenset(excluded)


def _load(file: Path) -> CapturesFile:
    try:
        data = tomllib.loads(file.read_text(encoding="utf-8"))
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        msg = f"{file}: is no TOML ({error}); see docs/capture-guide.md"
        raise RawError(msg) from None
    except OSError as error:
        msg = f"{file}: cannot be read ({error.strerror}); check the file's permissions"
        raise RawError(msg) from None
    return validated(CapturesFile, data, str(file))


def _group(file: Path, series: StatedSeries, paths: Sequence[Path]) -> StatedGroup:
    named = [path for pattern in series.files for path in _matching(file, paths, pattern)]
    unique = tuple(dict.fromkeys(named))
    if len(unique) < 2:
        msg = (
            f"{file}: a series of kind {series.kind} names {len(unique)} file "
            f"({', '.join(series.files)}); at least two are needed"
        )
        raise RawError(msg)
    if series.values is not None and len(series.values) != len(unique):
        names = ", ".join(path.name for path in unique)
        msg = (
            f"{file}: {len(series.values)} values for {len(unique)} files ({names}); give one "
            f"for each, in the same order"
        )
        raise RawError(msg)
    return StatedGroup(series, unique, series.values or (None,) * len(unique))


def _matching(file: Path, paths: Sequence[Path], pattern: str) -> list[Path]:
    names = {path: path.relative_to(file.parent).as_posix() for path in paths}
    found = [path for path, name in names.items() if name.lower() == pattern.lower()] or [
        path for path, name in names.items() if fnmatchcase(name.lower(), pattern.lower())
    ]
    if not found:
        msg = (
            f"{file}: '{pattern}' names no RAW file of its folder; names are relative to that "
            f"folder, and excluded files do not count"
        )
        raise RawError(msg)
    return found


def _check_named_once(groups: Sequence[StatedGroup]) -> None:
    seen: set[Path] = set()
    for group in groups:
        for path in group.paths:
            if path in seen:
                msg = f"{path}: stands in two series of {CAPTURES_FILE}; name it in one"
                raise RawError(msg)
            seen.add(path)
