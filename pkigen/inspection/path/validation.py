"""Validates certification paths (RFC 5280, 6): OpenSSL's verdict, policies, CRLs, host and purpose."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from typing import Literal

from pkigen.inspection.path.address_in_common_name import only_common_name_violates
from pkigen.inspection.path.alternative_paths import PathSearch
from pkigen.inspection.path.host_names import host_mismatch
from pkigen.inspection.path.openssl import PathInput, parses_crl, validate_with_openssl
from pkigen.inspection.path.policies import ANY_POLICIES, PolicyOptions, policy_problem
from pkigen.inspection.path.problems import PathProblem, problem_of_code, problem_of_rule
from pkigen.inspection.path.revocation import REMOVED, RevocationCheck
from pkigen.x509 import Certificate, CertificateList, Malformed, RevokedEntry

Purpose = Literal["server", "client", "any"]

_WITH_REVOCATION = ("expired", "not-yet-valid", "name-constraint")
"""Problems of a complete path whose certificates are checked for revocation nevertheless."""
_OF_EVERY_PATH = ("expired", "not-yet-valid", "hostname", "purpose", "unhandled-critical")
"""Problems that the certificate itself has on every path."""
_WEAK_DIGEST = 68
"""X509_V_ERR_CA_MD_TOO_WEAK."""
_NETSCAPE_TYPE, _NETSCAPE_BITS = "2.16.840.1.113730.1.1", {"server": 0x40, "client": 0x80}
_PURPOSES = {
    "server": ("serverAuth", frozenset({"digitalSignature", "keyAgreement", "keyEncipherment"})),
    "client": ("clientAuth", frozenset({"digitalSignature", "keyAgreement"})),
}
"""The purpose that an extended key usage must contain, and the key usages of which one is required."""


@dataclass(frozen=True)
class PathResult:
    """The result of a validation.

    ``path`` is the certificate and the CAs above it, as far as they are known. ``unused_crls`` maps the DER
    of each CRL that was not used to the reason. If the path is not the one that OpenSSL tries,
    ``openssl_problems`` are the problems of that one. ``all_tried`` is false if there are more paths than
    were tried. ``ignored`` are problems that OpenSSL reports although RFC 5280 permits the path.
    """

    problems: tuple[PathProblem, ...]
    path: tuple[Certificate, ...]
    unused_crls: Mapping[bytes, str] = field(default_factory=dict)
    openssl_problems: tuple[PathProblem, ...] = ()
    all_tried: bool = True
    ignored: tuple[PathProblem, ...] = ()

    @property
    def ok(self) -> bool:
        """Whether the path is valid."""
        return not self.problems

    @property
    def undecided(self) -> bool:
        """Whether the path is neither valid nor invalid: OpenSSL does not support an algorithm of it."""
        return bool(self.problems) and all(problem.rule == "unsupported" for problem in self.problems)


@dataclass(frozen=True, slots=True)
class _PathChecks:
    """The checks of a path besides those of OpenSSL; ``given`` contains all certificates that are known."""

    given: PathInput
    crls: Sequence[CertificateList]
    check_crls: bool
    host: str | None
    purpose: Purpose
    policy: PolicyOptions
    reject_sha1: bool

    def result(self, given: PathInput) -> PathResult:
        """Validate the path that OpenSSL builds from an input."""
        problems, path = validate_with_openssl(given)
        ignored: tuple[PathProblem, ...] = ()
        if only_common_name_violates(given, problems, path):
            ignored, problems = tuple(problems), []
        revocation, unused = _revocation_check(self.given, path, self.crls), "the path is not valid"
        if self.check_crls and _complete(path, given) and all(p.rule in _WITH_REVOCATION for p in problems):
            problems = [*revocation.problems(path), *problems]
            unused = "no certificate of the path is from its issuer"
        own = [
            *(_times(path, given.at) if given.check_times else ()),
            *_policy(path, given, self.policy),
            *_host(given.leaf, self.host),
            *_purpose(path, self.purpose),
            *(_sha1_signatures(path, given) if self.reject_sha1 else ()),
        ]
        reasons = {
            crl.der: revocation.unused.get(crl.der, unused)
            for crl in self.crls
            if crl.der not in revocation.used
        }
        return PathResult(_merged(problems, own), path, reasons, ignored=ignored)


def validate(
    leaf: Certificate,
    intermediates: Sequence[Certificate],
    anchors: Sequence[Certificate],
    *,
    at: datetime,
    crls: Sequence[CertificateList] = (),
    check_crls: bool = False,
    check_times: bool = True,
    host: str | None = None,
    purpose: Purpose = "any",
    partial: bool = False,
    policy: PolicyOptions = ANY_POLICIES,
    reject_sha1: bool = False,
) -> PathResult:
    """Validate a path at an instant (aware); bytes that cannot be parsed are a problem, not an exception.

    OpenSSL stops at the first problem; validity periods, policies, revocation, host and purpose are checked
    independently. If the path that OpenSSL builds is not valid, the other paths to an anchor are tried; if
    none is valid, the problems are those of OpenSSL's path. With ``check_crls`` every certificate but the
    anchor requires a CRL (6.3; an anchor is not part of a path, 6.1). Without ``check_times`` validity
    periods of certificates and CRLs do not matter. With ``partial`` an anchor may be any certificate, not
    only a self-signed one. ``reject_sha1`` rejects signatures with SHA-1, except that of the anchor.
    """
    instant = _whole_seconds(at)
    given = PathInput(leaf, tuple(intermediates), tuple(anchors), instant, check_times, partial)
    checks = _PathChecks(given, crls, check_crls, host, purpose, policy, reject_sha1)
    first = checks.result(given)
    if first.ok or not _may_have_valid_path(first):
        return first
    search = PathSearch(given)
    for path in search.paths():
        if path != first.path:
            result = checks.result(replace(given, intermediates=path[1:-1], anchors=path[-1:]))
            if result.ok:
                return replace(result, openssl_problems=first.problems)
    return replace(first, all_tried=search.is_complete)


def _may_have_valid_path(result: PathResult) -> bool:
    """Return whether another path may be valid; OpenSSL also refuses malformed certificates beside a path."""
    return not any(
        problem.rule == "malformed" or (problem.depth == 0 and problem.rule in _OF_EVERY_PATH)
        for problem in result.problems
    )


def _whole_seconds(at: datetime) -> datetime:
    """Return an instant in UTC without fractions of a second, which certificates cannot state."""
    try:
        return at.astimezone(UTC).replace(microsecond=0)
    except OverflowError:
        return at.replace(microsecond=0, tzinfo=UTC)


def _merged(problems: list[PathProblem], own: list[PathProblem]) -> tuple[PathProblem, ...]:
    """Return OpenSSL's problems first; one that both report has pkigen's message and OpenSSL's code."""
    details = {(problem.rule, problem.depth): problem for problem in own}
    merged = []
    for problem in problems:
        detailed = details.pop((problem.rule, problem.depth), None)
        merged.append(replace(detailed, code=problem.code) if detailed else problem)
    return (*merged, *details.values())


