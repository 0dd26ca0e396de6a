"""Key usage and extended key usage (RFC 5280, 4.2.1.3 and 4.2.1.12)."""

from __future__ import annotations

from pkigen.asn1 import der, oids
from pkigen.cases.case import Case
from pkigen.cases.extension_values import (
    EMPTY_SEQUENCE,
    JUNK,
    leave_out,
    put,
    set_critical,
    value_of,
)
from pkigen.faults.registry import fault
from pkigen.keys.kinds import parse_kind

_KU, _EKU = oids.KEY_USAGE, oids.EXTENDED_KEY_USAGE


def _usages(*names: str) -> bytes:
    return der.named_bits(names, oids.KEY_USAGES)


def _purposes(*names: str) -> bytes:
    return der.sequence(*(der.oid(oids.EXTENDED_KEY_USAGES[name]) for name in names))


@fault("R", "path", "6.1.4 (n)", finds=("path:not-a-ca", "ca-key-usage", "path-valid", "chain-of-trust"))
def ku_ca_no_certsign(case: Case) -> Case:
    """The issuing CA certificate has a key usage without keyCertSign.

    Clients report that the CA must not sign certificates.
    """
    return put(case, _KU, _usages("cRLSign"), critical=True, level=case.intermediate())


@fault("V", "path", "4.2.1.3", finds=("ca-key-usage",))
def ku_ca_missing(case: Case) -> Case:
    """The issuing CA certificate has no key usage.

    CA certificates must contain it; many clients treat its absence as unrestricted. The case
    crl-issuer-ku-missing has the same certificates, for clients that check CRLs.
    """
    return leave_out(case, _KU, case.intermediate())


@fault("V", "path", "4.2.1.3", finds=("path:not-a-ca", "ca-key-usage", "path-valid", "chain-of-trust"))
def ku_root_no_certsign(case: Case) -> Case:
    """The root certificate has a key usage without keyCertSign.

    Validators that use only the name and key of a trust anchor accept the path; others report that the root
    must not sign certificates.
    """
    return put(case, _KU, _usages("cRLSign"), critical=True, level=case.root)


@fault("A", "path", "4.2.1.3")
def ku_leaf_missing(case: Case) -> Case:
    """The certificate has no key usage.

    The extension is required only in CA certificates; without it, the key may be used for any purpose.
    Clients must accept the certificate (control case).
    """
    return leave_out(case, _KU)


@fault("P", "lint", "4.2.1.3")
def ku_ca_noncritical(case: Case) -> Case:
    """The issuing CA certificate has a key usage that is not critical.

    It should be critical; linters report it.
    """
    return set_critical(case, _KU, False, case.intermediate())


@fault("V", "path", "4.2.1.3", finds=("key-usage-no-certsign",))
def ku_leaf_certsign(case: Case) -> Case:
    """The certificate has the key usage keyCertSign although it is not a CA.

    keyCertSign requires the CA flag in basic constraints; some clients reject the certificate.
    """
    return put(case, _KU, _usages("digitalSignature", "keyCertSign"), critical=True)


@fault(
    "V",
    "path",
    "4.2.1.3",
    finds=(
        "path:no-issuer",
        "path:purpose",
        "key-usage-some",
        "path-valid",
        "digital-signature",
        "chain-of-trust",
    ),
)
def ku_zero(case: Case) -> Case:
    """The certificate has a key usage without any bit set.

    At least one bit must be set; some clients reject the certificate.
    """
    return put(case, _KU, _usages(), critical=True)


@fault("V", "path", "4.2.1.3", finds=("path:purpose", "digital-signature"))
def ku_leaf_crlsign_only(case: Case) -> Case:
    """The certificate has only the key usage cRLSign.

    A TLS server must sign the handshake, which this usage does not allow; some clients reject it.
    """
    return put(case, _KU, _usages("cRLSign"), critical=True)


@fault("V", "path", "RFC 9846 4.5.1.2", finds=("digital-signature",))
def ku_leaf_no_digsig(case: Case) -> Case:
    """The certificate, with an RSA key, has only the key usage keyEncipherment.

    TLS 1.3 and ECDHE require digitalSignature: some TLS clients reject the certificate, others ignore
    the key usage.
    """
    if parse_kind(case.entity.key).family != "rsa":
        case = case.with_key("rsa-2048")
    return put(case, _KU, _usages("keyEncipherment"), critical=True)


