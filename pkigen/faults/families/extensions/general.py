"""Extensions as such: duplicate, unknown, empty and malformed ones (RFC 5280, 4.2)."""

from __future__ import annotations

from dataclasses import replace

from pkigen.asn1 import der, oids
from pkigen.cases.case import Case, Impossible
from pkigen.cases.extension_values import change_plan, put
from pkigen.cases.general_names import dns
from pkigen.faults.registry import fault
from pkigen.model import CertificatePlan, Edit, EditOp

_UNKNOWN = "1.3.6.1.4.1.55738.99.2"
_EXTENSIONS = (7,)


@fault(
    "R",
    "parse",
    "4.2",
    finds=("path:no-issuer", "extension-once", "path-valid", "known-critical", "chain-of-trust"),
)
def ext_duplicate(case: Case) -> Case:
    """The certificate contains the same extension twice.

    RFC 5280 allows one extension per OID; most clients reject the certificate.
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

    RFC 5280 allows one extension per OID; most clients reject the certificate. Clients that use the first
    SAN and clients that use the last one see different hosts.
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
