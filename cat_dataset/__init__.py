"""CAT: image pairs whose difference is a known number, and the adapter that learns from them.

The steps of a job are functions of this package, as in `cat_dataset.run_job("job.toml", "out")`;
each is imported when it is first named, so that `import cat_dataset` costs nothing.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from cat_dataset.jobs.manifest import Job, load_job
    from cat_dataset.pipeline.compose_dataset import compose_dataset
    from cat_dataset.pipeline.ingest_captures import ingest_captures
    from cat_dataset.pipeline.render_dataset import render_dataset
    from cat_dataset.pipeline.run_job import run_job, write_report
    from cat_dataset.pipeline.simulate_captures import simulate_captures
    from cat_dataset.pipeline.train_adapter import edit_picture, evaluate_adapter, train_adapter
    from cat_dataset.store.verify import verify_dataset

_MODULE_OF = {
    "Job": "jobs.manifest",
    "compose_dataset": "pipeline.compose_dataset",
    "edit_picture": "pipeline.train_adapter",
    "evaluate_adapter": "pipeline.train_adapter",
    "ingest_captures": "pipeline.ingest_captures",
    "load_job": "jobs.manifest",
    "render_dataset": "pipeline.render_dataset",
    "run_job": "pipeline.run_job",
    "simulate_captures": "pipeline.simulate_captures",
    "train_adapter": "pipeline.train_adapter",
    "verify_dataset": "store.verify",
    "write_report": "pipeline.run_job",
}

__all__ = [
    "Job",
    "compose_dataset",
    "edit_picture",
    "evaluate_adapter",
    "ingest_captures",
    "load_job",
    "render_dataset",
    "run_job",
    "simulate_captures",
    "train_adapter",
    "verify_dataset",
    "write_report",
]


def __getattr__(name: str) -> Any:
    if name not in _MODULE_OF:
        msg = f"module {__name__!r} has no attribute {name!r}"
        raise AttributeError(msg)
    return getattr(import_module(f"{__name__}.{_MODULE_OF[name]}"), name)


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
