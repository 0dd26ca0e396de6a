"""What a TLS server does wrong with a sound certificate: planned here, done by who serves it."""

from __future__ import annotations

from pkigen.cases.case import Case
from pkigen.faults.registry import fault

_HANDSHAKE = "tls"


@fault("R", "transport", "RFC 8446 4.4.2.4")
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


@fault("R", "transport", "RFC 8446 4")
def tls_slow_handshake(case: Case) -> Case:
    """The server takes ages for each octet of the handshake.

    Clients should give up after a while, and say what they waited for.
    """
    return case.served(_HANDSHAKE, "slow-handshake")


@fault("R", "transport", "RFC 8446 6.1")
def tls_close_after_hello(case: Case) -> Case:
    """The server closes the connection after the ClientHello.

    Clients report an unexpected end of the connection, without a TLS alert.
    """
    return case.served(_HANDSHAKE, "close-after-hello")


@fault("R", "transport", "RFC 8446 5.1")
def plaintext_on_tls_port(case: Case) -> Case:
    """The server uses plain HTTP on its TLS port.

    Clients report an invalid TLS record, such as "wrong version number".
    """
    return case.served(_HANDSHAKE, "plaintext")


@fault("V", "transport", "RFC 8996 4", called="tls-version-1.0-only")
def tls_version_1_0_only(case: Case) -> Case:
    """The server speaks TLS 1.0 and nothing newer.

    Clients that keep to RFC 8996 refuse; old ones do not.
    """
    return case.served(_HANDSHAKE, "version", "1.0")


@fault("R", "transport", "RFC 8446 4.4.3")
def tls_bad_certificate_verify(case: Case) -> Case:
    """The server's signature over the handshake is garbage.

    It does not prove that it has the key: clients end the handshake with decrypt_error.
    """
    return case.served(_HANDSHAKE, "bad-certificate-verify")


@fault("R", "transport", "RFC 8446 4.4.3")
def tls_certificate_verify_other_key(case: Case) -> Case:
    """The server signs the handshake with a key that is not its certificate's.

    It does not prove that it has the key: clients end the handshake with decrypt_error.
    """
    return case.served(_HANDSHAKE, "certificate-verify-other-key")
