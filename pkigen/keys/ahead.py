"""Keys generated in threads while other things are done: OpenSSL releases the GIL for RSA."""

from __future__ import annotations

from concurrent.futures import Future, ThreadPoolExecutor

from pkigen.keys import PrivateKey
from pkigen.keys.kinds import parse_kind
from pkigen.keys.sources import KeySource


class KeysAhead:
    """New keys for owners who will ask for them, in the order announced.

    A context manager, whose end is the threads'. Only kinds that take long are worth it, and only
    where generating them leaves the interpreter free.
    """

    def __init__(self, source: KeySource, jobs: int) -> None:
        self.source = source
        self._jobs = jobs
        self._threads: ThreadPoolExecutor | None = None
        self._keys: dict[tuple[str, str], Future[PrivateKey]] = {}

    def __enter__(self) -> KeysAhead:
        return self

    def __exit__(self, *_: object) -> None:
        self.end()

    def announce(self, owner: str, kind: str) -> None:
        """Begin with the key of an owner, if it is worth it and not begun."""
        worth_it = self.source.takes_long(parse_kind(kind)) and not self.source.pure_python
        if not worth_it or (owner, kind) in self._keys:
            return
        if self._threads is None:
            self._threads = ThreadPoolExecutor(self._jobs, "key")
        self._keys[owner, kind] = self._threads.submit(self.source.generate, parse_kind(kind), owner)

    def take(self, owner: str, kind: str) -> PrivateKey | None:
        """The announced key, waited for if need be; None when it was not begun."""
        future = self._keys.pop((owner, kind), None)
        return future.result() if future else None

    def end(self) -> None:
        """Stop the threads, for good or until the next announcement. Keys not taken are lost."""
        if self._threads is not None:
            self._threads.shutdown(cancel_futures=True)
            self._threads = None
            self._keys.clear()
