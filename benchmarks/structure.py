"""Measure the shape of the code: files per folder, imports between folders, circles, functions.

    python benchmarks/structure.py [ROOT]

`ROOT` is a checkout, by default this one, so that two states can be held against each other.
"""

import ast
import statistics
import sys
from collections import Counter, defaultdict
from collections.abc import Hashable, Iterable, Iterator, Mapping
from pathlib import Path
from typing import TypeVar

NodeT = TypeVar("NodeT", bound=Hashable)
PACKAGES = ("cat_dataset", "render", "dslr", "train")
# Where attributes are defined: names written there are the definition.
DEFINITIONS = (
    *("cat_dataset/attributes", "cat_dataset/attributes.py", "cat_dataset/attribute_kinds.py"),
    *("cat_dataset/phrases.py", "cat_dataset/attribute.py"),
)


def main() -> None:
    """Print one table of the checkout."""
    root = Path(sys.argv[1] if len(sys.argv) > 1 else Path(__file__).parents[1]).resolve()
    trees = {
        path.relative_to(root): ast.parse(path.read_text(encoding="utf-8"))
        for package in PACKAGES
        for path in sorted((root / package).rglob("*.py"))
    }
    imports = {path: set(_imported_files(path, tree, trees)) for path, tree in trees.items()}
    lines = [line for package in PACKAGES for line in _of_package(root, package, trees, imports)]
    lengths = sorted(_function_lengths(trees.values()))
    tenth = lengths[round(0.9 * (len(lengths) - 1))]
    lines += [
        f"functions: {len(lengths)}, median {statistics.median(lengths):g} lines, 90 % {tenth}",
        f"circles of files: {sum(len(group) > 1 for group in _circles(imports))}",
        *_of_literals(root, trees),
    ]
    print("\n".join(lines))  # noqa: T201  # its output


def _of_package(
    root: Path, package: str, trees: dict[Path, ast.Module], imports: dict[Path, set[Path]]
) -> list[str]:
    own = [path for path in trees if path.parts[0] == package]
    lines = sum((root / path).read_text(encoding="utf-8").count("\n") for path in own)
    folders = Counter(str(path.parent) for path in own if path.name != "__init__.py")
    on_top = len({path.parts[1] for path in own if path.name != "__init__.py"})
    between = {
        (path.parts[1], other.parts[1])
        for path in own
        for other in imports[path]
        if other.parts[0] == package and path.parts[1] != other.parts[1]
    }
    return [
        f"{package}: {lines} lines, {len(own)} files, boxes on the first sheet {on_top}, arrows "
        f"between them {len(between)}, circles of folders "
        f"{sum(len(group) > 1 for group in _circles(_graph(between)))}",
        "  " + ", ".join(f"{folder} {number}" for folder, number in sorted(folders.items())),
    ]


def _graph(arrows: set[tuple[str, str]]) -> dict[str, set[str]]:
    graph: dict[str, set[str]] = defaultdict(set)
    for start, end in arrows:
        graph[start].add(end)
        graph.setdefault(end, set())
    return graph


def _imported_files(path: Path, tree: ast.Module, trees: dict[Path, ast.Module]) -> Iterator[Path]:
    """Yield the files of the project that a file imports anywhere, also inside functions."""
    for node in ast.walk(tree):
        names = []
        if isinstance(node, ast.Import):
            names = [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
            names = [f"{node.module}.{alias.name}" for alias in node.names]
        for name in names:
            found = _file_of(name, trees)
            if found is not None and found != path:
                yield found


def _file_of(name: str, trees: dict[Path, ast.Module]) -> Path | None:
    parts = name.split(".")
    for length in range(len(parts), max(len(parts) - 2, 0), -1):
        start = Path(*parts[:length])
        for candidate in (start.with_suffix(".py"), start / "__init__.py"):
            if candidate in trees:
                return candidate
    return None


def _circles(graph: Mapping[NodeT, set[NodeT]]) -> list[set[NodeT]]:
    """Return the groups of nodes that lead to each other; a node of no circle is alone."""
    reach = {node: _reachable(graph, node) for node in graph}
    groups: list[set[NodeT]] = []
    for node in graph:
        group = {other for other in reach[node] if node in reach.get(other, ())} | {node}
        if group not in groups:
            groups.append(group)
    return groups


def _reachable(graph: Mapping[NodeT, set[NodeT]], start: NodeT) -> set[NodeT]:
    found: set[NodeT] = set()
    left = [start]
    while left:
        for node in graph.get(left.pop(), ()):
            if node not in found:
                found.add(node)
                left.append(node)
    return found


def _function_lengths(trees: Iterable[ast.Module]) -> Iterator[int]:
    for tree in trees:
        for node in ast.walk(tree):
            if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
                yield (node.end_lineno or node.lineno) - node.lineno + 1


def _of_literals(root: Path, trees: dict[Path, ast.Module]) -> list[str]:
    sys.path.insert(0, str(root))
    try:
        from cat_dataset.attributes.table import ATTRIBUTES
    except ModuleNotFoundError:
        from cat_dataset.attributes import ATTRIBUTES  # of a checkout from before the folders
    names = set(ATTRIBUTES)
    counts: Counter[str] = Counter()
    for path, tree in trees.items():
        if str(path).startswith(DEFINITIONS):
            continue
        for node in ast.walk(tree):
            if isinstance(node, ast.Constant) and node.value in names:
                counts[str(path)] += 1
    return [
        f"attribute names as literals elsewhere: {counts.total()} in {len(counts)} files",
        "  " + ", ".join(f"{path} {number}" for path, number in counts.most_common()),
    ]


if __name__ == "__main__":
    main()
