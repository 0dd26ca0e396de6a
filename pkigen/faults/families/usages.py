"""Key usage and extended key usage (RFC 5280, 4.2.1.3 and 4.2.1.12)."""

from __future__ import annotations

from pkigen.asn1 import der, oids
from pkigen.cases.case import Case
from pkigen.cases.extension_values import (
    EMPTY_SEQUENCE,
    leave_out,
    put,
    set_critical,
)
from pkigen.faults.registry import fault

_KU, _EKU = oids.KEY_USAGE, oids.EXTENDED_KEY_USAGE


def _usages(*names: str) -> bytes:
    return der.named_bits(names, oids.KEY_USAGES)


def _purposes(*names: str) -> bytes:
    return der.sequence(*(der.oid(oids.EXTENDED_KEY_USAGES[name]) for name in names))


@fault("R", "path", "6.1.4 (n)", finds=("path:not-a-ca", "ca-key-usage", "path-valid", "chain-of-trust"))
def ku_ca_no_certsign(case: Case) -> Case:
    """Its issuing CA may not sign certificates.

    The key usage lacks keyCertSign.
    """
    return put(case, _KU, _usages("cRLSign"), critical=True, level=case.intermediate())


@fault("V", "path", "4.2.1.3", finds=("ca-key-usage",))
def ku_ca_missing(case: Case) -> Case:
    """Its issuing CA has no key usage.

    A CA must have it; without it everything is allowed.
    """
    return leave_out(case, _KU, case.intermediate())


@fault("P", "lint", "4.2.1.3")
def ku_ca_noncritical(case: Case) -> Case:
    """Its issuing CA's key usage is not critical.

    It should be.
    """
    return set_critical(case, _KU, False, case.intermediate())


@fault("V", "path", "4.2.1.3", finds=("key-usage-no-certsign",))
def ku_leaf_certsign(case: Case) -> Case:
    """It may sign certificates, and is no CA.

    keyCertSign goes with the CA flag alone.
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
    """Its key usage has no bit.

    At least one must be set.
    """
    return put(case, _KU, _usages(), critical=True)


@fault("V", "path", "4.2.1.3", finds=("path:purpose", "digital-signature"))
def ku_leaf_crlsign_only(case: Case) -> Case:
    """It may sign CRLs and nothing else.

    A TLS server has to sign its handshake.
    """
    return put(case, _KU, _usages("cRLSign"), critical=True)


@fault("P", "lint", "CABF BR 7.1.2.7.11", finds=("digital-signature",))
def ku_leaf_no_digsig(case: Case) -> Case:
    """Its key usage is keyAgreement alone.

    TLS 1.3 signs with the key.
    """
    return put(case, _KU, _usages("keyAgreement"), critical=True)


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
    ),
)
def ku_wrong_type(case: Case) -> Case:
    """Its key usage is an OCTET STRING.

    A critical extension that cannot be read.
    """
    return put(case, _KU, der.octet_string(b"\x80"), critical=True)


@fault("P", "lint", "X.690 11.2.2")
def ku_trailing_octet(case: Case) -> Case:
    """Its key usage has an octet too many.

    DER leaves zero bits at the end of a named bit list out.
    """
    return put(case, _KU, der.bit_string(b"\xa0\x00", 5), critical=True)


@fault("R", "path", "4.2.1.12", finds=("path:purpose", "server-purpose"))
def eku_client_only(case: Case) -> Case:
    """It is for TLS clients alone.

    Clients refuse to take it for a server's.
    """
    return put(case, _EKU, _purposes("clientAuth"))


@fault("P", "lint", "CABF BR 7.1.2.7.10", finds=("server-purpose",))
def eku_missing(case: Case) -> Case:
    """It has no extended key usage.

    Then it is for everything; public CAs must say serverAuth.
    """
    return leave_out(case, _EKU)


@fault("V", "parse", "4.2.1.12", finds=("path:purpose", "server-purpose"))
def eku_empty(case: Case) -> Case:
    """Its extended key usage is an empty list.

    For nothing, or for everything, or not readable: validators differ.
    """
    return put(case, _EKU, EMPTY_SEQUENCE)


@fault("V", "path", "CABF BR 7.1.2.7.10", finds=("path:purpose", "no-any-purpose"))
def eku_any(case: Case) -> Case:
    """It is for any purpose.

    Some clients take anyExtendedKeyUsage for serverAuth, others do not.
    """
    return put(case, _EKU, _purposes("any"))


@fault("V", "path", "CABF BR 7.1.2.7.6")
def eku_critical(case: Case) -> Case:
    """Its extended key usage is critical.

    RFC 5280 allows it, public CAs must not do it.
    """
    return set_critical(case, _EKU, True)


@fault("R", "path", "CABF BR 7.1.2.10.6", finds=("path:purpose",))
def eku_intermediate_excludes(case: Case) -> Case:
    """Its issuing CA is for client certificates alone.

    Purposes of CAs limit what they issue, in most validators.
    """
    return put(case, _EKU, _purposes("clientAuth"), level=case.intermediate())


@fault("V", "path", "4.2.1.12", finds=("path:purpose",))
def eku_root_excludes(case: Case) -> Case:
    """Its root is for client certificates alone.

    Some validators look at the purposes of the trust anchor, others do not.
    """
    return put(case, _EKU, _purposes("clientAuth"), level=case.root)
