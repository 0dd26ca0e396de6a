"""CRLs, and the OCSP answers of cases, kept in force for as long as an environment is served."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from datetime import datetime
from pathlib import Path
from typing import TypeVar

from pkigen.environment import crl as crls
from pkigen.environment.crl.refresh import CrlRefresher, PublishedCrl
from pkigen.environment.manifest.update import update_manifest
from pkigen.environment.manifest.write import PATH
from pkigen.environment.ocsp import presigned
from pkigen.environment.published.publishers import (
    CrlIssuer,
    PresignedSubject,
    load_crl_issuers,
    load_presigned_subjects,
)
from pkigen.errors import InputError
from pkigen.store import CrlState, Store

Thing = TypeVar("Thing")
Made = TypeVar("Made")

_PATIENCE = 10.0


class Upkeep:
    """Publishes a CRL anew when less than a quarter of its time is left, or it is from after ``clock``.

    What an authority's closed key keeps from being done is told once, through ``tell``.
    """

    def __init__(
        self,
        folder: Path,
        clock: Callable[[], datetime],
        tell: Callable[[str], None],
        passphrases: Sequence[bytes] = (),
    ) -> None:
        self._folder = folder
        self._clock = clock
        self._tell = tell
        self._passphrases = passphrases
        self._seen: tuple[int, int] | None = None
        self._states = list[tuple[CrlIssuer, CrlState]]()
        self._answers = list[tuple[PresignedSubject, CrlState]]()
        self._told = set[str]()

    def run(self) -> list[PublishedCrl]:
        """Publish what is due now. Cheap when nothing is: call it as often as every second.

        Raises EnvironmentFailure when another process is at work for long, or nothing can be written.
        """
        self._look()
        now = self._clock().replace(microsecond=0)
        due = [issuer for issuer, state in self._states if self._is_due(issuer, state, now)]
        old = [one for one, state in self._answers if self._is_old(one, state, now)]
        if not due and not old:
            return []
        with Store.open(self._folder, write=True, patience=_PATIENCE) as store:
            republisher = CrlRefresher(store, now, self._passphrases)
            there = [issuer for issuer in due if issuer.id in republisher.issuers]
            known = load_presigned_subjects(store)
            done = [crl for issuer in there for crl in self._attempt(issuer.id, republisher.publish, issuer)]
            for one in old:
                if one.id in known:
                    list(self._attempt(one.id, republisher.answer, one))
            update_manifest(store, republisher.issuers, (), known)
        return [crl for crl in done if crl is not None]

    def _attempt(self, entity: str, renew: Callable[[Thing], Made], thing: Thing) -> Iterator[Made]:
        """What becomes of renewing; a key that does not open is told of, and not tried again."""
        try:
            yield renew(thing)
        except InputError as error:
            self._told.add(entity)
            self._tell(f"What {entity} publishes cannot be renewed. {error}")

    def _is_old(self, one: PresignedSubject, state: CrlState, now: datetime) -> bool:
        return one.id not in self._told and presigned.is_expiring(one.ocsp, state, int(now.timestamp()))

    def _is_due(self, issuer: CrlIssuer, state: CrlState, now: datetime) -> bool:
        if issuer.id in self._told:
            return False
        return bool(crls.time_reasons(issuer.crl, state, int(now.timestamp())))

    def _look(self) -> None:
        """Know what is published, as of the last command or build; nothing is where there is no index."""
        try:
            status = (self._folder / PATH).stat()
        except OSError:
            return
        seen = status.st_mtime_ns, status.st_ino
        if seen == self._seen or not Store.exists(self._folder):
            return
        with Store.open(self._folder, write=False) as store:
            found = [(issuer, store.index.crl(issuer.id)) for issuer in load_crl_issuers(store).values()]
            given = [(one, store.index.crl(one.id)) for one in load_presigned_subjects(store).values()]
        self._states = [(issuer, state) for issuer, state in found if state is not None]
        self._answers = [(one, state) for one, state in given if state is not None]
        self._seen = seen
