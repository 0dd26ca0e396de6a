"""Which certificates and reasons a CRL covers (RFC 5280, 6.3.3 (b)), and whether it can be used at all."""

from __future__ import annotations

from collections import Counter
from collections.abc import Hashable, Iterable, Iterator

from pkigen.asn1 import der, oids
from pkigen.x509 import Certificate, CertificateList, GeneralName, IssuingDistributionPoint, Malformed
from pkigen.x509.decode import elements, normalized_name
from pkigen.x509.extensions import DistributionPoint

ALL_REASONS = frozenset(oids.REASON_FLAGS[1:])
"""The reasons that CRLs have to cover together; the first flag is unused."""
_PROCESSED = (oids.ISSUING_DISTRIBUTION_POINT, oids.AUTHORITY_KEY_IDENTIFIER, oids.DELTA_CRL_INDICATOR)
_ONLY = {"user": "end entities", "ca": "CAs", "attribute": "attribute certificates"}


class OutOfScope(Exception):
    """The CRL does not cover a certificate; the message is the reason."""


def is_delta(crl: CertificateList) -> bool:
    """Return whether a CRL lists changes to another one (5.2.4)."""
    try:
        return crl.extensions.raw(oids.DELTA_CRL_INDICATOR) is not None
    except Malformed:
        return False


def format_error(crl: CertificateList) -> str:
    """Return why libraries cannot parse a CRL; "" if no reason is known."""
    try:
        if crl.version != 2:
            return f"it is version {crl.version}"
        if not crl.algorithms_agree:
            return "its two signature algorithms differ"
        count = Counter(extension.title for extension in crl.extensions)
        return next(
            (f"it has {number} of the extension {title}" for title, number in count.items() if number > 1), ""
        )
    except Malformed as error:
        return str(error)


def unsupported_extension(crl: CertificateList) -> str:
    """Return the critical extension of a CRL or of an entry that is not processed; "" if there is none."""
    for extension in crl.extensions:
        if extension.critical and extension.oid not in _PROCESSED:
            return f"its extension {extension.title}"
    for entry in crl.entries() if crl.has_critical_entry_extensions() else ():
        for extension in entry.extensions:
            if extension.critical and extension.oid != oids.CERTIFICATE_ISSUER:
                return f"an entry's extension {extension.title}"
    return ""


def may_list(crl: CertificateList, certificate: Certificate) -> bool:
    """Return whether a CRL is the certificate issuer's, or of a CRL issuer that the certificate names."""
    if crl.normalized_issuer == certificate.normalized_issuer:
        return True
    return any(crl.normalized_issuer in _directory_names(point.crl_issuer) for point in _points(certificate))


def covered_reasons(crl: CertificateList, certificate: Certificate) -> frozenset[str]:
    """Return the reasons for which a CRL covers a certificate (6.3.3 (b)); OutOfScope if it does not."""
    scope = crl.issuing_distribution_point
    if scope is not None:
        _check_kind(scope, certificate)
    reasons = frozenset(scope.reasons if scope and scope.reasons else ALL_REASONS)
    direct = crl.normalized_issuer == certificate.normalized_issuer
    if not direct and (scope is None or not scope.indirect):
        raise OutOfScope("it is not an indirect CRL, and another CA issued the certificate")
    scope_names = _names(scope, crl.normalized_issuer, crl.issuer_der) if scope else frozenset()
    for point in _points(certificate):
        issuers = _directory_names(point.crl_issuer) or {certificate.normalized_issuer}
        if crl.normalized_issuer not in issuers:
            continue
        names = _names(point, crl.normalized_issuer, crl.issuer_der)
        names = names or frozenset(name.normalized for name in point.crl_issuer)
        if not scope_names or not scope_names.isdisjoint(names):
            return reasons & (frozenset(point.reasons) or ALL_REASONS)
    if direct and (not scope_names or ("dirname", certificate.normalized_issuer) in scope_names):
        return reasons
    named = ", ".join(name.value for name in scope.names) if scope and scope.names else "another name"
    raise OutOfScope(f"its issuer's CRL is for {named}")


def crl_issuer_names(certificate: Certificate) -> str:
    """Return the CRL issuers that a certificate names, if other CAs issue all of its CRLs; else ""."""
    points = _points(certificate)
    if not points or not all(point.crl_issuer for point in points):
        return ""
    return "; ".join(name.value for point in points for name in point.crl_issuer)


def scope_der(crl: CertificateList) -> bytes:
    """Return the issuing distribution point in DER; a delta CRL has that of its complete CRL (5.2.4)."""
    extension = crl.extensions.raw(oids.ISSUING_DISTRIBUTION_POINT)
    return extension.value if extension else b""


def _check_kind(scope: IssuingDistributionPoint, certificate: Certificate) -> None:
    if len(scope.only) > 1:
        kinds = " and only for ".join(_ONLY[kind] for kind in scope.only)
        raise OutOfScope(f"its issuer's CRL is only for {kinds}")
    constraints = certificate.extensions.basic_constraints
    kind = "ca" if constraints is not None and constraints.ca else "user"
    if scope.only and scope.only != (kind,):
        raise OutOfScope(f"its issuer's CRL is only for {_ONLY[scope.only[0]]}")
    if not (scope.names or scope.only or scope.reasons or scope.indirect or scope.relative_rdn):
        raise OutOfScope("its issuer's CRL has an empty issuing distribution point")


def _points(certificate: Certificate) -> tuple[DistributionPoint, ...]:
    return certificate.extensions.crl_distribution_points or ()


def _names(
    point: DistributionPoint | IssuingDistributionPoint, issuer: Hashable, issuer_der: bytes
) -> frozenset[tuple[str, Hashable]]:
    """Return the names of a distribution point; a relative name is completed with the CRL issuer's."""
    names = {name.normalized for name in point.names}
    if point.relative_rdn:
        rdns = elements(issuer_der, "the CRL issuer")
        names.add(("dirname", normalized_name(der.sequence(*rdns, point.relative_rdn))))
    return frozenset(names)


def _directory_names(names: Iterable[GeneralName]) -> frozenset[Hashable]:
    return frozenset(_values(names))


def _values(names: Iterable[GeneralName]) -> Iterator[Hashable]:
    for name in names:
        kind, value = name.normalized
        if kind == "dirname":
            yield value
