"""Feeds mutated inputs to every parser of untrusted files: see ``python -m fuzz --help``."""
