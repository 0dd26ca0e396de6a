"""Reads, describes, converts, validates, and checks certificates of any origin."""
