"""FLUX.2 klein and FLUX.1 Kontext through their stock pipelines, and their caches."""
