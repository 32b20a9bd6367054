from dataclasses import replace
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray

from cat_dataset.errors import BracketError
from cat_dataset.imaging.display import decode_display, decode_png
from cat_dataset.imaging.photometry import mired
from cat_dataset.jobs.datasets import CaptureSource
from cat_dataset.records import LightBasis, Pair
from dslr.develop.develop import Linear
from dslr.ingest import ingest_captures
from dslr.sweeps.light_sweep import (
    MIN_BALANCE_STEP_MIRED,
    lamp_basis,
    single_basis,
    white_balance_sweep,
)
from dslr.units import scan_folder
from tests.dslr.conftest import photograph, scene_light
from tests.dslr.series_bench import (
    DATASET,
    NAME,
    captures_of,
    ingest_series,
    photograph_pictures,
    read_series,
    reasons_of,
    series_pairs,
)

HEIGHT_PX, WIDTH_PX = 192, 256
TWICE = (1 / 60, 1 / 60)


def ambient_light() -> Linear:
    """Return a room without its lamp."""
    return scene_light("room", HEIGHT_PX, WIDTH_PX) * np.float32(0.5)


def lamp_light(strength: float = 2.0) -> Linear:
    """Return what a warm lamp at the upper left adds, with a hard shadow."""
    y, x = np.mgrid[0:HEIGHT_PX, 0:WIDTH_PX].astype(np.float32)
    glow_HW = strength * np.exp(-((x - 70.0) ** 2 + (y - 60.0) ** 2) / 2.0 / 60.0**2)
    glow_HW = np.where((x > 120.0) & (y > 90.0), 0.05, 1.0) * glow_HW
    colour = np.array([1.0, 0.7, 0.4], np.float32)
    reflected = scene_light("room", HEIGHT_PX, WIDTH_PX) * glow_HW[..., None] * colour
    return reflected.astype(np.float32)


def lamp_files(folder: Path, *, times_s: tuple[float, float] = TWICE) -> tuple[Path, ...]:
    """Photograph the room with the lamp off, then on."""
    pictures = [ambient_light(), ambient_light() + lamp_light()]
    return photograph_pictures(folder, pictures, "lamp", exposure_times_s=times_s)


@pytest.fixture(scope="module")
def basis(tmp_path_factory: pytest.TempPathFactory) -> LightBasis:
    """The lamp and the ambient light of two files, apart."""
    paths = lamp_files(tmp_path_factory.mktemp("basis"))
    return lamp_basis(read_series(captures_of(paths, [0.0, 60.0]), "lamp"), NAME, {})


@pytest.fixture(scope="module")
def lamp_pairs(tmp_path_factory: pytest.TempPathFactory) -> list[Pair]:
    """Pairs of the lamp's power and of the ambient level, of the same two files."""
    paths = lamp_files(tmp_path_factory.mktemp("pairs"))
    return series_pairs(ingest_series(captures_of(paths, [0.0, 60.0]), "lamp", num_pairs=6))


def scale_of(basis: LightBasis) -> float:
    """Return developed light over simulated light, from the frame with the lamp off."""
    known_HW = ~(basis.clipped_HW if basis.clipped_HW is not None else np.zeros(1, np.bool_))
    return float(basis.images_GHW3[1][known_HW].mean() / ambient_light()[known_HW].mean())


def test_the_difference_of_two_frames_is_the_lamp_alone(basis: LightBasis) -> None:
    """Per colour within 1 % over the whole picture; place by place within the noise."""
    assert basis.clipped_HW is not None
    known_HW = ~basis.clipped_HW
    found, true = basis.images_GHW3[0], lamp_light() * scale_of(basis)
    smooth = [cv2.boxFilter(picture[..., 1], -1, (9, 9)) for picture in (found, true)]

    for channel in range(3):
        assert found[known_HW][:, channel].mean() == pytest.approx(
            true[known_HW][:, channel].mean(), rel=0.01
        )
    gap_HW = np.abs(smooth[0] - smooth[1])[known_HW]
    assert np.median(gap_HW) < 0.02 * np.median(smooth[1][known_HW])
    assert [group.name for group in basis.groups] == ["lamp", "ambient"]


def test_what_the_frames_add_up_to_is_the_frame_with_the_lamp_on(basis: LightBasis) -> None:
    """Nothing is lost between the two lights, in light or in shadow."""
    both = basis.images_GHW3.sum(axis=0)
    true = (ambient_light() + lamp_light()) * scale_of(basis)
    assert basis.clipped_HW is not None

    ratio = both[~basis.clipped_HW].sum() / true[~basis.clipped_HW].sum()

    assert ratio == pytest.approx(1.0, abs=0.005)


