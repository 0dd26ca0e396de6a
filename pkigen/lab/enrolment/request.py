"""What an appliance requests, its HTTPS connection to the enrollment server, and why a request fails."""

from __future__ import annotations

import ssl
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from pathlib import Path

import httpx
from cryptography import x509

from pkigen.enrolment.new_request import Key, certification_request
from pkigen.enrolment.server_certificate import NO_CHECK_TIME
from pkigen.errors import visible

_TIMEOUT = 15.0
_MOST_SHOWN = 300


class EnrolmentFailed(Exception):
    """A request without a certificate. ``retry_after`` is the number of seconds that the server demands."""

    def __init__(self, problem: str, retry_after: float | None = None) -> None:
        super().__init__(visible(problem))
        self.retry_after = retry_after


@dataclass(frozen=True)
class CertificateRequest:
    """A request: the key of the appliance, and the names that its certificate should have.

    ``credential`` is the file with the certificate to renew and its key, None for a first certificate.
    """

    key: Key = field(repr=False)
    subject: x509.Name
    hosts: tuple[str, ...]
    credential: Path | None = None

    def as_der(self) -> bytes:
        """Return the certification request in DER."""
        return certification_request(self.key, self.subject, self.hosts)


@contextmanager
def enrolment_session(trust: Path, credential: Path | None = None) -> Iterator[httpx.Client]:
    """Yield an HTTP client that trusts the CAs in a file, and presents a certificate if it has one.

    Raises EnrolmentFailed for errors of the connection, and for responses that the block cannot parse.
    """
    context = ssl.create_default_context(cafile=trust)
    # The clock of the lab can be ahead of this machine's.
    context.verify_flags |= NO_CHECK_TIME
    try:
        if credential is not None:
            context.load_cert_chain(credential)
        with httpx.Client(verify=context, trust_env=False, timeout=_TIMEOUT) as client:
            yield client
    except (httpx.HTTPError, httpx.InvalidURL, OSError) as error:
        raise EnrolmentFailed(f"no response from the enrollment server: {error}") from error
    except (ValueError, LookupError, TypeError, AttributeError) as error:
        raise EnrolmentFailed(f"the response of the server cannot be used: {error}") from error


def failure(response: httpx.Response, detail: str = "") -> EnrolmentFailed:
    """Return the failure that a response reports; ``detail`` replaces the text of its body."""
    text = (detail or response.text).strip()[:_MOST_SHOWN]
    words = f"the server responded with the status {response.status_code}" + (f": {text}" if text else "")
    return EnrolmentFailed(words, retry_after(response))


def retry_after(response: httpx.Response) -> float | None:
    """Return the seconds in Retry-After, or until its date; None if it is missing or invalid."""
    text = response.headers.get("retry-after", "").strip()
    if text.isascii() and text.isdigit():
        return float(text[:9])
    try:
        moment = parsedate_to_datetime(text)
    except (ValueError, TypeError):
        return None
    moment = moment.replace(tzinfo=moment.tzinfo or UTC)
    return max(0.0, (moment - datetime.now(UTC)).total_seconds())
