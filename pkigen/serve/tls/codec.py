"""The presentation language of TLS (RFC 8446, 3): numbers and vectors in octets, both ways."""

from __future__ import annotations

from pkigen.serve.tls.alerts import Alert, Description


def number(value: int, size: int) -> bytes:
    """A number in ``size`` octets."""
    return value.to_bytes(size, "big")


def vector(data: bytes, size: int) -> bytes:
    """Octets with their length in front, in ``size`` octets; OverflowError when they are too many."""
    return len(data).to_bytes(size, "big") + data


def extension(code: int, data: bytes = b"") -> bytes:
    """An Extension (RFC 8446, 4.2)."""
    return number(code, 2) + vector(data, 2)


class Reader:
    """Takes octets apart from front to back; what does not fit ends in the alert decode_error."""

    def __init__(self, data: bytes) -> None:
        self._data, self._position = data, 0

    def take(self, size: int) -> bytes:
        """The next ``size`` octets."""
        end = self._position + size
        if end > len(self._data):
            raise Alert(Description.DECODE_ERROR)
        taken, self._position = self._data[self._position : end], end
        return taken

    def number(self, size: int) -> int:
        """The next number of ``size`` octets."""
        return int.from_bytes(self.take(size), "big")

    def vector(self, size: int) -> bytes:
        """The next vector whose length is in ``size`` octets."""
        return self.take(self.number(size))

    def numbers(self, size: int) -> tuple[int, ...]:
        """All that is left, as numbers of two octets, from a vector whose length is in ``size`` octets."""
        inside = Reader(self.vector(size))
        found = list[int]()
        while inside.left:
            found.append(inside.number(2))
        return tuple(found)

    @property
    def left(self) -> bool:
        """Whether there is more."""
        return self._position < len(self._data)

    def end(self) -> None:
        """Nothing may follow."""
        if self.left:
            raise Alert(Description.DECODE_ERROR)
