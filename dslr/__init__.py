"""RAW captures: read, group, develop comparably, measure; and a camera simulated from renders.

Only `raw_file` imports rawpy and only `exif` imports exifread, both inside functions.
"""
