"""Who is signed in at an appliance's console, and whether a request is really theirs."""

from __future__ import annotations

import hashlib
import secrets
import time
from dataclasses import dataclass, field
from threading import Lock

from starlette.requests import Request
from starlette.responses import Response

_HOURS = 8
_MOST = 64


@dataclass
class Session:
    """One sign-in. ``csrf`` goes into every form; ``flash`` is what the next page says once."""

    csrf: str
    ends: float
    flash: list[tuple[str, str]] = field(default_factory=list)

    def tell(self, grade: str, text: str) -> None:
        """Have the next page say something."""
        self.flash.append((grade, text))

    def told(self) -> list[tuple[str, str]]:
        """What there is to say, once."""
        held, self.flash = self.flash, []
        return held


class Sessions:
    """Those of one appliance; cookies know no ports, so that its name is in theirs."""

    def __init__(self, name: str, password: str) -> None:
        self._cookie = f"pkigen-lab-{name}"
        self._password = password
        self._held = dict[str, Session]()
        self._lock = Lock()

    def opens(self, user: str, password: str) -> bool:
        """Whether these are the user's name and password."""
        known = secrets.compare_digest(password.encode(), self._password.encode())
        return known and user == "admin"

    def begin(self, response: Response) -> Session:
        """A new session; its cookie goes with the answer, to this site alone."""
        token = secrets.token_urlsafe(32)
        session = Session(secrets.token_urlsafe(32), time.monotonic() + _HOURS * 3600)
        with self._lock:
            while len(self._held) >= _MOST:
                del self._held[next(iter(self._held))]
            self._held[_digest(token)] = session
        response.set_cookie(self._cookie, token, secure=True, httponly=True, samesite="strict")
        return session

    def of(self, request: Request) -> Session | None:
        """The session of a request, if it has one that has not ended."""
        found = self._held.get(_digest(request.cookies.get(self._cookie, "")))
        return found if found is not None and found.ends > time.monotonic() else None

    def end(self, request: Request, response: Response) -> None:
        """Forget it."""
        with self._lock:
            self._held.pop(_digest(request.cookies.get(self._cookie, "")), None)
        response.delete_cookie(self._cookie, secure=True, httponly=True, samesite="strict")


def from_elsewhere(request: Request) -> bool:
    """Whether a page of another site has sent a request, by what browsers say of it."""
    site = request.headers.get("sec-fetch-site", "same-origin")
    origin = request.headers.get("origin")
    here = f"https://{request.headers.get('host', '')}"
    return site not in ("same-origin", "none") or (origin is not None and origin.lower() != here.lower())


def _digest(token: str) -> str:
    return hashlib.sha256(token.encode("utf-8", "surrogateescape")).hexdigest()
