"""Instruments that measure a rendered edit again, and the arithmetic of their readings."""
