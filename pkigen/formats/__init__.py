"""Certificates and keys as files, written (rendering) and read (reading)."""
