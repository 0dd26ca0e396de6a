"""What the resources of a directory share: the template, the records, and the parts of a call."""

from __future__ import annotations

import secrets
from collections import OrderedDict
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from threading import Lock
from typing import Any

from pkigen.clock import utc_now
from pkigen.enrolment.acme.jose import Jwk, Jws
from pkigen.enrolment.acme.problems import malformed
from pkigen.enrolment.acme.rate_limits import RateLimits
from pkigen.enrolment.faults import EnrolmentFaults, RequestFaults
from pkigen.enrolment.state import State
from pkigen.environment.enrol import Enroller
from pkigen.profile.enrolment import AcmeSettings, Template

ACCOUNT, KEY, ORDER, AUTHORIZATION, CERTIFICATE, RENEWAL = (
    "acme-account",
    "acme-key",
    "acme-order",
    "acme-authorization",
    "acme-certificate",
    "acme-renewal",
)
"""The kinds of records. KEY maps the thumbprint of an account key to its account, RENEWAL the identifier of a
certificate (RFC 9773, 4.1) to its record."""

_MOST_NONCES = 20_000


class Nonces:
    """Nonces that can be used once (RFC 8555, 6.5); the oldest of too many are forgotten."""

    def __init__(self) -> None:
        self._lock = Lock()
        self._unused = OrderedDict[str, None]()

    def new(self) -> str:
        """Return a new nonce."""
        nonce = secrets.token_urlsafe(16)
        with self._lock:
            self._unused[nonce] = None
            if len(self._unused) > _MOST_NONCES:
                self._unused.popitem(last=False)
        return nonce

    def use(self, nonce: object) -> bool:
        """Whether the nonce is one that has not been used."""
        with self._lock:
            return isinstance(nonce, str) and self._unused.pop(nonce, self) is None


@dataclass
class AcmeService:
    """A directory: the resources of one template. ``validate`` starts the validation of a challenge."""

    template: Template
    settings: AcmeSettings
    enroller: Enroller
    state: State
    faults: EnrolmentFaults
    nonces: Nonces = field(default_factory=Nonces)
    limits: RateLimits = field(default_factory=RateLimits)
    validate: Callable[[str, int], None] = lambda _authorization, _number: None

    def profiles(self) -> Mapping[str, Template]:
        """Return the templates that a client may select: those with ACME and the same external accounts."""
        return {
            name: template
            for name, template in self.enroller.templates.items()
            if template.settings.acme is not None and template.settings.acme.eab == self.settings.eab
        }

    def client_time(self, moment: datetime) -> datetime:
        """Convert a time of the server's clock to the clock of the client, which is the real one."""
        return moment - (self.enroller.clock() - utc_now())


@dataclass(frozen=True)
class Call:
    """An authenticated request: signed by an account, or by ``key`` where that is permitted.

    ``base`` is the URL of the directory's resources, ``parameters`` are those of the path; ``faults`` are
    the active faults for this request.
    """

    base: str
    jws: Jws
    parameters: Mapping[str, str]
    account_id: str = ""
    account: Mapping[str, Any] = field(default_factory=dict)
    key: Jwk | None = None
    faults: RequestFaults | None = None

    @property
    def is_get(self) -> bool:
        """Whether this is a POST-as-GET (RFC 8555, 6.3)."""
        return not self.jws.payload

    def url(self, *parts: object) -> str:
        """Return the URL of a resource of the directory."""
        return "/".join((self.base, *map(str, parts)))

    def require_get(self) -> None:
        """Raise Problem unless the payload is empty."""
        if not self.is_get:
            raise malformed("this resource accepts only POST-as-GET: the payload must be empty")


@dataclass
class Reply:
    """A response: a JSON object, or ``data`` of a media type."""

    document: Mapping[str, Any] | None = None
    status: int = 200
    headers: dict[str, str] = field(default_factory=dict)
    links: Sequence[str] = ()
    data: bytes = b""
    media_type: str = "application/json"


def new_id() -> str:
    """Return an unpredictable ID."""
    return secrets.token_urlsafe(12)


def timestamp(moment: datetime) -> str:
    """Return a time in the format of RFC 3339."""
    return moment.replace(microsecond=0).isoformat().replace("+00:00", "Z")


def strings(value: object, name: str, most: int) -> list[str]:
    """Return a list of strings in a payload; Problem if it is none."""
    if not isinstance(value, list) or len(value) > most or not all(isinstance(one, str) for one in value):
        raise malformed(f"'{name}' must be a list of up to {most} strings")
    return value
