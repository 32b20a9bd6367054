from pathlib import Path

import numpy as np
import pytest

from cat_dataset.scoring.questions.cases import Case, CaseReader
from cat_dataset.scoring.truth import FrameTruth, LightTruth
from cat_dataset.store.pair_dataset import PairDataset
from tests.cat_dataset.scored_data import F_NUMBERS, LIGHT, write_kept_data, write_scored_data


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A data set of two scenes."""
    place = tmp_path_factory.mktemp("pairs")
    write_scored_data(place, num_scenes=2)
    return place


@pytest.fixture(scope="module")
def kept_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A data set whose light is kept beside its pairs, edits of two attributes among them."""
    place = tmp_path_factory.mktemp("kept")
    write_kept_data(place, num_scenes=1)
    return place


def cases(folder: Path) -> list[Case]:
    """Return every pair of a data set with its truth."""
    dataset = PairDataset([folder])
    reader = CaseReader(dataset)
    return [reader.read(row) for row in dataset.rows]


def gap_codes(case: Case) -> float:
    """Return the largest difference of a pair's target from what its truth says of its edits."""
    assert case.truth is not None
    picture = case.truth.picture({edit.attribute: edit.value for edit in case.row.edits})
    assert picture is not None
    source, target = case.source_HW3.astype(int), case.target_HW3.astype(int)
    is_known = (source.min(axis=-1) > 25) & (source.max(axis=-1) < 250)
    return float(np.abs(picture.astype(int) - target)[is_known].max())


def test_pairs_alone_tell_the_light_they_edit(folder: Path) -> None:
    """Of every photometric pair the truth at its own value is its target, but for 8-bit rounding.

    A source of 8 bits made brighter shows its rounding: a code of a dark pixel, two stops up.
    """
    found = [case for case in cases(folder) if isinstance(case.truth, LightTruth)]

    assert {case.row.edits[0].attribute for case in found} == set(LIGHT)
    for case in found:
        is_camera = case.row.edits[0].attribute in LIGHT[:2]
        assert gap_codes(case) <= (4 if is_camera else 1)


def test_a_source_at_no_change_is_the_source(folder: Path) -> None:
    """Bit for bit."""
    for case in cases(folder):
        if case.truth is None:
            continue  # the pair's change is too small to show where the lamp shines
        picture = case.truth.picture({})
        assert picture is not None
        assert (picture == case.source_HW3).all()


def test_kept_light_gives_the_target_itself(kept_folder: Path) -> None:
    """Light of half-float precision: every target within a code, two edits at once too."""
    found = cases(kept_folder)

    assert sum(len(case.row.edits) == 2 for case in found) >= 4
    for case in found:
        assert isinstance(case.truth, LightTruth)
        assert not case.truth.is_from_pair
        assert set(case.truth.layers) == {"lamp", "ambient", "rest"}
        assert gap_codes(case) <= 1


def test_frames_of_a_sweep_stand_where_their_f_numbers_say(folder: Path) -> None:
    """Positions relative to the source; those that other pairs name are found as well."""
    found = [case for case in cases(folder) if isinstance(case.truth, FrameTruth)]

    assert found
    for case in found:
        assert isinstance(case.truth, FrameTruth)
        source_n = case.row.edits[0].source_value
        assert source_n is not None
        expected = sorted(2.0 * np.log2(n / source_n) for n in F_NUMBERS)
        assert sorted(case.truth.frames) == pytest.approx(expected, abs=1e-6)
        assert (case.truth.frames[case.row.edits[0].value] == case.target_HW3).all()
