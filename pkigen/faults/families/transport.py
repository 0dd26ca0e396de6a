"""Faults of a TLS server that has a valid certificate; the server that presents it applies them."""

from __future__ import annotations

from pkigen.cases.case import Case
from pkigen.faults.registry import fault

_HANDSHAKE = "tls"


@fault("R", "transport", "RFC 9846 4.5.1.3")
def tls_no_certificate(case: Case) -> Case:
    """The server sends an empty certificate list.

    Clients end the handshake with decode_error.
    """
    return case.served(_HANDSHAKE, "no-certificate")


@fault("R", "transport", "RFC 6066 3")
def tls_wrong_sni_certificate(case: Case) -> Case:
    """The server presents the certificate of another host.

    Clients report a host name mismatch: the server ignores the requested name (SNI).
    """
    return case.served(_HANDSHAKE, "wrong-sni-certificate")


@fault("R", "transport", "RFC 9846 4")
def tls_slow_handshake(case: Case) -> Case:
    """The server sends the handshake very slowly, byte by byte.

    Clients should time out, and report what they were waiting for.
    """
    return case.served(_HANDSHAKE, "slow-handshake")


@fault("R", "transport", "RFC 9846 6.1")
def tls_close_after_hello(case: Case) -> Case:
    """The server closes the connection after the ClientHello.

    Clients report an unexpected end of the connection, without a TLS alert.
    """
    return case.served(_HANDSHAKE, "close-after-hello")


@fault("R", "transport", "RFC 9846 5.1")
def plaintext_on_tls_port(case: Case) -> Case:
    """The server uses plain HTTP on its TLS port.

    Clients report an invalid TLS record, such as "wrong version number".
    """
    return case.served(_HANDSHAKE, "plaintext")


@fault("V", "transport", "RFC 8996 4", called="tls-version-1.0-only")
def tls_version_1_0_only(case: Case) -> Case:
    """The server supports only TLS 1.0.

    Clients that conform to RFC 8996 refuse to connect; older ones connect.
    """
    return case.served(_HANDSHAKE, "version", "1.0")


@fault("R", "transport", "RFC 9846 4.5.2")
def tls_bad_certificate_verify(case: Case) -> Case:
    """The server sends an invalid handshake signature.

    The server does not prove possession of the key; clients end the handshake with decrypt_error.
    """
    return case.served(_HANDSHAKE, "bad-certificate-verify")


@fault("R", "transport", "RFC 9846 4.5.2")
def tls_certificate_verify_other_key(case: Case) -> Case:
    """The server signs the handshake with a key that does not match its certificate.

    The server does not prove possession of the key; clients end the handshake with decrypt_error.
    """
    return case.served(_HANDSHAKE, "certificate-verify-other-key")
