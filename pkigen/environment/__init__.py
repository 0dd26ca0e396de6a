"""A built environment: build, dry run, reading, renewal, revocation, and what it publishes."""
