"""Extensions as such, key identifiers, certificate transparency, must-staple (RFC 5280, 4.2)."""

from __future__ import annotations

from dataclasses import replace

from pkigen.asn1 import der, names, oids
from pkigen.cases.case import Case
from pkigen.cases.extension_values import (
    EMPTY_SEQUENCE,
    JUNK,
    change_plan,
    leave_out,
    put,
    set_critical,
)
from pkigen.faults.registry import fault
from pkigen.model import CertificatePlan, Edit, EditOp, Extension

_UNKNOWN = "1.3.6.1.4.1.55738.99.2"
_POISON, _SCT_LIST = "1.3.6.1.4.1.11129.2.4.3", "1.3.6.1.4.1.11129.2.4.2"
_EXTENSIONS = (7,)
_AKI, _SKI = oids.AUTHORITY_KEY_IDENTIFIER, oids.SUBJECT_KEY_IDENTIFIER
_ROGUE_KEY = bytes(range(20))


@fault(
    "R",
    "parse",
    "4.2",
    finds=("path:no-issuer", "extension-once", "path-valid", "known-critical", "chain-of-trust"),
)
def ext_duplicate(case: Case) -> Case:
    """It has two extensions of one OID.

    Which of the two counts is anybody's guess, so neither should.
    """

    def change(plan: CertificatePlan) -> CertificatePlan:
        return replace(plan, extensions=(*plan.extensions, plan.extensions[0]))

    return change_plan(case, None, change)


@fault(
    "R",
    "path",
    "4.2",
    finds=("path:unhandled-critical", "extension-known", "path-valid", "known-critical", "chain-of-trust"),
)
def ext_unknown_critical(case: Case) -> Case:
    """It has a critical extension that nobody knows.

    Who does not know it must refuse the certificate.
    """
    return put(case, _UNKNOWN, der.null(), critical=True)


@fault("R", "path", "4.2", finds=("path:unhandled-critical", "path-valid", "chain-of-trust"))
def ext_unknown_critical_intermediate(case: Case) -> Case:
    """Its issuing CA has a critical extension that nobody knows.

    Who does not know it must refuse the path.
    """
    return put(case, _UNKNOWN, der.null(), critical=True, level=case.intermediate())


@fault("V", "path", "4.2", finds=("path:unhandled-critical", "path-valid", "chain-of-trust"))
def ext_unknown_critical_root(case: Case) -> Case:
    """Its root has a critical extension that nobody knows.

    Validators that take a trust anchor as name and key do not see it.
    """
    return put(case, _UNKNOWN, der.null(), critical=True, level=case.root)


@fault("A", "path", "4.2")
def ext_unknown_noncritical(case: Case) -> Case:
    """It has an extension that nobody knows, and that is not critical.

    A control: it must be passed over.
    """
    return put(case, _UNKNOWN, der.null())


@fault(
    "V",
    "parse",
    "4.1.2.9",
    finds=(
        "authority-key-identifier",
        "subject-key-identifier",
        "names-in-san",
        "server-purpose",
        "crl-distribution-point",
    ),
)
def ext_empty_sequence(case: Case) -> Case:
    """Its list of extensions is there and empty.

    The list must have one member at least.
    """
    data = der.explicit(3, der.sequence())
    return case.edit(Edit(_EXTENSIONS, EditOp.REPLACE, data))


@fault(
    "R",
    "parse",
    "4.2",
    finds=(
        "path:malformed",
        "extension-once",
        "extension-known",
        "authority-key-identifier",
        "subject-key-identifier",
        "key-usage-critical",
        "key-usage-some",
        "key-usage-no-certsign",
        "san-not-empty",
        "no-path-length",
        "crl-point-not-critical",
        "aia-not-critical",
        "path-valid",
        "names-in-san",
        "cn-in-san",
        "name-syntax",
        "server-purpose",
        "no-any-purpose",
        "digital-signature",
        "no-ca",
        "known-critical",
        "crl-distribution-point",
        "crl-url-http",
        "chain-of-trust",
    ),
)
def ext_value_not_octets(case: Case) -> Case:
    """The value of one of its extensions is NULL and no OCTET STRING.

    The certificate cannot be read.
    """
    value = der.sequence(der.oid(_UNKNOWN), der.null())
    return put(case, _UNKNOWN, der.null()).edit(
        Edit((7, 0, len(case.plan.extensions)), EditOp.REPLACE, value)
    )


