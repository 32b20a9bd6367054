from pathlib import Path

import pytest

from cat_dataset.store.pair_rows import PairRow, PairRows, member_spans, read_pair_rows
from cat_dataset.store.tables import edits_of_row, read_index
from tests.cat_dataset.scored_data import write_scored_data


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A data set of pairs, with rejected rows among them."""
    place = tmp_path_factory.mktemp("rows")
    write_scored_data(place, num_scenes=3)
    return place


def slow_rows(folder: Path, attributes: tuple[str, ...]) -> list[PairRow]:
    """Return the rows of an index by plain Python."""
    rows = [
        PairRow(
            row["key"], row["split"], row["scene"], edits_of_row(row["edits"]), row["instruction"],
            row["width_px"], row["height_px"], folder / "shards" / row["shard"],
            member_spans(row), {member["name"]: member["sha256"] for member in row["members"]},
            row["source_frame"], row["target_frame"],
        )
        for row in read_index(folder).to_pylist() if row["kind"] == "pair"
    ]  # fmt: skip
    kept = [row for row in rows if {edit.attribute for edit in row.edits} <= set(attributes)]
    return sorted(kept, key=lambda row: row.key)


@pytest.mark.parametrize("attributes", [("exposure", "aperture"), ("light_power",), ()])
def test_rows_are_those_of_the_slow_way(folder: Path, attributes: tuple[str, ...]) -> None:
    """In the order of their keys, however they are asked for."""
    expected = slow_rows(folder, attributes)

    rows = read_pair_rows([folder], ("test",), attributes)

    assert list(rows) == expected
    assert [rows[number] for number in range(len(rows))] == expected
    assert rows[-3:] == tuple(expected[-3:])
    assert rows.num_px == sum(row.width_px * row.height_px for row in expected)
    assert len(read_pair_rows([folder], ("train",), attributes)) == 0


def test_a_row_that_is_not_there_is_an_error(folder: Path) -> None:
    """As of any sequence."""
    rows = read_pair_rows([folder], None, None)

    with pytest.raises(IndexError):
        rows[len(rows)]


def test_rows_are_kept_by_what_they_say(folder: Path) -> None:
    """All of them is the same object; else those alone, in the same order."""
    rows = read_pair_rows([folder], None, ("exposure",))

    brighter = rows.kept(lambda row: row.edits[0].value > 0.0)

    assert rows.kept(lambda row: True) is rows
    assert isinstance(brighter, PairRows)
    assert list(brighter) == [row for row in rows if row.edits[0].value > 0.0]
    assert 0 < len(brighter) < len(rows)
