"""Files, workers, seeds, progress, extras and the check of a machine; nothing about pictures."""
