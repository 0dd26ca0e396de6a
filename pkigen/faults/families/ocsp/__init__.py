"""OCSP answers that are wrong, and sound ones about what is wrong; the CRL is sound in all of them."""

from pkigen.faults.families.ocsp import answers, responses, signers

__all__ = ["answers", "responses", "signers"]
