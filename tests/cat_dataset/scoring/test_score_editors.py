import json
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow.parquet as pq
import pytest

from cat_dataset.errors import CatError, JobError
from cat_dataset.imaging.display import decode_display, decode_png, encode_display, encode_png
from cat_dataset.jobs.manifest import EvaluateJob
from cat_dataset.records import EditScale
from cat_dataset.scoring.editors import (
    Asked,
    EditFailure,
    FunctionEditor,
    load_function,
    open_folder,
)
from cat_dataset.scoring.questions.cases import CaseReader
from cat_dataset.scoring.questions.request_plan import ranges_of_rows
from cat_dataset.scoring.questions.requests import changed_edit, in_another_unit, unit_request
from cat_dataset.scoring.questions.value_ranges import feasible_range
from cat_dataset.scoring.score_editors import plan_benchmark
from cat_dataset.store.pair_dataset import PairDataset
from tests.cat_dataset.scored_data import JOB, LIGHT, write_scored_data
from tests.command_line import cat

EDITOR = """
import numpy as np
from cat_dataset.imaging.display import decode_display, encode_display

def edit(source, edits, instruction):
    light = decode_display(source)
    for name, value in edits:
        if name == "exposure":
            light = light * np.float32(2.0 ** value)
    return encode_display(light, 1.0)
"""


@pytest.fixture(scope="module")
def data_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A data set of two held-out scenes."""
    folder = tmp_path_factory.mktemp("benchmark")
    write_scored_data(folder, num_scenes=2)
    return folder


@pytest.fixture(scope="module")
def rows(data_folder: Path) -> PairDataset:
    """Its pairs."""
    return PairDataset([data_folder], splits=("test",))


@pytest.fixture
def manifest(tmp_path: Path) -> Path:
    """A manifest that asks for little."""
    path = tmp_path / "job.toml"
    path.write_text(
        '[dataset]\nname = "b"\nseed = 1\n[evaluate]\nnum_sweep_scenes = 1\nnum_sweep_steps = 3\n'
        "num_behaviour_pairs = 2\nnum_combination_pairs = 2\nmax_pairs_per_attribute = 6\n"
    )
    return path


def test_a_function_is_scored_from_the_command_line(
    data_folder: Path, manifest: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Somebody's module; exposure is exact, everything is written that the issue names."""
    (tmp_path / "somebody.py").write_text(EDITOR)
    monkeypatch.setenv("PYTHONPATH", str(tmp_path))

    run = cat(
        "benchmark", str(data_folder), "--editor", "somebody:edit", "--manifest", str(manifest),
        "--attribute", "exposure", "--out", str(tmp_path / "out"),
    )  # fmt: skip

    assert run.returncode == 0, run.stderr
    assert "exposure: MAE" in run.stdout
    report = json.loads((tmp_path / "out" / "evaluation.json").read_text())
    assert report["editors"] == ["somebody.edit", "copy", "blend", "oracle"]
    own = [s for s in report["scores"] if s["editor"] == "somebody.edit"]
    assert all(s["mae"] < 0.01 for s in own if s["values"] == "within")
    for name in ("edits.parquet", "scores.md", "response_curves.png", "response_curves.svg"):
        assert (tmp_path / "out" / name).is_file()


def test_a_folder_of_pictures_scores_like_the_function_that_made_them(
    data_folder: Path, manifest: Path, tmp_path: Path
) -> None:
    """The request list is enough to edit elsewhere: sources lie in tars, or were edited."""
    requests = tmp_path / "requests.jsonl"
    common = ("benchmark", str(data_folder), "--manifest", str(manifest), "--attribute", "exposure")
    listed = cat(*common, "--write-requests", str(requests))
    assert listed.returncode == 0, listed.stderr

    edited = tmp_path / "edited"
    edited.mkdir()
    for line in map(json.loads, requests.read_text().splitlines()):
        place = line["source"]
        if "edited" in place:
            source = decode_png((edited / f"{place['edited']}.png").read_bytes())
        else:
            with (data_folder / place["shard"]).open("rb") as tar:
                tar.seek(place["offset"])
                source = decode_png(tar.read(place["size"]))
        (edit,) = line["edits"]
        assert edit["light"] is None  # the camera changes no light of the scene
        light = decode_display(source) * np.float32(2.0 ** edit["value"])
        (edited / f"{line['key']}.png").write_bytes(encode_png(encode_display(light, 1.0)))
    run = cat(*common, "--edited", str(edited), "--out", str(tmp_path / "out"))

    assert run.returncode == 0, run.stderr
    results = pq.read_table(tmp_path / "out" / "edits.parquet").to_pylist()
    codes = {
        who: {r["key"]: r["to_source_db"] for r in results if r["editor"] == who}
        for who in ("edited", "oracle")
    }
    assert codes["edited"].keys() == codes["oracle"].keys()
    single = [key for key in codes["oracle"] if "--back" not in key and "--second" not in key]
    assert all(codes["edited"][key] == codes["oracle"][key] for key in single)


