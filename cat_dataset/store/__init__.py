"""Shards, tables and linear light on disk, both ways, and their checks."""
