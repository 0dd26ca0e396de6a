"""CRLs kept in force for as long as an environment is served."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from datetime import datetime
from pathlib import Path

from pkigen.environment import crls
from pkigen.environment.manifest_changes import change_manifest
from pkigen.environment.manifest_text import PATH
from pkigen.environment.publishers import CrlIssuer, crl_issuers
from pkigen.environment.republishing import PublishedCrl, Republisher
from pkigen.errors import InputError
from pkigen.store import CrlState, Store

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
        self._told = set[str]()

    def run(self) -> list[PublishedCrl]:
        """Publish what is due now. Cheap when nothing is: call it as often as every second.

        Raises EnvironmentFailure when another process is at work for long, or nothing can be written.
        """
        self._look()
        now = self._clock().replace(microsecond=0)
        due = [issuer for issuer, state in self._states if self._is_due(issuer, state, now)]
        if not due:
            return []
        with Store.open(self._folder, write=True, patience=_PATIENCE) as store:
            republisher = Republisher(store, now, self._passphrases)
            there = [issuer for issuer in due if issuer.id in republisher.issuers]
            done = list(self._published(republisher, there))
            if done:
                change_manifest(store, republisher.issuers, ())
        return done

    def _published(self, republisher: Republisher, due: Sequence[CrlIssuer]) -> Iterator[PublishedCrl]:
        for issuer in due:
            try:
                found = republisher.publish(issuer)
            except InputError as error:
                if issuer.id not in self._told:
                    self._told.add(issuer.id)
                    self._tell(f"The CRL of {issuer.name} cannot be renewed. {error}")
                continue
            if found is not None:
                yield found

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
            found = [(issuer, store.index.crl(issuer.id)) for issuer in crl_issuers(store).values()]
        self._states = [(issuer, state) for issuer, state in found if state is not None]
        self._seen = seen
