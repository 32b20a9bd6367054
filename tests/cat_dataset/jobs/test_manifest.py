from pathlib import Path

import pytest

from cat_dataset.errors import JobError
from cat_dataset.jobs.manifest import dump_job, load_job
from tests.command_line import ROOT

MANIFESTS = sorted((ROOT / "manifests").glob("*.toml"))
SIZE = "num_scenes = 1\nwidth_px = 64\nheight_px = 64\nattributes = { exposure = {} }\n"
LENS = ("head-lens", "outdoor-lens")
HEAD = '[dataset]\nname = "small"\nseed = 1\n'
BATCH = '[[render]]\nname = "a"\nnum_scenes = 1\nwidth_px = 64\nheight_px = 64\n'


def write(tmp_path: Path, text: str) -> Path:
    """Write a manifest."""
    path = tmp_path / "job.toml"
    path.write_text(text)
    return path


@pytest.mark.parametrize("path", MANIFESTS, ids=lambda p: p.name)
def test_every_manifest_of_the_repository_validates(path: Path) -> None:
    """What stands in manifests/ can be run."""
    assert load_job(path).dataset.name


@pytest.mark.parametrize("path", MANIFESTS, ids=lambda p: p.name)
def test_the_resolved_manifest_reads_back_as_the_same_job(path: Path, tmp_path: Path) -> None:
    """dump_job writes every default out and loses nothing."""
    job = load_job(path)
    assert load_job(write(tmp_path, dump_job(job))) == job


@pytest.mark.parametrize(
    ("text", "complaint"),
    [
        ("[dataset\n", "is no TOML"),
        (HEAD + "sead = 2\n", r"dataset\.sead = 2: .*remove it or check its spelling"),
        ('[dataset]\nname = "No Dots.Please"\nseed = 1\n', r"dataset\.name = 'No Dots\.Please'"),
        ('[dataset]\nname = "a"\nseed = -1\n', r"dataset\.seed = -1: .*greater than or equal to 0"),
        (HEAD + BATCH + "attributes = { brightness = {} }\n", "unknown attribute 'brightness'"),
        (
            HEAD + BATCH + "attributes = { exposure = { value_range = [-9.0, 2.0] } }\n",
            r"-9 stops is out of range; it must lie within -6 to \+6 stops",
        ),
        (
            HEAD + BATCH + "attributes = { exposure = { value_range = [2.0, -2.0] } }\n",
            "must rise; swap the two numbers",
        ),
        (HEAD + BATCH + "attributes = { aperture = {} }\n", r"give sweep = \[\.\.\.\]"),
        (
            HEAD + BATCH + "attributes = { aperture = { sweep = [2.0, 99.0] } }\n",
            "99 f-number is out of range",
        ),
        (
            HEAD + BATCH + "attributes = { exposure = { sweep = [1.0, 2.0] } }\n",
            "give value_range instead of sweep",
        ),
        (
            HEAD
            + BATCH
            + "attributes = { object_scale = { num_frames = 3, value_range = [0, 1] } }\n",
            "must reach as far below zero as above",
        ),
        (
            HEAD + BATCH + "attributes = { sun_elevation = { num_frames = 3 } }\n",
            "family tabletop have none; use outdoor",
        ),
        (
            HEAD + BATCH + 'attributes = { "roughness+exposure" = {} }\n',
            "plan roughness as well",
        ),
        (
            HEAD + BATCH + 'attributes = { exposure = {}, "exposure+roughness" = {} }\n',
            "a rendered attribute comes first",
        ),
        (
            HEAD + BATCH + "attributes = { roughness = { num_frames = 2, sweep = [9.0, 20.0] } }\n",
            "or num_frames",
        ),
        (HEAD + "val_share = 0.5\ntest_share = 0.5\n", "must stay below 1"),
        (HEAD + "[train]\nattributes = []\n", r"train\.attributes"),
        (HEAD + '[train]\nattributes = ["exposure", "exposure"]\n', "name one twice"),
        (HEAD + "[simulate_camera]\nexposure_times_s = [0.01]\n", "exposure_times_s"),
        (
            HEAD + '[[capture]]\nname = "c"\nfolder = "f"\n'
            "attributes = { exposure = { value_range = [2.0, -2.0] } }\n",
            "must rise; swap the two numbers",
        ),
        (HEAD + BATCH.replace('"a"', f'"{"a" * 49}"') + "attributes = {}\n", "at most 48"),
        (HEAD + f"[[render]]\nfamilies = []\n{SIZE}", "toml: render: families: give a list"),
        (HEAD + f'[[render]]\nfamilies = "head"\n{SIZE}', "families: give a list such as"),
        (
            HEAD + f'[[render]]\nfamily = "head"\nfamilies = ["head"]\n{SIZE}',
            "and no family beside it",
        ),
        (HEAD + f'[[render]]\nfamilies = ["head", "head"]\n{SIZE}', "must differ"),
        (HEAD + f'[[render]]\nfamilies = ["sea"]\n{SIZE}', "family = 'sea': input should be"),
        (HEAD + 2 * (BATCH + "attributes = { exposure = {} }\n"), "must differ"),
    ],
)
def test_a_broken_manifest_is_named_with_file_key_value_and_rule(
    text: str, complaint: str, tmp_path: Path
) -> None:
    """One line per broken rule."""
    path = write(tmp_path, text)
    with pytest.raises(JobError, match=complaint) as caught:
        load_job(path)
    assert str(path) in str(caught.value)


def test_a_missing_manifest_points_to_the_examples(tmp_path: Path) -> None:
    """The remedy is part of the message."""
    with pytest.raises(JobError, match="no such file; see manifests/"):
        load_job(tmp_path / "none.toml")


@pytest.mark.parametrize(("name", "names"), [(None, ("head", "outdoor")), ("lens", LENS)])
def test_a_source_of_families_is_a_source_of_each(
    name: str | None, names: tuple[str, str], tmp_path: Path
) -> None:
    """FAMILY-NAME, or FAMILY where it has no name: the scenes are those of sources typed out."""
    named = "" if name is None else f'name = "{name}"\n'
    short = f'[[render]]\nfamilies = ["head", "outdoor"]\n{named}{SIZE}'
    long = "".join(
        f'[[render]]\nname = "{each}"\nfamily = "{family}"\n{SIZE}'
        for each, family in zip(names, ("head", "outdoor"), strict=True)
    )

    assert load_job(write(tmp_path, HEAD + short)) == load_job(write(tmp_path, HEAD + long))


def test_the_scenes_of_the_score_keep_their_names() -> None:
    """Scene names decide seeds and splits: others would be other pictures."""
    sources = load_job(ROOT / "manifests" / "photometric.toml").render

    assert [source.name for source in sources] == ["tabletop", "interior", "outdoor", "head"]
    assert [source.family for source in sources] == ["tabletop", "interior", "outdoor", "head"]


@pytest.mark.parametrize("is_trained", [True, False])
def test_held_out_values_are_typed_once(is_trained: bool, tmp_path: Path) -> None:
    """What training leaves out is what the score calls never trained."""
    text = "[train.data]\nheld_out_values = { exposure = [[0.9, 1.1]] }\n" if is_trained else ""

    job = load_job(write(tmp_path, HEAD + text + '[evaluate]\nsplit = "val"\n')).evaluation()

    assert job.split == "val"
    assert job.held_out_values == ({"exposure": ((0.9, 1.1),)} if is_trained else {})
