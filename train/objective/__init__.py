"""Losses, and the step of a training stage."""
