"""Exports of fleets for load tools, one per module. They are registered when they are imported."""
