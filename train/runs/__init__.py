"""A run on disk: folder, checkpoints, logs, device, processes."""
