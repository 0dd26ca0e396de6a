"""Signature values that were forged or written in another way."""