def test_pairs_of_a_lamp_measure_what_they_record(lamp_pairs: list[Pair]) -> None:
    """All that were asked for are there, of both attributes, each read again from its pixels."""
    edits = [pair.edits[0] for pair in lamp_pairs]

    assert sorted(edit.attribute for edit in edits) == ["ambient_level"] * 6 + ["light_power"] * 6
    for edit in edits:
        assert edit.measured == pytest.approx(edit.value, abs=0.002)
        assert abs(edit.value) > 0.0


def test_the_pictures_show_the_lamp_at_the_power_that_the_pair_says(
    lamp_pairs: list[Pair], basis: LightBasis
) -> None:
    """Each PNG against the simulated light itself, lamp and ambient at the recorded stops."""
    assert lamp_pairs
    for pair in lamp_pairs:
        for which, png in (("source", pair.source_png), ("target", pair.target_png)):
            lamps = pair.origin[f"{which}_state"]["lamps"]
            true = scale_of(basis) * (
                lamp_light() * 2.0 ** lamps["lamp"]["power_stops"]
                + ambient_light() * 2.0 ** lamps["ambient"]["power_stops"]
            )
            shown = decode_display(decode_png(png)) / pair.develop.exposure_anchor
            ratio = shown_ratio(shown, true, pair.develop.exposure_anchor)
            assert ratio == pytest.approx(1.0, abs=0.02)


def shown_ratio(shown: NDArray[Any], true: NDArray[Any], anchor: float) -> float:
    """Return shown over true light, where the picture is neither white nor near black."""
    clear = (shown * anchor < 0.9).all(axis=-1) & (shown * anchor > 0.02).all(axis=-1)
    assert clear.mean() > 0.2
    return float(shown[clear].sum() / true[clear].sum())


@pytest.mark.parametrize("strength", [0.5, 2.0, 8.0])
def test_frames_on_a_tripod_are_not_moved_by_the_lamps_own_shadows(
    strength: float, tmp_path: Path
) -> None:
    """Other light looks a little like movement; neither frame is resampled, cropped or refused."""
    pictures = [ambient_light(), ambient_light() + lamp_light(strength)]
    paths = photograph_pictures(tmp_path, pictures, "lamp", exposure_times_s=TWICE)

    group = read_series(captures_of(paths, [0.0, 60.0]), "lamp")

    assert len(group.captures) == 2
    assert not any(read.alignment.is_applied for read in group.captures)
    assert group.captures[1].developed.clipped_HW.shape == (HEIGHT_PX, WIDTH_PX)


def test_a_lamp_series_from_the_hand_is_refused(tmp_path: Path) -> None:
    """Frames that are subtracted must lie on each other: beside edges light would be taken."""
    off, on = ambient_light(), np.roll(ambient_light() + lamp_light(), 5, axis=1)
    paths = photograph_pictures(tmp_path, [off, on], "hand", exposure_times_s=TWICE)

    result = ingest_series(captures_of(paths, [0.0, 60.0]), "lamp")

    assert not series_pairs(result)
    assert "of the picture is darker with the lamp on" in reasons_of(result)


def test_a_stated_lamp_in_the_wrong_order_is_refused(tmp_path: Path) -> None:
    """The frame that is said to have the lamp on is the darker one."""
    captures = captures_of(lamp_files(tmp_path), [60.0, 0.0])

    result = ingest_series(captures, "lamp")

    assert not series_pairs(result)
    assert "with the lamp on is not brighter than the one with it off" in reasons_of(result)


@pytest.mark.parametrize("powers", [(30.0, 60.0), (0.0, 0.0)])
def test_a_lamp_needs_a_frame_with_it_off_and_one_with_it_on(
    powers: tuple[float, float], tmp_path: Path
) -> None:
    """Without either there is no telling which light is the lamp's."""
    result = ingest_series(captures_of(lamp_files(tmp_path), powers), "lamp")

    assert not series_pairs(result)
    assert f"powers of the lamp {list(powers)}: give one frame with 0" in reasons_of(result)


def test_a_lamp_in_frames_of_other_exposure_is_refused(tmp_path: Path) -> None:
    """One stop more for the frame with the lamp on: the difference would not be the lamp."""
    captures = captures_of(lamp_files(tmp_path, times_s=(1 / 60, 1 / 30)), [0.0, 60.0])

    result = ingest_series(captures, "lamp")

    assert not series_pairs(result)
    assert "differ in time: a lamp is the difference of two equal exposures" in reasons_of(result)


