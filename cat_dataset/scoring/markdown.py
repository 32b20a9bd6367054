"""The report as Markdown tables, to paste and to diff; the number of scenes beside every figure."""

from cat_dataset.reporting.score_tables import ScoreTable, number, percent, score_tables
from cat_dataset.scoring.evaluation import EvaluationReport, leading_readout


def markdown_table(report: EvaluationReport) -> str:
    """Return every table of a report."""
    parts = [
        f"# Scale accuracy, split {report.split}",
        f"{report.num_edits} edits per editor; under test: {report.editors[0]}; "
        f"baselines: {', '.join(report.editors[1:]) or 'none'}.",
        *(f"Note: {note}" for note in report.notes),
        *map(_section, score_tables(report.to_json())),
    ]
    return "\n\n".join(parts) + "\n"


def _section(table: ScoreTable) -> str:
    lines = [f"| {' | '.join(row)} |" for row in (table.header, *table.rows)]
    lines.insert(1, "|" + " --- |" * len(table.header))
    return "\n".join([f"## {table.title}", "", *lines])


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
