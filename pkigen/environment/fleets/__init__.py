"""Fleets: certificates in shards, not in directories of their own."""
