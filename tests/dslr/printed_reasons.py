"""What modules may say to a photographer: patterns of how it is printed, from their source."""

import ast
import importlib
import re
from collections.abc import Iterator
from pathlib import Path

from dslr.grouping.captures_file import UNIT_OF_VALUES

# What those modules say of captures that are not left out, or hand on inside another reason.
NO_REASON = (
    *("same framing (correlation ", " frames, ", "balance varies by ", "by a factor of "),
    *("heap claims ", "-frame-", "-single", "-lamp", "-file-", "gave no result"),
)


def templates(module_name: str) -> Iterator[tuple[str, str]]:
    """Yield what a module says, with a pattern of how it is printed; constants are filled in."""
    module = importlib.import_module(module_name)
    tree = ast.parse(Path(str(module.__file__)).read_text(encoding="utf-8"))
    inner = {
        id(part)
        for node in ast.walk(tree)
        if isinstance(node, ast.JoinedStr | ast.FormattedValue)
        for part in ast.walk(node)
        if part is not node
    }
    docs = {id(node.value) for node in ast.walk(tree) if isinstance(node, ast.Expr)}
    for node in ast.walk(tree):
        if id(node) in inner | docs:
            continue
        if isinstance(node, ast.JoinedStr):
            parts = [_pattern(part, vars(module)) for part in node.values]
            yield ast.unparse(node), "".join(parts)
        elif isinstance(node, ast.Constant) and isinstance(node.value, str):
            yield node.value, re.escape(node.value).replace(re.escape("{}"), ".*?")


def _pattern(part: ast.expr, names: dict[str, object]) -> str:
    """Return how a part of an f-string is printed: literally, a constant, or anything."""
    if isinstance(part, ast.Constant):
        return re.escape(str(part.value))
    assert isinstance(part, ast.FormattedValue)
    value = names.get(part.value.id) if isinstance(part.value, ast.Name) else None
    if isinstance(value, int | float | str):
        spec = part.format_spec
        text = spec.values[0].value if isinstance(spec, ast.JoinedStr) else ""
        return re.escape(format(value, str(text) if isinstance(text, str) else ""))
    return ".*?"


def reasons_of(modules: tuple[str, ...]) -> dict[str, str]:
    """Return what modules may say to a photographer, by pattern: sentences, not words."""
    found = {}
    for name in modules:
        for text, pattern in templates(name):
            literal = re.sub(r"\.\*\?|\\", "", pattern)
            is_unit = text in UNIT_OF_VALUES.values()
            is_sentence = literal.count(" ") >= 3 and len(literal) > 18 and not is_unit
            if is_sentence and not any(part in text for part in NO_REASON):
                found[pattern] = f"{name}: {text}"
    return found
