"""Producer of pairs from RAW captures; the only package that imports rawpy and exifread."""
