"""Why a CRL does not count (RFC 5280, 6.3.3): OpenSSL says no more than that there is none."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import replace

from pkigen.asn1 import oids
from pkigen.inspection.path.problems import PathProblem
from pkigen.x509 import Certificate, CertificateList, Malformed
from pkigen.x509.extensions import IssuingDistributionPoint, RawExtension

_PROCESSED = (oids.ISSUING_DISTRIBUTION_POINT, oids.AUTHORITY_KEY_IDENTIFIER, oids.DELTA_CRL_INDICATOR)
_CRITICAL_EXTENSION = 36
"""X509_V_ERR_UNHANDLED_CRITICAL_CRL_EXTENSION."""
_ONLY = {"user": "end entities", "ca": "CAs", "attribute": "attribute certificates"}


def is_delta(crl: CertificateList) -> bool:
    """Whether a CRL lists changes to another one (5.2.4): some versions of OpenSSL take it for complete."""
    try:
        return crl.extensions.raw(oids.DELTA_CRL_INDICATOR) is not None
    except Malformed:
        return False


def format_error(crl: CertificateList) -> str:
    """What keeps libraries from reading a CRL whose outline is one; "" when it is something else."""
    try:
        if crl.version != 2:
            return f"it is version {crl.version}"
        if not crl.algorithms_agree:
            return "its two signature algorithms differ"
        count = Counter(extension.title for extension in crl.extensions)
        return next(
            (f"it has {number} of the extension {of}" for of, number in count.items() if number > 1), ""
        )
    except Malformed as error:
        return str(error)


def with_crl_reason(
    problem: PathProblem, path: Sequence[Certificate], crls: Sequence[CertificateList]
) -> PathProblem:
    """A problem of CRLs with why those that were given do not count, as far as it can be told."""
    if problem.depth not in range(len(path)) or (
        problem.rule != "crl-missing" and problem.code != _CRITICAL_EXTENSION
    ):
        return problem
    certificate, above = path[problem.depth], path[problem.depth + 1 :]
    own = [crl for crl in crls if crl.issuer_der == certificate.issuer_der]
    if not own and _listed_elsewhere(certificate):
        reason = "another CA issues its CRL, and indirect CRLs are not supported"
    elif crls and not own:
        reason = "no given CRL is from its issuer"
    else:
        reasons = (_reason(problem, certificate, above, crl) for crl in own)
        reason = next(filter(None, reasons), "")
    return replace(problem, message=f"{problem.message} ({reason})") if reason else problem


def _listed_elsewhere(certificate: Certificate) -> bool:
    """Whether all that a certificate says of CRLs is of another authority's (4.2.1.13, cRLIssuer).

    OpenSSL would process them; through its store, which is what there is here, it does not find them.
    """
    try:
        points = certificate.extensions.crl_distribution_points or ()
    except Malformed:
        return False
    return bool(points) and all(point.crl_issuer for point in points)


def _reason(
    problem: PathProblem, certificate: Certificate, above: Sequence[Certificate], crl: CertificateList
) -> str:
    try:
        if problem.code == _CRITICAL_EXTENSION:
            return next((f"{words} {found.title}" for words, found in _critical(crl)), "")
        return _unfit(crl, certificate, above)
    except Malformed as error:
        return str(error)


def _critical(crl: CertificateList) -> Iterator[tuple[str, RawExtension]]:
    """The critical extensions that nobody here processes, those of entries after the CRL's own."""
    for found in crl.extensions:
        if found.critical and found.oid not in _PROCESSED:
            yield "its extension", found
    for entry in crl.entries():
        for found in entry.extensions:
            if found.critical and found.oid != oids.CERTIFICATE_ISSUER:
                yield "an entry's extension", found


def _unfit(crl: CertificateList, certificate: Certificate, above: Sequence[Certificate]) -> str:
    """6.3.3 (b) to (f), as far as it does not need a signature."""
    if is_delta(crl):
        return "its issuer's CRL is a delta CRL, which lists only changes"
    named = crl.extensions.authority_key_identifier
    issuer = above[0].extensions.subject_key_identifier if above else None
    if named is not None and None not in (named.key_identifier, issuer) and named.key_identifier != issuer:
        return "its issuer's CRL is signed by another key"
    point = crl.issuing_distribution_point
    return "" if point is None else _out_of_scope(point, certificate)


def _out_of_scope(point: IssuingDistributionPoint, certificate: Certificate) -> str:
    if len(point.only) > 1:
        return f"its issuer's CRL is only for {' and only for '.join(_ONLY[kind] for kind in point.only)}"
    if point.reasons:
        return f"its issuer's CRL is only for {', '.join(point.reasons)}"
    constraints = certificate.extensions.basic_constraints
    kind = "ca" if constraints is not None and constraints.ca else "user"
    if point.only and point.only != (kind,):
        return f"its issuer's CRL is only for {_ONLY[point.only[0]]}"
    stated = {name for one in certificate.extensions.crl_distribution_points or () for name in one.names}
    if point.names and stated.isdisjoint(point.names):
        return f"its issuer's CRL is for {', '.join(name.value for name in point.names)}"
    return "" if point.names or point.only else "its issuer's CRL has an empty issuing distribution point"
