"""Every rendered attribute in every family that has it, from manifest to shards."""

from collections.abc import Mapping, Sequence
from pathlib import Path

import pyarrow.parquet as pq
import pytest

from cat_dataset.attributes.table import BASIS_ATTRIBUTES, FAMILY_ATTRIBUTES, SWEEP_ATTRIBUTES
from cat_dataset.jobs.plans import Family
from cat_dataset.store.verify import verify_dataset
from cat_dataset.system.progress import SilentProgress
from tests.command_line import cat

pytestmark = [pytest.mark.bpy, pytest.mark.slow]
# All that an outdoor scene has, which is nearly all; of the others what it has not, and a sample.
PLANNED: Mapping[Family, tuple[str, ...]] = {
    "outdoor": tuple(sorted(FAMILY_ATTRIBUTES["outdoor"])),
    "tabletop": ("aperture", "base_hue", "focus_distance", "light_power", "transmission"),
    "interior": ("camera_azimuth", "light_temperature", "object_rotation", "roughness"),
    "head": ("ambient_level", "object_translation", "shape_key"),
}


def _manifest(folder: Path, families: Sequence[Family]) -> Path:
    """Write a job of one tiny scene of each family."""
    lines = ['[dataset]\nname = "all"\nseed = 4\nunits_per_shard = 2\nannotations = ["mask"]']
    for family in families:
        lines.append(
            f'[[render]]\nname = "{family}"\nfamily = "{family}"\nnum_scenes = 1\n'
            "width_px = 48\nheight_px = 40\nsamples_per_pixel = 8\n[render.attributes]"
        )
        for name in PLANNED[family]:
            frames = "" if name in BASIS_ATTRIBUTES else "num_frames = 2, "
            lines.append(f"{name} = {{ {frames}num_pairs = 2 }}")
        lines.append('"exposure+light_power" = { num_pairs = 2 }')
    lines.append('"object_scale+exposure" = { num_pairs = 2 }\nobject_scale = { num_frames = 2 }')
    path = folder / f"{'-'.join(families)}.toml"
    path.write_text("\n".join(lines))
    return path


def _render(manifest: Path, out: Path, workers: int) -> Path:
    run = cat("render", str(manifest), "--out", str(out), "--workers", str(workers))
    assert run.returncode == 0, run.stderr
    return out


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a data set of all families, made by two workers."""
    folder = tmp_path_factory.mktemp("all")
    return _render(_manifest(folder, tuple(PLANNED)), folder / "out", workers=2)


def test_one_worker_with_threads_makes_the_same_pairs(made: Path, tmp_path: Path) -> None:
    """Nothing of one scene is left to the next; alone and on two threads it gives the same."""
    manifest = _manifest(tmp_path, ("tabletop", "head"))

    alone = _render(manifest, tmp_path / "out", workers=1)

    rows = [
        {row["key"]: row for row in pq.read_table(out / "index.parquet").to_pylist()}
        for out in (made, alone)
    ]
    shared = rows[0].keys() & rows[1].keys()
    assert len(shared) >= 12
    for key in shared:
        one, other = (row[key] for row in rows)
        for name in ("status", "reason", "edits", "instruction", "split"):
            assert one[name] == other[name], (key, name)
        pictures = [
            {m["name"]: m["sha256"] for m in row["members"] if m["name"] != "json"}
            for row in (one, other)
        ]
        assert pictures[0] == pictures[1], key


def test_every_attribute_gives_pairs_or_says_why_not(made: Path) -> None:
    """All are tried; most are seen even at this size; nothing is measured beyond tolerance."""
    rows = pq.read_table(made / "index.parquet").to_pylist()

    tried = {row["attribute"] for row in rows}
    given = {row["attribute"] for row in rows if row["status"] == "ok"}
    assert tried == {*BASIS_ATTRIBUTES, *SWEEP_ATTRIBUTES}
    assert len(given) >= len(tried) - 3, tried - given
    assert not [row["reason"] for row in rows if row["status"] == "failed"]
    contradicted = [row["reason"] for row in rows if "was set" in (row["reason"] or "")]
    assert not contradicted
    assert any(len(row["edits"] or ()) == 2 for row in rows)


def test_what_was_made_is_sound(made: Path) -> None:
    """Every hash, every picture, every member."""
    assert verify_dataset(made, SilentProgress()).faults == ()


def test_every_rendered_attribute_is_set_probed_and_costed_in_one_entry() -> None:
    """The registry has an entry for each attribute whose frames have a cost, and for no other."""
    from render.sweeps.table import RENDERED

    assert set(RENDERED) == set(SWEEP_ATTRIBUTES)
    for entry in RENDERED.values():
        cost = entry.attribute.frame_cost
        assert cost is not None
        assert cost.probe_s > 0.0
