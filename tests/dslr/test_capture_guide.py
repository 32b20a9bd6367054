"""The capture guide says what the code does: numbers, reasons, units, examples."""

import math
import re
import tomllib
from functools import cache
from pathlib import Path

import pytest

from cat_dataset.attributes.table import find_attribute
from cat_dataset.compose import quality_checks
from dslr.develop import alignment, framing
from dslr.grouping import added_light, bursts, grouping, series, zoom
from dslr.grouping.captures_file import UNIT_OF_VALUES, CapturesFile, StatedSeries
from dslr.grouping.series import ATTRIBUTE_OF_KIND, SERIES_KINDS
from dslr.measure import regions, residual
from dslr.sweeps import bracket, constant_exposure_sweep, light_sweep
from tests.dslr.conftest import photograph, read_truth
from tests.dslr.printed_reasons import reasons_of
from tests.dslr.series_bench import captures_of, ingest_series, series_pairs

ROOT = Path(__file__).parents[2]
GUIDE = (ROOT / "docs" / "capture-guide.md").read_text(encoding="utf-8")
# The modules whose reasons a photographer may read, and those that add some for pairs.
MODULES = tuple(
    f"dslr.{name}"
    for name in (
        *("develop.alignment", "develop.framing"),
        *("files.ciff", "files.exif", "files.raw_file"),
        *("grouping.bursts", "grouping.captures_file", "grouping.file_workers"),
        *("grouping.grouping", "grouping.series", "grouping.zoom"),
        *("ingest", "measure.regions", "units"),
        *("sweeps.bracket", "sweeps.constant_exposure_sweep", "sweeps.develop_bursts"),
        *("sweeps.exposure_sweep", "sweeps.light_sweep", "sweeps.series_frames"),
        "sweeps.zoom_sweep",
    )
)
PAIR_MODULES = ("cat_dataset.compose.quality_checks", "cat_dataset.attributes.attribute")
MAX_PAIR_STOPS = find_attribute("exposure").value_range[1]
LIMITS = {
    "pause within a series, from the end of one exposure to the start of the next": (
        f"{bursts.MAX_PAUSE_S:g} s, or {bursts.MAX_PAUSE_SHARE:.0%} of the exposure time"
    ),
    "pause between single captures set by hand": f"{bursts.MAX_PAUSE_BY_HAND_S:g} s",
    "captures in a row with equal settings that are looked at for a lamp or another balance": (
        f"{grouping.MAX_EQUAL_CAPTURES}"
    ),
    "smallest step of time, aperture or ISO": f"{series.MIN_STEP_STOPS:g} stop",
    "what aperture and time, or ISO and time, may miss equal exposure by": (
        f"{series.EQUAL_EXPOSURE_STOPS:g} stop"
    ),
    "smallest step of the zoom": f"{2.0**series._MIN_FOCAL_LOG2 - 1.0:.0%}",
    "smallest step of focus": f"{series._MIN_DIOPTRES:g} dioptre",
    "smallest step of white balance": (
        f"{grouping.MIN_BALANCE_RATIO - 1.0:.0%} of a multiplier, "
        f"{light_sweep.MIN_BALANCE_STEP_MIRED:g} mired"
    ),
    "captures held against each other at once": f"{bursts.MAX_BURST}",
    "movement of the camera that is aligned": f"{framing.MAX_SHIFT_PX:g} px",
    "movement of the camera between lamp off and on": f"{grouping.MAX_LAMP_SHIFT_PX:g} px",
    "movement below which a frame is left as it is": f"{alignment.STILL_PX:g} px",
    "likeness of two frames (correlation)": f"{framing.MIN_CORRELATION:g}",
    "of the picture, unclipped in both frames, to compare framings": f"{framing.MIN_SHARED:.0%}",
    "of the picture that may move in exposure and ISO series": f"{residual.MAX_MOVING_SHARE:.0%}",
    "of the picture that must move in a shutter series": (
        f"{constant_exposure_sweep.MIN_SHUTTER_MOVING_SHARE:.1%}"
    ),
    'of the picture that may move in a pair without a mask (annotations = ["moving"] adds one)': (
        f"{quality_checks.MAX_UNMARKED_SHARE:.1%}"
    ),
    "drift of the light across the picture": f"{residual.MAX_DRIFT_STOPS:g} stop",
    "stripes of flickering light": f"{residual.MAX_BAND_STOPS:g} stop",
    "measured exposure against settings, marked": f"{bracket.FLAGGED_STOPS:g} stop",
    "measured exposure against settings, refused": f"{bracket.REJECTED_STOPS:g} stop",
    "brightness of all series but exposure and lamp against settings": (
        f"{constant_exposure_sweep.MAX_BRIGHTNESS_GAP_STOPS:g} stop"
    ),
    "measured magnification against printed focal lengths": f"{2.0**zoom.MAX_OFF_LOG2 - 1.0:.0%}",
    "what a lamp adds to the whole picture, to be found without captures.toml": (
        f"{added_light.MIN_ADDED_STOPS:g} stop"
    ),
    "how unevenly it adds, to be told from a cloud": f"{added_light.MIN_UNEVEN_STOPS:g} stop",
    "of the picture that may be darker with the lamp on": f"{added_light.MAX_LOST_SHARE:.0%}",
    "difference of a pair of exposures": (f"{find_attribute('exposure').value_range[1]:g} stops"),
}
PROSE = (
    f"less than {bursts.MAX_PAUSE_S:g} s from the end of one exposure",
    f"exposures longer than {bursts.MAX_PAUSE_S / bursts.MAX_PAUSE_SHARE:g} s",
    f"each follows the last within {bursts.MAX_PAUSE_BY_HAND_S:g} s",
    f"no pause of {bursts.MAX_SESSION_PAUSE_S / 60.0:g} minutes",
    f"More than {grouping.MAX_EQUAL_CAPTURES} captures with equal settings",
    f"keep the exposure within {series.EQUAL_EXPOSURE_STOPS:g} stop",
    f"At least {100.0 * constant_exposure_sweep.MIN_SHUTTER_MOVING_SHARE:g} % of the picture must "
    "move",
    f"A pair spans at most {MAX_PAIR_STOPS:g} stops",
    f"between 1/{1.0 / regions._LOWEST_SIGNAL:g} and {10.0 * regions._HIGHEST_SIGNAL:g}/10 of",
    f"{math.log2(regions._HIGHEST_SIGNAL / regions._LOWEST_SIGNAL):.1f} stops in all",
    f"with a longer side of {framing.PICTURE_PX} px",
    f"Infinity is {constant_exposure_sweep.FARTHEST_M:g} m",
)


