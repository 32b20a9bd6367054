import math
from collections.abc import Sequence
from itertools import permutations
from pathlib import Path

import cv2
import numpy as np
import pytest

from cat_dataset.jobs.datasets import CaptureSource
from cat_dataset.records import Pair
from dslr.develop.develop import Linear
from dslr.develop.registration import zoom_about_centre
from dslr.grouping.series import SeriesKind
from dslr.grouping.zoom import MAX_OFF_LOG2
from dslr.units import CaptureGroup, scan_folder
from tests.dslr.conftest import scene_light
from tests.dslr.series_bench import (
    captures_of,
    ingest_series,
    photograph_pictures,
    reasons_of,
    series_pairs,
)

HEIGHT_PX, WIDTH_PX, FINER = 192, 256, 4
FOCAL: SeriesKind = "focal_length"
PRINTED_MM = (24.0, 35.0, 70.0)
TRUE_MM = (24.4, 34.3, 68.1)  # what such a zoom really has; the camera rounds to its engraving
WIDEST_MM = 24.0


def view(scene: str, focal_length_mm: float) -> Linear:
    """Return what a lens shows of a scene that fills the frame at 24 mm, area by area."""
    fine_HW3 = scene_light(scene, FINER * HEIGHT_PX, FINER * WIDTH_PX)
    size = fine_HW3.shape[1], fine_HW3.shape[0]
    warp = zoom_about_centre(WIDEST_MM / focal_length_mm, fine_HW3.shape)
    flags = cv2.INTER_CUBIC | cv2.WARP_INVERSE_MAP
    close_HW3 = cv2.warpAffine(fine_HW3, warp, size, flags=flags)
    small = cv2.resize(close_HW3, (WIDTH_PX, HEIGHT_PX), interpolation=cv2.INTER_AREA)
    return np.maximum(small, 0.0).astype(np.float32)


def zoom_files(folder: Path, views: Sequence[Linear], printed_mm: Sequence[float]) -> list[Path]:
    """Photograph one view at each printed focal length."""
    return list(
        photograph_pictures(
            folder,
            views,
            "zoom",
            series="focal_length",
            focal_lengths_mm=tuple(printed_mm),
            exposure_times_s=(1 / 60,),
        )
    )


def groups_of(folder: Path) -> list[CaptureGroup]:
    """Return the groups that a folder is split into."""
    capture_source = CaptureSource.model_validate({"name": "shots", "folder": folder})
    return list(scan_folder(capture_source, num_workers=1))


def file_indices(pair: Pair) -> tuple[int, int]:
    """Return which of the files source and target are."""
    source, target = (int(pair.origin[which]["file"][5]) for which in ("source", "target"))
    return source, target


