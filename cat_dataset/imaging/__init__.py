"""Arithmetic on pictures and light values; knows no record of the project."""
