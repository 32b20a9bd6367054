"""The report's figures, as SVG text; matplotlib without a window."""

import io
import math
from collections.abc import Mapping, Sequence
from typing import Any

import matplotlib as mpl

mpl.use("svg")  # no display; also keeps figures sharp at any size

from matplotlib import pyplot as plt
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from cat_dataset.attributes import ATTRIBUTES

_STYLE: Any = {
    "font.size": 8,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.grid": True,
    "grid.alpha": 0.25,
    "figure.constrained_layout.use": True,
    "svg.hashsalt": "cat",  # stable element names: equal data give equal bytes
    "svg.fonttype": "none",
}
_BLUE, _ORANGE, _GREY = "#2b6cb0", "#dd6b20", "#888888"


def _svg(figure: Figure) -> str:
    sink = io.StringIO()
    figure.savefig(sink, format="svg", metadata={"Date": None})
    plt.close(figure)
    text = sink.getvalue()
    return text[text.index("<svg") :]  # without the XML prologue, to stand inside HTML


def _panels(count: int, width: float = 3.2, height: float = 2.3) -> tuple[Figure, list[Axes]]:
    columns = min(max(count, 1), 4)
    lines = -(-max(count, 1) // columns)
    with mpl.rc_context(_STYLE):
        figure, grid = plt.subplots(
            lines, columns, figsize=(columns * width, lines * height), squeeze=False
        )
    axes = list(grid.flat)
    for unused in axes[count:]:
        unused.set_visible(False)
    return figure, axes[:count]


def scale_histograms(values: Mapping[str, Sequence[float]]) -> str:
    """Return a histogram of recorded scales per attribute."""
    with mpl.rc_context(_STYLE):
        figure, axes = _panels(len(values))
        for axis, (name, found) in zip(axes, sorted(values.items()), strict=True):
            axis.hist(found, bins=24, color=_BLUE)
            axis.set_title(f"{name} ({len(found)})")
            axis.set_xlabel(ATTRIBUTES[name].unit)
        return _svg(figure)


def measured_against_recorded(points: Mapping[str, Sequence[tuple[float, float]]]) -> str:
    """Return measured - recorded over the recorded value, with the tolerance as lines."""
    with mpl.rc_context(_STYLE):
        figure, axes = _panels(len(points))
        for axis, (name, found) in zip(axes, sorted(points.items()), strict=True):
            attribute = ATTRIBUTES[name]
            recorded = [value for value, _ in found]
            gaps = [attribute.axis_difference(value, measured) for value, measured in found]
            axis.plot(recorded, gaps, ".", markersize=3, color=_BLUE)
            for sign in (-1, 1):
                axis.axhline(sign * attribute.tolerance, color=_ORANGE, linewidth=0.8)
            axis.set_title(f"{name}\nlargest {max(abs(gap) for gap in gaps):.2g}")
            axis.set_xlabel(f"recorded, {attribute.unit}")
            axis.set_ylabel("measured - recorded")
        return _svg(figure)


def training_curves(log: Sequence[Mapping[str, Any]]) -> str:
    """Return loss over steps, one panel per stage; `log` are the lines of train_log.jsonl."""
    stages = list(dict.fromkeys(str(line["stage"]) for line in log))  # in order of training
    with mpl.rc_context(_STYLE):
        figure, axes = _panels(len(stages), width=5.0)
        for axis, stage in zip(axes, stages, strict=True):
            lines = [line for line in log if line["stage"] == stage]
            for key, colour in (("loss", _GREY), ("validation_loss", _ORANGE)):
                found = [(line["step"], line[key]) for line in lines if line.get(key) is not None]
                if found:
                    axis.semilogy(*zip(*found, strict=True), color=colour, label=key)
            axis.set_title(f"stage {stage}")
            axis.set_xlabel("step")
            axis.legend(frameon=False)
        return _svg(figure)


def response_curves(curves: Mapping[str, Sequence[Mapping[str, Any]]]) -> str:
    """Return achieved over asked per attribute, a line per scene; the ideal is the diagonal.

    `curves` maps an attribute to lines with `asked` and `achieved`, equally long.
    """
    with mpl.rc_context(_STYLE):
        figure, axes = _panels(len(curves), width=3.2, height=2.9)
        for axis, (name, lines) in zip(axes, sorted(curves.items()), strict=True):
            unit = ATTRIBUTES[name].unit
            for line in lines:
                achieved = [math.nan if value is None else value for value in line["achieved"]]
                axis.plot(line["asked"], achieved, color=_BLUE, linewidth=0.8, alpha=0.6)
            asked = [value for line in lines for value in line["asked"]]
            span = (min(asked), max(asked))
            axis.plot(span, span, "--", color=_ORANGE, linewidth=1.0)
            axis.set_title(name)
            axis.set_xlabel(f"asked, {unit}")
            axis.set_ylabel(f"achieved, {unit}")
        return _svg(figure)