@pytest.mark.parametrize(
    ("arguments", "status", "complaint"),
    [
        ((), 2, "0 of --editor, --edited, --write-requests given"),
        (("--editor", "m:f", "--edited", "x"), 2, "give exactly one"),
        (("--editor", "json:loads"), 2, "give --out"),
        (("--editor", "json", "--out", "o"), 1, "write MODULE:FUNCTION"),
        (("--editor", "no_such_module:f", "--out", "o"), 1, "No module named"),
        (("--editor", "json:nothing", "--out", "o"), 1, "module json has no nothing"),
        (("--edited", "nowhere", "--out", "o"), 1, "holds no KEY.png"),
    ],
)
def test_wrong_use_is_said_with_the_remedy(
    data_folder: Path, arguments: tuple[str, ...], status: int, complaint: str
) -> None:
    """Usage ends with 2, what cannot be found with 1."""
    run = cat("benchmark", str(data_folder), *arguments)

    assert run.returncode == status
    assert complaint in " ".join(run.stderr.replace("│", " ").split())


def asked(rows: PairDataset) -> list[Asked]:
    """Return two questions."""
    plan = plan_benchmark(rows, JOB, ("exposure",))
    return [Asked(r, rows.read(plan.rows[r.pair_key]).source_HW3) for r in plan.requests()[:2]]


@pytest.mark.parametrize(
    ("function", "reason"),
    [
        (lambda source, edits, instruction: 1 / 0, "ZeroDivisionError"),
        (lambda source, edits, instruction: source.astype(float), "returned float64"),
        (lambda source, edits, instruction: source[1:], "shape (47, 48, 3)"),
        (lambda source, edits, instruction: None, "returned NoneType"),
    ],
)
def test_what_an_editor_does_wrong_costs_its_edit(
    rows: PairDataset, function: object, reason: str
) -> None:
    """Other people's code may raise or return anything; the run goes on."""
    answers = FunctionEditor("theirs", function).answer(asked(rows))

    assert all(isinstance(a, EditFailure) and reason in a.reason for a in answers)


def test_an_editor_cannot_change_the_source_of_others(rows: PairDataset) -> None:
    """It gets a copy."""
    questions = asked(rows)
    before = questions[0].source_HW3.copy()

    def spoil(source: np.ndarray, edits: object, instruction: str) -> np.ndarray:
        source[:] = 0
        return source

    FunctionEditor("theirs", spoil).answer(questions)

    assert (questions[0].source_HW3 == before).all()


def test_an_editor_that_asks_is_given_the_light_that_it_edits(rows: PairDataset) -> None:
    """The ratio and the colour of a lamp, of the picture that it gets; nothing of the camera."""
    seen: list[tuple[list[tuple[str, float]], list[dict[str, Any] | None]]] = []

    def edit(source: Any, edits: Any, instruction: str, light: Any) -> Any:
        seen.append((edits, light))
        return source

    plan = plan_benchmark(rows, JOB, LIGHT)
    cases = CaseReader(rows)
    for request in plan.requests():
        case = cases.read(plan.rows[request.pair_key])
        FunctionEditor("theirs", edit).answer([Asked(request, case.source_HW3, case.truth)])

    known = {
        name: light
        for edits, lights in seen
        for (name, _), light in zip(edits, lights, strict=True)
    }
    assert known["exposure"] is None
    assert len(known["light_power"]["ratio"]) == 3
    assert known["light_temperature"]["source_cct_k"] > 1000.0


