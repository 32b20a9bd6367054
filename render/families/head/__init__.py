"""The family `head`: a character's head and shoulders with shape keys."""
