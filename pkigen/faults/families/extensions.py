"""Extensions as such, key identifiers, certificate transparency, must-staple (RFC 5280, 4.2)."""

from __future__ import annotations

from dataclasses import replace

from pkigen.asn1 import der, names, oids
from pkigen.cases.case import Case, Impossible
from pkigen.cases.extension_values import (
    EMPTY_SEQUENCE,
    JUNK,
    change_plan,
    leave_out,
    put,
    set_critical,
)
from pkigen.cases.general_names import dns
from pkigen.faults.families.ocsp.changes import answered
from pkigen.faults.registry import fault
from pkigen.model import CertificatePlan, Edit, EditOp, Extension, KeyIdentifier, Name

_UNKNOWN = "1.3.6.1.4.1.55738.99.2"
_POISON = "1.3.6.1.4.1.11129.2.4.3"
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
    """The certificate contains the same extension twice.

    RFC 5280 allows one extension per OID; clients reject the certificate.
    """

    def change(plan: CertificatePlan) -> CertificatePlan:
        return replace(plan, extensions=(*plan.extensions, plan.extensions[0]))

    return change_plan(case, None, change)


@fault(
    "R",
    "parse",
    "4.2",
    finds=(
        "path:no-issuer",
        "path:hostname",
        "extension-once",
        "path-valid",
        "cn-in-san",
        "known-critical",
        "chain-of-trust",
    ),
)
def ext_duplicate_san(case: Case) -> Case:
    """The certificate has two SAN extensions, and the first one is for another host.

    RFC 5280 allows one extension per OID. Clients that use the first SAN and clients that use the last one
    see different hosts.
    """
    san = next((one for one in case.plan.extensions if one.oid == oids.SUBJECT_ALTERNATIVE_NAME), None)
    if san is None:
        raise Impossible("the certificate has no subject alternative name")
    other = replace(san, value=der.sequence(dns("other-host.test")))
    extensions = (other, *case.plan.extensions)
    return replace(
        case, entity=replace(case.entity, certificates=(replace(case.plan, extensions=extensions),))
    )


@fault(
    "V",
    "parse",
    "4.2",
    finds=(
        "path:no-issuer",
        "path:malformed",
        "der-encoding",
        "extension-readable",
        "key-usage-critical",
        "key-usage-some",
        "key-usage-no-certsign",
        "key-usage-consistent",
        "path-valid",
        "digital-signature",
        "chain-of-trust",
    ),
)
def ext_value_empty(case: Case) -> Case:
    """The certificate has a key usage extension whose value has no bytes.

    The value must be the encoding of a BIT STRING; parsers cannot read the critical extension.
    """
    return put(case, oids.KEY_USAGE, b"", critical=True)


@fault(
    "R",
    "path",
    "4.2",
    finds=("path:unhandled-critical", "extension-known", "path-valid", "known-critical", "chain-of-trust"),
)
def ext_unknown_critical(case: Case) -> Case:
    """The certificate has an unknown critical extension.

    Validators that do not recognize the extension must reject the certificate.
    """
    return put(case, _UNKNOWN, der.null(), critical=True)


@fault(
    "R", "path", "4.2", finds=("path:unhandled-critical", "path-valid", "chain-of-trust", "extension-known")
)
def ext_unknown_critical_intermediate(case: Case) -> Case:
    """The issuing CA certificate has an unknown critical extension.

    Validators that do not recognize the extension must reject the path.
    """
    return put(case, _UNKNOWN, der.null(), critical=True, level=case.intermediate())


@fault(
    "V", "path", "4.2", finds=("path:unhandled-critical", "path-valid", "chain-of-trust", "extension-known")
)
def ext_unknown_critical_root(case: Case) -> Case:
    """The root certificate has an unknown critical extension.

    Validators that use only the name and key of a trust anchor do not notice it; others reject the
    path.
    """
    return put(case, _UNKNOWN, der.null(), critical=True, level=case.root)


