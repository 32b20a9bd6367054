"""What a RAW file says and holds: EXIF, maker notes, the mosaic."""
