"""Encoding of the certificate: its PEM, other files in its place, its bytes."""

from pkigen.faults.families.encoding import blocks, files, octets

__all__ = ["blocks", "files", "octets"]