@fault("A", "path", "4.2")
def ext_unknown_noncritical(case: Case) -> Case:
    """The certificate has an unknown extension that is not critical.

    Clients must ignore the extension (control case).
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
    """The certificate has an extensions field without any extension.

    The field must contain at least one extension; strict parsers reject the certificate.
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
        "der-encoding",
        "extension-readable",
        "extension-not-empty",
        "extension-not-critical",
        "ian-not-critical",
        "key-identifier",
        "key-usage-consistent",
        "policies",
        "san-syntax",
        "ian-syntax",
        "ca-only-extensions",
        "crl-point-complete",
        "name-constraints",
    ),
)
def ext_value_not_octets(case: Case) -> Case:
    """The certificate has an extension value that is NULL instead of an OCTET STRING.

    Parsers report a malformed certificate.
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
    """The certificate has a critical subject key identifier.

    The extension must not be critical; some clients, such as OpenSSL, then reject the certificate.
    """
    return set_critical(case, _SKI, True)


@fault("V", "path", "4.2.1.2", finds=("ca-subject-key-identifier",))
def ski_missing_ca(case: Case) -> Case:
    """The issuing CA certificate has no subject key identifier.

    CA certificates must contain it; path building by name still works.
    """
    return leave_out(case, _SKI, 0)


@fault("V", "path", "4.2.1.1", finds=("path:no-issuer", "path-valid", "chain-of-trust"))
def aki_ski_mismatch(case: Case) -> Case:
    """The certificate has an authority key identifier that does not match the issuer.

    Some clients cannot find the issuer; others ignore the mismatch and verify the signature.
    """
    return put(case, _AKI, der.sequence(der.tlv(0x80, _ROGUE_KEY)))


@fault(
    "V",
    "path",
    "4.2.1.1",
    finds=("path:unhandled-critical", "authority-key-identifier", "path-valid", "chain-of-trust"),
)
def aki_critical(case: Case) -> Case:
    """The certificate has a critical authority key identifier.

    The extension must not be critical; some clients reject the certificate.
    """
    return set_critical(case, _AKI, True)


@fault("V", "path", "4.2.1.1", finds=("authority-key-identifier",))
def aki_missing(case: Case) -> Case:
    """The certificate has no authority key identifier.

    CAs must include it in every certificate that they issue; some clients reject its absence.
    """
    return leave_out(case, _AKI)


@fault("V", "path", "4.2.1.1", finds=("key-identifier",))
def aki_empty(case: Case) -> Case:
    """The certificate has an empty authority key identifier.

    It should contain the key identifier of the issuer; some clients reject the certificate.
    """
    return put(case, _AKI, EMPTY_SEQUENCE)


@fault("V", "path", "4.2.1.1", finds=("path:no-issuer", "path-valid", "chain-of-trust"))
def aki_issuer_serial_wrong(case: Case) -> Case:
    """The certificate has an authority key identifier with a wrong issuer and serial.

    Both fields name another certificate of the issuing CA; the key identifier is correct. Validators
    that compare all fields cannot find the issuer.
    """
    return _identified_by_name(case, case.plan.issuer, der.tlv(0x82, b"\x2a"))


@fault("V", "lint", "4.2.1.1")
def aki_issuer_no_serial(case: Case) -> Case:
    """The certificate has an authority key identifier with an issuer but no serial.

    Both fields must be present or absent together; strict parsers reject the certificate.
    """
    above = case.authorities[0].certificates if case.authorities else ()
    return _identified_by_name(case, above[0].issuer if above else case.plan.issuer)


def _identified_by_name(case: Case, issuer: Name, serial: bytes = b"") -> Case:
    """Add authorityCertIssuer and authorityCertSerialNumber to the key identifier of the issuer."""
    place = next(
        (
            number
            for number, one in enumerate(case.plan.extensions)
            if one.oid == _AKI and one.value is KeyIdentifier.ISSUER
        ),
        None,
    )
    if place is None:
        raise Impossible("the certificate has no authority key identifier")
    name = der.tlv(0xA1, der.explicit(4, names.encode(issuer)))
    return case.edit(Edit((*_EXTENSIONS, 0, place, -1, 0, 0), EditOp.APPEND, name + serial))


@fault(
    "V",
    "parse",
    "4.2.1.1",
    finds=("path:no-issuer", "path-valid", "chain-of-trust", "extension-readable", "key-identifier"),
)
def aki_malformed(case: Case) -> Case:
    """The certificate has an authority key identifier that cannot be decoded.

    Some parsers decode noncritical extensions only when they need them, and do not notice it.
    """
    return put(case, _AKI, JUNK)


@fault("R", "path", "RFC 6962 3.1", finds=("path:unhandled-critical", "path-valid", "chain-of-trust"))
def ct_poison(case: Case) -> Case:
    """The certificate is a precertificate with the critical CT poison extension.

    Clients must reject it: precertificates are only for certificate transparency logs.
    """
    return put(case, _POISON, der.null(), critical=True)


@fault("P", "lint", "RFC 6962 3.3", finds=("extension-readable",))
def sct_malformed(case: Case) -> Case:
    """The certificate has an SCT list that cannot be decoded.

    Only clients that check certificate transparency notice it.
    """
    return put(case, oids.SIGNED_CERTIFICATE_TIMESTAMPS, JUNK)


@fault("P", "lint", "RFC 6962 3.3")
def sct_missing(case: Case) -> Case:
    """The certificate has no signed certificate timestamps (SCTs).

    Browsers require SCTs from public CAs; private CAs do not need them.
    """
    return leave_out(case, oids.SIGNED_CERTIFICATE_TIMESTAMPS)


@fault("V", "transport", "RFC 7633 4.3.3")
def must_staple_no_staple(case: Case) -> Case:
    """The certificate requires a stapled OCSP response, but the server sends none.

    The certificate refers to a responder with a valid response. Clients that support must-staple end
    the handshake; path validation alone does not notice it. Enable OCSP stapling.
    """
    feature = Extension(oids.TLS_FEATURE, False, der.sequence(der.integer(5)))
    return answered(case).with_extension(feature).served("tls", "stapled-missing")