def _complete(path: tuple[Certificate, ...], given: PathInput) -> bool:
    """Return whether a path ends at an anchor or at a root."""
    return path[-1] in given.anchors or path[-1].is_self_issued


def _revocation_check(
    given: PathInput, path: tuple[Certificate, ...], crls: Sequence[CertificateList]
) -> RevocationCheck:
    def issuer_path(issuer: Certificate) -> tuple[list[PathProblem], tuple[Certificate, ...]]:
        # The anchor must be that of the path itself (6.3.3 (f)).
        known = (*given.intermediates, *path)
        return validate_with_openssl(replace(given, leaf=issuer, intermediates=known, anchors=path[-1:]))

    return RevocationCheck(
        list({crl.der: crl for crl in crls}.values()),
        given.intermediates,
        path[-1:],
        given.at if given.check_times else None,
        parses_crl,
        issuer_path,
    )


def revocations(
    path: Sequence[Certificate], known: Sequence[Certificate], crls: Sequence[CertificateList]
) -> tuple[dict[Certificate, RevokedEntry], dict[bytes, str]]:
    """Return the CRL entries of revoked certificates, and the reason by the DER of each unused CRL.

    ``path`` leads from the certificate up as far as it is known. ``known`` are candidates for CRL issuers.
    CRLs may be stale. If the certificate's issuer is not known, the signatures of its CRLs are not verified.
    """
    if len(path) == 1:
        (certificate,) = path
        entries = [crl.entry_of(certificate.serial, certificate.normalized_issuer) for crl in crls]
        entry = next((one for one in entries if one is not None and one.reason != REMOVED), None)
        return ({} if entry is None else {certificate: entry}), {}
    given = PathInput(path[0], tuple(known), tuple(path[-1:]), datetime.now(UTC), False, True)
    check = _revocation_check(given, tuple(path), crls)
    tuple(check.problems(path))
    revoked = {one: check.revoked[one] for one in path if one in check.revoked}
    return revoked, {der: reason for der, reason in check.unused.items() if der not in check.used}


