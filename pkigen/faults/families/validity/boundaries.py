"""The first second of a certificate."""
