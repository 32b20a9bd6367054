"""The family `interior`: furnished rooms with a window and lamps."""