@pytest.fixture(scope="module")
def zoom_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Three views of a street, taken in the order 24, 35, 70 mm."""
    folder = tmp_path_factory.mktemp("zoom")
    zoom_files(folder, [view("street", f) for f in TRUE_MM], PRINTED_MM)
    return folder


def test_the_magnification_is_measured_where_printed_focal_lengths_are_rounded(
    zoom_folder: Path,
) -> None:
    """All six ordered pairs: within 0.5 % of the true magnification, where the prints miss it."""
    pairs = series_pairs(ingest_series(captures_of(sorted(zoom_folder.glob("*.dng"))), FOCAL))

    assert sorted(file_indices(pair) for pair in pairs) == sorted(permutations(range(3), 2))
    for pair in pairs:
        (edit,) = pair.edits
        source, target = file_indices(pair)
        assert edit.value == pytest.approx(math.log2(TRUE_MM[target] / TRUE_MM[source]), abs=0.007)
        assert edit.value == edit.measured
        assert (edit.source_value, edit.target_value) == (PRINTED_MM[source], PRINTED_MM[target])
    assert math.log2(70.0 / 24.0) - math.log2(68.1 / 24.4) > 0.05  # what prints alone would miss


def test_a_folder_of_a_zoom_is_one_series(zoom_folder: Path) -> None:
    """Its settings and its pixels say so, without help."""
    (group,) = groups_of(zoom_folder)

    assert (group.kind, len(group.paths)) == (FOCAL, 3)
    assert "focal length (by a factor of 2.92) varies" in group.reason


def test_another_scene_among_them_is_left_out_with_its_reason(tmp_path: Path) -> None:
    """What does not lie around the longest view stays single; the others are the series."""
    views = [view("street", 24.4), view("yard", 34.3), view("street", 50.0), view("street", 68.1)]
    zoom_files(tmp_path, views, (24.0, 35.0, 50.0, 70.0))

    groups = groups_of(tmp_path)

    assert {g.kind: [path.name for path in g.paths] for g in groups} == {
        FOCAL: ["zoom-0.dng", "zoom-2.dng", "zoom-3.dng"],
        "single": ["zoom-1.dng"],
    }
    (single,) = [g for g in groups if g.kind == "single"]
    assert "it does not lie around the view at 70 mm (correlation 0." in single.reason


def test_another_scene_at_the_longest_focal_length_costs_only_itself(tmp_path: Path) -> None:
    """The first comparison fails for all; the next longest view is what the others lie around."""
    views = [view("street", 24.4), view("street", 34.3), view("yard", 68.1)]
    zoom_files(tmp_path, views, PRINTED_MM)

    kinds = {g.kind: [path.name for path in g.paths] for g in groups_of(tmp_path)}

    assert kinds == {FOCAL: ["zoom-0.dng", "zoom-1.dng"], "single": ["zoom-2.dng"]}


def test_a_stated_series_leaves_out_another_scene_too(tmp_path: Path) -> None:
    """captures.toml names the files; the measurement still has to find them in each other."""
    views = [view("street", 24.4), view("yard", 34.3), view("street", 68.1)]
    paths = zoom_files(tmp_path, views, PRINTED_MM)

    result = ingest_series(captures_of(paths, PRINTED_MM), FOCAL)

    assert {file_indices(pair) for pair in series_pairs(result)} == {(0, 2), (2, 0)}
    assert "does not lie around that of the longest focal length" in reasons_of(result)


def test_a_stated_focal_length_is_what_the_pair_says(tmp_path: Path) -> None:
    """A manual lens prints nothing of use: the stated numbers stand, the scale is measured."""
    paths = zoom_files(tmp_path, [view("street", f) for f in (28.0, 56.0)], (50.0, 50.1))

    pairs = series_pairs(ingest_series(captures_of(paths, [28.0, 55.0]), FOCAL))

    assert {pair.edits[0].source_value for pair in pairs} == {28.0, 55.0}
    assert sorted(p.edits[0].value for p in pairs) == pytest.approx([-1.0, 1.0], abs=0.007)


def test_a_print_that_is_far_off_is_no_zoom_of_that_number(tmp_path: Path) -> None:
    """Digital zoom or a wrong number: measured and printed magnification must nearly agree."""
    paths = zoom_files(tmp_path, [view("street", f) for f in (24.0, 38.0)], (24.0, 50.0))
    assert math.log2(50.0 / 38.0) > MAX_OFF_LOG2

    result = ingest_series(captures_of(paths), FOCAL)

    assert not series_pairs(result)
    assert "where its settings say 2.08x" in reasons_of(result)


def test_a_lens_that_darkens_a_little_as_it_zooms_is_evened_out(tmp_path: Path) -> None:
    """A quarter of a stop is measured in the common view and taken out."""
    darker = view("street", 68.1) * np.float32(2.0**-0.25)
    paths = zoom_files(tmp_path, [view("street", 24.4), darker], (24.0, 70.0))

    pairs = series_pairs(ingest_series(captures_of(paths), FOCAL))

    assert len(pairs) == 2
    taken_out = pairs[0].origin[("source", "target")[file_indices(pairs[0]).index(0)]]
    assert taken_out["brightness"]["taken_out_stops"] == pytest.approx(0.25, abs=0.02)


def test_a_lens_that_darkens_much_as_it_zooms_is_refused(tmp_path: Path) -> None:
    """A zoom of varying aperture, wide open: two thirds of a stop are no rest to be taken out."""
    darker = view("street", 68.1) * np.float32(2.0 ** (-2 / 3))
    paths = zoom_files(tmp_path, [view("street", 24.4), darker], (24.0, 70.0))

    result = ingest_series(captures_of(paths), FOCAL)

    assert not series_pairs(result)
    assert "brightness against the longest focal length is +0.6" in reasons_of(result)
