"""manifest.json: its models, its objects, and how builds and commands write it."""
