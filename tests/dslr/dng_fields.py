"""How tests change what a DNG says about itself."""

import struct


def with_field(data: bytes, old_tag: int, tag: int, tiff_type: int, values: bytes) -> bytes:
    """Return a DNG's bytes with one field of IFD0 replaced; long values go behind everything."""
    sizes = {1: 1, 2: 1, 3: 2, 4: 4, 5: 8, 10: 8}
    (ifd_at,) = struct.unpack_from("<I", data, 4)
    (num_fields,) = struct.unpack_from("<H", data, ifd_at)
    fields = [ifd_at + 2 + 12 * index for index in range(num_fields)]
    (at,) = [at for at in fields if struct.unpack_from("<H", data, at)[0] == old_tag]
    is_long = len(values) > 4
    slot = struct.pack("<I", len(data)) if is_long else values.ljust(4, b"\0")
    field = struct.pack("<HHI", tag, tiff_type, len(values) // sizes[tiff_type]) + slot
    return data[:at] + field + data[at + 12 :] + (values if is_long else b"")
