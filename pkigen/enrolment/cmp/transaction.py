"""A transaction: a certificate that the client has not yet confirmed, or a request that waits."""

from __future__ import annotations

from dataclasses import dataclass

from pkigen.enrolment.cmp.certificate_requests import CertificateRequest
from pkigen.environment.enrol import Enrolled


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
