"""Who asks: the certificate of the TLS client, or HTTP Basic authentication (RFC 7030, 3.2.3 and 3.3.2)."""

from __future__ import annotations

import base64
import binascii
import secrets
from dataclasses import dataclass

from starlette.exceptions import HTTPException
from starlette.requests import Request

from pkigen.asn1 import names
from pkigen.enrolment.rate_limits import ClientLimits
from pkigen.enrolment.server import client_certificate
from pkigen.environment.enrol import Enrolled, Enroller
from pkigen.model import Role
from pkigen.profile.enrolment import EstSettings
from pkigen.store import Store
from pkigen.x509 import Certificate, Malformed

_CHALLENGE = {"WWW-Authenticate": 'Basic realm="EST", charset="UTF-8"'}


@dataclass(frozen=True)
class Requester:
    """A client: its name for the record, and the certificate that it presented.

    ``enrolled`` is that certificate or its successor, if a device requested it from this environment.
    """

    name: str
    certificate: Certificate | None = None
    enrolled: Enrolled | None = None


def authenticate(
    request: Request, settings: EstSettings, enroller: Enroller, limits: ClientLimits
) -> Requester:
    """Return the client of a request; HTTPException 401 or 403 if it may not enroll.

    A certificate of the environment that is not revoked is sufficient. Without one, the client needs the
    user name and passphrase of the template; a template without them is open to every client.
    """
    der = client_certificate(request)
    if der is not None:
        return _by_certificate(Certificate(der), enroller)
    user = request.client.host if request.client else ""
    if settings.user is None and settings.passphrase is None:
        return Requester(user)
    scheme, _, encoded = request.headers.get("authorization", "").partition(" ")
    limits.check_failures(request.scope)
    if scheme.lower() != "basic":
        raise HTTPException(401, "authenticate with HTTP Basic or a client certificate", _CHALLENGE)
    try:
        given_user, _, given_passphrase = base64.b64decode(encoded.strip(), validate=True).partition(b":")
    except (binascii.Error, ValueError) as error:
        raise HTTPException(401, "the Authorization header is not valid", _CHALLENGE) from error
    expected = (settings.user or "").encode(), settings.passphrase or b""
    # Both comparisons, so that the time does not reveal which one fails.
    matches = [
        settings.user is None or secrets.compare_digest(given_user, expected[0]),
        secrets.compare_digest(given_passphrase, expected[1]),
    ]
    if not all(matches):
        limits.count_failure(request.scope)
        raise HTTPException(401, "the user name or the passphrase is wrong", _CHALLENGE)
    return Requester(given_user.decode("utf-8", "replace"))


def _by_certificate(certificate: Certificate, enroller: Enroller) -> Requester:
    """Return the client with a certificate, whose path the TLS handshake has verified."""
    try:
        name, issuer, serial = names.text(certificate.subject), certificate.issuer, certificate.serial
        is_valid = certificate.not_before <= enroller.clock() < certificate.not_after
    except Malformed as error:
        raise HTTPException(403, "the client certificate cannot be read") from error
    if not is_valid:
        raise HTTPException(403, "the client certificate is not valid now")
    for spec in enroller.profile.authorities:
        if names.normalized(Certificate(enroller.chain(spec.name)[0]).subject) != names.normalized(issuer):
            continue
        with Store.open(enroller.folder, write=False) as store:
            if store.index.revocation(f"{Role.AUTHORITY}/{spec.name}", serial) is not None:
                raise HTTPException(403, "the client certificate is revoked")
        enrolled = enroller.find(issuer=spec.name, serial=serial, or_successor=True)
        if enrolled is not None and enroller.revocation(enrolled) is not None:
            raise HTTPException(403, "the certificate that replaced the client certificate is revoked")
        if enrolled is not None:
            return Requester(name, certificate, enrolled)
    return Requester(name, certificate)
