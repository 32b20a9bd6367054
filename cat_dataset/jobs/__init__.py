"""What a manifest may ask for, and what it will cost."""
