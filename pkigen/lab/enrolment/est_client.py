"""The EST client of an appliance (RFC 7030): enrollment, and renewal with its certificate."""

from __future__ import annotations

import base64
from dataclasses import dataclass, field
from pathlib import Path

import httpx

from pkigen.inspection.artifacts import read
from pkigen.keys import public_key_info
from pkigen.lab.enrolment.request import (
    CertificateRequest,
    EnrolmentFailed,
    enrolment_session,
    failure,
    retry_after,
)
from pkigen.x509 import Certificate

_REQUEST_TYPE = "application/pkcs10"


@dataclass(frozen=True)
class EstClient:
    """A client of one EST server; ``user`` and ``passphrase`` are those of HTTP Basic authentication."""

    url: str
    trust: Path
    user: str | None = None
    passphrase: bytes | None = field(default=None, repr=False)

    def enroll(self, request: CertificateRequest) -> tuple[bytes, ...]:
        """Return the certificate and the CA certificates (DER); EnrolmentFailed if there is none."""
        with enrolment_session(self.trust, request.credential) as http:
            chain = _certificates(http.get(f"{self.url}/cacerts"))
            if self.user is not None or self.passphrase is not None:
                http.auth = httpx.BasicAuth(self.user or "", self.passphrase or b"")
            operation = "simpleenroll" if request.credential is None else "simplereenroll"
            response = http.post(
                f"{self.url}/{operation}",
                content=base64.b64encode(request.as_der()),
                headers={"Content-Type": _REQUEST_TYPE, "Content-Transfer-Encoding": "base64"},
            )
            issued = _certificates(response)
            spki = public_key_info(request.key)
            own = [one for one in issued if Certificate(one).subject_public_key_info == spki]
            if not own:
                raise EnrolmentFailed("the server sent no certificate for the key of this appliance")
            return tuple(dict.fromkeys((own[0], *issued, *chain)))


def _certificates(response: httpx.Response) -> list[bytes]:
    """Return the certificates in a response (DER)."""
    if response.status_code == 202:
        words = "the CA has not decided about the request yet (status 202)"
        raise EnrolmentFailed(words, retry_after(response))
    if response.status_code != 200:
        raise failure(response)
    der = base64.b64decode(b"".join(response.content.split()), validate=True)
    contents = read(der, "the response")
    return [one.certificate.der for one in contents if one.certificate is not None]
