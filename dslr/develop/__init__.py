"""Comparable linear light from RAW frames: white balance, framing, alignment."""
