"""RFC 5280, 6.1 and 6.3 by OpenSSL; host and purpose beside it."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import lru_cache
from typing import Literal

from cryptography import x509
from OpenSSL import crypto

from pkigen.path.hosts import covers
from pkigen.path.problems import PathProblem, of_code, of_rule
from pkigen.x509 import Certificate, CertificateList, Malformed

Purpose = Literal["server", "client", "any"]

_NO_CHECK_TIME = 0x200000
"""X509_V_FLAG_NO_CHECK_TIME: neither certificates nor CRLs are held against the clock."""
_TIME_CODES = (9, 10)
_TLS_USAGES = frozenset({"digitalSignature", "keyAgreement", "keyEncipherment"})
_PURPOSES = {"server": "serverAuth", "client": "clientAuth"}


@dataclass(frozen=True)
class PathResult:
    """What was found; ``path`` is the certificate and the authorities above it, as far as it goes."""

    problems: tuple[PathProblem, ...]
    path: tuple[Certificate, ...]

    @property
    def ok(self) -> bool:
        """Whether nothing is wrong."""
        return not self.problems


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
) -> PathResult:
    """Validate a path at an instant. Raises nothing: what cannot be read is a problem like others.

    OpenSSL stops at the first thing that is wrong; times, host and purpose are looked at besides.
    With ``check_crls`` every certificate but the root needs a CRL. ``partial`` lets an anchor be
    any certificate, not only a self-signed one.
    """
    path = _named_path(leaf, intermediates, anchors)
    try:
        problems, path = _by_openssl(
            leaf, intermediates, anchors, at, crls, check_crls, check_times, partial, path
        )
    except _Unreadable as error:
        problems = [of_rule("malformed", error.depth, error.certificate, detail=str(error))]
    seen = {(problem.rule, problem.depth) for problem in problems}
    others = [*(_times(path, at) if check_times else ()), *_host(leaf, host), *_purpose(path, purpose)]
    problems += [problem for problem in others if (problem.rule, problem.depth) not in seen]
    return PathResult(tuple(problems), path)


class _Unreadable(Exception):
    """A certificate or a CRL that OpenSSL or cryptography cannot read."""

    def __init__(self, words: str, certificate: Certificate | None = None, depth: int = -1) -> None:
        super().__init__(words)
        self.certificate = certificate
        self.depth = depth


def _by_openssl(
    leaf: Certificate,
    intermediates: Sequence[Certificate],
    anchors: Sequence[Certificate],
    at: datetime,
    crls: Sequence[CertificateList],
    check_crls: bool,
    check_times: bool,
    partial: bool,
    path: tuple[Certificate, ...],
) -> tuple[list[PathProblem], tuple[Certificate, ...]]:
    store = crypto.X509Store()
    for number, anchor in enumerate(dict.fromkeys(anchors)):
        store.add_cert(_loaded(anchor, number + 1))
    for crl in crls if check_crls else ():
        store.add_crl(_loaded_crl(crl.der))
    flags = (crypto.X509StoreFlags.CRL_CHECK | crypto.X509StoreFlags.CRL_CHECK_ALL) if check_crls else 0
    flags |= 0 if check_times else _NO_CHECK_TIME
    flags |= crypto.X509StoreFlags.PARTIAL_CHAIN if partial else 0
    store.set_flags(flags)
    store.set_time(at)
    others = [_loaded(certificate, 1) for certificate in intermediates]
    context = crypto.X509StoreContext(store, _loaded(leaf, 0), others)
    try:
        verified = context.get_verified_chain()
    except crypto.X509StoreContextError as error:
        code, depth, text = error.errors
        who = path[depth] if 0 <= depth < len(path) else None
        return [of_code(code, text, depth, who)], path
    der = [crypto.dump_certificate(crypto.FILETYPE_ASN1, found) for found in verified]
    return [], tuple(map(Certificate, der))


def _loaded(certificate: Certificate, depth: int) -> crypto.X509:
    try:
        return _load(certificate.der)
    except (crypto.Error, ValueError) as error:
        words = "OpenSSL does not read it"
        raise _Unreadable(words, certificate, depth) from error


@lru_cache(maxsize=512)
def _load(der: bytes) -> crypto.X509:
    return crypto.load_certificate(crypto.FILETYPE_ASN1, der)


@lru_cache(maxsize=64)
def _loaded_crl(der: bytes) -> x509.CertificateRevocationList:
    try:
        return x509.load_der_x509_crl(der)
    except ValueError as error:
        raise _Unreadable(f"a CRL cannot be read: {str(error).partition(chr(10))[0]}") from error


def _named_path(
    leaf: Certificate, intermediates: Sequence[Certificate], anchors: Sequence[Certificate]
) -> tuple[Certificate, ...]:
    """The path as far as names lead: what messages speak of when OpenSSL found none."""
    path, known = [leaf], (*anchors, *intermediates)
    while not path[-1].is_self_issued:
        above = next((c for c in known if c.subject_der == path[-1].issuer_der and c not in path), None)
        if above is None:
            break
        path.append(above)
    return tuple(path)


def _times(path: tuple[Certificate, ...], at: datetime) -> Iterator[PathProblem]:
    for depth, certificate in enumerate(path):
        try:
            if certificate.not_after < at:
                detail = f"on {certificate.not_after:%Y-%m-%d %H:%M:%S}Z"
                yield of_rule("expired", depth, certificate, detail=detail)
            elif certificate.not_before > at:
                detail = f"not before {certificate.not_before:%Y-%m-%d %H:%M:%S}Z"
                yield of_rule("not-yet-valid", depth, certificate, detail=detail)
        except Malformed as error:
            yield of_rule("malformed", depth, certificate, detail=str(error))


def _host(leaf: Certificate, host: str | None) -> Iterator[PathProblem]:
    if host is None:
        return
    try:
        if words := covers(leaf, host):
            advice = "Ask for a certificate with this name, or call the host by one it has."
            yield PathProblem("hostname", f"The certificate is not for {host}: {words}", advice, 0)
    except Malformed as error:
        yield of_rule("malformed", 0, leaf, detail=str(error))


def _purpose(path: tuple[Certificate, ...], purpose: Purpose) -> Iterator[PathProblem]:
    """Extended key usage over the whole path below the root (4.2.1.12), key usage of the leaf."""
    wanted = _PURPOSES.get(purpose)
    if wanted is None:
        return
    for depth, certificate in enumerate(path if len(path) == 1 else path[:-1]):
        try:
            purposes = certificate.extensions.extended_key_usage
            usages = certificate.extensions.key_usage
        except Malformed as error:
            yield of_rule("malformed", depth, certificate, detail=str(error))
            continue
        if purposes is not None and wanted not in purposes and "any" not in purposes:
            yield of_rule("purpose", depth, certificate, detail=f"only {', '.join(purposes) or 'none'}")
        elif depth == 0 and usages is not None and not _TLS_USAGES.intersection(usages):
            yield of_rule("purpose", depth, certificate, detail=f"only {', '.join(usages) or 'no usage'}")
