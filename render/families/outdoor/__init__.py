"""The family `outdoor`: ground, sun, sky and fog."""
