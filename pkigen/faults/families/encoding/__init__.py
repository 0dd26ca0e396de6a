"""How the certificate is written: the PEM around it, other files in its place, its octets."""

from pkigen.faults.families.encoding import blocks, files, octets

__all__ = ["blocks", "files", "octets"]
