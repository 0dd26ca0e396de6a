"""Finds the paths from a certificate to the trust anchors (RFC 4158); OpenSSL tries only one of them."""

from __future__ import annotations

from collections.abc import Iterator
from functools import lru_cache
from itertools import chain

from pkigen.inspection.path.openssl import PathInput
from pkigen.keys.verify import Verdict, verdict
from pkigen.x509 import Certificate, Malformed

MAX_SIGNATURES = 2000
"""Signatures that one search verifies; certificates of further issuers are ignored."""
MAX_PATHS = 50
"""Paths that one search returns."""
MAX_STEPS = 5000
"""Certificates that one search visits: those of a loop may end in no path."""
MAX_LENGTH = 25
"""Certificates of a path."""


class PathSearch:
    """Searches the paths from a certificate to an anchor by names and signatures, the shortest first.

    Certificates that cannot be CAs at the time of the validation are left out; whether a path is valid is
    for the caller to determine. ``is_complete`` is false if a limit ended the search.
    """

    def __init__(self, given: PathInput) -> None:
        self.is_complete = True
        self._leaf = given.leaf
        self._ends = frozenset(one for one in given.anchors if given.partial or one.is_self_issued)
        self._by_subject: dict[object, list[Certificate]] = {}
        for one in dict.fromkeys((*given.anchors, *given.intermediates)):
            if one in self._ends or _may_issue(one, given):
                self._by_subject.setdefault(one.normalized_subject, []).append(one)
        self._issuers: dict[Certificate, list[Certificate]] = {}
        self._distances: dict[Certificate, int] = {}
        self._steps = 0

    def paths(self) -> Iterator[tuple[Certificate, ...]]:
        """Yield at most MAX_PATHS paths, each from the certificate to an anchor."""
        self._find_issuers()
        self._measure()
        lengths = range(self._distances.get(self._leaf, MAX_LENGTH), MAX_LENGTH)
        paths = chain.from_iterable(self._extended((self._leaf,), length) for length in lengths)
        for number, path in enumerate(paths):
            if number == MAX_PATHS:
                self.is_complete = False
                return
            yield path

    def _find_issuers(self) -> None:
        """Record the issuers of the certificate, of its issuers, and so on."""
        waiting, seen, signatures = [self._leaf], {self._leaf, *self._ends}, 0
        for certificate in waiting:
            named = [c for c in self._by_subject.get(certificate.normalized_issuer, ()) if c != certificate]
            signatures += len(named)
            if signatures > MAX_SIGNATURES:
                self.is_complete = False
                return
            issuers = self._issuers[certificate] = [
                one for one in named if _may_have_signed(certificate, one)
            ]
            waiting += [one for one in issuers if one not in seen]
            seen.update(issuers)

    def _measure(self) -> None:
        """Record how many certificates are above each certificate on its shortest path to an anchor."""
        subjects: dict[Certificate, list[Certificate]] = {}
        for certificate, issuers in self._issuers.items():
            for issuer in issuers:
                subjects.setdefault(issuer, []).append(certificate)
        self._distances, reached = dict.fromkeys(self._ends, 0), list(self._ends)
        for issuer in reached:
            for certificate in subjects.get(issuer, ()):
                if certificate not in self._distances:
                    self._distances[certificate] = self._distances[issuer] + 1
                    reached.append(certificate)

    def _extended(self, path: tuple[Certificate, ...], missing: int) -> Iterator[tuple[Certificate, ...]]:
        """Yield the paths that begin with ``path`` and have exactly ``missing`` certificates more."""
        for issuer in self._issuers.get(path[-1], ()):
            self._steps += 1
            if self._steps > MAX_STEPS:
                self.is_complete = False
                return
            if issuer in self._ends:
                if missing == 1:
                    yield (*path, issuer)
            elif self._distances.get(issuer, missing) < missing and not _repeats(issuer, path):
                yield from self._extended((*path, issuer), missing - 1)


def _may_issue(certificate: Certificate, given: PathInput) -> bool:
    try:
        in_time = certificate.not_before <= given.at <= certificate.not_after
    except Malformed:
        return False
    return certificate.is_authority and (in_time or not given.check_times)


def _repeats(certificate: Certificate, path: tuple[Certificate, ...]) -> bool:
    """Return whether a path already contains a certificate for the same name and key: none needs both."""
    name, key = certificate.normalized_subject, certificate.subject_public_key_info
    return any(one.subject_public_key_info == key and one.normalized_subject == name for one in path)


@lru_cache(maxsize=4096)
def _may_have_signed(certificate: Certificate, issuer: Certificate) -> bool:
    """Return False only if the signature is wrong: OpenSSL may support an algorithm that pkigen does not."""
    return verdict(certificate, issuer.subject_public_key_info) is not Verdict.BAD
