"""The errors that CAT raises for input it cannot use, one tree so that a caller can catch them all.

CatError
    EditScaleError     an attribute, unit or number that does not exist or is out of range
    JobError           a manifest, or a run folder that belongs to another manifest
    SceneError         a scene that cannot be built or rendered
      ReadoutError     a rendered edit that cannot be measured
    RawError           a camera file that cannot be read or compared
    BracketError       captures that do not form a series
    ShardError         a shard, table or sample that is broken
    DiskFullError      there is no room to write; the run stops and can be resumed
    MissingExtraError  a command whose optional dependencies are not installed

Programming errors stay `TypeError`, `ValueError` and `assert`.
"""


class CatError(Exception):
    """Base of all errors with a message meant for the user: found value, rule, remedy."""


class EditScaleError(CatError):
    """An attribute, unit or value is unknown or out of range."""


class JobError(CatError):
    """A manifest does not validate, or a run folder belongs to another manifest."""


class SceneError(CatError):
    """A scene cannot be built or rendered."""


class ReadoutError(SceneError):
    """An edit cannot be measured in this scene; its pairs are rejected, others are not."""


class RawError(CatError):
    """A RAW file cannot be opened, or holds no comparable mosaic."""


class BracketError(CatError):
    """Captures do not form a series that differs in one setting."""


class ShardError(CatError):
    """A shard, its table or a sample is missing, cut off or inconsistent."""


class DiskFullError(CatError):
    """There is no room to write a file; whatever was finished before stays."""


class MissingExtraError(CatError):
    """An optional dependency is not installed."""
