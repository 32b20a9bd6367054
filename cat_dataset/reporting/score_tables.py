"""The tables of an evaluation as text, from the rows of `evaluation.json`.

One list of columns serves the Markdown file and the report page. What was not measured is a dash.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

Row = Mapping[str, Any]  # of evaluation.json
Column = tuple[str, Callable[[Row], str]]  # header, and the cell of a row


@dataclass(frozen=True)
class ScoreTable:
    """One table: `rows` hold a text for each column of `header`."""

    title: str
    header: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]


def number(value: float | None, digits: int = 3) -> str:
    """Return a number with a few digits, or a dash where it was not measured."""
    return "-" if value is None else f"{value:.{digits}g}"


def signed(value: float | None) -> str:
    """Return a number with its sign."""
    return "-" if value is None else f"{value:+.3g}"


def percent(value: float | None) -> str:
    """Return a share in percent."""
    return "-" if value is None else f"{100.0 * value:.1f} %"


def interval(ends: Sequence[float] | None) -> str:
    """Return both ends of an interval; a single scene has none."""
    return "unknown: one scene" if ends is None else f"{ends[0]:.3g} to {ends[1]:.3g}"


def _text(header: str, name: str | None = None) -> Column:
    return header, lambda row: str(row.get(name or header, "-"))


def _number(header: str, name: str, digits: int = 3) -> Column:
    return header, lambda row: number(row.get(name), digits)


def _signed(header: str, name: str) -> Column:
    return header, lambda row: signed(row.get(name))


def _percent(header: str, name: str) -> Column:
    return header, lambda row: percent(row.get(name))


def _interval(name: str) -> Column:
    return "95 %", lambda row: interval(row.get(name))


def _hits(row: Row) -> str:
    return f"{percent(row.get('hit_rate'))} in {number(row.get('hit_tolerance'))}"


def _note(row: Row) -> str:
    is_too_coarse = row.get("is_too_coarse", False)
    return "refused: the floor exceeds a tenth of the range" if is_too_coarse else ""


_PAIRS = (_text("pairs", "num_pairs"), _text("scenes", "num_scenes"))
_SCORES: tuple[Column, ...] = (
    *map(_text, ("editor", "attribute", "unit", "producer", "values", "readout")),
    *_PAIRS,
    _text("unreadable", "num_unreadable"),
    _number("MAE", "mae"),
    _interval("mae_interval"),
    _number("floor", "floor_mae"),
    _number("above floor", "above_floor"),
    _number("P90", "p90"),
    _signed("bias", "bias"),
    _number("slope", "slope", 4),
    _interval("slope_interval"),
    _signed("intercept", "intercept"),
    _number("R2", "r2", 4),
    _percent("sign", "sign_accuracy"),
    ("hit", _hits),
    _percent("nMAE", "nmae"),
    _number("off path, codes", "off_path_codes"),
    _number("to truth, dB", "to_truth_db"),
    _number("outside, Delta-E", "outside_delta_e"),
    _number("truly", "outside_true_delta_e"),
    ("note", _note),
)
_COMPARISONS: tuple[Column, ...] = (
    *map(_text, ("attribute", "producer", "values", "readout", "other")),
    *_PAIRS,
    _number("its MAE, times", "ratio"),
    _interval("ratio_interval"),
    _signed("extra MAE", "extra_mae"),
    _interval("extra_interval"),
)
_BEHAVIOUR: tuple[Column, ...] = (
    *map(_text, ("editor", "attribute", "unit", "producer", "readout")),
    _number("identity dB, mean", "identity_mean_db"),
    _number("least", "identity_min_db"),
    _number("Delta-E", "identity_delta_e"),
    _number("P95", "identity_p95_delta_e"),
    _number("reading at 0", "zero_mae"),
    _percent("falling steps", "monotonicity_violations"),
    _percent("standing", "standing_steps"),
    _text("of", "num_steps"),
    _number("largest step", "largest_step_ratio"),
    _number("there and back", "return_mae"),
    _number("dB", "return_db"),
    _number("two steps", "additivity_mae"),
    _number("dB", "additivity_db"),
    _number("other unit", "unit_mae"),
    _number("codes", "unit_codes"),
)
_COMBINATIONS: tuple[Column, ...] = (
    *map(_text, ("editor", "combination", "attribute", "unit", "producer", "readout")),
    *_PAIRS,
    _text("unreadable", "num_unreadable"),
    _number("MAE", "mae"),
    _interval("mae_interval"),
    _number("floor", "floor_mae"),
    _number("alone", "alone_mae"),
    _interval("alone_interval"),
    _number("ratio", "ratio"),
    _interval("ratio_interval"),
    _number("if ignored", "ignoring_mae"),
    _number("order gap", "order_mae"),
    _number("codes", "order_codes"),
)
_TABLES: tuple[tuple[str, str, tuple[Column, ...]], ...] = (  # key in evaluation.json, title
    ("scores", "Scores, in each attribute's unit", _SCORES),
    ("comparisons", "Against the baselines, on the same edits", _COMPARISONS),
    ("behaviour", "Behaviour", _BEHAVIOUR),
    ("combinations", "Several numbers at once", _COMBINATIONS),
)


def score_tables(evaluation: Mapping[str, Any]) -> list[ScoreTable]:
    """Return every table of an evaluation that has rows."""
    tables = [
        ScoreTable(
            title,
            tuple(header for header, _ in columns),
            tuple(tuple(cell(row) for _, cell in columns) for row in evaluation.get(key, ())),
        )
        for key, title, columns in _TABLES
    ]
    tables.append(_cross_talk_table(evaluation.get("cross_talk", ())))
    return [table for table in tables if table.rows]


def _cross_talk_table(entries: Sequence[Row]) -> ScoreTable:
    """Return the matrix of each editor: a row per swept attribute, a column per read one."""
    read = sorted({entry["read"] for entry in entries})
    slopes = {(e["editor"], e["swept"], e["read"]): e["slope"] for e in entries}
    rows = tuple(
        (editor, swept, *(number(slopes.get((editor, swept, name))) for name in read))
        for editor, swept in dict.fromkeys((e["editor"], e["swept"]) for e in entries)
    )
    title = "Cross-talk: ideal is 1 where both are equal, else 0"
    return ScoreTable(title, ("editor", "swept", *read), rows)
