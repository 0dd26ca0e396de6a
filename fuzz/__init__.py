"""Mutated inputs into everything that reads files of others: see ``python -m fuzz --help``."""
