"""Limits for the size of a profile. Exceeding a limit is an error that names the limit."""

from __future__ import annotations

FILE_BYTES = 4 * 1024 * 1024
NESTING = 32
NODES = 500_000
"""Nodes of a document after alias expansion, against alias bombs."""
INHERITED_NODES = 2_000_000
"""Nodes of all bodies with inherited fields, against large defaults of many bodies."""
LIKENESS = 32
"""Length of a chain of ``like`` references."""
PATH_AUTHORITIES = 32
"""Authorities in one path: every certificate has a file with the whole path above it."""
CERTIFICATES = 100_000
"""Authorities and end entities together."""
PROBLEMS = 100
NAMES_COMPARED = 2_000
"""Names to compare with an unknown name for a suggestion."""
TABLE_BYTES = 16 * 1024 * 1024
TABLE_ROWS = 100_000
TABLE_COLUMNS = 1_000
RENDERED_CHARACTERS = 4_096
ALTERNATIVE_NAMES = 10_000
KEY_FILE_BYTES = 256 * 1024
