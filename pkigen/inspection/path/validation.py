"""RFC 5280, 6.1 and 6.3 by OpenSSL; host and purpose beside it."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from functools import lru_cache
from typing import Literal

from cryptography import x509
from cryptography.exceptions import UnsupportedAlgorithm
from OpenSSL import crypto

from pkigen.errors import panics_as_errors
from pkigen.inspection.path.crl_checks import format_error, is_delta, with_crl_reason
from pkigen.inspection.path.host_names import host_mismatch
from pkigen.inspection.path.policies import ANY_POLICIES, PolicyOptions, policy_problem
from pkigen.inspection.path.problems import PathProblem, problem_of_code, problem_of_rule
from pkigen.x509 import Certificate, CertificateList, Malformed

Purpose = Literal["server", "client", "any"]

_EXTENDED_CRLS = 0x1000
"""X509_V_FLAG_EXTENDED_CRL_SUPPORT: indirect CRLs, and those for some reasons."""
_NO_CHECK_TIME = 0x200000
"""X509_V_FLAG_NO_CHECK_TIME: neither certificates nor CRLs are held against the clock."""
_OF_TIME = (9, 10, 11, 12)
"""X509_V_ERR numbers: a certificate or a CRL is not or no longer in force."""
_OF_CRL = (3, 5, 8, 11, 12, 15, 16, 33, 35, 36, 44, 45, 54)
"""X509_V_ERR numbers: there is no CRL, or none that counts."""
_REFUSALS = (
    *(crypto.Error, ValueError, TypeError, OverflowError),
    *(UnsupportedAlgorithm, x509.InvalidVersion, x509.DuplicateExtension),
)
"""What the libraries raise over octets; the last two are errors of no common kind."""
_LONGEST_PATH = 100
"""As OpenSSL has it."""
_NETSCAPE_TYPE, _NETSCAPE_BITS = "2.16.840.1.113730.1.1", {"server": 0x40, "client": 0x80}
_PURPOSES = {
    "server": ("serverAuth", frozenset({"digitalSignature", "keyAgreement", "keyEncipherment"})),
    "client": ("clientAuth", frozenset({"digitalSignature", "keyAgreement"})),
}
"""What the extended key usage must name, and of what the key usage must have one."""


@dataclass(frozen=True)
class PathResult:
    """What was found; ``path`` is the certificate and the authorities above it, as far as it goes."""

    problems: tuple[PathProblem, ...]
    path: tuple[Certificate, ...]

    @property
    def ok(self) -> bool:
        """Whether nothing is wrong."""
        return not self.problems


@dataclass(frozen=True, slots=True)
class _Question:
    """What OpenSSL is asked."""

    leaf: Certificate
    intermediates: tuple[Certificate, ...]
    anchors: tuple[Certificate, ...]
    at: datetime
    crls: tuple[CertificateList, ...]
    check_crls: bool
    check_times: bool
    partial: bool


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
) -> PathResult:
    """Validate a path at an instant (aware). Raises nothing: what cannot be read is a problem as well.

    OpenSSL stops at the first thing that is wrong; what it would say but for times, the times of all
    others, host and purpose are looked at besides. With ``check_crls`` every certificate but the
    anchor needs a CRL (6.3; anchors are no part of a path, 6.1). Without ``check_times`` neither
    certificates nor CRLs are held against the clock. ``partial`` lets an anchor be any certificate,
    not only a self-signed one.
    """
    instant = _whole_seconds(at)
    asked = _Question(
        leaf, tuple(intermediates), tuple(anchors), instant, tuple(crls), check_crls, check_times, partial
    )
    try:
        problems, path = _by_openssl(asked)
    except _Unreadable as error:
        path = _named_path(asked)
        problems = [error.problem]
    own = [
        *(_times(path, instant) if check_times else ()),
        *_policy(path, asked, policy),
        *_host(leaf, host),
        *_purpose(path, purpose),
    ]
    return PathResult(_merged(problems, own), path)


def _whole_seconds(at: datetime) -> datetime:
    """An instant in UTC; certificates know no parts of a second."""
    try:
        return at.astimezone(UTC).replace(microsecond=0)
    except OverflowError:
        return at.replace(microsecond=0, tzinfo=UTC)


def _merged(problems: list[PathProblem], own: list[PathProblem]) -> tuple[PathProblem, ...]:
    """OpenSSL's first; where both saw the same, our words with its number."""
    details = {(problem.rule, problem.depth): problem for problem in own}
    merged = []
    for problem in problems:
        detailed = details.pop((problem.rule, problem.depth), None)
        merged.append(replace(detailed, code=problem.code) if detailed else problem)
    return (*merged, *details.values())