def test_a_missing_picture_is_a_failure_of_that_edit(rows: PairDataset, tmp_path: Path) -> None:
    """One of two is there."""
    first, second = asked(rows)
    (tmp_path / f"{first.request.key}.png").write_bytes(encode_png(first.source_HW3))
    editor = open_folder(tmp_path, [first.request, second.request])

    there, missing = editor.answer([first, second])

    assert not isinstance(there, EditFailure)
    assert isinstance(missing, EditFailure)
    with pytest.raises(JobError, match="holds no KEY"):
        open_folder(tmp_path / "nowhere", [first.request])


def test_a_function_is_found_by_name() -> None:
    """And what is none is refused."""
    assert load_function("json:dumps").name == "json.dumps"
    with pytest.raises(CatError, match="is no function"):
        load_function("json:decoder")


def test_the_plan_is_the_same_every_time_and_keys_are_unique(rows: PairDataset) -> None:
    """Two processes ask the same: pictures made for one are answers to the other."""
    one, other = (plan_benchmark(rows, JOB, LIGHT).requests() for _ in range(2))

    assert one == other
    assert len({request.key for request in one}) == len(one)
    made = set()
    for request in one:  # what is edited on is edited before
        assert request.after is None or request.after in made
        made.add(request.key)


def test_going_back_starts_where_the_pair_ended() -> None:
    """White balance from 5600 to 3200 K: back is from 3200 to 5600 K."""
    edit = EditScale("white_balance", 1e6 / 3200 - 1e6 / 5600, 5600.0, 3200.0)

    back = changed_edit(edit, -edit.value, edit.value)

    assert back.source_value == pytest.approx(3200.0)
    assert back.target_value == pytest.approx(5600.0)


@pytest.mark.parametrize(
    ("edit", "text"),
    [
        (EditScale("exposure", -1.0), "exposure=0.500000000000x"),
        (EditScale("light_temperature", 46.2, 6500.0, 5000.0),
         "light_temperature=from 6500.000000000K to 5000.000000000K"),
        (EditScale("aperture", 2.0, 4.0, 8.0), "aperture=from f/4.000000000 to f/8.000000000"),
        (EditScale("object_rotation", 90.0), "object_rotation=0.250000000000turns"),
        (EditScale("roughness", 10.0), None),
    ],
)  # fmt: skip
def test_the_same_edit_in_another_unit(
    rows: PairDataset, edit: EditScale, text: str | None
) -> None:
    """What people type, and the number comes back."""
    assert in_another_unit(edit) == text
    request = unit_request(rows.rows[0], edit)
    if text is None:
        assert request is None
    else:
        assert request is not None
        assert request.edits[0].value == pytest.approx(edit.value, abs=0.05)


def test_only_settings_that_exist_are_asked_for() -> None:
    """From 6500 K, 12000 K is 70.5 mired away, so -120 cannot be asked; exposure has no end."""
    balance = EditScale("white_balance", 10.0, 6500.0)

    assert feasible_range(-120.0, 120.0, balance) == pytest.approx((-70.5, 120.0), abs=0.1)
    assert feasible_range(-2.0, 2.0, EditScale("exposure", 1.0)) == (-2.0, 2.0)


def test_ranges_come_from_the_pairs(rows: PairDataset) -> None:
    """Symmetric, and of the attributes asked for."""
    ranges = ranges_of_rows(rows.rows, ("exposure", "aperture"))

    assert set(ranges) == {"exposure", "aperture"}
    assert all(low == -high for low, high in ranges.values())
    largest = max(abs(r.edits[0].value) for r in rows.rows if r.edits[0].attribute == "exposure")
    assert ranges["exposure"][1] <= largest


def test_held_out_values_must_be_intervals() -> None:
    """A manifest that swaps the ends is refused."""
    with pytest.raises(ValueError, match="must rise"):
        EvaluateJob(held_out_values={"exposure": ((1.0, 0.5),)})
    with pytest.raises(ValueError, match="unknown attribute"):
        EvaluateJob(held_out_values={"sparkle": ((0.5, 1.0),)})
