import io
from collections.abc import Sequence

import pytest

from dslr.files.tiff import TiffError, first_directory
from tests.dslr.tiff_bytes import Field, tiff_bytes

FIELDS: Sequence[Field] = (
    (0x0001, "short", (7,)),  # fits into its entry
    (0x0002, "long", (1, 2, 70000)),  # stands behind the directory
    (0x0003, "srational", (-1, 3)),
    (0x0004, "ascii", "EOS \0 and what is behind the zero"),
    (0x0005, "float", (0.5,)),
)


@pytest.mark.parametrize("start", [b"II*\0", b"MM\0*"])
def test_values_are_read_in_the_byte_order_of_their_file(start: bytes) -> None:
    """Short ones from the entry, long ones from where it points; rationals as two numbers."""
    tags = first_directory(io.BytesIO(tiff_bytes(FIELDS, start=start)))

    assert tags.number(0x0001) == 7
    assert tags.numbers(0x0002) == (1, 2, 70000)
    assert tags.numbers(0x0003) == (-1, 3)
    assert tags.text(0x0004) == "EOS"


def test_what_is_absent_or_of_a_type_not_read_is_unknown() -> None:
    """No value, no text, an empty sub-directory."""
    tags = first_directory(io.BytesIO(tiff_bytes(FIELDS)))

    assert tags.numbers(0x0005) == ()  # floating point, which no tag read here is
    assert (tags.number(0x0099), tags.text(0x0099)) == (0, "")
    assert tags.directory(0x0099).entries == {}


def test_offsets_count_from_where_the_structure_begins() -> None:
    """A structure inside another, as in Nikon's note."""
    tags = first_directory(io.BytesIO(b"ten bytes." + tiff_bytes(FIELDS)), base=10)

    assert tags.numbers(0x0002) == (1, 2, 70000)
    assert tags.directory(0x8769).entries == {}


def test_a_directory_beyond_the_end_is_an_error() -> None:
    """The file is cut off; where it should have gone on is said."""
    data = tiff_bytes(FIELDS)

    with pytest.raises(TiffError, match="beyond the end of the file"):
        first_directory(io.BytesIO(data[:20]))
    with pytest.raises(TiffError, match="beyond the end of the file"):
        first_directory(io.BytesIO(data[:-40])).text(0x0004)
