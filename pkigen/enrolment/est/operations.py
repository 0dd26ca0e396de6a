"""The operations of EST: CA certificates, enrollment, renewal, CSR attributes, server-side keys."""

from __future__ import annotations

import secrets
from collections.abc import Awaitable, Callable, Iterator
from dataclasses import replace

from starlette.concurrency import run_in_threadpool
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response

from pkigen.asn1 import der, names
from pkigen.enrolment.est import messages
from pkigen.enrolment.est.authentication import Requester, authenticate
from pkigen.enrolment.est.csr_attributes import csr_attributes
from pkigen.enrolment.est.faulty_responses import encoding, unavailable
from pkigen.enrolment.faults import EnrolmentFaults, RequestFaults, requested_names
from pkigen.enrolment.rate_limits import ClientLimits
from pkigen.enrolment.requested_key import new_key
from pkigen.environment.enrol import Cause, Enrolled, Enroller, Rejected, Requested, read_request
from pkigen.errors import InputError
from pkigen.keys import public_key_info, to_pkcs8
from pkigen.profile.enrolment import EstSettings, Template
from pkigen.x509 import Certificate, CertificationRequest, Malformed

_PROTOCOL = "est"
_REQUEST_TYPE = "application/pkcs10"
_DECRYPT_KEY_IDENTIFIERS = ("1.2.840.113549.1.9.16.2.37", "1.2.840.113549.1.9.16.2.54")
"""Attributes that request an encrypted private key (RFC 7030, 4.4.1)."""

Answer = Callable[[Request], Awaitable[Response]]


