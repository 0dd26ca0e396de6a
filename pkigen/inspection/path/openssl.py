"""Builds and validates a certification path with OpenSSL (RFC 5280, 6.1), without policies and revocation."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import datetime
from functools import lru_cache

from cryptography import x509
from cryptography.exceptions import UnsupportedAlgorithm
from OpenSSL import crypto

from pkigen.errors import panics_as_errors
from pkigen.inspection.path.problems import PathProblem, problem_of_code, problem_of_rule
from pkigen.keys.verify import is_supported
from pkigen.x509 import Certificate, CertificateList, Malformed

_NO_CHECK_TIME = 0x200000
"""X509_V_FLAG_NO_CHECK_TIME."""
_OF_TIME = (9, 10)
"""X509_V_ERR codes: a certificate is not valid yet, or has expired."""
_NO_ISSUER = (2, 6, 20, 21, 24)
"""X509_V_ERR codes: OpenSSL has no issuer, or cannot use the issuer's public key."""
_REFUSALS = (
    *(crypto.Error, ValueError, TypeError, OverflowError),
    *(UnsupportedAlgorithm, x509.InvalidVersion, x509.DuplicateExtension),
)
"""Exceptions that the libraries raise for bytes that they cannot parse."""
_LONGEST_PATH = 100
"""The limit of OpenSSL."""


@dataclass(frozen=True, slots=True)
class PathInput:
    """The input of a path validation; ``partial`` lets the path end at any anchor."""

    leaf: Certificate
    intermediates: tuple[Certificate, ...]
    anchors: tuple[Certificate, ...]
    at: datetime
    check_times: bool
    partial: bool


def validate_with_openssl(given: PathInput) -> tuple[list[PathProblem], tuple[Certificate, ...]]:
    """Return the problems and the path.

    If a validity period is the problem, OpenSSL is run again without them to find the next problem.
    """
    try:
        return [], _verified(given)
    except _UnreadableError as error:
        return [error.problem], _named_path(given)
    except crypto.X509StoreContextError as error:
        code, depth, text = error.errors
        path = _named_path(given)
        problems = [_problem(code, depth, text, _reported_certificate(error), path)]
        if given.check_times and code in _OF_TIME:
            problems += validate_with_openssl(replace(given, check_times=False))[0]
        return problems, path


@lru_cache(maxsize=64)
def parses_crl(crl: CertificateList) -> bool:
    """Return whether OpenSSL can parse a CRL."""
    try:
        with panics_as_errors():
            crypto.X509Store().add_crl(x509.load_der_x509_crl(crl.der))
    except _REFUSALS:
        return False
    return True


class _UnreadableError(Exception):
    """A certificate that OpenSSL or cryptography cannot parse."""

    def __init__(self, problem: PathProblem) -> None:
        super().__init__(problem.message)
        self.problem = problem


def _problem(
    code: int, depth: int, text: str, certificate: Certificate | None, path: tuple[Certificate, ...]
) -> PathProblem:
    if code in _NO_ISSUER and 0 <= depth < len(path) - 1:
        issuer = path[depth + 1]
        if not is_supported(issuer.subject_public_key_info):
            return problem_of_rule("unsupported", depth + 1, issuer, code=code)
    return problem_of_code(code, text, depth, certificate)


def _reported_certificate(error: crypto.X509StoreContextError) -> Certificate | None:
    """Return the certificate that OpenSSL's error is about."""
    try:
        return Certificate(crypto.dump_certificate(crypto.FILETYPE_ASN1, error.certificate))
    except (crypto.Error, Malformed):
        return None


def _verified(given: PathInput) -> tuple[Certificate, ...]:
    """Return the path that OpenSSL accepts; else its X509StoreContextError, or _UnreadableError."""
    store = crypto.X509Store()
    for anchor in dict.fromkeys(given.anchors):
        with _parsing(anchor):
            store.add_cert(_loaded(anchor.der))
    flags = 0
    if given.partial:
        flags |= crypto.X509StoreFlags.PARTIAL_CHAIN
    if given.check_times:
        store.set_time(given.at)
    else:
        # Some versions of OpenSSL ignore this flag if a time is set.
        flags |= _NO_CHECK_TIME
    store.set_flags(flags)
    others = []
    for certificate in dict.fromkeys(given.intermediates):
        with _parsing(certificate):
            others.append(_loaded(certificate.der))
    with _parsing(given.leaf, 0):
        leaf = _loaded(given.leaf.der)
    with _parsing(None):
        verified = crypto.X509StoreContext(store, leaf, others).get_verified_chain()
        return tuple(Certificate(crypto.dump_certificate(crypto.FILETYPE_ASN1, c)) for c in verified)


@contextmanager
def _parsing(certificate: Certificate | None, depth: int = -1) -> Iterator[None]:
    """Turn the exceptions of the libraries into _UnreadableError; a verdict of OpenSSL passes."""
    try:
        with panics_as_errors():
            yield
    except _REFUSALS as error:
        problem = problem_of_rule("malformed", depth, certificate, detail="by OpenSSL" if certificate else "")
        if certificate is None:
            problem = replace(problem, message="The path cannot be built")
        raise _UnreadableError(problem) from error


@lru_cache(maxsize=512)
def _loaded(der: bytes) -> crypto.X509:
    return crypto.load_certificate(crypto.FILETYPE_ASN1, der)


def _named_path(given: PathInput) -> tuple[Certificate, ...]:
    """Return the path by names and key identifiers, for messages if OpenSSL accepts none.

    Like OpenSSL, prefers trusted certificates to others, and valid ones to others.
    """
    path, known = [given.leaf], (*given.anchors, *given.intermediates)
    while len(path) <= _LONGEST_PATH:
        last = path[-1]
        if last.is_self_issued or (given.partial and last in given.anchors):
            break
        issuers = [c for c in known if c.normalized_subject == last.normalized_issuer and c not in path]
        if not issuers:
            break
        path.append(
            issuers[0] if len(issuers) == 1 else min(issuers, key=lambda c: _unlikely(c, last, given.at))
        )
    return tuple(path)


def _unlikely(issuer: Certificate, certificate: Certificate, at: datetime) -> tuple[bool, bool]:
    """Return whether an issuer candidate has another key, and whether it is outside its validity period."""
    try:
        stated = certificate.extensions.authority_key_identifier
        own = issuer.extensions.subject_key_identifier
        other = (
            stated is not None and None not in (stated.key_identifier, own) and stated.key_identifier != own
        )
        return other, not issuer.not_before <= at <= issuer.not_after
    except Malformed:
        return True, True
