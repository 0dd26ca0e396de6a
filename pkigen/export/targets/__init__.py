"""The export targets, one per module; the function's name is the value of ``pkigen export --to``."""
