"""How fast pkigen is, against the bare work and against other tools: ``python -m benchmarks``."""
