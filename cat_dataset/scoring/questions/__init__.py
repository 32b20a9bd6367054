"""Which edits an evaluation asks for."""
