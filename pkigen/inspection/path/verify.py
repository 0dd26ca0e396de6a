"""Verifies a certificate from files: selects the certificate, CA certificates, trust anchors and CRLs."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any

from pkigen.errors import InputError
from pkigen.inspection.artifacts import Artifact, Kind
from pkigen.inspection.path.crl_retrieval import CrlRetriever, validate_online
from pkigen.inspection.path.downloader import Downloader
from pkigen.inspection.path.host_names import invalid_host, uses_common_name
from pkigen.inspection.path.http_fetch import invalid_proxy
from pkigen.inspection.path.issuer_retrieval import missing_issuers
from pkigen.inspection.path.policies import ANY_POLICIES, PolicyOptions
from pkigen.inspection.path.problems import PathProblem
from pkigen.inspection.path.server import read_input
from pkigen.inspection.path.validation import PathResult, Purpose, validate
from pkigen.x509 import Certificate, Malformed

_BY_COMMON_NAME = "Only the common name matches the host: appliances accept that, browsers do not."


@dataclass(frozen=True)
class Verification:
    """What to verify, and how.

    Without ``trust`` the self-signed certificates among all inputs are trusted, as in an appliance's upload.
    CRLs are checked if there are any, or if they are to be downloaded. ``online`` downloads missing CA
    certificates, which are never trust anchors.
    """

    certificate: Path
    at: datetime
    chain: tuple[Path, ...] = ()
    trust: tuple[Path, ...] = ()
    crls: tuple[Path, ...] = ()
    fetch_crls: bool = False
    online: bool = False
    proxy: str | None = None
    host: str | None = None
    purpose: Purpose = "any"
    policy: PolicyOptions = ANY_POLICIES
    reject_sha1: bool = False
    passphrases: tuple[bytes, ...] = field(default=(), repr=False)


@dataclass(frozen=True, slots=True)
class UnusedInput:
    """A part of the input that does not contribute to the verdict, and the reason."""

    source: str
    kind: str
    reason: str


@dataclass(frozen=True)
class VerifiedCertificate:
    """The result; ``notes`` state what was assumed."""

    result: PathResult
    notes: tuple[str, ...]
    unused: tuple[UnusedInput, ...] = ()

    @property
    def accepted(self) -> bool:
        """Whether the path is valid."""
        return self.result.ok

    @property
    def problems(self) -> tuple[PathProblem, ...]:
        """The reasons of a rejection; each has ``rule``, ``message`` and ``advice``."""
        return self.result.problems


def verify(given: Verification) -> VerifiedCertificate:
    """Verify a certificate from files; InputError for a file without a certificate or a CRL."""
    if given.proxy is not None and (problem := invalid_proxy(given.proxy)):
        raise InputError(problem)
    if given.host is not None and (problem := invalid_host(given.host)):
        raise InputError(problem)
    if given.proxy is not None and not (given.fetch_crls or given.online):
        raise InputError("--proxy applies only to --fetch-crl and --online; specify one, or remove --proxy")
    own = _read((given.certificate,), Kind.CERTIFICATE, given.passphrases)
    chain = _read(given.chain, Kind.CERTIFICATE, given.passphrases)
    trust = _read(given.trust, Kind.CERTIFICATE, given.passphrases)
    crl_files = _read(given.crls, Kind.CRL)
    leaf, beside = _leaf(_certificates(own))
    known = [*beside, *_certificates(chain)]
    anchors, notes = _certificates(trust), list[str]()
    partial = bool(anchors) and not any(anchor.is_self_issued for anchor in anchors)
    if not given.trust:
        anchors = [certificate for certificate in (*known, leaf) if certificate.is_self_issued]
        notes.append(_assumption(anchors))
    downloader = Downloader(given.proxy)
    if given.online:
        downloaded, download_notes = missing_issuers(leaf, [*known, *anchors], downloader.get)
        known += downloaded
        notes += download_notes
    crls = [artifact.crl for artifact in crl_files if artifact.crl is not None]
    options: dict[str, Any] = {
        "at": given.at,
        "crls": crls,
        "host": given.host,
        "purpose": given.purpose,
        "partial": partial,
        "policy": given.policy,
        "reject_sha1": given.reject_sha1,
    }
    if given.fetch_crls:
        retriever = CrlRetriever(downloader.get)
        result = validate_online(leaf, known, anchors, retriever, **options)
        notes += retriever.notes
    else:
        result = validate(leaf, known, anchors, check_crls=bool(crls), **options)
    if given.host is not None and _matches_by_common_name(leaf, result):
        notes.append(_BY_COMMON_NAME)
    notes += _path_notes(result)
    unused = [*_unused_certificates((*own, *chain, *trust), result), *_unused_crls(crl_files, result)]
    return VerifiedCertificate(result, tuple(notes), tuple(unused))


def _path_notes(result: PathResult) -> Iterator[str]:
    """Yield what a client that does not search for paths as pkigen does should know about the result."""
    if result.openssl_problems:
        reason = result.openssl_problems[0].message
        yield f"OpenSSL and other clients that try only one path reject the certificate: {reason}."
    if result.ignored:
        yield "OpenSSL and GnuTLS reject the certificate: they apply constraints on DNS names to an address."
    if not result.all_tried:
        yield "There are more paths to trust anchors than were tried, and one of them may be valid."


def _assumption(anchors: Sequence[Certificate]) -> str:
    if not anchors:
        return "No trust anchor was given, and no certificate is self-signed; give one with --trust."
    return "No --trust was given: the self-signed certificates among the files are trusted, as at an upload."


def _matches_by_common_name(leaf: Certificate, result: PathResult) -> bool:
    try:
        return uses_common_name(leaf) and not any(p.rule == "hostname" for p in result.problems)
    except Malformed:
        return False


def _leaf(certificates: list[Certificate]) -> tuple[Certificate, list[Certificate]]:
    """Return the first certificate that did not issue another one of its file, and the others."""
    issuers = {one.normalized_issuer for one in certificates if not one.is_self_issued}
    leaf = next((one for one in certificates if one.normalized_subject not in issuers), certificates[0])
    return leaf, [one for one in certificates if one != leaf]


def _read(paths: Iterable[Path], kind: Kind, passphrases: Sequence[bytes] = ()) -> list[Artifact]:
    """Read files; InputError for one that contains nothing of ``kind``."""
    artifacts = list[Artifact]()
    for path in paths:
        content = read_input(path, passphrases)
        if not any(_usable(artifact, kind) for artifact in content):
            name = "CRL" if kind is Kind.CRL else "certificate"
            raise InputError(f"{path} contains no {name} that can be read: {_first_problem(content)}")
        artifacts += content
    return artifacts


def _usable(artifact: Artifact, kind: Kind) -> bool:
    return (artifact.crl if kind is Kind.CRL else artifact.certificate) is not None


def _first_problem(artifacts: Sequence[Artifact]) -> str:
    if not artifacts:
        return "the file is empty"
    return artifacts[0].advised_problem or f"it is a {artifacts[0].kind}"


def _certificates(artifacts: Iterable[Artifact]) -> list[Certificate]:
    return [artifact.certificate for artifact in artifacts if artifact.certificate is not None]


def _unused_certificates(artifacts: Iterable[Artifact], result: PathResult) -> Iterator[UnusedInput]:
    for artifact in artifacts:
        if artifact.certificate is None:
            reason = "give it with --crl" if artifact.crl is not None else ""
            yield _unused(artifact, reason)
        elif artifact.certificate not in result.path:
            yield _unused(artifact, "it is not on the path")


def _unused_crls(artifacts: Iterable[Artifact], result: PathResult) -> Iterator[UnusedInput]:
    for artifact in artifacts:
        if artifact.crl is None:
            yield _unused(artifact, "")
        elif artifact.der in result.unused_crls:
            yield _unused(artifact, result.unused_crls[artifact.der])


def _unused(artifact: Artifact, reason: str) -> UnusedInput:
    problem = f"it cannot be read: {artifact.problem}" if artifact.problem else ""
    reason = reason or problem or "it does not contribute to path validation"
    return UnusedInput(str(artifact.source), str(artifact.kind), reason)
