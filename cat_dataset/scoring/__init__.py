"""Score any editor against true pairs, in the units of the attributes; numpy only, no torch."""
