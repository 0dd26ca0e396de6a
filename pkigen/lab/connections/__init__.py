"""Connections between appliances, and the alerts that they forward."""
