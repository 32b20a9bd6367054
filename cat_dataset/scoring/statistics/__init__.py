"""What the readings mean: errors, slopes, behaviour, intervals over scenes."""
