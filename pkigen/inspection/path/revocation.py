"""Revocation checking with complete, partitioned, indirect and delta CRLs (RFC 5280, 6.3.3).

OpenSSL's store returns only CRLs of the certificate's own issuer, so that pkigen selects and processes CRLs
itself. OpenSSL parses them, verifies their signatures, and validates the paths of CRL issuers.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass, field, replace
from datetime import datetime
from functools import lru_cache

from pkigen.asn1 import oids
from pkigen.inspection.path.crl_scope import (
    ALL_REASONS,
    OutOfScope,
    covered_reasons,
    crl_issuer_names,
    format_error,
    is_delta,
    may_list,
    scope_der,
    unsupported_extension,
)
from pkigen.inspection.path.problems import (
    PathProblem,
    describe_certificate,
    problem_of_code,
    problem_of_rule,
)
from pkigen.keys.verify import Verdict, verdict
from pkigen.x509 import Certificate, CertificateList, Malformed, RevokedEntry

_MISSING, _SIGNATURE, _NOT_YET_VALID, _EXPIRED, _REVOKED = 3, 8, 11, 12, 23
_NO_CRL_ISSUER, _USAGE, _CRITICAL, _SCOPE, _ISSUER_PATH = 33, 35, 36, 44, 54
_UNREADABLE, _UNSUPPORTED = -1, -2
"""X509_V_ERR codes; the last two are pkigen's own."""
_STEPS = (_MISSING, _SCOPE, _NO_CRL_ISSUER, _UNREADABLE, _SIGNATURE, _UNSUPPORTED, _USAGE, _ISSUER_PATH)
_ORDER = (*_STEPS, _CRITICAL, _NOT_YET_VALID, _EXPIRED)
"""The order of the checks: of several unusable CRLs the one that passed most checks states the problem."""
REMOVED = 8
"""The reason code removeFromCRL."""
_MAX_SIGNERS = 50
"""CA certificates with the name of a CRL's issuer that are tried for one CRL."""

IssuerPath = Callable[[Certificate], tuple[Sequence[PathProblem], tuple[Certificate, ...]]]


class _Unusable(Exception):
    """A CRL that cannot be used, with an X509_V_ERR code or one of pkigen's own."""

    def __init__(self, code: int, detail: str = "") -> None:
        super().__init__(detail)
        self.code, self.detail = code, detail


def lacks_revocation(certificate: Certificate) -> bool:
    """Return whether an end-entity certificate states that its CA publishes no revocation (RFC 9608, 4)."""
    try:
        stated = certificate.extensions.raw(oids.NO_REVOCATION_AVAILABLE) is not None
    except Malformed:
        return False
    return stated and not certificate.is_authority


@dataclass(frozen=True, slots=True)
class _Usable:
    """A complete CRL that covers a certificate, with the newest delta CRL that applies to it."""

    crl: CertificateList
    delta: CertificateList | None
    reasons: frozenset[str]

    def revocation(self, certificate: Certificate) -> RevokedEntry | None:
        """Return the entry of a revoked certificate (6.3.3 (i), (j)); the delta CRL takes precedence."""
        for crl in (self.delta, self.crl):
            entry = crl.entry_of(certificate.serial, certificate.normalized_issuer) if crl else None
            if entry is not None:
                return None if entry.reason == REMOVED else entry
        return None


