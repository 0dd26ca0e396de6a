"""A simulated appliance: its certificate, its upload check, its samples."""
