"""Entropy sources for keys, salts and serial numbers: the operating system, or a seed."""

from __future__ import annotations

import os
from dataclasses import dataclass, field
from hashlib import shake_256
from typing import Protocol


class Entropy(Protocol):
    """A source of bytes. Labels state the purpose of the bytes; sources are picklable and thread-safe."""

    def __hash__(self) -> int: ...

    def read(self, size: int, *labels: str) -> bytes:
        """Return ``size`` bytes."""
        ...


@dataclass(frozen=True, slots=True)
class SystemEntropy:
    """Bytes from the operating system's random number generator; ignores labels."""

    def read(self, size: int, *_labels: str) -> bytes:
        """Return ``size`` unpredictable bytes."""
        return os.urandom(size)


@dataclass(frozen=True, slots=True)
class SeededEntropy:
    """Bytes derived only from a seed and labels: SHAKE-256 of both (FIPS 202)."""

    seed: str = field(repr=False)

    def read(self, size: int, *labels: str) -> bytes:
        """Return ``size`` bytes, the same for equal seeds and labels on every machine."""
        state = shake_256(b"pkigen 1")
        for label in (self.seed, *labels):
            octets = label.encode()
            state.update(len(octets).to_bytes(8, "big") + octets)
        return state.digest(size)