def section(title: str) -> str:
    """Return what stands below a heading, down to the next one like it."""
    level = title.split(" ")[0]
    _, _, rest = GUIDE.partition(f"\n{title}\n")
    assert rest, title
    return re.split(rf"\n#{{2,{len(level)}}} ", rest)[0]


def table(text: str, head: str) -> dict[str, str]:
    """Return a table of two or more columns: its first cells and its second ones."""
    _, _, rest = text.partition(f"| {head} |")
    assert rest, head
    rows: dict[str, str] = {}
    for line in rest.split("\n")[2:]:
        if not line.startswith("|"):
            break
        cells = [cell.strip() for cell in line.strip("|").split(" | ")]
        assert cells[0] not in rows
        rows[cells[0]] = cells[1]
    return rows


def plain(text: str) -> str:
    """Return text without line breaks and code marks."""
    return re.sub(r"\s+", " ", text.replace("`", ""))


@cache
def reasons_given() -> tuple[str, ...]:
    """Return every reason of the guide's tables, as it stands between code marks."""
    tables = section("## Why something is left out")
    return tuple(re.findall(r"^\| `([^`]+)` \|", tables, re.MULTILINE))


def test_every_limit_is_the_constant_in_the_code() -> None:
    """The table of limits has a row for each, no more and no less."""
    written = table(section("## Limits"), "what")

    assert {plain(what): limit.replace(" %", "%") for what, limit in written.items()} == LIMITS


def test_numbers_in_the_text_are_the_constants_in_the_code() -> None:
    """What the text says in passing is as true as the table."""
    text = plain(GUIDE)

    assert [phrase for phrase in PROSE if phrase not in text] == []


