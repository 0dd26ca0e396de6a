"""Faulty OCSP responses and valid ones with another status; the CRL is valid in all of them."""

from pkigen.faults.families.ocsp import answers, responses, signers

__all__ = ["answers", "responses", "signers"]
