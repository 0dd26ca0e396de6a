"""Downloads the CRLs of a path from its distribution points, and validates with them."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime

from pkigen.inspection.artifacts import Encoding, read
from pkigen.inspection.path.http_fetch import FetchError, fetch
from pkigen.inspection.path.policies import ANY_POLICIES, PolicyOptions
from pkigen.inspection.path.problems import PathProblem, problem_of_rule
from pkigen.inspection.path.validation import PathResult, Purpose, validate
from pkigen.x509 import Certificate, CertificateList, Malformed
from pkigen.x509.extensions import DistributionPoint, uris

MAX_URLS = 8
"""That are tried for one certificate: who makes certificates must not set how long this takes."""


def below_anchor(path: Sequence[Certificate], anchors: Sequence[Certificate] = ()) -> tuple[Certificate, ...]:
    """The certificates of a path that need a CRL: all but its root, or its anchor."""
    ended = path[-1].is_self_issued or path[-1] in anchors
    return tuple(path[:-1] if ended else path)


@dataclass
class CrlRetriever:
    """CRLs that were fetched, each URL once; ``notes`` say what is odd about them.

    ``get`` is another way to what is at a URL, FetchError when nothing is.
    """

    proxy: str | None = None
    get: Callable[[str], bytes] | None = field(default=None, kw_only=True)
    crls: list[CertificateList] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)
    _seen: dict[str, CertificateList | str] = field(default_factory=dict)

    def look(self, path: Sequence[Certificate]) -> list[PathProblem]:
        """Fetch a CRL for each certificate of a path; those that have none, with the reason."""
        found = (self._look(certificate, depth) for depth, certificate in enumerate(path))
        return [problem for problem in found if problem is not None]

    def _look(self, certificate: Certificate, depth: int) -> PathProblem | None:
        try:
            points = certificate.extensions.crl_distribution_points or ()
        except Malformed as error:
            return problem_of_rule("malformed", depth, certificate, detail=str(error))
        # Points are alternatives, but for those that are for some reasons: there each adds to the others.
        scoped = [point for point in points if point.reasons]
        complete = [point for point in points if not point.reasons]
        groups = [complete] if complete or not scoped else [[point] for point in scoped]
        allowance = iter(range(MAX_URLS))
        failures = [failure for group in groups if (failure := self._first(group, allowance))]
        if not failures:
            return None
        problem = problem_of_rule("crl-missing", depth, certificate, detail="; ".join(failures))
        return replace(problem, advice="Verify that the URL is reachable from this machine, or use --crl.")

    def _first(self, points: Sequence[DistributionPoint], allowance: Iterator[int]) -> str:
        """Keep the CRL of the first URL that has one; or why none has."""
        urls = tuple(dict.fromkeys(uris(tuple(points))))
        reasons = [] if urls else ["the certificate has no CRL URL"]
        for number, url in enumerate(urls):
            if next(allowance, None) is None:
                reasons.append(f"{len(urls) - number} more URLs were not tried")
                break
            if url not in self._seen:
                self._seen[url] = self._fetch(url)
            found = self._seen[url]
            if isinstance(found, CertificateList):
                self.crls.append(found)
                return ""
            reasons.append(found)
        return "; ".join(reasons)

    def _fetch(self, url: str) -> CertificateList | str:
        """The CRL at a URL, or why there is none."""
        try:
            data = self.get(url) if self.get else fetch(url, proxy=self.proxy)
            artefacts = read(data, url)
        except FetchError as error:
            return str(error)
        found = next((a for a in artefacts if a.crl is not None), None)
        if found is None or found.crl is None:
            words = (artefacts[0].problem or artefacts[0].kind) if artefacts else "the response is empty"
            return f"what {url} serves is no CRL: {words}"
        if found.source.encoding is Encoding.PEM:
            self.notes.append(f"{url} serves PEM; it should be DER (RFC 5280, 4.2.1.13).")
        return found.crl


def validate_online(
    leaf: Certificate,
    known: Sequence[Certificate],
    anchors: Sequence[Certificate],
    fetched: CrlRetriever,
    *,
    at: datetime,
    crls: Sequence[CertificateList] = (),
    host: str | None = None,
    purpose: Purpose = "any",
    partial: bool = False,
    policy: PolicyOptions = ANY_POLICIES,
) -> PathResult:
    """As ``validate`` with CRLs checked; those of ``crls`` count beside the ones that are fetched.

    A certificate without a CRL gets one problem, with what its URL answered.
    """
    way = validate(leaf, known, anchors, at=at, partial=partial).path
    problems = fetched.look(below_anchor(way, anchors if partial else ())) if way else []
    result = validate(
        leaf,
        known,
        anchors,
        at=at,
        crls=(*crls, *fetched.crls),
        check_crls=True,
        host=host,
        purpose=purpose,
        partial=partial,
        policy=policy,
    )
    reached = {problem.depth for problem in problems}
    others = [p for p in result.problems if p.rule != "crl-missing" or p.depth not in reached]
    return replace(result, problems=(*problems, *others))