@fault(
    "V",
    "parse",
    "4.2.1.3",
    finds=(
        "path:no-issuer",
        "path:malformed",
        "key-usage-critical",
        "key-usage-some",
        "key-usage-no-certsign",
        "path-valid",
        "digital-signature",
        "chain-of-trust",
        "der-encoding",
        "extension-readable",
        "key-usage-consistent",
    ),
)
def ku_wrong_type(case: Case) -> Case:
    """The certificate has a key usage that is an OCTET STRING.

    The type must be BIT STRING; parsers cannot read the critical extension.
    """
    return put(case, _KU, der.octet_string(b"\x80"), critical=True)


@fault("P", "lint", "X.690 11.2.2", finds=("der-encoding",))
def ku_trailing_octet(case: Case) -> Case:
    """The certificate has a key usage with an unnecessary trailing byte.

    DER omits trailing zero bits of a named bit list; few parsers check this.
    """
    bits = der.contents(value_of(case, _KU))[1:]
    return put(case, _KU, der.bit_string(bits + b"\x00", 5), critical=True)


@fault("R", "path", "4.2.1.12", finds=("path:purpose", "server-purpose", "key-usage-consistent"))
def eku_client_only(case: Case) -> Case:
    """The certificate is only for TLS clients (clientAuth).

    Clients reject it as a server certificate: unsuitable certificate purpose. Add serverAuth.
    """
    return put(case, _EKU, _purposes("clientAuth"))


@fault("P", "lint", "CABF BR 7.1.2.7.10", finds=("server-purpose",))
def eku_missing(case: Case) -> Case:
    """The certificate has no extended key usage.

    Clients accept it for any purpose; public CAs must include serverAuth.
    """
    return leave_out(case, _EKU)


@fault("V", "parse", "4.2.1.12", finds=("path:purpose", "server-purpose", "extension-not-empty"))
def eku_empty(case: Case) -> Case:
    """The certificate has an extended key usage without any purpose.

    Validators accept it for any purpose, for none, or report a malformed certificate.
    """
    return put(case, _EKU, EMPTY_SEQUENCE)


@fault("V", "path", "CABF BR 7.1.2.7.10", finds=("path:purpose", "no-any-purpose"))
def eku_any(case: Case) -> Case:
    """The certificate is for any purpose (anyExtendedKeyUsage).

    Some clients accept this instead of serverAuth, others do not.
    """
    return put(case, _EKU, _purposes("any"))


@fault("V", "path", "CABF BR 7.1.2.7.6")
def eku_critical(case: Case) -> Case:
    """The certificate has a critical extended key usage.

    RFC 5280 allows it; the Baseline Requirements do not.
    """
    return set_critical(case, _EKU, True)


@fault("R", "path", "CABF BR 7.1.2.10.6", finds=("path:purpose",))
def eku_intermediate_excludes(case: Case) -> Case:
    """The issuing CA certificate is only for client certificates (clientAuth).

    Browsers and many validators apply the purposes of a CA to the certificates that it issues, and reject
    the path; RFC 5280 does not require that.
    """
    return put(case, _EKU, _purposes("clientAuth"), level=case.intermediate())


@fault("P", "lint", "CABF BR 7.1.2.1.2")
def eku_root_present(case: Case) -> Case:
    """The root certificate has an extended key usage, for servers and clients.

    Path validators accept it. The Baseline Requirements do not allow the extension in a root; linters report
    it.
    """
    return put(case, _EKU, _purposes("serverAuth", "clientAuth"), level=case.root)


@fault("V", "path", "4.2.1.12", finds=("path:purpose",))
def eku_root_excludes(case: Case) -> Case:
    """The root certificate is only for client certificates (clientAuth).

    Some validators check the purposes of the trust anchor and reject the path.
    """
    return put(case, _EKU, _purposes("clientAuth"), level=case.root)


@fault(
    "V",
    "parse",
    "4.2.1.12",
    finds=(
        "path:no-issuer",
        "path:malformed",
        "extension-readable",
        "key-usage-consistent",
        "path-valid",
        "server-purpose",
        "no-any-purpose",
        "chain-of-trust",
    ),
)
def eku_malformed(case: Case) -> Case:
    """The certificate has an extended key usage that cannot be decoded.

    Clients cannot read the purposes, and many reject the certificate.
    """
    return put(case, _EKU, JUNK)
