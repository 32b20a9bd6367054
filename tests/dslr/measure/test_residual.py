import math

import numpy as np
import pytest
from numpy.typing import NDArray

from cat_dataset.system.seeding import derive_rng
from dslr.develop.develop import Linear
from dslr.measure.regions import CellGrid, cell_grid, measure_stops
from dslr.measure.residual import Residual, residual_of
from dslr.simulator.flicker import LAMP_HZ, Flicker
from tests.dslr.conftest import scene_light
from tests.dslr.series_bench import exposed

HEIGHT_PX, WIDTH_PX = 192, 256
CELL_PX = 8
STEADY = Flicker()


def cells_of(
    name: str,
    *,
    light: Flicker = STEADY,
    stops: float = 0.0,
    iso: int = 100,
    scene: Linear | None = None,
    full_scale: float = 0.25,
) -> CellGrid:
    """Return the cells of one noisy frame; `name` draws its noise."""
    picture = scene_light("square", HEIGHT_PX, WIDTH_PX) if scene is None else scene
    lit_HW3 = picture * light.gain(HEIGHT_PX, WIDTH_PX) * np.float32(2.0**stops)
    rng = derive_rng(0, "residual", name)
    return cell_grid(exposed(lit_HW3, rng, iso=iso, full_scale=full_scale))


def compared(anchor: CellGrid, frame: CellGrid) -> Residual:
    """Return what two frames differ by beyond the scale measured between them."""
    return residual_of(anchor, frame, measure_stops(anchor, frame).reading.value)


@pytest.mark.parametrize("drift_deg", [0.0, 90.0, 225.0])
@pytest.mark.parametrize("drift_stops", [0.1, 0.35, 0.9])
def test_drifting_light_is_found_with_its_size(drift_stops: float, drift_deg: float) -> None:
    """A slope over the whole picture, in any direction: its ends differ by what was simulated."""
    light = Flicker(drift_stops=drift_stops, drift_deg=drift_deg)
    gain_HW = light.gain(HEIGHT_PX // CELL_PX, WIDTH_PX // CELL_PX)  # at the centres of cells
    from_corner_to_corner = math.log2(float(gain_HW.max() / gain_HW.min()))

    found = compared(cells_of("a"), cells_of("b", light=light))

    assert found.drift_stops == pytest.approx(from_corner_to_corner, abs=0.03)
    assert not found.moving_HW.any()


@pytest.mark.parametrize("band_stops", [0.05, 0.15, 0.4])
@pytest.mark.parametrize("turns", [0.0, 0.3])
def test_stripes_are_found_with_their_height(band_stops: float, turns: float) -> None:
    """Mains light while the shutter's slit runs over the picture: half their height, in stops."""
    share = 2.0**band_stops - 1.0
    light = Flicker(band_share=share, band_turns=turns)
    half_height = (math.log2(1.0 + share) - math.log2(1.0 - share)) / 2.0

    found = compared(cells_of("a"), cells_of("b", light=light))

    assert found.band_stops == pytest.approx(half_height, abs=0.03)
    assert not found.moving_HW.any()


@pytest.mark.parametrize("stops", [-2.0, 0.0, 1.5])
def test_frames_that_differ_in_exposure_alone_leave_nothing(stops: float) -> None:
    """No drift, no stripes, nothing that moved, whichever frame is the brighter one."""
    found = compared(cells_of("a"), cells_of("b", stops=stops))

    assert not found.moving_HW.any()
    assert found.drift_stops < 0.02
    assert found.band_stops < 0.02
    assert found.num_cells > 500


@pytest.mark.parametrize("stops", [-1.5, 0.0, 1.5])
def test_a_moving_block_is_found_and_hardly_more(stops: float) -> None:
    """All of its cells, and at most the rim around it."""
    block = (slice(64, 104), slice(160, 208))  # 5 x 6 cells
    moved_HW3 = scene_light("square", HEIGHT_PX, WIDTH_PX)
    moved_HW3[block] = 0.9 - moved_HW3[block]
    truth_HW = np.zeros((HEIGHT_PX // CELL_PX, WIDTH_PX // CELL_PX), np.bool_)
    truth_HW[8:13, 20:26] = True

    found = compared(cells_of("a"), cells_of("b", stops=stops, scene=moved_HW3))

    assert found.moving_HW[truth_HW].mean() > 0.95
    assert not found.moving_HW[~grown(truth_HW, 2)].any()
    assert found.moving_share == pytest.approx(truth_HW.mean(), rel=0.9)
    assert found.drift_stops < 0.05


def grown(mask_HW: NDArray[np.bool_], cells: int) -> NDArray[np.bool_]:
    """Return a mask that reaches so many cells farther on every side."""
    padded = np.pad(mask_HW, cells)
    height, width = mask_HW.shape
    offsets = range(2 * cells + 1)
    shifted = [padded[y : y + height, x : x + width] for y in offsets for x in offsets]
    return np.logical_or.reduce(shifted)


def test_a_block_that_moves_in_drifting_light_is_still_found() -> None:
    """The slope is taken out first, and the block does not bend it."""
    moved_HW3 = scene_light("square", HEIGHT_PX, WIDTH_PX)
    moved_HW3[64:104, 160:208] = 0.9 - moved_HW3[64:104, 160:208]
    light = Flicker(drift_stops=0.25)

    found = compared(cells_of("a"), cells_of("b", light=light, scene=moved_HW3))

    assert found.moving_HW[8:13, 20:26].mean() > 0.95
    assert found.drift_stops == pytest.approx(0.25, abs=0.05)


@pytest.mark.parametrize("stops", [-2.0, 0.0])
def test_the_noise_of_iso_6400_is_no_movement(stops: float) -> None:
    """Over a dozen pairs of frames no cell counts as moved, in light or in shadow."""
    for number in range(12):
        frames = [
            cells_of(f"{side} {number}", iso=6400, stops=s)
            for side, s in (("a", 0.0), ("b", stops))
        ]

        assert not compared(*frames).moving_HW.any()


def test_clipped_cells_are_not_compared() -> None:
    """What burnt out in one frame neither moved nor drifted."""
    scene_HW3 = scene_light("square", HEIGHT_PX, WIDTH_PX)
    scene_HW3[40:120, 40:120] = 3.0

    found = compared(cells_of("a", scene=scene_HW3), cells_of("b", scene=scene_HW3, stops=1.0))

    assert found.num_cells == found.moving_HW.size - 10 * 10
    assert not found.moving_HW.any()


def test_bands_average_out_in_a_long_exposure_and_the_finding_is_written_down() -> None:
    """Ten periods of a lamp within one exposure leave nothing; the origin says so in stops."""
    share = 0.3 * abs(float(np.sinc(LAMP_HZ * 0.1)))
    found = compared(cells_of("a"), cells_of("b", light=Flicker(band_share=share)))

    said = found.to_json()

    assert set(said) == {"moving_share", "drift_stops", "band_stops"}
    assert said["band_stops"] < 0.01
    assert said["moving_share"] == 0.0
