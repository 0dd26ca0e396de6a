"""Limits the work of key derivation that a file can cause.

The number of iterations is in the file: two billion of them keep a machine busy for hours. The functions
that derive keys count the iterations immediately before they execute them, so that no encoding of the file
can hide the number.
"""

from __future__ import annotations

from pkigen.errors import InputError

MAX_ITERATIONS = 2_000_000
"""Iterations per file, about two seconds; every attempt with a passphrase counts."""
_COUNTABLE = 2**63


class KdfBudget:
    """The iterations that remain for one file."""

    def __init__(self) -> None:
        self.left = MAX_ITERATIONS

    def spend(self, iterations: int) -> None:
        """Count work that is about to be done; InputError if the budget does not suffice."""
        if iterations > MAX_ITERATIONS:
            amount = f"{iterations:,}" if iterations < _COUNTABLE else "more than 2^63"
            raise InputError(
                f"it requires {amount} iterations of key derivation; the limit is {MAX_ITERATIONS:,}"
            )
        if iterations > self.left:
            limit = f"{MAX_ITERATIONS:,} iterations of key derivation"
            raise InputError(f"the file requires more than {limit}, which is the limit")
        self.left -= iterations
