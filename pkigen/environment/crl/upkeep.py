"""Refreshes CRLs and the OCSP responses of cases before they expire, while an environment is served."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from datetime import datetime
from pathlib import Path
from typing import TypeVar

from pkigen.environment.crl.refresh import CrlRefresher, PublishedCrl
from pkigen.environment.crl.schedule import time_reasons
from pkigen.environment.manifest.update import update_manifest
from pkigen.environment.manifest.write import PATH
from pkigen.environment.ocsp.presigned import is_expiring
from pkigen.environment.published.publishers import (
    CrlIssuer,
    PresignedSubject,
    load_crl_issuers,
    load_presigned_subjects,
)
from pkigen.errors import InputError
from pkigen.store import CrlState, Store

Subject = TypeVar("Subject")
Result = TypeVar("Result")

_LOCK_TIMEOUT = 10.0
"""Seconds to wait for a build or command that holds the environment's lock."""


class Upkeep:
    """Publishes a CRL again when less than a quarter of its lifetime is left.

    Also publishes a CRL again whose this_update is after ``clock``. If an authority's key cannot be
    decrypted, calls ``report`` once and does not retry.
    """

    def __init__(
        self,
        folder: Path,
        clock: Callable[[], datetime],
        report: Callable[[str], None],
        passphrases: Sequence[bytes] = (),
    ) -> None:
        self._folder = folder
        self._clock = clock
        self._report = report
        self._passphrases = passphrases
        self._manifest_version: tuple[int, int] | None = None
        self._crls = list[tuple[CrlIssuer, CrlState]]()
        self._responses = list[tuple[PresignedSubject, CrlState]]()
        self._failed = set[str]()

    def run(self) -> list[PublishedCrl]:
        """Publish what is due now. If nothing is, this costs one stat: call it as often as every second.

        Raises EnvironmentFailure if another process holds the lock or nothing can be written.
        """
        self._reload()
        now = self._clock().replace(microsecond=0)
        timestamp = int(now.timestamp())
        crls = [
            issuer
            for issuer, state in self._crls
            if issuer.id not in self._failed and time_reasons(issuer.crl, state, timestamp)
        ]
        responses = [
            subject
            for subject, state in self._responses
            if subject.id not in self._failed and is_expiring(subject.ocsp, state, timestamp)
        ]
        if not crls and not responses:
            return []
        with Store.open(self._folder, write=True, patience=_LOCK_TIMEOUT) as store:
            refresher = CrlRefresher(store, now, self._passphrases)
            subjects = load_presigned_subjects(store)
            published = [
                crl
                for issuer in crls
                if issuer.id in refresher.issuers
                for crl in self._attempt(issuer.id, refresher.publish, issuer)
            ]
            for subject in responses:
                if subject.id in subjects:
                    list(self._attempt(subject.id, refresher.publish_response, subject))
            update_manifest(store, refresher.issuers, (), subjects)
        return [crl for crl in published if crl is not None]

    def _attempt(
        self, entity: str, refresh: Callable[[Subject], Result], subject: Subject
    ) -> Iterator[Result]:
        try:
            yield refresh(subject)
        except InputError as error:
            self._failed.add(entity)
            self._report(f"cannot refresh what {entity} publishes: {error}")

    def _reload(self) -> None:
        """Read from the index what is published, if a command or build wrote the manifest since."""
        try:
            status = (self._folder / PATH).stat()
        except OSError:
            return
        version = status.st_mtime_ns, status.st_ino
        if version == self._manifest_version or not Store.exists(self._folder):
            return
        with Store.open(self._folder, write=False) as store:
            crls = [(issuer, store.index.crl(issuer.id)) for issuer in load_crl_issuers(store).values()]
            responses = [(one, store.index.crl(one.id)) for one in load_presigned_subjects(store).values()]
        self._crls = [(issuer, state) for issuer, state in crls if state is not None]
        self._responses = [(subject, state) for subject, state in responses if state is not None]
        self._manifest_version = version
