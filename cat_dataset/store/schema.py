"""The sample contract: every field of a pair, of linear light and of their tables, once.

A record in memory is a plain dictionary in which None says that there is nothing. Its row in a
Parquet table has the same names, and null for None. Its JSON has the same names too, but JSON
values carry no type: stock readers (`datasets`, torch's `default_collate`) take the types from the
first samples. So the JSON of every sample has every field, none is null and no list is empty. What
is absent is a value of the field's own type that cannot occur:

    text                        ""
    source_frame, target_frame  -1
    seed                        -1
    source_value, target_value  0.0 both, beside an empty `absolute_unit`
    light_ratio                 [0.0, 0.0, 0.0]; a true ratio is positive
    measured                    0.0, beside a negative `measured_se`

What differs from producer to producer is JSON text in one field: `origin.details` of every sample,
`light` of linear light (the groups of a light basis, the frames and readings of a sweep).

Members of a pair in a tar: `json`, `source.png`, `target.png`, and where the manifest asks, for
each of both pictures, those of `ANNOTATION_MEMBERS`: "source.mask.png". The name
"source.mask-LAMP.png" is kept free for the mask of a named lamp, which nothing writes yet. Members
of linear light: `json` and `basis.exr`, whose parts are the names of its light groups or
`frame-NN`, and below `EXR_PARTS`, after "frame-NN." for a frame.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

import pyarrow as pa

from cat_dataset.store import contract_2

SCHEMA_VERSION = 3
READABLE_VERSIONS = (contract_2.VERSION, SCHEMA_VERSION)

JSON, SOURCE, TARGET, LINEAR = "json", "source.png", "target.png", "basis.exr"  # tar members
ANNOTATION_MEMBERS: Mapping[str, str] = {
    "mask": "mask.png",  # 8-bit grey, 255 where the edit acts
    "moving": "moving.png",  # 8-bit grey, 255 where something moved that no edit explains
    "depth": "depth.exr",  # float32, metres along the view axis
    "normal": "normal.exr",  # half RGB, unit normals in world space
}


class _Parts(NamedTuple):
    clipped: str = "clipped"  # 1 where a sensor clipped
    moving: str = "moving"
    mask: str = "mask"
    depth: str = "depth"
    normal: str = "normal"
    noise: str = "noise"  # what two seeds of one frame differ by, over 2


EXR_PARTS = _Parts()


@dataclass(frozen=True)
class Field:
    """One field of the contract."""

    name: str
    type: pa.DataType
    absent: Any = None  # what the JSON says for None; None: the field is never absent


_TEXT, _INT, _FLOAT = pa.string(), pa.int64(), pa.float64()
EDIT_FIELDS = (
    Field("attribute", _TEXT),
    Field("subject", _TEXT, ""),  # named lamp, object, part or shape; absent: the whole scene
    Field("unit", _TEXT),
    Field("value", _FLOAT),  # signed, target minus source, in `unit`
    Field("source_value", _FLOAT, 0.0),  # in `absolute_unit`
    Field("target_value", _FLOAT, 0.0),
    Field("absolute_unit", _TEXT, ""),
    Field("light_ratio", pa.list_(_FLOAT), [0.0, 0.0, 0.0]),  # of the source: red, green, blue
    Field("measured", _FLOAT, 0.0),  # in `unit`
    Field("measured_se", _FLOAT, -1.0),  # one standard error of `measured`
)
DEVELOP_FIELDS = (
    Field("exposure_anchor", _FLOAT),
    Field("tone_curve", _TEXT),
    Field("colour_space", _TEXT),
    Field("source_clip_fraction", _FLOAT),
    Field("target_clip_fraction", _FLOAT),
)
ORIGIN_FIELDS = (
    Field("manifest_sha256", _TEXT, ""),
    Field("unit_id", _TEXT, ""),  # the unit of work
    Field("seed", _INT, -1),  # of the unit's scene; of the data set where no scene was drawn
    Field("producer", _TEXT, ""),  # "render" or "dslr"
    Field("versions", pa.list_(_TEXT)),  # "blender 4.5.15"
    Field("device", _TEXT, ""),  # that rendered
)


def _struct(fields: Sequence[Field]) -> pa.DataType:
    return pa.struct([(field.name, field.type) for field in fields])


DETAILS = Field("details", _TEXT)  # of an origin: JSON text
_SCHEMA = Field("schema", _INT)
_PLACE_FIELDS = (
    Field("key", _TEXT),
    Field("split", _TEXT),
    Field("scene", _TEXT),
    Field("view", _TEXT, ""),  # of several of one scene
)
_FRAME_FIELDS = (Field("source_frame", _INT, -1), Field("target_frame", _INT, -1))  # of a sweep
_VISIBLE_FIELDS = (  # CIEDE2000 inside the edit's mask
    Field("visible_delta_e_mean", _FLOAT),
    Field("visible_delta_e_p95", _FLOAT),
)
_EDITS = Field("edits", pa.list_(_struct(EDIT_FIELDS)))
_INSTRUCTION = Field("instruction", _TEXT)
_ORIGIN = Field("origin", _struct((*ORIGIN_FIELDS, DETAILS)))
PAIR_FIELDS = (
    *(_SCHEMA, *_PLACE_FIELDS, *_FRAME_FIELDS, _INSTRUCTION, _EDITS, *_VISIBLE_FIELDS),
    Field("develop", _struct(DEVELOP_FIELDS)),
    _ORIGIN,
)
LINEAR_FIELDS = (
    *(_SCHEMA, *_PLACE_FIELDS),
    Field("kind", _TEXT),  # "basis" or "sweep"
    Field("attribute", _TEXT, ""),  # swept
    Field("subject", _TEXT, ""),
    Field("width_px", _INT),
    Field("height_px", _INT),
    Field("wb_cct_k", _FLOAT),
    Field("light_factor", _FLOAT),  # stored = light * light_factor
    Field("num_clamped", _INT),  # values beyond a half float
    Field("exr_sha256", _TEXT),
    Field("light", _TEXT),  # JSON text, see `linear_files`
    _ORIGIN,
)

_PLACED_MEMBER = pa.struct(
    [
        ("name", pa.string()),  # what stands behind KEY. in the tar
        ("offset", pa.int64()),  # of its data in the tar
        ("size", pa.int64()),
        ("sha256", pa.string()),
    ]
)
_STAGED_MEMBER = pa.struct([("name", pa.string()), ("data", pa.binary())])
_ROW_FIELDS: list[tuple[str, pa.DataType]] = [
    ("key", pa.string()),
    ("kind", pa.string()),  # pair, basis, sweep; null where nothing was made
    ("status", pa.string()),  # ok, rejected, failed
    ("reason", pa.string()),  # why not ok
    *((field.name, field.type) for field in _PLACE_FIELDS[1:]),
    ("attribute", pa.string()),  # of the first edit
    ("value", pa.float64()),
    ("measured", pa.float64()),
    ("measured_se", pa.float64()),
    *((field.name, field.type) for field in (*_FRAME_FIELDS, _EDITS, *_VISIBLE_FIELDS)),
    ("instruction", pa.string()),
    ("width_px", pa.int32()),
    ("height_px", pa.int32()),
    ("exposure_anchor", pa.float64()),
    ("source_clip_fraction", pa.float64()),
    ("target_clip_fraction", pa.float64()),
    ("origin", _struct(ORIGIN_FIELDS)),
]
_METADATA = {"cat_schema": str(SCHEMA_VERSION)}
STAGED_SCHEMA = pa.schema([*_ROW_FIELDS, ("members", pa.list_(_STAGED_MEMBER))], metadata=_METADATA)
SHARD_SCHEMA = pa.schema(
    [*_ROW_FIELDS, ("shard", pa.string()), ("members", pa.list_(_PLACED_MEMBER))],
    metadata=_METADATA,
)
INDEX_SCHEMA = pa.schema([*SHARD_SCHEMA, ("shard_sha256", pa.string())], metadata=_METADATA)


def projected(schema: pa.Schema, columns: Sequence[str]) -> pa.Schema:
    """Return the columns of a schema that are named, in its own order.

    Parts are named as Parquet does: `origin.producer`, `edits.list.element.value`.
    """
    fields = []
    for field in schema:
        parts = [c.split(".")[-1] for c in columns if c.startswith(f"{field.name}.")]
        if field.name in columns:
            fields.append(field)
        elif parts and pa.types.is_list(field.type):
            kept = [part for part in field.type.value_type if part.name in parts]
            fields.append(pa.field(field.name, pa.list_(pa.struct(kept))))
        elif parts:
            kept = [part for part in field.type if part.name in parts]
            fields.append(pa.field(field.name, pa.struct(kept)))
    return pa.schema(fields)


STRUCT_FIELDS: Mapping[str, Sequence[Field]] = {
    "edits": EDIT_FIELDS,
    "develop": DEVELOP_FIELDS,
    "origin": (*ORIGIN_FIELDS, DETAILS),
}
