"""The challenge tls-alpn-01 (RFC 8737)."""

from __future__ import annotations

import ssl
import time
from hashlib import sha256

from cryptography import x509

from pkigen.enrolment.acme.problems import Problem
from pkigen.enrolment.acme.validation.addresses import TIMEOUT, connect, ip_of, remaining
from pkigen.errors import visible
from pkigen.profile.enrolment import AcmeSettings

_PROTOCOL = "acme-tls/1"
_EXTENSION = x509.ObjectIdentifier("1.3.6.1.5.5.7.1.31")
"""id-pe-acmeIdentifier."""


def validate(settings: AcmeSettings, identifier: str, key_authorization: str) -> None:
    """Raise Problem if the host does not present the certificate of the challenge."""
    deadline = time.monotonic() + TIMEOUT
    address = ip_of(identifier)
    name = identifier if address is None else address.reverse_pointer
    certificate = _presented(settings, identifier, name, deadline)
    try:
        extensions = certificate.extensions
        names = extensions.get_extension_for_class(x509.SubjectAlternativeName).value
        extension = extensions.get_extension_for_oid(_EXTENSION)
    except (x509.ExtensionNotFound, x509.DuplicateExtension, ValueError) as error:
        raise Problem(
            "unauthorized", f"the certificate of {identifier} is not one of acme-tls/1: {error}"
        ) from None
    expected = x509.DNSName(identifier) if address is None else x509.IPAddress(address)
    if [_lower(one) for one in names] != [expected]:
        raise Problem("unauthorized", f"the certificate must name only {identifier}")
    digest = sha256(key_authorization.encode("ascii")).digest()
    value = extension.value
    contents = value.value if isinstance(value, x509.UnrecognizedExtension) else b""
    if not extension.critical or contents != b"\x04\x20" + digest:
        raise Problem(
            "unauthorized",
            f"the certificate of {identifier} must have a critical acmeIdentifier of this key authorization",
        )


def _lower(name: x509.GeneralName) -> x509.GeneralName:
    return x509.DNSName(name.value.lower()) if isinstance(name, x509.DNSName) else name


def _presented(settings: AcmeSettings, identifier: str, name: str, deadline: float) -> x509.Certificate:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    context.set_alpn_protocols([_PROTOCOL])
    with connect(settings, identifier, settings.tls_port, deadline) as plain:
        try:
            plain.settimeout(remaining(deadline))
            with context.wrap_socket(plain, server_hostname=name) as connection:
                data, protocol = connection.getpeercert(binary_form=True), connection.selected_alpn_protocol()
        except (OSError, ValueError) as error:
            raise Problem("tls", f"TLS handshake with {identifier}: {visible(str(error))}") from None
    if protocol != _PROTOCOL:
        raise Problem("unauthorized", f"the server of {identifier} does not support {_PROTOCOL} (ALPN)")
    try:
        return x509.load_der_x509_certificate(data or b"")
    except ValueError as error:
        raise Problem("tls", f"the certificate of {identifier} cannot be read: {error}") from None
