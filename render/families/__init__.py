"""Families of procedural scenes: tabletop, interior, outdoor, head, and what they share."""
