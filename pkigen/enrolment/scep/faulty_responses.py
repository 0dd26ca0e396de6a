"""Applies the active faults to the responses of SCEP."""

from __future__ import annotations

from dataclasses import replace

from starlette.responses import HTMLResponse, PlainTextResponse, Response

from pkigen.enrolment.faults import RequestFaults
from pkigen.enrolment.own_certificate import OwnCertificate, registration_authority
from pkigen.enrolment.scep import cms
from pkigen.enrolment.scep.messages import Failed, FailInfo, RequestAttributes
from pkigen.environment.enrol import Enroller
from pkigen.faults.enrolment.scep import FAILURES

CAPABILITIES = (
    *("AES", "DES3", "POSTPKIOperation", "Renewal", "SCEPStandard", "SHA-1", "SHA-256"),
    # RFC 8894 has no SHA-384, but strongSwan before 5.9.11 uses AES only with servers that list it.
    *("SHA-384", "SHA-512"),
)
_HTML = "<!DOCTYPE html>\n<title>404 Not Found</title>\n<h1>Not Found</h1>\n"


def capabilities(faults: RequestFaults, headers: dict[str, str]) -> Response:
    """Return the response to GetCACaps."""
    if faults.applied("scep-capabilities-html") is not None:
        return HTMLResponse(_HTML, headers=headers)
    text = "".join(f"{one}\n" for one in CAPABILITIES)
    if faults.applied("scep-capabilities-lowercase") is not None:
        text = text.lower()
    if faults.applied("scep-capabilities-empty") is not None:
        text = ""
    return PlainTextResponse(text, headers=headers)


def fail(faults: RequestFaults) -> None:
    """Raise the failure of a fault that refuses a request."""
    if (values := faults.applied("scep-failure")) is not None:
        failure = FailInfo(FAILURES.index(str(values["reason"])))
        raise Failed(failure, "the server refuses the request (fault scep-failure)")


def cipher(faults: RequestFaults, requested: cms.ContentCipher) -> cms.ContentCipher:
    """Return the cipher of a response."""
    return requested if faults.applied("scep-des") is None else cms.DES


def echoed(faults: RequestFaults, attributes: RequestAttributes) -> RequestAttributes:
    """Return the attributes of a request, as its response repeats them."""
    if faults.applied("scep-wrong-transaction") is not None:
        attributes = replace(attributes, transaction_id=attributes.transaction_id[::-1] + b"0")
    if faults.applied("scep-wrong-nonce") is not None:
        attributes = replace(attributes, sender_nonce=bytes(len(attributes.sender_nonce)))
    return attributes


class SeparateAuthorities:
    """An RA with a certificate for signing and one for encryption, whose key usages are exchanged."""

    def __init__(self, enroller: Enroller, issuer: str) -> None:
        self._signing = registration_authority(enroller, issuer, "-sign", ("keyEncipherment",))
        self._encryption = registration_authority(enroller, issuer, "-encrypt", ("digitalSignature",))

    @property
    def is_in_use(self) -> bool:
        """Whether clients may have the certificates, which are issued when first needed."""
        return self._signing.key_path.exists() and self._encryption.key_path.exists()

    @property
    def signing(self) -> OwnCertificate:
        """The certificate that signs responses."""
        return self._signing.current()

    @property
    def encryption(self) -> OwnCertificate:
        """The certificate for messages of clients."""
        return self._encryption.current()
