"""Serial numbers (RFC 5280, 4.1.2.2): positive, 127 bits, drawn at random or from a seed."""

from __future__ import annotations

import secrets
from collections.abc import Callable

from pkigen.keys.entropy import Entropy

_OCTETS = 16


def random_serial(_issuer: str, _owner: str, _index: int) -> int:
    """A serial from the system's randomness; its top bit is clear, so it takes 16 octets at most."""
    return _serial(secrets.token_bytes(_OCTETS))


class SeededSerials:
    """Serials that repeat: they follow from the seed, who signs, who is signed, and how often.

    ``generation`` tells how many times an entity was issued before.
    """

    def __init__(self, entropy: Entropy, generation: Callable[[str], int]) -> None:
        self._entropy = entropy
        self.generation = generation

    def __call__(self, issuer: str, owner: str, index: int) -> int:
        """The serial of the next certificate of ``owner``."""
        times = self.generation(owner)
        return _serial(self._entropy.read(_OCTETS, "serial", issuer, owner, str(index), str(times)))


def _serial(octets: bytes) -> int:
    return (int.from_bytes(octets, "big") >> 1) or 1
