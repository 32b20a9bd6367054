"""The family `tabletop`: things on a table, lit from a window side."""
