"""Every rendered attribute in every family that has it, from manifest to shards."""

from pathlib import Path

import pyarrow.parquet as pq
import pytest

from cat_dataset.attributes import ATTRIBUTES
from cat_dataset.plans import BASIS_ATTRIBUTES, FAMILY_ATTRIBUTES, Family
from cat_dataset.progress import SilentProgress
from cat_dataset.verify import verify_dataset
from tests.command_line import cat

pytestmark = [pytest.mark.bpy, pytest.mark.slow]
FAMILIES: tuple[Family, ...] = ("tabletop", "interior", "outdoor", "head")


def _manifest(folder: Path) -> Path:
    """Write a job of one tiny scene of each family with all that it offers."""
    lines = ['[dataset]\nname = "all"\nseed = 4\nunits_per_shard = 2\nannotations = ["mask"]']
    for family in FAMILIES:
        lines.append(
            f'[[render]]\nname = "{family}"\nfamily = "{family}"\nnum_scenes = 1\n'
            "width_px = 48\nheight_px = 40\nsamples_per_pixel = 8\n[render.attributes]"
        )
        for name in sorted(FAMILY_ATTRIBUTES[family]):
            frames = "" if name in BASIS_ATTRIBUTES else "num_frames = 2, "
            lines.append(f"{name} = {{ {frames}num_pairs = 2 }}")
        lines.append('"exposure+light_power" = { num_pairs = 2 }')
        lines.append('"object_rotation+exposure" = { num_pairs = 2 }')
    path = folder / "all.toml"
    path.write_text("\n".join(lines))
    return path


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    """Return the same job's data set, made by one worker and by two."""
    folder = tmp_path_factory.mktemp("all")
    manifest = _manifest(folder)
    outs = []
    for workers in (1, 2):
        out = folder / f"out-{workers}"
        run = cat("render", str(manifest), "--out", str(out), "--workers", str(workers))
        assert run.returncode == 0, run.stderr
        outs.append(out)
    return outs[0], outs[1]


def test_one_worker_and_two_write_the_same_bytes(made: tuple[Path, Path]) -> None:
    """Nothing of one scene is left to the next, whatever was edited in it."""
    for name in ("index.parquet", "shards/000000.tar", "shards/000001.tar"):
        assert (made[0] / name).read_bytes() == (made[1] / name).read_bytes(), name


def test_every_attribute_gives_pairs_or_says_why_not(made: tuple[Path, Path]) -> None:
    """All are tried; most are seen even at this size; nothing is measured beyond tolerance."""
    rows = pq.read_table(made[0] / "index.parquet").to_pylist()

    tried = {row["attribute"] for row in rows}
    given = {row["attribute"] for row in rows if row["status"] == "ok"}
    assert tried == set(ATTRIBUTES)
    assert len(given) >= len(ATTRIBUTES) - 3, tried - given
    assert not [row["reason"] for row in rows if row["status"] == "failed"]
    contradicted = [row["reason"] for row in rows if "was set" in (row["reason"] or "")]
    assert not contradicted
    assert any(len(row["edits"] or ()) == 2 for row in rows)


def test_what_was_made_is_sound(made: tuple[Path, Path]) -> None:
    """Every hash, every picture, every member."""
    assert verify_dataset(made[0], SilentProgress()).faults == ()
