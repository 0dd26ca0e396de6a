"""Faults of the enrollment server: one module per protocol, whose name begins the IDs of its faults."""
