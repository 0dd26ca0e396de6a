"""Reads YAML documents: parsing with line numbers, field types, limits, error messages and shipped files."""
