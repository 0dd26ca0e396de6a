"""The parts of the documentation site that are made from the program, when the site is built."""
