"""Train and use the numeric adapter; the only package that imports torch and diffusers."""
