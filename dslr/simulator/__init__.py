"""A simulated camera: captures whose truth is known."""
