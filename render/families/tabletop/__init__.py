"""The family `tabletop`: objects on a table, lit from a window side."""
