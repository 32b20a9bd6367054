from pathlib import Path

import pytest

from tests.dslr.mutated_ingest import ingest, problems, write_folder


@pytest.mark.slow
def test_broken_captures_cost_only_themselves(tmp_path: Path) -> None:
    """Fifty broken inputs, two of each kind: the run ends, good files pair, each has a reason."""
    good, mutants = write_folder(tmp_path / "captures", 50, seed=1)

    harvest = ingest(tmp_path / "captures", tmp_path / "out")

    assert problems(harvest, good, mutants) == []