class _Unreadable(Exception):
    """A certificate or a CRL that OpenSSL or cryptography cannot read."""

    def __init__(self, problem: PathProblem) -> None:
        super().__init__(problem.message)
        self.problem = problem


def _by_openssl(asked: _Question) -> tuple[list[PathProblem], tuple[Certificate, ...]]:
    """What is wrong, and the path; a second look goes on where times alone ended the first."""
    try:
        return [], _verified(asked)
    except crypto.X509StoreContextError as error:
        code, depth, text = error.errors
        path, blamed = _named_path(asked), _blamed(error)
        if asked.check_crls and code in _OF_CRL and depth > 0 and _is_anchor(blamed, asked):
            # OpenSSL wants a CRL of an anchor too, but looks for those of the certificates below first.
            return _by_openssl(replace(asked, check_crls=False))
        problems = [with_crl_reason(problem_of_code(code, text, depth, blamed), path, asked.crls)]
        if asked.check_times and code in _OF_TIME:
            problems += _by_openssl(replace(asked, check_times=False))[0]
        return problems, path


def _blamed(error: crypto.X509StoreContextError) -> Certificate | None:
    """The certificate of which OpenSSL speaks."""
    try:
        return Certificate(crypto.dump_certificate(crypto.FILETYPE_ASN1, error.certificate))
    except (crypto.Error, Malformed):
        return None


def _is_anchor(certificate: Certificate | None, asked: _Question) -> bool:
    return certificate in asked.anchors and (asked.partial or certificate.is_self_issued)


def _verified(asked: _Question) -> tuple[Certificate, ...]:
    """The path that OpenSSL accepts; else its X509StoreContextError, or _Unreadable."""
    store = crypto.X509Store()
    for crl in _complete(asked.crls) if asked.check_crls else ():
        reason = format_error(crl)
        with _reading(f"A CRL cannot be read ({reason})" if reason else "A CRL cannot be read"):
            store.add_crl(_loaded_crl(crl.der))
    for anchor in dict.fromkeys(asked.anchors):
        with _reading("", anchor):
            store.add_cert(_loaded(anchor.der))
    flags = 0
    if asked.partial:
        flags |= crypto.X509StoreFlags.PARTIAL_CHAIN
    if asked.check_crls:
        flags |= crypto.X509StoreFlags.CRL_CHECK | crypto.X509StoreFlags.CRL_CHECK_ALL | _EXTENDED_CRLS
    if asked.check_times:
        store.set_time(asked.at)
    else:
        # A time that is set goes before this flag in some versions of OpenSSL.
        flags |= _NO_CHECK_TIME
    store.set_flags(flags)
    others = []
    for certificate in dict.fromkeys(asked.intermediates):
        with _reading("", certificate):
            others.append(_loaded(certificate.der))
    with _reading("", asked.leaf, 0):
        leaf = _loaded(asked.leaf.der)
    with _reading("The path cannot be built"):
        verified = crypto.X509StoreContext(store, leaf, others).get_verified_chain()
        return tuple(Certificate(crypto.dump_certificate(crypto.FILETYPE_ASN1, c)) for c in verified)


def _complete(crls: tuple[CertificateList, ...]) -> Iterator[CertificateList]:
    """CRLs that are no changes to others, each once."""
    yield from (crl for crl in {crl.der: crl for crl in crls}.values() if not is_delta(crl))


@contextmanager
def _reading(words: str, certificate: Certificate | None = None, depth: int = -1) -> Iterator[None]:
    """Whatever is raised over octets is _Unreadable, in words of its own where it is of no certificate.

    A verdict of OpenSSL is none of these errors.
    """
    try:
        with panics_as_errors():
            yield
    except _REFUSALS as error:
        problem = problem_of_rule("malformed", depth, certificate, detail="" if words else "by OpenSSL")
        raise _Unreadable(replace(problem, message=words or problem.message)) from error


