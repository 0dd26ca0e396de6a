"""The chain file, the certification path in it, and its trust anchor (RFC 5280, 6.1)."""

from pkigen.faults.families.chain import certification_path, lengths, loops, several_paths

__all__ = ["certification_path", "lengths", "loops", "several_paths"]
