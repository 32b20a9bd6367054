"""What is measured on a mosaic: regions, noise, what a model leaves over."""
