"""Independent validators, one module each."""
