"""Sessions of a console, and checks for cross-site requests and DNS rebinding."""

from __future__ import annotations

import secrets
import socket
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from ipaddress import ip_address
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
_WAIT_SECONDS = 30.0


@dataclass
class Session:
    """One sign-in. ``csrf`` goes into every form; ``flash`` is what the next page says once."""

    csrf: str
    ends: float
    flash: list[tuple[str, str]] = field(default_factory=list)

    def tell(self, grade: str, text: str) -> None:
        """Have the next page say something."""
        self.flash = [*self.flash, (grade, text)][-_MOST_TOLD:]

    def told(self) -> list[tuple[str, str]]:
        """What there is to say, once."""
        held, self.flash = self.flash, []
        return held


class Sessions:
    """Sessions of one appliance. The cookie name contains the port, because cookies ignore ports.

    ``clock`` gives seconds that only run forward.
    """

    def __init__(self, port: int, password: str, clock: Callable[[], float] = time.monotonic) -> None:
        self._cookie = f"pkigen-lab-{port}"
        self._password = password
        self._clock = clock
        self._wrong = 0
        self._shut_until = 0.0
        self._held = dict[str, Session]()
        self._lock = Lock()

    def wait(self) -> int:
        """Seconds for which nobody can sign in: somebody has guessed too often."""
        return max(0, ceil(self._shut_until - self._clock()))

    def opens(self, user: str, password: str) -> bool:
        """Check user name and password; after ten failed attempts, sign-in is locked for 30 s."""
        known = secrets.compare_digest(password.encode(), self._password.encode()) and user == "admin"
        with self._lock:
            self._wrong = 0 if known else self._wrong + 1
            if self._wrong >= _MOST_WRONG:
                self._wrong, self._shut_until = 0, self._clock() + _WAIT_SECONDS
        return known

    def begin(self, response: Response) -> Session:
        """Create a session and set its cookie (Secure, HttpOnly, SameSite=Strict)."""
        token = secrets.token_urlsafe(32)
        session = Session(secrets.token_urlsafe(32), self._clock() + _HOURS * 3600)
        with self._lock:
            while len(self._held) >= _MOST:
                del self._held[next(iter(self._held))]
            self._held[token_digest(token)] = session
        response.set_cookie(self._cookie, token, secure=True, httponly=True, samesite="strict")
        return session

    def of(self, request: Request) -> Session | None:
        """The session of a request, if it has one that has not ended."""
        found = self._held.get(token_digest(request.cookies.get(self._cookie, "")))
        return found if found is not None and found.ends > self._clock() else None

    def end(self, request: Request, response: Response) -> None:
        """Forget it."""
        with self._lock:
            self._held.pop(token_digest(request.cookies.get(self._cookie, "")), None)
        response.delete_cookie(self._cookie, secure=True, httponly=True, samesite="strict")


def is_cross_site(request: Request) -> bool:
    """Whether a page of another site has sent a request, by what browsers say of it."""
    site = request.headers.get("sec-fetch-site", "same-origin")
    origin = request.headers.get("origin")
    here = f"https://{request.headers.get('host', '')}"
    return site not in ("same-origin", "none") or (origin is not None and origin.lower() != here.lower())


def has_trusted_host(request: Request, appliance: Appliance) -> bool:
    """Whether a request is addressed to this machine: by an address, or by one of the appliance's names.

    A page of another site can have its own name lead here (DNS rebinding), and no address.
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