@lru_cache(maxsize=512)
def _loaded(der: bytes) -> crypto.X509:
    return crypto.load_certificate(crypto.FILETYPE_ASN1, der)


@lru_cache(maxsize=64)
def _loaded_crl(der: bytes) -> x509.CertificateRevocationList:
    return x509.load_der_x509_crl(der)


def _named_path(asked: _Question) -> tuple[Certificate, ...]:
    """The path as names and key identifiers lead: what messages speak of when OpenSSL accepts none.

    As OpenSSL does, trusted certificates are taken before others, and those in force before others.
    """
    path, known = [asked.leaf], (*asked.anchors, *asked.intermediates)
    while len(path) <= _LONGEST_PATH:
        last = path[-1]
        if last.is_self_issued or (asked.partial and last in asked.anchors):
            break
        above = [c for c in known if c.subject_der == last.issuer_der and c not in path]
        if not above:
            break
        path.append(above[0] if len(above) == 1 else min(above, key=lambda c: _unlikely(c, last, asked.at)))
    return tuple(path)


def _unlikely(issuer: Certificate, certificate: Certificate, at: datetime) -> tuple[bool, bool]:
    """Whether a certificate of the right name has another key, and whether it is out of force."""
    try:
        named = certificate.extensions.authority_key_identifier
        own = issuer.extensions.subject_key_identifier
        other = named is not None and None not in (named.key_identifier, own) and named.key_identifier != own
        return other, not issuer.not_before <= at <= issuer.not_after
    except Malformed:
        return True, True


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


def _policy(path: tuple[Certificate, ...], asked: _Question, options: PolicyOptions) -> Iterator[PathProblem]:
    """Policy processing over a path that ends at an anchor or at a root; OpenSSL cannot be told a policy."""
    if path[-1] in asked.anchors or path[-1].is_self_issued:
        problem = policy_problem(path[:-1], options)
        if problem is not None:
            yield problem


def _host(leaf: Certificate, host: str | None) -> Iterator[PathProblem]:
    if host is None:
        return
    try:
        if words := host_mismatch(leaf, host):
            advice = "Ask for a certificate with this name, or call the host by one it has."
            yield PathProblem("hostname", f"The certificate is not for {host}: {words}", advice, 0)
    except Malformed as error:
        yield problem_of_rule("malformed", 0, leaf, detail=str(error))


def _purpose(path: tuple[Certificate, ...], purpose: Purpose) -> Iterator[PathProblem]:
    """Extended key usage over the whole path (4.2.1.12), key usage of the certificate itself.

    As OpenSSL has it: the root's counts as well, and anyExtendedKeyUsage alone is not enough.
    """
    if purpose not in _PURPOSES:
        return
    wanted, usages_wanted = _PURPOSES[purpose]
    for depth, certificate in enumerate(path):
        try:
            purposes = certificate.extensions.extended_key_usage
            usages = certificate.extensions.key_usage
        except Malformed as error:
            yield problem_of_rule("malformed", depth, certificate, detail=str(error))
            continue
        if purposes is not None and wanted not in purposes:
            detail = f"{purpose}; its extended key usage is {', '.join(purposes) or 'empty'}"
            yield problem_of_rule("purpose", depth, certificate, detail=detail)
        elif depth == 0 and _other_netscape_type(certificate, purpose):
            yield problem_of_rule(
                "purpose", depth, certificate, detail=f"{purpose}; its Netscape type is another"
            )
        elif depth == 0 and usages is not None and not usages_wanted.intersection(usages):
            detail = f"{purpose}; its key usage is {', '.join(usages) or 'empty'}"
            yield problem_of_rule("purpose", depth, certificate, detail=detail)


def _other_netscape_type(certificate: Certificate, purpose: Purpose) -> bool:
    """Whether nsCertType, which OpenSSL still looks at, names other purposes alone."""
    found = certificate.extensions.raw(_NETSCAPE_TYPE)
    bits = found.value[3:4] if found else b""
    return bool(bits) and not bits[0] & _NETSCAPE_BITS[purpose]
