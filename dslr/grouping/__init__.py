"""Which captures belong together, and what varies between them."""
