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

from cat_dataset.attributes.task_key import attribute_of_task

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
            axis.set_xlabel(attribute_of_task(name).unit)
        return _svg(figure)


def measured_against_recorded(points: Mapping[str, Sequence[tuple[float, float]]]) -> str:
    """Return measured - recorded over the recorded value, with the tolerance as lines."""
    with mpl.rc_context(_STYLE):
        figure, axes = _panels(len(points))
        for axis, (name, found) in zip(axes, sorted(points.items()), strict=True):
            attribute = attribute_of_task(name)
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


def response_curves(curves: Sequence[Mapping[str, Any]], editor: str) -> str:
    """Return the figure of `_response_figure` as SVG text."""
    with mpl.rc_context(_STYLE):
        return _svg(_response_figure(curves, editor))


def response_curve_files(curves: Sequence[Mapping[str, Any]], editor: str) -> dict[str, bytes]:
    """Return the figure of `_response_figure` by file suffix, PNG and SVG."""
    files = {}
    with mpl.rc_context(_STYLE):
        for suffix, metadata in (("svg", {"Date": None}), ("png", {"Software": None})):
            sink = io.BytesIO()
            figure = _response_figure(curves, editor)
            figure.savefig(sink, format=suffix, dpi=150, metadata=metadata)
            plt.close(figure)
            files[suffix] = sink.getvalue()
    return files


def _response_figure(curves: Sequence[Mapping[str, Any]], editor: str) -> Figure:
    """Return achieved over asked of one editor, a panel per attribute, a line per scene.

    Solid is the physical readout, dotted the match with true pictures; the ideal is the dashed
    diagonal. `curves` are the rows of evaluation.json.
    """
    own = [curve for curve in curves if curve["editor"] == editor]
    names = sorted({curve["attribute"] for curve in own})
    figure, axes = _panels(len(names), width=3.2, height=2.9)
    for axis, name in zip(axes, names, strict=False):
        unit = attribute_of_task(name).unit
        lines = [curve for curve in own if curve["attribute"] == name]
        for line in lines:
            is_light = line["readout"] == "physical"
            achieved = [math.nan if value is None else value for value in line["achieved"]]
            style, colour = ("-", _BLUE) if is_light else (":", _GREY)
            axis.plot(line["asked"], achieved, style, color=colour, linewidth=0.8, alpha=0.6)
        asked = [value for line in lines for value in line["asked"]]
        span = (min(asked), max(asked))
        axis.plot(span, span, "--", color=_ORANGE, linewidth=1.0)
        axis.set_title(name)
        axis.set_xlabel(f"asked, {unit}")
        axis.set_ylabel(f"achieved, {unit}")
    return figure
