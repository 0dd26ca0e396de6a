"""Open transactions: certificates that clients have not yet confirmed, and requests that wait."""

from __future__ import annotations

import time
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass
from threading import Lock

from pkigen.enrolment.cmp.certificate_requests import CertificateRequest
from pkigen.environment.enrol import Enrolled

LIFE_SECONDS = 300.0
"""After this time a transaction is forgotten; a certificate that was issued in it stays valid."""
MOST_TRANSACTIONS = 1000


@dataclass
class Transaction:
    """A transaction that was begun with a message of ``kind`` by ``requester``.

    ``nonce`` is the server's last nonce. ``enrolled`` is the certificate to confirm, None if the request
    waits. ``renewal_of`` is the name of the certificate to renew.
    """

    kind: int
    requester: str
    request: CertificateRequest
    implicit_confirm: bool
    renewal_of: str = ""
    nonce: bytes = b""
    enrolled: Enrolled | None = None


class Transactions:
    """Transactions by their identifiers: the oldest one is forgotten if there are too many."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._lock = Lock()
        self._open = OrderedDict[bytes, tuple[float, Transaction]]()

    def get(self, identifier: bytes) -> Transaction | None:
        """Return an open transaction."""
        with self._lock:
            self._forget()
            pair = self._open.get(identifier)
            return None if pair is None else pair[1]

    def add(self, identifier: bytes, transaction: Transaction) -> bool:
        """Open a transaction; False if the identifier is in use."""
        with self._lock:
            self._forget()
            if identifier in self._open:
                return False
            self._open[identifier] = (self._clock() + LIFE_SECONDS, transaction)
            return True

    def take(self, identifier: bytes) -> Transaction | None:
        """Close a transaction, and return it if it was open."""
        with self._lock:
            self._forget()
            pair = self._open.pop(identifier, None)
            return None if pair is None else pair[1]

    def _forget(self) -> None:
        now = self._clock()
        while self._open:
            identifier, (end, _) = next(iter(self._open.items()))
            if end > now and len(self._open) < MOST_TRANSACTIONS:
                return
            del self._open[identifier]