def _times(path: tuple[Certificate, ...], at: datetime) -> Iterator[PathProblem]:
    for depth, certificate in enumerate(path):
        try:
            if certificate.not_after < at:
                detail = f"on {certificate.not_after:%Y-%m-%d %H:%M:%S}Z"
                yield problem_of_rule("expired", depth, certificate, detail=detail)
            elif certificate.not_before > at:
                detail = f"not before {certificate.not_before:%Y-%m-%d %H:%M:%S}Z"
                yield problem_of_rule("not-yet-valid", depth, certificate, detail=detail)
        except Malformed as error:
            yield problem_of_rule("malformed", depth, certificate, detail=str(error))


def _policy(path: tuple[Certificate, ...], given: PathInput, options: PolicyOptions) -> Iterator[PathProblem]:
    """Process the policies of a complete path; the binding of OpenSSL cannot set an initial policy set."""
    if _complete(path, given):
        problem = policy_problem(path[:-1], options)
        if problem is not None:
            yield problem


def _sha1_signatures(path: tuple[Certificate, ...], given: PathInput) -> Iterator[PathProblem]:
    for depth, certificate in enumerate(path[:-1] if _complete(path, given) else path):
        try:
            if certificate.signature_algorithm.digest == "sha1":
                yield problem_of_code(_WEAK_DIGEST, "", depth, certificate)
        except Malformed as error:
            yield problem_of_rule("malformed", depth, certificate, detail=str(error))


def _host(leaf: Certificate, host: str | None) -> Iterator[PathProblem]:
    if host is None:
        return
    try:
        if mismatch := host_mismatch(leaf, host):
            advice = "Request a certificate with this name, or use a name that the certificate contains."
            yield PathProblem("hostname", f"The certificate is not for {host}: {mismatch}", advice, 0)
    except Malformed as error:
        yield problem_of_rule("malformed", 0, leaf, detail=str(error))


def _purpose(path: tuple[Certificate, ...], purpose: Purpose) -> Iterator[PathProblem]:
    """Check extended key usage on the whole path (4.2.1.12) and the key usage of the certificate.

    As in OpenSSL, the root's counts as well, and anyExtendedKeyUsage alone is not enough.
    """
    if purpose not in _PURPOSES:
        return
    required, required_usages = _PURPOSES[purpose]
    for depth, certificate in enumerate(path):
        try:
            purposes = certificate.extensions.extended_key_usage
            usages = certificate.extensions.key_usage
        except Malformed as error:
            yield problem_of_rule("malformed", depth, certificate, detail=str(error))
            continue
        if purposes is not None and required not in purposes:
            mismatch = f"its extended key usage is {', '.join(purposes) or 'empty'}"
        elif depth == 0 and _other_netscape_type(certificate, purpose):
            mismatch = "its Netscape certificate type is another"
        elif depth == 0 and usages is not None and not required_usages.intersection(usages):
            mismatch = f"its key usage is {', '.join(usages) or 'empty'}"
        else:
            continue
        yield problem_of_rule("purpose", depth, certificate, detail=f"{purpose}; {mismatch}")


def _other_netscape_type(certificate: Certificate, purpose: Purpose) -> bool:
    """Return whether nsCertType, which OpenSSL still evaluates, contains only other purposes."""
    extension = certificate.extensions.raw(_NETSCAPE_TYPE)
    bits = extension.value[3:4] if extension else b""
    return bool(bits) and not bits[0] & _NETSCAPE_BITS[purpose]
