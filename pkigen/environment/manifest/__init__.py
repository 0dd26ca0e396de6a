"""manifest.json: its schema, its entries, and how it is written and updated."""
