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
    of_profile,
    parse_service_fault,
    published_path,
    rule_of,
)
from pkigen.serve.faults.url_map import ManifestWatcher
from pkigen.serve.http.port_switch import PortSwitch


class RuntimeFaults:
    """The faults that are set at run time. Safe to call from several threads, but not from the server's.

    ``rules`` contains the faults, the last one first; each change creates a new tuple.
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
        """Set a fault from the next request on; it replaces an earlier fault of the same part.

        ``value`` is its ID, or its ID with parameters: ``{"crl-stale": {"by": "2d"}}``. Raises InputError if
        it is impossible, EnvironmentFailure if the port cannot be closed.
        """
        with self._lock:
            manifest = self._watched.manifest()
            rule = rule_of(self._folder, manifest, ServiceFault(parse_service_fault(value), of, url))
            if rule.effect.target == "port":
                self.port_switch.set(shut=True)
            self.rules = (rule, *(existing for existing in self.rules if existing.place != rule.place))
            return rule

    def clear(self, *, of: str = "", url: str = "") -> tuple[Rule, ...]:
        """Remove and return the faults of an authority, at a URL, or all."""
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
        """Return all rules, including those of the profile."""
        manifest = self._watched.manifest()
        from_profile = (rule_of(self._folder, manifest, fault) for fault in of_profile(manifest))
        return (*self.rules, *from_profile)

    def refresh(self, of: str = "") -> list[tuple[str, int]]:
        """Publish new CRLs of an authority, or of all; return names and CRL numbers.

        Raises InputError if that is impossible, EnvironmentFailure if writing fails.
        """
        from pkigen.environment.revoke import refresh_crl

        names = (of,) if of else ()
        done = refresh_crl(self._folder, names, at=self._clock(), passphrases=self._passphrases)
        return [(crl.authority, crl.number) for crl in done.crls]
