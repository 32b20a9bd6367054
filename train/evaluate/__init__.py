"""The adapter and its baselines under the protocol of `cat_dataset.scoring`."""
