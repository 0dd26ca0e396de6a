"""Sessions of a lab's consoles, and checks for cross-site requests and DNS rebinding."""

from __future__ import annotations

import secrets
import socket
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from ipaddress import ip_address, ip_network
from math import ceil
from threading import Lock

from starlette.requests import Request
from starlette.responses import Response

from pkigen.inspection.path import host_mismatch
from pkigen.lab.appliance.appliance import Appliance, token_digest
from pkigen.x509 import Certificate, Malformed

_HOURS = 8
_MOST = 64
_MOST_TOLD = 20
_MOST_WRONG = 10
_MOST_ADDRESSES = 1024
_WAIT_SECONDS = 30.0
_MOST_LINKS = 16
LINK_MINUTES = 10


@dataclass
class Session:
    """One sign-in; ``csrf`` is the token of its forms, ``flash`` contains the messages for the next page."""

    csrf: str
    ends: float
    flash: list[tuple[str, str]] = field(default_factory=list)

    def tell(self, grade: str, text: str) -> None:
        """Add a message for the next page."""
        self.flash = [*self.flash, (grade, text)][-_MOST_TOLD:]

    def take_messages(self) -> list[tuple[str, str]]:
        """Return the messages and remove them."""
        messages, self.flash = self.flash, []
        return messages


@dataclass
class _Attempts:
    """Failed attempts of an address since the last one that was locked or successful."""

    failed: int = 0
    locked_until: float = 0.0


class Sessions:
    """Sessions of all consoles of a lab: one sign-in opens each of them.

    The cookie name contains the port of the management console. Browsers send a cookie to all ports of a
    host, so it reaches every appliance of the lab, and another lab has a cookie of its own.

    ``clock`` is a monotonic clock in seconds. This is not Starlette's SessionMiddleware: sessions in a signed
    cookie could not be ended at sign-out.
    """

    def __init__(self, port: int, password: str, clock: Callable[[], float] = time.monotonic) -> None:
        self._cookie = f"pkigen-lab-{port}"
        self._password = password
        self._clock = clock
        self._attempts = dict[str, _Attempts]()
        self._trusted_address = ""
        self._sessions = dict[str, Session]()
        self._links = dict[str, float]()
        self._lock = Lock()

    def wait(self, address: str) -> int:
        """Return the seconds for which sign-in is locked for a client address.

        The address that signed in last is never locked, so that a guess cannot lock out the owner.
        """
        attempts = self._attempts.get(_network(address))
        if attempts is None or address == self._trusted_address:
            return 0
        return max(0, ceil(attempts.locked_until - self._clock()))

    def opens(self, user: str, password: str, address: str) -> bool:
        """Check user name and password; ten failed attempts lock sign-in for the address for 30 s."""
        is_correct = secrets.compare_digest(password.encode(), self._password.encode()) and user == "admin"
        network = _network(address)
        with self._lock:
            attempts = self._attempts.pop(network, _Attempts())
            if is_correct:
                self._trusted_address = address
                return True
            attempts.failed += 1
            if attempts.failed >= _MOST_WRONG:
                attempts = _Attempts(locked_until=self._clock() + _WAIT_SECONDS)
            while len(self._attempts) >= _MOST_ADDRESSES:
                del self._attempts[next(iter(self._attempts))]
            self._attempts[network] = attempts
        return False

    def new_link(self) -> str:
        """Return the token of a link that signs in once, within ten minutes."""
        token = secrets.token_urlsafe(24)
        with self._lock:
            while len(self._links) >= _MOST_LINKS:
                del self._links[next(iter(self._links))]
            self._links[token_digest(token)] = self._clock() + LINK_MINUTES * 60
        return token

    def opens_link(self, token: str) -> bool:
        """Return whether the token of a link is valid, and make it invalid."""
        with self._lock:
            return self._links.pop(token_digest(token), 0.0) > self._clock()

    def begin(self, response: Response) -> Session:
        """Create a session and set its cookie (Secure, HttpOnly, SameSite=Strict)."""
        token = secrets.token_urlsafe(32)
        session = Session(secrets.token_urlsafe(32), self._clock() + _HOURS * 3600)
        with self._lock:
            while len(self._sessions) >= _MOST:
                del self._sessions[next(iter(self._sessions))]
            self._sessions[token_digest(token)] = session
        response.set_cookie(self._cookie, token, secure=True, httponly=True, samesite="strict")
        return session

    def of(self, request: Request) -> Session | None:
        """Return the session of a request, or None if it has none or has expired."""
        session = self._sessions.get(token_digest(request.cookies.get(self._cookie, "")))
        return session if session is not None and session.ends > self._clock() else None

    def end(self, request: Request, response: Response) -> None:
        """End the session of a request."""
        with self._lock:
            self._sessions.pop(token_digest(request.cookies.get(self._cookie, "")), None)
        response.delete_cookie(self._cookie, secure=True, httponly=True, samesite="strict")


def _network(address: str) -> str:
    """Return the client whose attempts are counted: an IPv4 address, or the /64 prefix of an IPv6 address."""
    try:
        parsed = ip_address(address.partition("%")[0])
    except ValueError:
        return address
    return address if parsed.version == 4 else str(ip_network((parsed, 64), strict=False))


def is_cross_site(request: Request) -> bool:
    """Whether the browser reports a request as cross-site."""
    site = request.headers.get("sec-fetch-site", "same-origin")
    origin = request.headers.get("origin")
    here = f"https://{request.headers.get('host', '')}"
    return site not in ("same-origin", "none") or (origin is not None and origin.lower() != here.lower())


def has_trusted_host(request: Request, appliance: Appliance) -> bool:
    """Whether the Host of a request is an IP address or a name of the appliance.

    A name of another site may resolve to this machine (DNS rebinding), an address cannot belong to one.
    """
    host = (request.url.hostname or "").lower().rstrip(".")
    if host in ("localhost", appliance.host.lower(), socket.gethostname().lower()):
        return True
    try:
        ip_address(host)
    except ValueError:
        return _is_for(appliance.credential.leaf, host)
    return True


def _is_for(certificate: Certificate, host: str) -> bool:
    try:
        return not host_mismatch(certificate, host)
    except Malformed:
        return False
