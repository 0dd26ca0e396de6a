"""The enrollment of one appliance: when it requests a certificate, and what came of the last request."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from threading import Lock
from typing import Any, Protocol

from cryptography import x509
from cryptography.x509.oid import NameOID

from pkigen.enrolment.new_request import Key, tls_key
from pkigen.errors import InputError
from pkigen.formats import pem
from pkigen.keys import to_pkcs8
from pkigen.lab.appliance.appliance import Appliance
from pkigen.lab.appliance.members import EnrolmentRule
from pkigen.lab.appliance.upload import File, Upload, UploadResult
from pkigen.lab.connections.alerts import format_time
from pkigen.lab.enrolment.request import CertificateRequest, EnrolmentFailed
from pkigen.x509 import Certificate

_FIRST_RETRY = timedelta(seconds=30)
_LONGEST_RETRY = timedelta(hours=1)
_LONGEST_RETRY_AFTER = timedelta(days=1)


class Client(Protocol):
    """A client of an enrollment protocol."""

    def enroll(self, request: CertificateRequest) -> tuple[bytes, ...]:
        """Return a certificate and CA certificates (DER); EnrolmentFailed if there is none."""
        ...


@dataclass
class ApplianceEnrolment:
    """How an appliance requests its certificates, and renews them when two thirds of their life have passed.

    ``install`` checks and installs a certificate as an upload. ``named`` is the certificate in the profile
    with the names to request, ``roots`` are trust anchors that complete the chain. Times are those of the
    lab's clock. A failed request is repeated, after 30 seconds at first and an hour at most.
    """

    appliance: Appliance
    rule: EnrolmentRule
    url: str
    client: Client = field(repr=False)
    named: x509.Certificate
    roots: tuple[Certificate, ...]
    install: Callable[[Upload], UploadResult] = field(repr=False)
    clock: Callable[[], datetime] = field(repr=False)
    problem: str = ""
    failures: int = 0
    next_attempt: datetime | None = None
    _key: Key | None = field(default=None, repr=False)
    _lock: Lock = field(default_factory=Lock, repr=False)

    @property
    def renew_at(self) -> datetime | None:
        """When the appliance renews its certificate; None if it did not request it."""
        if not self.appliance.enrolled:
            return None
        leaf = self.appliance.credential.leaf
        return leaf.not_before + (leaf.not_after - leaf.not_before) * 2 / 3

    @property
    def is_due(self) -> bool:
        """Whether a renewal or another attempt is due; the first request is made by a user."""
        if self._lock.locked():
            return False
        now = self.clock()
        if self.next_attempt is not None:
            # The clock may have been reset since.
            return self.next_attempt <= now or self.next_attempt - now > _LONGEST_RETRY_AFTER
        return self.renew_at is not None and self.renew_at <= now

    def run(self) -> UploadResult:
        """Request a certificate and install it.

        Raises EnrolmentFailed if the server issues none, InputError if a request is running. The result
        says whether the appliance accepts the certificate.
        """
        if not self._lock.acquire(blocking=False):
            raise InputError(f"{self.appliance.name} is requesting a certificate already")
        try:
            result = self._run()
        except EnrolmentFailed as error:
            self._note_failure(f"No certificate: {error}.", error.retry_after)
            raise
        else:
            if result.accepted:
                self.problem, self.failures, self.next_attempt, self._key = "", 0, None, None
            else:
                messages = " ".join(one.text for one in result.messages)
                self._note_failure(f"The issued certificate was refused: {messages}")
            return result
        finally:
            self._lock.release()

    def _run(self) -> UploadResult:
        appliance = self.appliance
        # The server may have issued for the key already.
        self._key = self._key or tls_key(self.rule.template)
        is_renewal = appliance.enrolled
        leaf = appliance.credential.leaf
        named = x509.load_der_x509_certificate(leaf.der) if is_renewal else self.named
        credential = appliance.credential_path if is_renewal else None
        request = CertificateRequest(self._key, named.subject, _hosts(named), credential)
        certificate, *chain = self.client.enroll(request)
        above = [*chain, *(one.der for one in self._missing_roots(chain))]
        name = appliance.name
        return self.install(
            Upload(
                f"{name} ({self.rule.protocol.upper()})",
                File(f"{name}.crt", pem.certificate(certificate)),
                File(f"{name}.key", pem.encode("PRIVATE KEY", to_pkcs8(self._key))),
                File("chain.pem", b"".join(map(pem.certificate, above))),
            )
        )

    def _missing_roots(self, chain: list[bytes]) -> list[Certificate]:
        """Return the trust anchors that issued a certificate of the chain and are not part of it."""
        issuers = {Certificate(one).issuer for one in chain}
        return [one for one in self.roots if one.subject in issuers and one.der not in chain]

    def _note_failure(self, problem: str, retry_after: float | None = None) -> None:
        self.failures += 1
        pause = min(_FIRST_RETRY * 2 ** min(self.failures - 1, 10), _LONGEST_RETRY)
        if retry_after is not None:
            pause = max(pause, min(timedelta(seconds=retry_after), _LONGEST_RETRY_AFTER))
        self.problem = problem
        self.next_attempt = self.clock() + pause
        self.appliance.tell("bad", f"{problem} Next attempt at {format_time(self.next_attempt)}.")

    def as_json(self) -> dict[str, Any]:
        """Return the state as JSON."""
        renew_at = self.renew_at
        return {
            "template": self.rule.template.name,
            "protocol": self.rule.protocol,
            "url": self.url,
            "enrolled": self.appliance.enrolled,
            "renew_at": format_time(renew_at) if renew_at else None,
            "problem": self.problem or None,
            "next_attempt": format_time(self.next_attempt) if self.next_attempt else None,
        }


def _hosts(certificate: x509.Certificate) -> tuple[str, ...]:
    """Return the host names and IP addresses of a certificate: its alternative names, or its common name."""
    try:
        extension = certificate.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    except (x509.ExtensionNotFound, ValueError):
        attributes = certificate.subject.get_attributes_for_oid(NameOID.COMMON_NAME)
        return tuple(str(one.value) for one in attributes[:1])
    kinds = (x509.DNSName, x509.IPAddress)
    return tuple(str(one.value) for one in extension if isinstance(one, kinds))
