"""Scenarios: their YAML format, their steps, and the runner."""
