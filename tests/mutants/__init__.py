"""Mutation testing: runs the nearest tests against small changes of one function at a time.

Why not a published tool: cosmic-ray starts a pytest process for each mutant, which takes seconds before the
first test runs; mutmut runs the complete suite first, to learn which test covers which function; neither can
draw a seeded sample. This runner has mutmut's operators, imports the tests once, and forks for each mutant.
"""