def test_light_that_went_between_off_and_on_is_refused(tmp_path: Path) -> None:
    """A lamp takes no light anywhere: a patch of sun that left tells that more than it changed."""
    y, x = np.mgrid[0:HEIGHT_PX, 0:WIDTH_PX].astype(np.float32)
    sun_HW = 1.0 + 2.0 * np.exp(-((x - 200.0) ** 2 + (y - 130.0) ** 2) / 2.0 / 30.0**2)
    pictures = [ambient_light() * sun_HW[..., None], ambient_light() + lamp_light()]
    paths = photograph_pictures(tmp_path, pictures, "sun", exposure_times_s=TWICE)

    result = ingest_series(captures_of(paths, [0.0, 60.0]), "lamp")

    assert not series_pairs(result)
    assert "of the picture is darker with the lamp on, at most 2 % may be" in reasons_of(result)


def test_a_lamp_is_found_without_help_and_gives_the_same_pairs(tmp_path: Path) -> None:
    """Equal settings, more light unevenly: a lamp series, whose brighter frame is "on"."""
    lamp_files(tmp_path)
    plans = {"light_power": {"num_pairs": 4}}
    capture_source = CaptureSource.model_validate(
        {"name": "shots", "folder": tmp_path, "attributes": plans}
    )

    (group,) = scan_folder(capture_source, num_workers=1)
    result = ingest_captures(
        DATASET, capture_source, group.unit_id, group.split_scene, group.kind, group.captures
    )

    assert group.kind == "lamp"
    assert [pair.edits[0].attribute for pair in series_pairs(result)] == ["light_power"] * 4


def test_a_balance_series_takes_the_stated_kelvin(tmp_path: Path) -> None:
    """What the photographer states rules; one frame is developed under each of them."""
    paths = photograph(tmp_path, series="white_balance", wb_ccts_k=(3000, 5500, 7500))

    result = ingest_series(captures_of(paths, [3200.0, 5600.0, 8000.0]), "white_balance")

    pairs = series_pairs(result)
    assert {pair.edits[0].source_value for pair in pairs} == {3200.0, 5600.0, 8000.0}
    for pair in pairs:
        (edit,) = pair.edits
        assert edit.source_value is not None
        assert edit.target_value is not None
        assert edit.value == pytest.approx(mired(edit.target_value) - mired(edit.source_value))
        assert edit.measured == pytest.approx(edit.value, abs=0.5)


def test_balances_nearer_than_three_mired_are_one(tmp_path: Path) -> None:
    """Two clicks of a fine dial are no edit: with nothing else there is no series."""
    paths = photograph(tmp_path, series="white_balance", wb_ccts_k=(5500, 5550))
    assert abs(mired(5500) - mired(5550)) < MIN_BALANCE_STEP_MIRED
    group = read_series(captures_of(paths), "white_balance")

    assert white_balance_sweep(group, NAME, {}) is None


def test_a_camera_without_a_matrix_has_no_kelvin(tmp_path: Path) -> None:
    """Its multipliers cannot be placed on the axis of colour temperature; the reason says so."""
    paths = photograph(tmp_path, series="white_balance", wb_ccts_k=(3000, 5500))
    group = read_series(captures_of(paths), "white_balance")
    unknown = replace(group.plan, balance=replace(group.plan.balance, cct_k=None))

    with pytest.raises(BracketError, match="colour matrix of this camera is unknown"):
        white_balance_sweep(replace(group, plan=unknown), NAME, {})


def test_a_balance_series_that_burnt_out_is_refused_and_no_crash(tmp_path: Path) -> None:
    """Nothing unclipped is left to read a balance from: a row says so, the unit goes on."""
    white_HW3 = np.full((96, 128, 3), 1.0, np.float32) + scene_light("white")
    white_HW3[:10, :10] = 0.001  # exposed for the dark corner
    paths = photograph_pictures(
        tmp_path,
        [white_HW3 * np.float32(s) for s in (0.01, 4.0, 4.0)],
        "white",
        exposure_times_s=(1 / 60, 1 / 60, 1 / 60),
    )

    result = ingest_series(captures_of(paths[1:], [3000.0, 6000.0]), "white_balance")

    assert not series_pairs(result)
    assert result.rejections


def test_the_best_exposed_frame_stands_for_all_light(tmp_path: Path) -> None:
    """Of a bracket the brightest that hardly clips: least noise, nothing lost."""
    pictures = [scene_light("square") * np.float32(s) for s in (0.5, 1.0, 2.0, 8.0)]
    paths = photograph_pictures(
        tmp_path, pictures, "best", exposure_times_s=(1 / 60, 1 / 60, 1 / 60, 1 / 60)
    )
    group = read_series(captures_of(paths), "exposure")

    found = single_basis(group, NAME, {})

    clipped = [float(read.developed.clipped_HW.mean()) for read in group.captures]
    assert clipped[3] > 0.01 > clipped[2]
    assert found.origin["capture"]["file"] == "best-2.dng"
    assert [group.kind for group in found.groups] == ["ambient"]
