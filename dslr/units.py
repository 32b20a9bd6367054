"""Units of work of a folder of RAW files: list the capture groups, ingest one.

Every file is read in a supervised process: LibRaw can crash or hang on a damaged file, and that
must cost only the file.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path

from cat_dataset.errors import RawError
from cat_dataset.jobs.datasets import CaptureSource
from cat_dataset.jobs.manifest import DatasetJob
from cat_dataset.records import Rejection, UnitResult
from dslr.files.metadata import read_metadata
from dslr.grouping.bursts import Capture, sessions, split_into_bursts
from dslr.grouping.captures_file import StatedGroup, read_captures_files
from dslr.grouping.file_workers import group_bursts, read_in_workers
from dslr.grouping.grouping import Grouped, Kind
from dslr.ingest import ingest_captures

RAW_SUFFIXES = frozenset(
    f".{name}"
    for name in (
        *(
            "3fr",
            "arw",
            "cap",
            "cr2",
            "cr3",
            "crw",
            "dc2",
            "dcr",
            "dng",
            "erf",
            "fff",
            "gpr",
            "iiq",
        ),
        *("k25", "kdc", "mef", "mos", "mrw", "nef", "nrw", "orf", "pef", "raf", "raw", "rw2"),
        *("rwl", "sr2", "srf", "srw", "x3f"),
    )
)
_NO_FILE = "{}: is no file (a pipe, a device, or a link that leads nowhere); leave it out"


@dataclass(frozen=True)
class CaptureGroup:
    """One unit of work: a series, a single capture, or a file that cannot be read."""

    unit_id: str
    kind: Kind
    reason: str  # why these files belong together, or what is wrong with the file
    paths: tuple[Path, ...]
    captures: tuple[Capture, ...]  # empty for an unreadable file
    split_scene: str  # names the split: captures of one session never lie on both sides of it


def scan_folder(source: CaptureSource, *, num_workers: int = 2) -> tuple[CaptureGroup, ...]:
    """Return the capture groups of all RAW files below a source's folder, in order of their names.

    Raises:
        RawError: the folder does not exist or holds no RAW file, or a captures.toml breaks a rule.
    """
    paths = find_raw_files(source.folder)
    stated, excluded = read_captures_files(source.folder, paths)
    wanted = [path for path in paths if path not in excluded]
    no_files = {path: _NO_FILE.format(path) for path in wanted if not path.is_file()}
    read, unreadable = read_in_workers(
        [path for path in wanted if path not in no_files], read_metadata, num_workers
    )
    captures = {
        path: Capture(path, path.relative_to(source.folder).as_posix(), metadata)
        for path, metadata in read.items()
    }
    named = {path for group in stated for path in group.paths}
    bursts = list(split_into_bursts(c for path, c in captures.items() if path not in named))
    grouped, broken = group_bursts(bursts, num_workers)
    session = sessions(captures.values())
    groups = [*grouped, *(_stated(group, captures) for group in stated)]
    found = [
        (tuple(c.path for c in group.captures), session[group.captures[0].path], group)
        for group in groups
        if group.captures
    ]
    failures = no_files | unreadable | broken
    for path, why in failures.items():
        name = path.relative_to(source.folder).as_posix()
        reason = why.replace(str(path), name)  # the same row wherever the folder lies
        found.append(((path,), -1, Grouped((), "unreadable", reason)))
    return _named(source, found)


def find_raw_files(folder: Path) -> tuple[Path, ...]:
    """Return all RAW files below a folder, sorted by path; other files are left alone.

    Raises:
        RawError: the folder does not exist or holds no RAW file.
    """
    if not folder.is_dir():
        msg = f"folder {folder}: does not exist; give the folder that holds the RAW files"
        raise RawError(msg)
    paths = [p for p in folder.rglob("*") if p.suffix.lower() in RAW_SUFFIXES and not p.is_dir()]
    if not paths:
        msg = (
            f"folder {folder}: holds no RAW file ({', '.join(sorted(RAW_SUFFIXES)[:6])} ...); "
            f"JPEG files are not enough, give the folder with the camera's RAW files"
        )
        raise RawError(msg)
    return tuple(sorted(paths))


def ingest_unit(dataset: DatasetJob, source: CaptureSource, group: CaptureGroup) -> UnitResult:
    """Turn one capture group into pairs; a file that cannot be read becomes a failed row."""
    if group.kind == "unreadable":
        row = Rejection(group.unit_id, group.unit_id, "failed", group.reason)
        return UnitResult(rejections=(row,))
    return ingest_captures(
        dataset, source, group.unit_id, group.split_scene, group.kind, group.captures
    )


def _stated(group: StatedGroup, captures: Mapping[Path, Capture]) -> Grouped:
    """Return a series that captures.toml names, of those of its files that can be read."""
    members = tuple(
        replace(captures[path], stated=value)
        for path, value in zip(group.paths, group.values, strict=True)
        if path in captures
    )
    name = "" if group.series.name is None else f" as '{group.series.name}'"
    if len(members) == 1:
        return Grouped(members, "single", f"captures.toml{name}; its other files are unreadable")
    reason = f"{len(members)} frames, captures.toml{name}"
    return Grouped(members, group.series.kind, reason)


def _named(
    source: CaptureSource, found: Iterable[tuple[tuple[Path, ...], int, Grouped]]
) -> tuple[CaptureGroup, ...]:
    """Number the groups by their first file, so that a name depends on the folder alone."""
    split_scene_of_session: dict[int, str] = {}
    groups = []
    for number, (paths, session, grouped) in enumerate(
        sorted(found, key=lambda item: min(item[0]))
    ):
        unit_id = f"{source.name}-{number:04d}"
        split_scene = (
            split_scene_of_session.setdefault(session, unit_id) if session >= 0 else unit_id
        )
        groups.append(
            CaptureGroup(
                unit_id, grouped.kind, grouped.reason, paths, grouped.captures, split_scene
            )
        )
    return tuple(groups)
