"""Faults of the HTTP service: which URL has which fault, and the faulty responses."""
