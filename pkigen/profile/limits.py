"""How much a profile may ask for. What is over a limit is an error that names the limit."""

from __future__ import annotations

FILE_BYTES = 4 * 1024 * 1024
NESTING = 50
NODES = 500_000
"""Nodes of a document once its aliases are followed: what an alias bomb would blow up."""
CERTIFICATES = 100_000
TABLE_BYTES = 16 * 1024 * 1024
TABLE_ROWS = 100_000
RENDERED_CHARACTERS = 4_096
ALTERNATIVE_NAMES = 10_000
KEY_FILE_BYTES = 256 * 1024
