"""Editing a picture by numbers with a trained adapter."""
