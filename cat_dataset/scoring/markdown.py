"""The report as Markdown tables, to paste and to diff; the number of scenes beside every figure."""

from collections.abc import Sequence

from cat_dataset.scoring.report import EvaluationReport, leading_readout
from cat_dataset.scoring.statistics.bootstrap import Interval


def markdown_table(report: EvaluationReport) -> str:
    """Return every table of a report."""
    parts = [
        f"# Scale accuracy, split {report.split}",
        f"{report.num_edits} edits per editor; under test: {report.editors[0]}; "
        f"baselines: {', '.join(report.editors[1:]) or 'none'}.",
        *(f"Note: {note}" for note in report.notes),
        *_section("Scores, in each attribute's unit", score_rows(report)),
        *_section("Against the baselines, on the same edits", comparison_rows(report)),
        *_section("Behaviour", behaviour_rows(report)),
        *_section("Several numbers at once", combination_rows(report)),
        *_section("Cross-talk: ideal is 1 where both are equal, else 0", cross_talk_rows(report)),
    ]
    return "\n\n".join(parts) + "\n"


Row = Sequence[str]


def score_rows(report: EvaluationReport) -> list[Row]:
    """Return the score table, header first."""
    header = (
        "editor", "attribute", "unit", "producer", "values", "readout", "pairs", "scenes",
        "unreadable", "MAE", "95 %", "floor", "above floor", "P90", "bias", "slope", "95 %",
        "intercept", "R2", "sign", "hit", "nMAE", "off path, codes", "to truth, dB",
        "outside, Delta-E", "truly", "note",
    )  # fmt: skip
    rows: list[Row] = [header]
    for s in report.scores:
        rows.append(
            (
                s.editor, s.attribute, s.unit, s.producer, s.values, s.readout, str(s.num_pairs),
                str(s.num_scenes), str(s.num_unreadable), number(s.mae), interval(s.mae_interval),
                number(s.floor_mae), number(s.above_floor), number(s.p90), signed(s.bias),
                number(s.slope, 4), interval(s.slope_interval),
                signed(s.intercept), number(s.r2, 4), percent(s.sign_accuracy),
                f"{percent(s.hit_rate)} in {s.hit_tolerance:.3g}", percent(s.nmae),
                number(s.off_path_codes), number(s.to_truth_db),
                number(s.outside_delta_e), number(s.outside_true_delta_e),
                "refused: the floor exceeds a tenth of the range" if s.is_too_coarse else "",
            )
        )  # fmt: skip
    return rows


def comparison_rows(report: EvaluationReport) -> list[Row]:
    """Return the table of paired differences, header first."""
    header = ("attribute", "producer", "values", "readout", "other", "pairs", "scenes",
              "its MAE, times", "95 %", "extra MAE", "95 %")  # fmt: skip
    rows: list[Row] = [header]
    for c in report.comparisons:
        rows.append(
            (
                c.attribute, c.producer, c.values, c.readout, c.other,
                str(c.num_pairs), str(c.num_scenes),
                number(c.ratio), interval(c.ratio_interval),
                signed(c.extra_mae), interval(c.extra_interval),
            )
        )  # fmt: skip
    return rows


def behaviour_rows(report: EvaluationReport) -> list[Row]:
    """Return the behaviour table, header first."""
    header = (
        "editor", "attribute", "unit", "producer", "readout", "identity dB, mean", "least",
        "Delta-E", "P95", "reading at 0", "falling steps", "standing", "of", "largest step",
        "there and back", "dB", "two steps", "dB", "other unit", "codes",
    )  # fmt: skip
    rows: list[Row] = [header]
    for b in report.behaviour:
        rows.append(
            (
                b.editor, b.attribute, b.unit, b.producer, b.readout, number(b.identity_mean_db),
                number(b.identity_min_db), number(b.identity_delta_e),
                number(b.identity_p95_delta_e), number(b.zero_mae),
                percent(b.monotonicity_violations), percent(b.standing_steps), str(b.num_steps),
                number(b.largest_step_ratio), number(b.return_mae), number(b.return_db),
                number(b.additivity_mae), number(b.additivity_db), number(b.unit_mae),
                number(b.unit_codes),
            )
        )  # fmt: skip
    return rows


def combination_rows(report: EvaluationReport) -> list[Row]:
    """Return the table of combinations, header first."""
    header = (
        "editor", "combination", "attribute", "unit", "producer", "readout", "pairs", "scenes",
        "unreadable", "MAE", "95 %", "floor", "alone", "95 %", "ratio", "95 %", "if ignored",
        "order gap", "codes",
    )  # fmt: skip
    rows: list[Row] = [header]
    for c in report.combinations:
        rows.append(
            (
                c.editor, c.combination, c.attribute, c.unit, c.producer, c.readout,
                str(c.num_pairs), str(c.num_scenes), str(c.num_unreadable),
                number(c.mae), interval(c.mae_interval),
                number(c.floor_mae), number(c.alone_mae), interval(c.alone_interval),
                number(c.ratio), interval(c.ratio_interval), number(c.ignoring_mae),
                number(c.order_mae), number(c.order_codes),
            )
        )  # fmt: skip
    return rows


def cross_talk_rows(report: EvaluationReport) -> list[Row]:
    """Return the matrix of each editor: a row per swept attribute, a column per read one."""
    read = sorted({entry.read for entry in report.cross_talk})
    rows: list[Row] = [("editor", "swept", *read)]
    table = {(e.editor, e.swept, e.read): e.slope for e in report.cross_talk}
    for editor, swept in dict.fromkeys((e.editor, e.swept) for e in report.cross_talk):
        values = [number(table.get((editor, swept, name))) for name in read]
        rows.append((editor, swept, *values))
    return rows


def short_lines(report: EvaluationReport) -> list[str]:
    """Return a line per attribute of the editor under test, for the command line."""
    behaviour = {
        (b.editor, b.attribute, b.producer): b
        for b in report.behaviour
        if b.readout == leading_readout(b.attribute)
    }
    lines = []
    for s in report.main_scores():
        own = behaviour.get((s.editor, s.attribute, s.producer))
        identity = own.identity_mean_db if own else None
        lines.append(
            f"{s.attribute}: MAE {s.mae:.3g} {s.unit} ({s.producer}, {s.readout}, "
            f"floor {number(s.floor_mae)}), slope {number(s.slope, 4)}, "
            f"sign right {percent(s.sign_accuracy)}, identity at 0 {number(identity)} dB, "
            f"{s.num_pairs} pairs of {s.num_scenes} scenes"
        )
    return lines


def _section(title: str, rows: Sequence[Row]) -> list[str]:
    """Return a heading and its table; nothing where there is only a header."""
    if len(rows) < 2:
        return []
    lines = [f"| {' | '.join(row)} |" for row in rows]
    lines.insert(1, "|" + " --- |" * len(rows[0]))
    return [f"## {title}", "\n".join(lines)]


def number(value: float | None, digits: int = 3) -> str:
    """Return a number with a few digits, or a dash where it was not measured."""
    return "-" if value is None else f"{value:.{digits}g}"


def signed(value: float | None) -> str:
    """Return a number with its sign."""
    return "-" if value is None else f"{value:+.3g}"


def percent(value: float | None) -> str:
    """Return a share in percent."""
    return "-" if value is None else f"{100.0 * value:.1f} %"


def interval(ends: Interval | None) -> str:
    """Return both ends of an interval; a single scene has none."""
    return "unknown: one scene" if ends is None else f"{ends[0]:.3g} to {ends[1]:.3g}"
