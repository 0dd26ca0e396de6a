"""Faults, requests and port of a running server, which change while it runs."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from pathlib import Path
from threading import RLock

from pkigen.serve.control.request_log import RequestLog
from pkigen.serve.faults.rules import (
    Rule,
    ServiceFault,
    asked_fault,
    of_profile,
    published_path,
    rule_of,
)
from pkigen.serve.faults.url_map import ManifestWatcher
from pkigen.serve.http.port_switch import PortSwitch


class RuntimeFaults:
    """Safe to call from several threads, but not from the server's own.

    ``rules`` are the faults that somebody put here, the last one first; another tuple whenever one is put or
    taken away.
    """

    def __init__(
        self,
        folder: Path,
        clock: Callable[[], datetime] = lambda: datetime.now(UTC),
        passphrases: Sequence[bytes] = (),
    ) -> None:
        self.rules: tuple[Rule, ...] = ()
        self.journal = RequestLog()
        self.port_switch = PortSwitch()
        self._folder = folder
        self._clock = clock
        self._passphrases = passphrases
        self._watched = ManifestWatcher(folder)
        self._lock = RLock()

    def put(self, value: object, *, of: str = "", url: str = "") -> Rule:
        """Have a fault from the next request on; it takes the place of the one that was there.

        ``value`` is its id, or its id with parameters: ``{"crl-stale": {"by": "2d"}}``. InputError says why
        it cannot be, EnvironmentFailure why the port cannot be shut.
        """
        with self._lock:
            manifest = self._watched.manifest()
            rule = rule_of(self._folder, manifest, ServiceFault(asked_fault(value), of, url))
            if rule.effect.target == "port":
                self.port_switch.set(shut=True)
            self.rules = (rule, *(held for held in self.rules if held.place != rule.place))
            return rule

    def clear(self, *, of: str = "", url: str = "") -> tuple[Rule, ...]:
        """Take away those of an authority, those at a URL, or all; what was taken away."""
        with self._lock:
            path = published_path(self._watched.manifest(), url) if url else None
            gone = tuple(
                rule
                for rule in self.rules
                if (not of and path is None) or (of and rule.fault.of == of) or path in rule.paths
            )
            if any(rule.effect.target == "port" for rule in gone):
                self.port_switch.set(shut=False)
            self.rules = tuple(rule for rule in self.rules if rule not in gone)
            return gone

    def all(self) -> tuple[Rule, ...]:
        """Every rule, the profile's too."""
        manifest = self._watched.manifest()
        told = (rule_of(self._folder, manifest, fault) for fault in of_profile(manifest))
        return (*self.rules, *told)

    def refresh(self, of: str = "") -> list[tuple[str, int]]:
        """Publish new CRLs of an authority, of all that have one if none is named: names and CRL numbers.

        InputError when that cannot be, EnvironmentFailure when the disk says no.
        """
        from pkigen.environment.revoke import refresh_crl

        names = (of,) if of else ()
        done = refresh_crl(self._folder, names, at=self._clock(), passphrases=self._passphrases)
        return [(crl.authority, crl.number) for crl in done.crls]
