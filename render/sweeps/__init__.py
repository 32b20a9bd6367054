"""Attributes that are rendered again: set, render, and read back from probe pictures."""
