"""What others write against, as text: commands, manifest keys, stored fields, Python names."""

import dataclasses
import inspect
import json
import types
import typing
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pyarrow as pa
import typer
from pydantic import BaseModel
from pydantic_core import PydanticUndefined

import cat_dataset
from cat_dataset.cli import app
from cat_dataset.cli.options import EXIT_INTERRUPTED
from cat_dataset.jobs.datasets import FAMILIES
from cat_dataset.jobs.manifest import Job
from cat_dataset.pipeline.run_job import JobResult
from cat_dataset.store import schema

_OF_THE_MACHINE = "workers"  # its default is the number of cores


def command_line() -> Iterator[str]:
    """Yield the commands with their arguments and options, and what an exit code means."""
    group: Any = typer.main.get_command(app)
    yield "exit code 0: done"
    yield "exit code 1: work failed"
    yield "exit code 2: wrong usage"
    yield f"exit code {EXIT_INTERRUPTED}: interrupted"
    for name, command in (("", group), *sorted(group.commands.items())):
        for parameter in (p for p in command.params if not p.name.endswith("_completion")):
            yield f"cat-dataset {name}".strip() + f" {_parameter(parameter)}"


def _parameter(parameter: Any) -> str:
    names = sorted(parameter.opts + parameter.secondary_opts, reverse=True)
    is_option = parameter.param_type_name == "option"
    text = "/".join(names) if is_option else parameter.name.upper()
    if not (is_option and parameter.is_flag):
        text += f" {parameter.type_descriptor.annotation.__name__.lower()}"
    if parameter.multiple:
        text += " (several)"
    if parameter.required:
        return f"{text} (required)"
    return text if parameter.name == _OF_THE_MACHINE else f"{text} = {_plain(parameter.default)!r}"


def _plain(default: Any) -> Any:
    return str(default) if isinstance(default, Path) else default


def manifest_keys() -> Iterator[str]:
    """Yield every key that a manifest may have, with its words and its default."""
    yield from sorted([*_keys(Job, ""), f"render[].{FAMILIES}: instead of family"])


def _keys(model: type[BaseModel], table: str) -> Iterator[str]:
    for name, field in model.model_fields.items():
        key = f"{table}{name}"
        inner = list(_models(field.annotation))
        if inner:
            yield from _tables(key, inner, has_several=_is_sequence(field.annotation))
        else:
            yield f"{key}{_words(field.annotation)}{_default(field)}"


def _tables(key: str, models: list[type[BaseModel]], *, has_several: bool) -> Iterator[str]:
    for model in models:
        kind = ""
        if len(models) > 1:
            word = next(n for n in ("kind", "pairs") if n in model.model_fields)
            (value,) = typing.get_args(model.model_fields[word].annotation)
            kind = f"({word} = {value})"
        yield from _keys(model, f"{key}{'[]' if has_several else ''}{kind}.")


def _models(annotation: Any) -> Iterator[type[BaseModel]]:
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        yield annotation
    for argument in typing.get_args(annotation):
        yield from _models(argument)


def _is_sequence(annotation: Any) -> bool:
    origin = typing.get_origin(annotation)
    return origin in (tuple, dict) or (
        origin in (typing.Union, types.UnionType)
        and any(map(_is_sequence, typing.get_args(annotation)))
    )


def _words(annotation: Any) -> str:
    if typing.get_origin(annotation) is typing.Literal:
        return f" {' | '.join(map(str, typing.get_args(annotation)))}"
    found = (_words(argument) for argument in typing.get_args(annotation))
    return next((words for words in found if words), "")


def _default(field: Any) -> str:
    if field.default_factory is not None:
        return " = (from the other keys)" if field.default_factory_takes_validated_data else " = {}"
    return "" if field.default is PydanticUndefined else f" = {json.dumps(field.default)}"


def stored_fields() -> Iterator[str]:
    """Yield the fields of JSON and tables with their types, and the members of tars."""
    yield f"schema {schema.SCHEMA_VERSION}, readable {schema.READABLE_VERSIONS}"
    for title, fields in (
        ("a pair", schema.PAIR_FIELDS),
        ("linear light", schema.LINEAR_FIELDS),
        ("an edit", schema.EDIT_FIELDS),
        ("an origin", schema.ORIGIN_FIELDS),
    ):
        for field in fields:
            absent = "" if field.absent is None else f", absent {field.absent!r}"
            yield f"json of {title}: {field.name} {field.type}{absent}"
    for title, table in (("shard", schema.SHARD_SCHEMA), ("index", schema.INDEX_SCHEMA)):
        assert isinstance(table, pa.Schema)
        yield from (f"table of {title}: {field.name} {field.type}" for field in table)
    members = (schema.JSON, schema.SOURCE, schema.TARGET, schema.LINEAR)
    yield f"members: {', '.join((*members, *schema.ANNOTATION_MEMBERS.values()))}"
    yield f"parts of EXR: {', '.join(schema.EXR_PARTS)}"


def python_names() -> Iterator[str]:
    """Yield the functions of the package with their parameters, and what a job's result holds."""
    for name in cat_dataset.__all__:
        value = getattr(cat_dataset, name)
        if isinstance(value, type):
            yield f"{name}: a class"
            continue
        parameters = [str(p.replace(annotation=p.empty)) for p in _parameters(value)]
        first = next(
            (n for n, p in enumerate(_parameters(value)) if p.kind is p.KEYWORD_ONLY), None
        )
        if first is not None:
            parameters.insert(first, "*")
        yield f"{name}({', '.join(parameters)})"
    for field in dataclasses.fields(JobResult):
        yield f"JobResult.{field.name}"


def _parameters(function: Any) -> list[inspect.Parameter]:
    return list(inspect.signature(function).parameters.values())
