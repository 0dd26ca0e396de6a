"""Identities of a server in the wrong place."""
