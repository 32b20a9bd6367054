"""The files of an evaluation: JSON, Parquet, Markdown tables, curves and sample pictures."""

import json
from dataclasses import asdict
from pathlib import Path

from cat_dataset.imaging.display import encode_png
from cat_dataset.scoring.evaluation import RESULTS_NAME, EvaluationReport
from cat_dataset.scoring.markdown import markdown_table
from cat_dataset.scoring.protocol import Findings
from cat_dataset.scoring.statistics.results import write_results
from cat_dataset.system.atomic import write_bytes_atomic, write_text_atomic

REPORT_NAME = "evaluation.json"
TABLE_NAME = "scores.md"
CURVES_NAME = "response_curves"


def write_report_files(folder: Path, report: EvaluationReport, findings: Findings) -> None:
    """Write JSON, Parquet, Markdown, curves and sample pictures into a folder."""
    from cat_dataset.reporting.plots import response_curve_files  # imports matplotlib

    folder.mkdir(parents=True, exist_ok=True)
    for key, pictures in findings.pictures.items():
        for role, picture in zip(("source", "target", "ours"), pictures, strict=True):
            write_bytes_atomic(folder / f"{key}.{role}.png", encode_png(picture))
    write_results(folder / RESULTS_NAME, findings.results)
    write_text_atomic(folder / TABLE_NAME, markdown_table(report))
    curves = [asdict(curve) for curve in report.curves]
    for suffix, data in response_curve_files(curves, report.editors[0]).items():
        write_bytes_atomic(folder / f"{CURVES_NAME}.{suffix}", data)
    write_text_atomic(folder / REPORT_NAME, json.dumps(report.to_json(), indent=1) + "\n")
