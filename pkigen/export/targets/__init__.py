"""One file for each target; the name of its function is what ``pkigen export --to`` takes."""
