"""The compact base, its words and noise, and light inside the network."""
