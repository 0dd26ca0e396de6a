"""Encoding of the certificate: its PEM, other files in its place, its bytes."""

from pkigen.faults.families.encoding import blocks, files, octets, structures

__all__ = ["blocks", "files", "octets", "structures"]