@dataclass
class RevocationCheck:
    """Checks certificates against CRLs at an instant, and records which CRLs it used.

    ``certificates`` are candidates for CRL issuers. With ``at=None``, validity periods of CRLs do not matter.
    ``parses`` returns whether OpenSSL can parse a CRL; ``issuer_path`` validates the path of a CRL issuer
    without revocation. ``unused`` maps the DER of a CRL to the reason why it was not used; ``revoked`` maps
    certificates to their entries.
    """

    crls: Sequence[CertificateList]
    certificates: Sequence[Certificate]
    anchors: Sequence[Certificate]
    at: datetime | None
    parses: Callable[[CertificateList], bool]
    issuer_path: IssuerPath
    used: set[bytes] = field(default_factory=set)
    unused: dict[bytes, str] = field(default_factory=dict)
    revoked: dict[Certificate, RevokedEntry] = field(default_factory=dict)
    _issuer_problems: dict[Certificate, str] = field(default_factory=dict)

    def problems(self, path: Sequence[Certificate]) -> Iterator[PathProblem]:
        """Yield the problem of each certificate below the last one of ``path``, the trust anchor."""
        for depth, certificate in enumerate(path[:-1]):
            if lacks_revocation(certificate):
                continue
            try:
                problem = self._problem(certificate, path[depth + 1], depth)
            except Malformed as error:
                problem = problem_of_rule("malformed", depth, certificate, detail=str(error))
            if problem is not None:
                yield problem

    def _problem(self, certificate: Certificate, issuer: Certificate, depth: int) -> PathProblem | None:
        failures, uncovered, problem = list[_Unusable](), set(ALL_REASONS), None
        for crl in self._candidates(certificate):
            if not uncovered:
                self.unused.setdefault(crl.der, "a newer CRL of the issuer decides")
                continue
            try:
                usable = self._usable(crl, certificate, issuer)
                entry = usable.revocation(certificate)
            except (_Unusable, Malformed) as error:
                failures.append(self._record(crl, error))
                continue
            self.used |= {one.der for one in (usable.crl, usable.delta) if one is not None}
            if entry is not None:
                self.revoked[certificate] = entry
                problem = problem_of_code(_REVOKED, "", depth, certificate)
            uncovered -= usable.reasons if entry is None else ALL_REASONS
        if not uncovered:
            return problem
        if len(uncovered) < len(ALL_REASONS):
            reasons = ", ".join(reason for reason in oids.REASON_FLAGS if reason in ALL_REASONS - uncovered)
            failures.append(_Unusable(_MISSING, f"its issuer's CRL is only for {reasons}"))
        if not failures and self.crls:
            failures.append(_Unusable(_MISSING, _no_candidate(certificate)))
        return _problem_of(_furthest(failures or [_Unusable(_MISSING)]), certificate, depth)

    def _candidates(self, certificate: Certificate) -> list[CertificateList]:
        """Return the CRLs that may list a certificate: complete ones, the newest first, then delta CRLs."""
        candidates = [crl for crl in self.crls if may_list(crl, certificate)]
        complete = [crl for crl in candidates if not is_delta(crl)]
        return [*sorted(complete, key=_age), *filter(is_delta, candidates)]

    def _record(self, crl: CertificateList, error: _Unusable | Malformed) -> _Unusable:
        failure = error if isinstance(error, _Unusable) else _Unusable(_UNREADABLE, str(error))
        self.unused.setdefault(crl.der, failure.detail or _UNUSED[failure.code])
        return failure

    def _usable(self, crl: CertificateList, certificate: Certificate, issuer: Certificate) -> _Usable:
        """Check whether a CRL covers a certificate (6.3.3 (b) to (g)); _Unusable if not."""
        self._check_form(crl)
        if is_delta(crl):
            raise _Unusable(_MISSING, "its issuer's CRL is a delta CRL, which lists only changes")
        try:
            reasons = covered_reasons(crl, certificate)
        except OutOfScope as error:
            raise _Unusable(_SCOPE, str(error)) from None
        signer = self._signer(crl, issuer)
        self._check_extensions(crl)
        delta = self._delta(crl, signer)
        self._check_times(crl, fresh=delta is not None)
        return _Usable(crl, delta, reasons)

    def _check_form(self, crl: CertificateList) -> None:
        if not self.parses(crl):
            raise _Unusable(_UNREADABLE, format_error(crl))

    def _check_extensions(self, crl: CertificateList) -> None:
        if extension := unsupported_extension(crl):
            raise _Unusable(_CRITICAL, extension)

    def _check_times(self, crl: CertificateList, *, fresh: bool = False) -> None:
        """Check when a CRL is valid; a current delta CRL makes up for an expired complete CRL (5.2.4)."""
        if self.at is None:
            return
        if crl.this_update > self.at:
            raise _Unusable(_NOT_YET_VALID)
        if not fresh and crl.next_update is not None and crl.next_update < self.at:
            raise _Unusable(_EXPIRED)

    def _delta(self, crl: CertificateList, signer: Certificate) -> CertificateList | None:
        """Return the newest delta CRL that applies to a complete CRL (6.3.3 (c), 5.2.4)."""
        applicable = list[CertificateList]()
        for delta in filter(is_delta, self.crls):
            if delta.normalized_issuer == crl.normalized_issuer:
                try:
                    self._check_delta(delta, crl, signer)
                except (_Unusable, Malformed) as error:
                    self._record(delta, error)
                else:
                    applicable.append(delta)
        return max(applicable, key=lambda delta: delta.number or 0, default=None)

    def _check_delta(self, delta: CertificateList, crl: CertificateList, signer: Certificate) -> None:
        self._check_form(delta)
        if scope_der(delta) != scope_der(crl):
            raise _Unusable(_SCOPE, "its issuing distribution point differs from the complete CRL's")
        number, base = crl.number, delta.base_number
        if number is None:
            raise _Unusable(_MISSING, "the complete CRL has no CRL number")
        if base is None or base > number:
            raise _Unusable(_MISSING, f"it requires a complete CRL with the CRL number {base} or higher")
        if delta.number is None or delta.number <= number:
            raise _Unusable(_MISSING, "the complete CRL is as new as the delta CRL")
        if verdict(delta, signer.subject_public_key_info) is not Verdict.GOOD:
            raise _Unusable(_SIGNATURE, "the key of the complete CRL did not sign it")
        self._check_extensions(delta)
        self._check_times(delta)

    def _signer(self, crl: CertificateList, issuer: Certificate) -> Certificate:
        """Return the certificate whose key signed a CRL (6.3.3 (f), (g)); ``issuer`` is tried first."""
        known = dict.fromkeys((issuer, *self.certificates, *self.anchors))
        named = [one for one in known if one.normalized_subject == crl.normalized_issuer]
        if not named:
            raise _Unusable(_NO_CRL_ISSUER, "the certificate of the CRL's issuer is missing")
        candidates = [one for one in named if _key_identifiers_match(crl, one)]
        if not candidates:
            raise _Unusable(_MISSING, "its issuer's CRL is signed by another key")
        failures = list[_Unusable]()
        for candidate in candidates[:_MAX_SIGNERS]:
            try:
                self._check_signer(crl, candidate)
                if candidate != issuer and candidate not in self.anchors:
                    self._check_issuer_path(candidate)
            except _Unusable as failure:
                failures.append(failure)
            else:
                return candidate
        raise _furthest(failures)

    def _check_signer(self, crl: CertificateList, signer: Certificate) -> None:
        result = _verdict(crl, signer.subject_public_key_info)
        if result is not Verdict.GOOD:
            raise _Unusable(_SIGNATURE if result is Verdict.BAD else _UNSUPPORTED)
        usages = signer.extensions.key_usage
        if usages is not None and "cRLSign" not in usages:
            raise _Unusable(_USAGE)

    def _check_issuer_path(self, signer: Certificate) -> None:
        """Validate the path of a CRL issuer that is not on the path itself, with revocation.

        A CRL may list its own issuer: while the issuer is being checked, it counts as valid.
        """
        if signer not in self._issuer_problems:
            self._issuer_problems[signer] = ""
            problems, path = self.issuer_path(signer)
            first = next(iter(problems), None) or next(self.problems(path), None)
            self._issuer_problems[signer] = first.message if first else ""
        if message := self._issuer_problems[signer]:
            raise _Unusable(_ISSUER_PATH, f"the CRL's issuer is not valid: {message}")


