"""The Python API: what ``import pkigen`` provides, in typed functions and classes."""
