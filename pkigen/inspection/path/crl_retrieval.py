"""Downloads the CRLs of a path from its distribution points, and validates with them."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any

from pkigen.inspection.artifacts import Encoding, read
from pkigen.inspection.path.downloader import MAX_URLS_PER_CERTIFICATE, Get
from pkigen.inspection.path.http_fetch import FetchError
from pkigen.inspection.path.policies import ANY_POLICIES, PolicyOptions
from pkigen.inspection.path.problems import PathProblem, problem_of_rule
from pkigen.inspection.path.revocation import lacks_revocation
from pkigen.inspection.path.validation import PathResult, Purpose, validate
from pkigen.x509 import Certificate, CertificateList, Malformed
from pkigen.x509.extensions import DistributionPoint, uris

_NO_URL = "the certificate has no CRL URL"
_NO_URL_ADVICE = "Provide the issuer's CRL with --crl."
_URL_ADVICE = "Verify that the URL is reachable from this machine, or use --crl."


def below_anchor(path: Sequence[Certificate], anchors: Sequence[Certificate] = ()) -> tuple[Certificate, ...]:
    """Return the certificates of a path that require a CRL: all but its root, or its anchor."""
    ended = path[-1].is_self_issued or path[-1] in anchors
    return tuple(path[:-1] if ended else path)


@dataclass
class CrlRetriever:
    """Downloads CRLs with ``get``, each URL once; ``notes`` are irregularities.

    ``get`` raises FetchError if there is nothing at a URL.
    """

    get: Get
    crls: list[CertificateList] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)
    _cache: dict[str, CertificateList | str] = field(default_factory=dict)

    def retrieve(self, path: Sequence[Certificate]) -> list[PathProblem]:
        """Download CRLs for each certificate of a path; return a problem for each one without a CRL."""
        problems = (self._retrieve(certificate, depth) for depth, certificate in enumerate(path))
        return [problem for problem in problems if problem is not None]

    def _retrieve(self, certificate: Certificate, depth: int) -> PathProblem | None:
        if lacks_revocation(certificate):
            return None
        try:
            points = certificate.extensions.crl_distribution_points or ()
            freshest = certificate.extensions.freshest_crl
        except Malformed as error:
            return problem_of_rule("malformed", depth, certificate, detail=str(error))
        # Distribution points are alternatives, except those for some reasons, which complement each other.
        scoped = [point for point in points if point.reasons]
        complete = [point for point in points if not point.reasons]
        groups = [complete] if complete or not scoped else [[point] for point in scoped]
        allowance = iter(range(MAX_URLS_PER_CERTIFICATE))
        results = [self._first(group, allowance) for group in groups]
        crls = [result for result in results if isinstance(result, CertificateList)]
        self.crls += crls
        for crl in crls:
            self._retrieve_delta(freshest or _freshest(crl), allowance)
        failures = [result for result in results if isinstance(result, str)]
        if not failures:
            return None
        problem = problem_of_rule("crl-missing", depth, certificate, detail="; ".join(failures))
        return replace(problem, advice=_NO_URL_ADVICE if failures == [_NO_URL] else _URL_ADVICE)

    def _retrieve_delta(self, points: Sequence[DistributionPoint] | None, allowance: Iterator[int]) -> None:
        """Download the delta CRL; without it, the complete CRL alone decides."""
        if points:
            result = self._first(points, allowance)
            if isinstance(result, CertificateList):
                self.crls.append(result)
            else:
                self.notes.append(f"The delta CRL is missing: {result}.")

    def _first(self, points: Sequence[DistributionPoint], allowance: Iterator[int]) -> CertificateList | str:
        """Return the CRL of the first URL that serves one, or the reasons why none does."""
        urls = tuple(dict.fromkeys(uris(tuple(points))))
        reasons = [] if urls else [_NO_URL]
        for number, url in enumerate(urls):
            if next(allowance, None) is None:
                reasons.append(f"{len(urls) - number} more URLs were not tried")
                break
            if url not in self._cache:
                self._cache[url] = self._fetch(url)
            result = self._cache[url]
            if isinstance(result, CertificateList):
                return result
            reasons.append(result)
        return "; ".join(reasons)

    def _fetch(self, url: str) -> CertificateList | str:
        """Return the CRL at a URL, or the reason why there is none."""
        try:
            data = self.get(url)
            artifacts = read(data, url)
        except FetchError as error:
            return str(error)
        artifact = next((one for one in artifacts if one.crl is not None and not one.note), None)
        if artifact is None or artifact.crl is None:
            first = artifacts[0]
            return f"the response of {url} is not a CRL: {first.problem or first.note or first.kind}"
        if artifact.source.encoding is Encoding.PEM:
            self.notes.append(f"{url} serves PEM; it should be DER (RFC 5280, 4.2.1.13).")
        return artifact.crl


def _freshest(crl: CertificateList) -> tuple[DistributionPoint, ...] | None:
    try:
        return crl.extensions.freshest_crl
    except Malformed:
        return None


def validate_online(
    leaf: Certificate,
    known: Sequence[Certificate],
    anchors: Sequence[Certificate],
    retriever: CrlRetriever,
    *,
    at: datetime,
    crls: Sequence[CertificateList] = (),
    host: str | None = None,
    purpose: Purpose = "any",
    partial: bool = False,
    policy: PolicyOptions = ANY_POLICIES,
    reject_sha1: bool = False,
) -> PathResult:
    """Validate a path with ``crls`` and the CRLs of the certificates' distribution points.

    A certificate without a CRL has one problem, which states the response of its URL.
    """
    options: dict[str, Any] = {
        "at": at,
        "host": host,
        "purpose": purpose,
        "partial": partial,
        "policy": policy,
        "reject_sha1": reject_sha1,
    }
    path = validate(leaf, known, anchors, **options).path
    problems = retriever.retrieve(below_anchor(path, anchors if partial else ())) if path else []
    result = validate(leaf, known, anchors, crls=(*crls, *retriever.crls), check_crls=True, **options)
    reported = {problem.depth for problem in problems}
    others = [p for p in result.problems if p.rule != "crl-missing" or p.depth not in reported]
    return replace(result, problems=(*problems, *others))