@lru_cache(maxsize=64)
def _verdict(crl: CertificateList, public_key_info: bytes) -> Verdict:
    """Return whether a key signed a CRL; cached, because all certificates of a CA have the same CRL."""
    return verdict(crl, public_key_info)


_UNUSED = {
    _MISSING: "it is not a CRL of the certificate's issuer",
    _UNREADABLE: "it cannot be read",
    _SIGNATURE: "its signature is invalid",
    _UNSUPPORTED: "its signature algorithm is not supported",
    _USAGE: "its issuer's key usage does not include cRLSign",
    _NOT_YET_VALID: "it is not valid yet",
    _EXPIRED: "it has expired",
}


def _age(crl: CertificateList) -> tuple[float, int]:
    """Return a key that sorts the newest CRL first: CRLs of one second by their number (RFC 5280, 5.2.3)."""
    age, number = 0.0, 0
    with suppress(Malformed):
        age = -crl.this_update.timestamp()
        number = -(crl.number or 0)
    return age, number


def _furthest(failures: Sequence[_Unusable]) -> _Unusable:
    return max(failures, key=lambda failure: _ORDER.index(failure.code))


def _no_candidate(certificate: Certificate) -> str:
    names = crl_issuer_names(certificate)
    return f"no given CRL is from its {f'CRL issuer [{names}]' if names else 'issuer'}"


def _key_identifiers_match(crl: CertificateList, issuer: Certificate) -> bool:
    stated = crl.extensions.authority_key_identifier
    own = issuer.extensions.subject_key_identifier
    return stated is None or None in (stated.key_identifier, own) or stated.key_identifier == own


def _problem_of(failure: _Unusable, certificate: Certificate, depth: int) -> PathProblem:
    if failure.code == _UNSUPPORTED:
        problem = problem_of_rule("unsupported", depth, certificate)
        name = describe_certificate(certificate, depth)
        return replace(problem, message=f"{name} has a CRL with a signature that OpenSSL does not support")
    detail = f" ({failure.detail})" if failure.detail else ""
    if failure.code == _UNREADABLE:
        problem = problem_of_rule("malformed", depth, certificate)
        advice = "Get the CRL from its issuer again."
        return replace(problem, message=f"A CRL cannot be read{detail}", advice=advice)
    problem = problem_of_code(failure.code, "", depth, certificate)
    return replace(problem, message=f"{problem.message}{detail}")
