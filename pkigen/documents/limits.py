"""How much a profile may ask for. What is over a limit is an error that names the limit."""

from __future__ import annotations

FILE_BYTES = 4 * 1024 * 1024
NESTING = 50
NODES = 500_000
"""Nodes of a document once its aliases are followed: what an alias bomb would blow up."""
INHERITED_NODES = 2_000_000
"""Nodes of all bodies, with what each inherits: what large defaults of many would blow up."""
LIKENESS = 50
"""How many bodies one can be like, each like the next."""
CERTIFICATES = 100_000
"""Authorities and end entities together."""
PROBLEMS = 100
NAMES_COMPARED = 2_000
"""Names that are looked through for the one that was meant."""
TABLE_BYTES = 16 * 1024 * 1024
TABLE_ROWS = 100_000
TABLE_COLUMNS = 1_000
RENDERED_CHARACTERS = 4_096
ALTERNATIVE_NAMES = 10_000
KEY_FILE_BYTES = 256 * 1024
