"""The loop of a training run, its data loader and sample grids."""