def test_the_kinds_are_those_that_exist_with_what_they_give() -> None:
    """Every kind has a row, a section, and a row in the table of scales."""
    kinds = table(GUIDE, "kind | gives pairs of")
    attributes = {f"`{kind}`": [name] for kind, name in ATTRIBUTE_OF_KIND.items()}
    attributes["`lamp`"].append("ambient_level")

    assert {kind: gives.split(", ") for kind, gives in kinds.items()} == attributes
    assert set(table(GUIDE, "kind | the scale of a pair")) == set(attributes)
    assert all(section(f"### {kind}") for kind in SERIES_KINDS)


def test_values_have_the_units_that_the_code_takes() -> None:
    """The table of units is that of captures_file."""
    written = table(GUIDE, "kind | unit of `values`")

    assert {kind.strip("`"): unit for kind, unit in written.items()} == dict(UNIT_OF_VALUES)


def test_the_example_is_a_valid_captures_file_with_every_kind() -> None:
    """Whoever copies it starts from something that works."""
    (example,) = re.findall(r"```toml\n(.*?)```", GUIDE, re.DOTALL)

    stated = CapturesFile.model_validate(tomllib.loads(example))

    assert {entry.kind for entry in stated.series} == set(SERIES_KINDS)
    for entry in stated.series:
        if entry.values is not None:
            assert len(entry.values) == len(entry.files)


def test_keys_of_a_captures_file_are_those_of_the_model() -> None:
    """Each key is explained, none is made up."""
    written = {key.strip("`[]") for key in table(GUIDE, "key | what it is")}

    assert written == set(CapturesFile.model_fields) | set(StatedSeries.model_fields)


def test_every_reason_in_the_code_stands_in_the_guide() -> None:
    """As it is printed, with the present limits; a new reason needs a row with its remedy."""
    reasons = reasons_of(MODULES)
    assert len(reasons) > 40

    missing = [
        text
        for pattern, text in reasons.items()
        if not any(re.search(pattern, reason) for reason in reasons_given())
    ]

    assert missing == []


def test_every_reason_in_the_guide_is_one_that_the_code_gives() -> None:
    """A row whose text was changed in the code, or a limit, is found."""
    patterns = reasons_of((*MODULES, *PAIR_MODULES))
    assert len(reasons_given()) > 50

    unknown = [
        reason
        for reason in reasons_given()
        if not any(re.search(pattern, reason) for pattern in patterns)
    ]

    assert unknown == []


def test_every_reason_has_a_remedy() -> None:
    """No row of the tables is left without words on what to do."""
    tables = section("## Why something is left out")
    rows = re.findall(r"^\| `[^`]+` \| (.*) \|$", tables, re.MULTILINE)

    assert len(rows) == len(reasons_given())
    assert all(len(remedy) > 5 for remedy in rows)


@pytest.mark.parametrize("times_s", [(1 / 8, 1 / 60, 1 / 500)])
def test_steps_of_three_stops_measure_as_well_as_the_guide_says(
    times_s: tuple[float, ...], tmp_path: Path
) -> None:
    """Within five thousandths of a stop of the simulated truth."""
    paths = photograph(tmp_path, exposure_times_s=times_s, width_px=256, height_px=192)
    truth = {frame["file"]: frame["exposure_stops"] for frame in read_truth(paths)}

    pairs = series_pairs(ingest_series(captures_of(paths), "exposure"))

    assert len(pairs) >= 4
    for pair in pairs:
        source, target = (truth[pair.origin[which]["file"]] for which in ("source", "target"))
        assert pair.edits[0].value == pytest.approx(target - source, abs=0.005)


def test_what_is_recorded_is_what_the_guide_lists(tmp_path: Path) -> None:
    """Every key of the origin of a pair is named."""
    pairs = series_pairs(ingest_series(captures_of(photograph(tmp_path)), "exposure"))
    recorded = section("## What is recorded")
    origin = dict(pairs[0].origin)
    frame = {**origin.pop("source"), **origin.pop("target")}

    for key in (*origin, *frame, *frame["stops"], *frame["alignment"], *frame["residual"]):
        assert f"`{key}`" in recorded, key