class Operations:
    """The operations for one template."""

    def __init__(self, template: Template, enroller: Enroller, faults: EnrolmentFaults) -> None:
        self._template = template
        self._enroller = enroller
        self._faults = faults
        self._issuer = str(template.sample()[1].issuer)
        self._settings = template.settings.est or EstSettings()
        self._limits = ClientLimits()

    def all(self) -> Iterator[tuple[str, str, Answer]]:
        """Yield the name of each operation, its HTTP method and its function."""
        yield "cacerts", "GET", self.cacerts
        yield "csrattrs", "GET", self.csrattrs
        yield "simpleenroll", "POST", self.simpleenroll
        yield "simplereenroll", "POST", self.simplereenroll
        yield "serverkeygen", "POST", self.serverkeygen

    async def cacerts(self, request: Request) -> Response:
        """Return the certificates of the issuing CA and of the CAs above it (RFC 7030, 4.1)."""
        faults = self._faults_of(request, "cacerts")
        chain = await run_in_threadpool(self._enroller.chain, self._issuer)
        if faults.applied("est-cacerts-without-root") is not None:
            chain = chain[:-1]
        return unavailable(faults) or messages.certificates(encoding(faults), chain, of_ca=True)

    async def csrattrs(self, request: Request) -> Response:
        """Return the attributes that a request should contain; 204 if there are none (4.5.2)."""
        faults = self._faults_of(request, "csrattrs")
        if faults.applied("est-csrattrs-not-found") is not None:
            raise HTTPException(404)
        with_password = faults.applied("est-csrattrs-challenge-password") is not None
        attributes = csr_attributes(self._template, with_challenge_password=with_password)
        if faults.applied("est-csrattrs-empty") is not None:
            attributes = der.sequence()
        if not attributes:
            return Response(status_code=204)
        return unavailable(faults) or encoding(faults).response(attributes, messages.ATTRIBUTES)

    async def simpleenroll(self, request: Request) -> Response:
        """Issue a certificate (4.2.1)."""
        requester, requested = await self._read(request)
        faults = self._faults_of(request, "simpleenroll", requested)
        if (response := unavailable(faults)) is not None:
            return response
        return await run_in_threadpool(self._issue, requested, requester, faults)

    async def simplereenroll(self, request: Request) -> Response:
        """Renew the certificate that the client presents (4.2.2)."""
        requester, requested = await self._read(request)
        if requester.certificate is None:
            raise HTTPException(403, "present the certificate to renew as the TLS client certificate")
        if problem := _difference(requester.certificate, requested):
            raise HTTPException(400, problem)
        faults = self._faults_of(request, "simplereenroll", requested)
        if (response := unavailable(faults)) is not None:
            return response
        return await run_in_threadpool(self._issue, requested, requester, faults, renewal=True)

    async def serverkeygen(self, request: Request) -> Response:
        """Generate a key, and issue a certificate for it (4.4)."""
        requester, requested = await self._read(request)
        attributes = CertificationRequest(requested.der).other_attributes
        if any(oid in _DECRYPT_KEY_IDENTIFIERS for oid, _ in attributes):
            raise HTTPException(400, "pkigen cannot encrypt the private key; omit the DecryptKeyIdentifier")
        faults = self._faults_of(request, "serverkeygen", requested)
        if (response := unavailable(faults)) is not None:
            return response
        return await run_in_threadpool(self._generate, requested, requester, faults)

    def _faults_of(
        self, request: Request, endpoint: str, requested: Requested | None = None
    ) -> RequestFaults:
        identifiers = () if requested is None else requested_names(requested)
        return RequestFaults(self._faults, request.scope, self._template.name, endpoint, identifiers)

    async def _read(self, request: Request) -> tuple[Requester, Requested]:
        """Authenticate a client and read its request; HTTPException if either fails."""
        requester = await run_in_threadpool(
            authenticate, request, self._settings, self._enroller, self._limits
        )
        media_type = request.headers.get("content-type", "").partition(";")[0].strip().lower()
        if media_type != _REQUEST_TYPE:
            raise HTTPException(415, f"the Content-Type must be {_REQUEST_TYPE}")
        try:
            return requester, read_request(messages.decoded(await request.body()))
        except (messages.NotBase64, InputError) as error:
            raise HTTPException(400, str(error)) from error

    def _issue(
        self,
        requested: Requested,
        requester: Requester,
        faults: RequestFaults,
        *,
        renewal: bool = False,
    ) -> Response:
        previous = requester.enrolled if renewal else None
        is_current = previous is not None and previous.template == self._template.name
        enrolled = self._granted(
            requested,
            requester,
            faults,
            renewal_of=previous.name if previous and is_current else "",
            proved=faults.applied("est-possession-unchecked") is not None,
        )
        others = enrolled.chain if faults.applied("est-extra-certificates") is not None else ()
        return messages.certificates(encoding(faults), [*others, enrolled.certificate])

    def _generate(self, requested: Requested, requester: Requester, faults: RequestFaults) -> Response:
        key = new_key(self._template)
        with_key = replace(requested, public_key=public_key_info(key), der=b"")
        certificate = self._granted(with_key, requester, faults, proved=True).certificate
        swapped = faults.applied("est-keygen-parts-swapped") is not None
        boundary = f"pkigen-{secrets.token_hex(12)}"
        return messages.key_and_certificate(
            encoding(faults), boundary, to_pkcs8(key), certificate, swapped=swapped
        )

    def _granted(
        self,
        requested: Requested,
        requester: Requester,
        faults: RequestFaults,
        *,
        renewal_of: str = "",
        proved: bool = False,
    ) -> Enrolled:
        """Issue a certificate; HTTPException with the reason if the request is rejected."""
        self._limits.count_request(faults.scope)
        try:
            return self._enroller.issue(
                self._template,
                requested,
                protocol=_PROTOCOL,
                requester=requester.name,
                faults=faults.of_certificate(),
                renewal_of=renewal_of,
                proved=proved,
                list_now=False,
            )
        except Rejected as error:
            raise HTTPException(403 if error.cause is Cause.NAME else 400, str(error)) from error


def _difference(certificate: Certificate, requested: Requested) -> str:
    """Return how the names in a request differ from those to renew (RFC 7030, 4.2.2); "" if they do not."""
    if names.normalized(certificate.subject) != names.normalized(requested.subject):
        expected, actual = names.text(certificate.subject), names.text(requested.subject)
        return f"the subject of the request is '{actual}'; it must be that of the certificate, '{expected}'"
    try:
        current = certificate.extensions.alternative_names or ()
        names_requested = requested.extensions.alternative_names or ()
    except Malformed:
        return "the subject alternative names cannot be read"
    if {(one.kind, one.der) for one in current} != {(one.kind, one.der) for one in names_requested}:
        listed = ", ".join(str(one.value) for one in current) or "none"
        return f"the subject alternative names must be those of the certificate: {listed}"
    return ""
