"""Certificates of the server itself, each with a key in ``.pkigen``: for TLS, and for CMP and SCEP messages.

The key usage of a CA permits neither TLS nor messages, and SCEP needs an RSA key (RFC 8894, 2.3): a
registration authority (RA) with a key of its own signs and decrypts for the CA.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from datetime import timedelta
from pathlib import Path
from threading import Lock

from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.x509.oid import NameOID

from pkigen.clock import utc_now
from pkigen.documents.yaml_tree import Items, Text
from pkigen.enrolment.new_request import Key, certification_request, tls_key
from pkigen.environment.enrol import SERVER, Enrolled, Enroller, read_request
from pkigen.environment.published.stored_keys import open_key
from pkigen.errors import EnvironmentFailure, InputError, PkigenError
from pkigen.files import write_private_file
from pkigen.formats import pem
from pkigen.keys import public_key_info, to_pkcs8
from pkigen.profile.enrolment import Template
from pkigen.x509 import Certificate, Malformed

_SHORTEST_REST = timedelta(hours=1)
_KEY_BITS = 2048
_LONGEST_COMMON_NAME = 64
_MESSAGE_USAGES = ("digitalSignature", "keyEncipherment")
_FOR_TLS: Mapping[str, Items | Text] = {"extended_key_usage": Items([Text("serverAuth")])}


@dataclass(frozen=True)
class OwnCertificate:
    """A certificate of the server (DER), its chain up to the root, and its key."""

    certificate: bytes
    chain: tuple[bytes, ...]
    key: Key


@dataclass(frozen=True)
class _Purpose:
    """What a certificate is for: its names, its keys in the profile's language, and its kind of key."""

    common_name: str
    hosts: Sequence[str]
    usages: Mapping[str, Items | Text]
    new_key: Callable[[Template], Key]


class OwnCertificates:
    """The server's certificate called ``name`` below an issuing CA, which is issued when first needed."""

    def __init__(self, enroller: Enroller, issuer: str, name: str, purpose: _Purpose) -> None:
        self.name = name
        self.key_path: Path = enroller.folder / ".pkigen" / f"{name}.key"
        self._enroller = enroller
        self._issuer = issuer
        self._purpose = purpose
        self._lock = Lock()
        self._current: OwnCertificate | None = None

    def current(self) -> OwnCertificate:
        """Return the certificate and its key; issue it if it is missing, about to expire or revoked."""
        with self._lock:
            enrolled = self._enroller.find(name=self.name)
            if not self._is_usable(enrolled, self._current):
                self._current = self._stored(enrolled)
            if not self._is_usable(enrolled, self._current):
                self._current = self._issue(is_renewal=enrolled is not None)
            assert self._current is not None
            return self._current

    def _stored(self, enrolled: Enrolled | None) -> OwnCertificate | None:
        """Return the certificate with the stored key."""
        with suppress(OSError, InputError):
            key = open_key(self.key_path.read_bytes(), self.name)
            if enrolled is not None and isinstance(key, Key):
                return OwnCertificate(enrolled.certificate, enrolled.chain, key)
        return None

    def _is_usable(self, enrolled: Enrolled | None, own: OwnCertificate | None) -> bool:
        """Whether the certificate is that of the key and the CA, for these hosts, and valid."""
        if enrolled is None or own is None:
            return False
        try:
            certificate = Certificate(own.certificate)
            names = {str(name.value) for name in certificate.extensions.alternative_names or ()}
            return (
                own.certificate == enrolled.certificate
                and certificate.subject_public_key_info == public_key_info(own.key)
                and names >= set(self._purpose.hosts)
                and enrolled.not_after - utc_now() > _SHORTEST_REST
                and enrolled.issuer == self._issuer
                and enrolled.chain == self._enroller.chain(self._issuer)
                and self._enroller.revocation(enrolled) is None
            )
        except (OSError, Malformed):
            return False

    def _issue(self, *, is_renewal: bool) -> OwnCertificate:
        template = self._enroller.profile.template("", self._issuer)
        # Whatever the defaults of the profile are.
        template = replace(template.with_keys(self._purpose.usages), of_server=True)
        key = self._purpose.new_key(template)
        write_private_file(self.key_path, pem.encode("PRIVATE KEY", to_pkcs8(key)))
        try:
            enrolled = self._enroller.issue(
                template,
                read_request(self._request(key)),
                protocol=SERVER,
                name="" if is_renewal else self.name,
                renewal_of=self.name if is_renewal else "",
                at=utc_now(),
            )
        except PkigenError as error:
            problem = f"pkigen cannot issue the certificate {self.name}, which the enrollment server needs"
            raise EnvironmentFailure(f"{problem}: {error}") from error
        return OwnCertificate(enrolled.certificate, enrolled.chain, key)

    def _request(self, key: Key) -> bytes:
        attribute = x509.NameAttribute(NameOID.COMMON_NAME, self._purpose.common_name)
        return certification_request(key, x509.Name([attribute]), self._purpose.hosts)


def registration_authority(
    enroller: Enroller, issuer: str, suffix: str = "", usages: Sequence[str] = _MESSAGE_USAGES
) -> OwnCertificates:
    """Return the certificate with which the server signs and decrypts messages below an issuing CA.

    ``suffix`` distinguishes several of them.
    """
    common_name = f"Registration authority {issuer}{suffix}"[:_LONGEST_COMMON_NAME]
    keys: Mapping[str, Items | Text] = {
        "key_usage": Items([Text(one) for one in usages]),
        # Without purposes: OpenSSL verifies SCEP responses (certmonger) for the purpose emailProtection.
        "extended_key_usage": Text("none"),
    }
    purpose = _Purpose(common_name, (), keys, lambda _: rsa.generate_private_key(65537, _KEY_BITS))
    return OwnCertificates(enroller, issuer, f"enrolment-ra-{issuer}{suffix}", purpose)


def tls_certificate(enroller: Enroller, issuer: str, name: str, hosts: Sequence[str]) -> OwnCertificates:
    """Return the certificate that the server presents for ``hosts``."""
    return OwnCertificates(enroller, issuer, name, _Purpose(hosts[0], hosts, _FOR_TLS, tls_key))
