"""Where keys, salts and serials draw from: the system's randomness, or a seed."""

from __future__ import annotations

import os
from dataclasses import dataclass, field
from hashlib import shake_256
from typing import Protocol


class Entropy(Protocol):
    """A source of octets. Labels say what they are for; sources are picklable and thread-safe."""

    def read(self, size: int, *labels: str) -> bytes:
        """``size`` octets."""
        ...


@dataclass(frozen=True, slots=True)
class SystemEntropy:
    """Octets of the operating system; labels do not matter."""

    def read(self, size: int, *_labels: str) -> bytes:
        """``size`` octets that nobody can foretell."""
        return os.urandom(size)


@dataclass(frozen=True, slots=True)
class SeededEntropy:
    """Octets that follow from a seed and their labels alone: SHAKE-256 of both (FIPS 202)."""

    seed: str = field(repr=False)

    def read(self, size: int, *labels: str) -> bytes:
        """The same ``size`` octets for the same seed and labels, on every machine."""
        state = shake_256(b"pkigen 1")
        for label in (self.seed, *labels):
            octets = label.encode()
            state.update(len(octets).to_bytes(8, "big") + octets)
        return state.digest(size)
