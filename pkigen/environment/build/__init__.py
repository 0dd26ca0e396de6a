"""Builds an environment: compares plan and disk, issues what changed, and writes the result."""
