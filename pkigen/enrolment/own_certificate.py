"""The server's certificates for messages: with them it signs CMP and SCEP messages below an issuing CA.

The key usage of a CA allows neither, and SCEP needs an RSA key (RFC 8894, 2.3): a registration authority
(RA) with a key of its own signs and decrypts for the CA.
"""

from __future__ import annotations

from contextlib import suppress
from dataclasses import dataclass, replace
from datetime import timedelta
from threading import Lock

from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509.oid import NameOID

from pkigen.clock import utc_now
from pkigen.documents.yaml_tree import Items, Text
from pkigen.environment.enrol import Enrolled, Enroller, read_request
from pkigen.environment.published.stored_keys import open_key
from pkigen.errors import EnvironmentFailure, InputError
from pkigen.files import write_private_file
from pkigen.formats import pem
from pkigen.keys import PrivateKey, public_key_info, to_pkcs8
from pkigen.profile.enrolment import Template
from pkigen.x509 import Certificate

_USAGES = ("digitalSignature", "keyEncipherment")
_SHORTEST_REST = timedelta(hours=1)
_KEY_BITS = 2048
_LONGEST_COMMON_NAME = 64


@dataclass(frozen=True)
class OwnCertificate:
    """A certificate of the server (DER), its chain up to the root, and its key."""

    certificate: bytes
    chain: tuple[bytes, ...]
    key: PrivateKey


class RegistrationAuthority:
    """The server's certificate for messages below one issuing CA, which is issued when first needed."""

    def __init__(self, enroller: Enroller, issuer: str) -> None:
        self._enroller = enroller
        self._issuer = issuer
        self._name = f"enrolment-ra-{issuer}"
        self._path = enroller.folder / ".pkigen" / f"{self._name}.key"
        self._lock = Lock()
        self._current: OwnCertificate | None = None

    def current(self) -> OwnCertificate:
        """Return the certificate and its key; issue it if it is missing, about to expire or revoked."""
        with self._lock:
            enrolled = self._enroller.find(name=self._name)
            if self._current is None or enrolled is None or not self._is_usable(enrolled, self._current):
                key = self._stored_key()
                stored = None if enrolled is None or key is None else _own(enrolled, key)
                usable = stored is not None and enrolled is not None and self._is_usable(enrolled, stored)
                self._current = stored if usable else self._issue(is_renewal=enrolled is not None)
            assert self._current is not None
            return self._current

    def _stored_key(self) -> PrivateKey | None:
        with suppress(OSError, InputError):
            return open_key(self._path.read_bytes(), self._name)
        return None

    def _is_usable(self, enrolled: Enrolled, own: OwnCertificate) -> bool:
        certificate = Certificate(own.certificate)
        return (
            own.certificate == enrolled.certificate
            and certificate.subject_public_key_info == public_key_info(own.key)
            and enrolled.not_after - utc_now() > _SHORTEST_REST
            and enrolled.issuer == self._issuer
            and enrolled.chain == self._enroller.chain(self._issuer)
            and self._enroller.revocation(enrolled) is None
        )

    def _issue(self, *, is_renewal: bool) -> OwnCertificate:
        key = rsa.generate_private_key(65537, _KEY_BITS)
        common_name = f"Registration authority {self._issuer}"[:_LONGEST_COMMON_NAME]
        subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, common_name)])
        request = x509.CertificateSigningRequestBuilder().subject_name(subject).sign(key, SHA256())
        write_private_file(self._path, pem.encode("PRIVATE KEY", to_pkcs8(key)))
        try:
            enrolled = self._enroller.issue(
                _for_messages(self._enroller.profile.template("", self._issuer)),
                read_request(request.public_bytes(Encoding.DER)),
                protocol="server",
                name="" if is_renewal else self._name,
                renewal_of=self._name if is_renewal else "",
            )
        except InputError as error:
            problem = f"pkigen cannot issue the certificate {self._name}, with which it signs messages"
            raise EnvironmentFailure(f"{problem}: {error}") from error
        return _own(enrolled, key)


def _own(enrolled: Enrolled, key: PrivateKey) -> OwnCertificate:
    return OwnCertificate(enrolled.certificate, enrolled.chain, key)


def _for_messages(template: Template) -> Template:
    """Return the template with the usages of an RA, whatever the defaults of the profile are."""
    tree = template.body.tree.copy()
    tree.put("key_usage", Items([Text(one) for one in _USAGES]), None)
    # Without purposes: OpenSSL verifies SCEP responses (certmonger) for the purpose emailProtection.
    tree.put("extended_key_usage", Text("none"), None)
    return replace(template, body=replace(template.body, tree=tree), of_server=True)
