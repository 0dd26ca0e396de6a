"""Chain files with more than one path to the trust anchor, of which only one is valid, and with other CAs."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

from pkigen.asn1 import der, names, oids
from pkigen.cases.case import Case, Impossible
from pkigen.cases.extension_values import put
from pkigen.cases.general_names import dns
from pkigen.faults.families.constraints import issued_by_server
from pkigen.faults.registry import fault
from pkigen.model import CertificatePlan, Extension, KeyIdentifier, Signature

_DAY, _YEAR = timedelta(days=1), timedelta(days=365)
_UNKNOWN = "1.3.6.1.4.1.55738.99.2"
_AKI, _SKI = oids.AUTHORITY_KEY_IDENTIFIER, oids.SUBJECT_KEY_IDENTIFIER
_SHARED_IDENTIFIER = der.octet_string(bytes(range(100, 120)))
_OTHER_CA = names.name([("O", "Another Test PKI"), ("CN", "Another Test CA in the Chain")])
_NINETEENTH_CENTURY = datetime(1900, 1, 1, tzinfo=UTC)
_URLS = (oids.CRL_DISTRIBUTION_POINTS, oids.FRESHEST_CRL, oids.AUTHORITY_INFORMATION_ACCESS)


def _with_extensions(plan: CertificatePlan, *extensions: Extension) -> CertificatePlan:
    """Replace extensions of a planned certificate, or add them."""
    oids_of = {one.oid for one in extensions}
    others = (one for one in plan.extensions if one.oid not in oids_of)
    return replace(plan, extensions=(*others, *extensions))


def _second(case: Case, suffix: str, plan: CertificatePlan) -> Case:
    """Add a second certificate of the issuing CA to the chain file, before its own one."""
    return case.with_extra(suffix, plan, 0, key_of=case.authorities[case.intermediate()].id)


def _unrelated(case: Case, suffix: str, plan: CertificatePlan) -> Case:
    """Add a self-signed CA that did not issue any certificate of the path, before the root."""
    plan = replace(plan, subject=_OTHER_CA, issuer=_OTHER_CA, issuer_id="", signature=Signature())
    extensions = tuple(one for one in plan.extensions if one.oid not in _URLS)
    return case.with_extra(suffix, replace(plan, extensions=extensions), case.root, key="ec-p256")


@fault("A", "path", "6.1", finds=("ca-in-force",))
def chain_expired_intermediate_then_valid(case: Case) -> Case:
    """The chain file has an expired certificate of the issuing CA before a valid one.

    Both have the same name and key. Clients must accept the path through the valid certificate; some try
    only the first one (control case).
    """
    plan = case.authority_plan(case.intermediate())
    end = case.clock - _DAY
    begin = min(plan.not_before, end - _DAY)
    return _second(case, "expired", replace(plan, not_before=begin, not_after=end))


@fault("A", "path", "6.1")
def chain_nc_violating_then_valid(case: Case) -> Case:
    """The chain file has a constrained certificate of the issuing CA first.

    It permits only another domain. Clients must accept the path through the second certificate of the CA,
    which has the same name and key; some try only the first one (control case).
    """
    plan = case.authority_plan(case.intermediate())
    permitted = der.sequence(der.tlv(0xA0, der.sequence(dns("elsewhere.test"))))
    constrained = _with_extensions(plan, Extension(oids.NAME_CONSTRAINTS, True, permitted))
    return _second(case, "constrained", constrained)


@fault("A", "path", "6.1", finds=("crl-fresh", "crl-reachable"))
def chain_same_name_other_key_then_valid(case: Case) -> Case:
    """The chain file has a CA with the issuer's name and another key first.

    The certificate of the issuing CA follows, with the same key identifier: only the signature tells them
    apart. Clients must accept the path; some try only the first one (control case).
    """
    case = put(case, _SKI, _SHARED_IDENTIFIER, level=case.intermediate())
    return case.with_extra("same-name", case.authority_plan(0), 0)


@fault("A", "path", "6.1", cves=("CVE-2024-0567",))
def chain_cross_loop(case: Case) -> Case:
    """The chain file has three CAs that certified each other; one is the trusted root.

    Clients must find the path from the issuing CA to the root and accept it (control case). GnuTLS
    before 3.8.3 rejected such a chain, or failed an assertion.
    """
    case.intermediate()
    if case.root != 1:
        raise Impossible("it requires an intermediate CA below a root")
    case = case.change_authority(1, lambda root: root)
    root, issuing = case.authorities[1], case.authorities[0]
    case = case.trusting(root.id)
    own, below = case.authority_plan(1), case.authority_plan(0)
    third_name = names.name([("CN", f"Third CA for {case.entity.name}"[:64])])
    identified = Extension(_AKI, False, KeyIdentifier.ISSUER)

    def certified(plan: CertificatePlan, issuer: CertificatePlan, issuer_id: str) -> CertificatePlan:
        changed = _with_extensions(plan, identified)
        extensions = tuple(one for one in changed.extensions if one.oid not in _URLS)
        return replace(
            changed,
            issuer=issuer.subject,
            issuer_id=issuer_id,
            not_after=min(changed.not_after, issuer.not_after),
            extensions=extensions,
            signature=Signature(),
        )

    third = replace(below, subject=third_name)
    case = case.with_extra("third", certified(third, own, root.id), case.root)
    third_id = case.authorities[case.root - 1].id
    others = (
        ("third-by-issuing", certified(third, below, issuing.id), third_id, issuing.key),
        ("by-third", certified(below, third, third_id), issuing.id, issuing.key),
        ("root-by-third", certified(own, third, third_id), root.id, root.key),
    )
    for suffix, plan, key_of, kind in others:
        case = case.with_extra(suffix, plan, case.root, key_of=key_of, key=kind)
    return case


@fault("A", "path", "6.1")
def chain_extra_unknown_critical(case: Case) -> Case:
    """The chain file has an unrelated CA with an unknown critical extension.

    The CA is not part of the path, so that its extensions do not matter: clients must accept the path
    (control case).
    """
    plan = case.authority_plan(case.root)
    return _unrelated(case, "unrelated", _with_extensions(plan, Extension(_UNKNOWN, True, der.null())))


@fault("A", "path", "6.1")
def time_1900_unrelated_ca(case: Case) -> Case:
    """The chain file has an unrelated CA that has been valid since the year 1900.

    The year needs a GeneralizedTime, which only dates from 2050 on should have. The CA is not part of the
    path: clients must accept the path (control case).
    """
    return _unrelated(
        case, "of-1900", replace(case.authority_plan(case.root), not_before=_NINETEENTH_CENTURY)
    )


@fault(
    "R",
    "path",
    "6.1.4 (k)",
    finds=(
        "path:not-a-ca",
        "ca-basic-constraints",
        "ca-key-usage",
        "ca-crl-sign",
        "path-valid",
        "chain-only-authorities",
        "chain-of-trust",
    ),
    cves=("CVE-2015-1793",),
)
def chain_alternative_leaf_ca(case: Case) -> Case:
    """The certificate was issued by a server certificate below a trust anchor.

    The root of the chain is not trusted; a self-signed certificate of the CA is. OpenSSL 1.0.1n, 1.0.1o,
    1.0.2b, and 1.0.2c did not check the CA flag again after they had found this second path. Clients
    report an invalid CA certificate.
    """
    case.intermediate()
    case = issued_by_server(case.with_subordinate())
    issuing, plan = case.authorities[1], case.authority_plan(1)
    anchor = _with_extensions(
        replace(plan, issuer=plan.subject, issuer_id="", signature=Signature()),
        Extension(_AKI, False, KeyIdentifier.ISSUER),
    )
    anchor = replace(anchor, extensions=tuple(one for one in anchor.extensions if one.oid not in _URLS))
    case = case.change_authority(2, lambda root: replace(root, trusted=False))
    case = case.with_extra("anchor", anchor, 2, key_of=issuing.id, key=issuing.key)
    return case.trusting(case.authorities[2].id)
