import json
import math
from pathlib import Path

import numpy as np
import pytest

from cat_dataset.errors import BracketError
from dslr.files.raw_file import open_raw, read_mosaic
from dslr.measure.regions import CellGrid, cell_grid, measure_stops
from tests.dslr.conftest import photograph


def grids(paths: tuple[Path, ...]) -> list[CellGrid]:
    """Return the cells of each file."""
    cells = []
    for path in paths:
        with open_raw(path) as raw:
            cells.append(cell_grid(read_mosaic(raw, path)))
    return cells


def true_stops(paths: tuple[Path, ...]) -> list[float]:
    """Return the simulated truth, in stops against the middle frame."""
    name = paths[0].name.rsplit("-", 1)[0]
    truth = json.loads((paths[0].parent / f"{name}.truth.json").read_text())
    return [frame["exposure_stops"] for frame in truth["frames"]]


def test_measured_stops_equal_the_simulated_truth_where_exif_does_not(
    bracket: tuple[Path, ...],
) -> None:
    """Every pair within 0.003 stop; EXIF alone is up to 0.06 stop wrong for this bracket."""
    cells, truth = grids(bracket), true_stops(bracket)

    for i in range(3):
        for j in range(3):
            if i != j:
                measured = measure_stops(cells[i], cells[j]).reading.value
                assert measured == pytest.approx(truth[j] - truth[i], abs=0.003)
    assert math.log2((1 / 60) / (1 / 250)) == pytest.approx(2.059, abs=1e-3)  # against truth 2


def test_measuring_is_antisymmetric_and_reported_per_colour(bracket: tuple[Path, ...]) -> None:
    """Swapping source and target changes the sign alone; red, green and blue agree."""
    first, second, _ = grids(bracket)

    there, back = measure_stops(first, second), measure_stops(second, first)

    assert there.reading.value == pytest.approx(-back.reading.value, abs=1e-9)
    assert set(there.per_channel) == {"red", "green", "blue"}
    for reading in there.per_channel.values():
        assert reading.value == pytest.approx(there.reading.value, abs=5 * reading.stderr)


def test_the_standard_error_is_honest(tmp_path: Path) -> None:
    """Over 30 noisy brackets, errors scatter as wide as the standard errors claim, around zero."""
    scores = []
    for number in range(15):
        paths = photograph(tmp_path, f"s{number}", iso=1600)
        cells, truth = grids(paths), true_stops(paths)
        for i, j in ((0, 1), (1, 2)):
            reading = measure_stops(cells[i], cells[j]).reading
            scores.append((reading.value - (truth[j] - truth[i])) / reading.stderr)

    assert abs(np.mean(scores)) < 0.6  # 30 draws: three standard errors of their mean
    assert 0.6 < np.std(scores) < 1.5
    assert np.abs(scores).max() < 4.0


def test_a_cloud_over_half_the_picture_shows_in_the_standard_error(
    bracket: tuple[Path, ...],
) -> None:
    """Local change between frames is no noise of the sensor, and still widens the error."""
    first, second, _ = grids(bracket)
    shaded = second.mean_3HW.copy()
    shaded[:, :, : shaded.shape[2] // 2] *= 0.9
    clouded = CellGrid(shaded, second.is_clipped_3HW, second.full_scale_dn, second.period)

    still, changed = (measure_stops(first, other).reading for other in (second, clouded))

    assert changed.stderr > 10 * still.stderr


def test_frames_without_common_light_cannot_be_measured(tmp_path: Path) -> None:
    """Ten stops apart, what one frame shows is clipped or black in the other."""
    cells = grids(photograph(tmp_path, exposure_times_s=(1.0, 1 / 1000)))

    with pytest.raises(BracketError, match="smaller steps"):
        measure_stops(*cells)


def test_frames_of_different_size_cannot_be_measured(bracket: tuple[Path, ...]) -> None:
    """A crop mode switched on within a bracket is named, not broadcast."""
    whole = grids(bracket)[0]
    cut = CellGrid(
        whole.mean_3HW[:, 1:], whole.is_clipped_3HW[:, 1:], whole.full_scale_dn, whole.period
    )

    with pytest.raises(BracketError, match="crop modes"):
        measure_stops(whole, cut)