@fault(
    "V",
    "path",
    "4.2.1.2",
    finds=("path:unhandled-critical", "subject-key-identifier", "path-valid", "chain-of-trust"),
)
def ski_critical(case: Case) -> Case:
    """Its subject key identifier is critical.

    It must not be; OpenSSL does not process it then.
    """
    return set_critical(case, _SKI, True)


@fault("V", "path", "4.2.1.2", finds=("ca-subject-key-identifier",))
def ski_missing_ca(case: Case) -> Case:
    """Its issuing CA has no subject key identifier.

    A CA must have one; path building by names still works.
    """
    return leave_out(case, _SKI, 0)


@fault("V", "path", "4.2.1.1", finds=("path:no-issuer", "path-valid", "chain-of-trust"))
def aki_ski_mismatch(case: Case) -> Case:
    """Its authority key identifier is not the issuer's subject key identifier.

    A hint for building paths that leads astray: some give up, some try the key all the same.
    """
    return put(case, _AKI, der.sequence(der.tlv(0x80, _ROGUE_KEY)))


@fault(
    "V",
    "path",
    "4.2.1.1",
    finds=("path:unhandled-critical", "authority-key-identifier", "path-valid", "chain-of-trust"),
)
def aki_critical(case: Case) -> Case:
    """Its authority key identifier is critical.

    It must not be.
    """
    return set_critical(case, _AKI, True)


@fault("V", "path", "4.2.1.1", finds=("authority-key-identifier",))
def aki_missing(case: Case) -> Case:
    """It has no authority key identifier.

    Whatever a CA issues must have one.
    """
    return leave_out(case, _AKI)


@fault("V", "path", "4.2.1.1")
def aki_empty(case: Case) -> Case:
    """Its authority key identifier is empty.

    It identifies nothing.
    """
    return put(case, _AKI, EMPTY_SEQUENCE)


@fault("V", "path", "4.2.1.1", finds=("path:no-issuer", "path-valid", "chain-of-trust"))
def aki_issuer_serial_wrong(case: Case) -> Case:
    """Its authority key identifier names another issuer and serial number.

    Validators that compare them find no issuer.
    """
    name = der.tlv(0xA1, der.explicit(4, der.sequence()))
    return put(case, _AKI, der.sequence(name, der.tlv(0x82, b"\x2a")))


@fault("V", "lint", "4.2.1.1")
def aki_issuer_no_serial(case: Case) -> Case:
    """Its authority key identifier has an issuer and no serial number.

    Both must be there, or neither.
    """
    above = case.authorities[0].certificates if case.authorities else ()
    issuer = above[0].issuer if above else case.plan.issuer
    name = der.explicit(4, names.encode(issuer))
    return put(case, _AKI, der.sequence(der.tlv(0xA1, name)))


@fault("V", "parse", "4.2.1.1", finds=("path:no-issuer", "path-valid", "chain-of-trust"))
def aki_malformed(case: Case) -> Case:
    """Its authority key identifier is junk.

    Some parsers read extensions that are not critical only when they need them.
    """
    return put(case, _AKI, JUNK)


@fault("R", "path", "RFC 6962 3.1", finds=("path:unhandled-critical", "path-valid", "chain-of-trust"))
def ct_poison(case: Case) -> Case:
    """It is a precertificate: the poison extension is critical.

    Made for logs, and to be refused by everybody else.
    """
    return put(case, _POISON, der.null(), critical=True)


@fault("P", "lint", "RFC 6962 3.3")
def sct_malformed(case: Case) -> Case:
    """Its list of signed certificate timestamps is junk.

    Only clients that ask for certificate transparency see it.
    """
    return put(case, _SCT_LIST, JUNK)


@fault("P", "lint", "RFC 6962 3.3")
def sct_missing(case: Case) -> Case:
    """It has no signed certificate timestamps.

    Browsers ask public CAs for them; private ones have no log, and need none.
    """
    return leave_out(case, _SCT_LIST)


@fault("V", "path", "RFC 7633 4.2.3")
def must_staple_no_staple(case: Case) -> Case:
    """It asks for a stapled OCSP response, and none is stapled.

    Clients that honour it refuse the handshake; path validation alone does not see it.
    """
    return case.with_extension(Extension(oids.TLS_FEATURE, False, der.sequence(der.integer(5))))
