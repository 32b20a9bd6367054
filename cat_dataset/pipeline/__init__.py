"""The steps of a job as Python functions, a module for each; `run_job` does them all.

The command line calls them, and so can a notebook: `cat_dataset.run_job("job.toml", "out")`. They
are handed how many workers to use and where to report progress, return what came of them, and
print nothing. Like the command line they import `render`, `dslr` and `train` inside functions only.
"""
