"""Everything that talks to Cycles: session, renderer, denoiser, shader nodes, the probes' scene."""
