"""Selects the case to present, by the requested host name or the address of the connection."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from functools import partial
from ipaddress import ip_address
from pathlib import Path

from pkigen.clock import utc_now
from pkigen.environment.environment import Case, open_environment
from pkigen.errors import InputError
from pkigen.files import FileStamp, file_stamp
from pkigen.serve.faults.rules import Rule
from pkigen.serve.tls.credential import Credential, credential, handshake_faults, stamps
from pkigen.serve.tls.stapling import Stapler, may_staple

_CACHED_CREDENTIALS = 256


@dataclass(frozen=True)
class CasesByHost:
    """The cases of an environment by host; the first of several cases with the same host is selected.

    A case can also be requested by its own name, which helps if it has no host. Clients without SNI get
    the case of the address that they connect to. Otherwise ``default`` is presented: the first case without a
    fault, or the first case. Certificates that are not for TLS servers are never presented.
    """

    hosts: dict[str, Case]
    faultless: tuple[Case, ...]
    default: Case

    @classmethod
    def of(cls, cases: Sequence[Case]) -> CasesByHost:
        """Index cases; InputError if none is for TLS servers."""
        if not cases:
            raise InputError("the environment has no end-entity certificate to present, only CAs")
        cases = [case for case in cases if case.is_for_servers]
        if not cases:
            raise InputError(
                "the environment has no certificate for TLS servers: each has an extended key usage for other"
                " purposes only"
            )
        hosts = dict[str, Case]()
        for case in cases:
            for host in case.hosts:
                hosts.setdefault(_normal(host), case)
        for case in cases:
            hosts.setdefault(_normal(case.name), case)
        faultless = tuple(case for case in cases if case.accepted and case.fault is None)
        return cls(hosts, faultless, (*faultless, *cases)[0])

    def find(self, name: str | None, address: str) -> Case:
        """Return the case for a host name (lower case, None without SNI) and the server's address."""
        host = _normal(address if name is None else name)
        wildcard = f"*.{host.partition('.')[2]}"
        return self.hosts.get(host) or self.hosts.get(wildcard) or self.default

    def another(self, case: Case) -> Case:
        """Return a case for other hosts, preferably without a fault."""
        others = (
            one for one in (*self.faultless, *self.hosts.values()) if not set(one.hosts) & set(case.hosts)
        )
        return next(others, case)


@dataclass(frozen=True)
class _Snapshot:
    """The cases of a manifest, and credentials of cases by name with the stamps of their files."""

    stamp: FileStamp | None
    cases: CasesByHost
    credentials: dict[str, tuple[tuple[FileStamp, ...], Credential]] = field(default_factory=dict)


@dataclass
class CaseSelector:
    """Selects cases of a built environment, always from its current manifest.

    ``passphrases`` decrypt keys whose passphrase is not in the environment; ``clock`` is the time of stapled
    OCSP responses. ``live_rules`` returns the faults of the service that are set at run time.
    """

    folder: Path
    passphrases: Sequence[bytes] = field(default=(), repr=False)
    clock: Callable[[], datetime] = utc_now
    live_rules: Callable[[], tuple[Rule, ...]] = tuple
    _last: _Snapshot | None = field(default=None, repr=False)

    def __post_init__(self) -> None:
        self._manifest = f"{self.folder}/manifest.json"
        self._stapler = Stapler(self.folder, self.clock, self.passphrases, self.live_rules)

    def cases(self) -> CasesByHost:
        """Return the cases of the current manifest; InputError if there are none."""
        return self._snapshot().cases

    def present(self, address: str, name: str | None) -> Credential:
        """Return the credential for a host name at an address of this machine."""
        snapshot = self._snapshot()
        case, presented = _selected(snapshot.cases, address, name)
        before = stamps(presented)
        result = credential(case, presented, self.passphrases, self._stapler)
        is_static = result.signer.is_fast and not may_staple(presented, result.certificates)
        if is_static and before is not None:
            if len(snapshot.credentials) >= _CACHED_CREDENTIALS:
                snapshot.credentials.clear()
            snapshot.credentials[case.name] = before, result
        return result

    def cached(self, address: str, name: str | None) -> Credential | None:
        """Return the result of an earlier ``present`` that still applies and needs no thread, else None.

        No file has changed since, signatures with the key are fast, and nothing is stapled.
        """
        snapshot = self._current()
        if snapshot is None:
            return None
        case, presented = _selected(snapshot.cases, address, name)
        before, result = snapshot.credentials.get(case.name, (None, None))
        return result if before is not None and before == stamps(presented) else None

    def _snapshot(self) -> _Snapshot:
        current = self._current()
        if current is None:
            # The file may change while it is read: its stamp comes first.
            stamp = file_stamp(self._manifest)
            current = _Snapshot(stamp, CasesByHost.of(tuple(open_environment(self.folder).cases())))
            self._last = current
        return current

    def _current(self) -> _Snapshot | None:
        last = self._last
        return last if last is not None and last.stamp and last.stamp == file_stamp(self._manifest) else None

    def at(self, address: str) -> partial[Credential]:
        """Return ``present`` for one address."""
        return partial(self.present, address)


def _selected(cases: CasesByHost, address: str, name: str | None) -> tuple[Case, Case]:
    """Return the case for a host name, and the one whose files are presented."""
    case = cases.find(name, address)
    return case, cases.another(case) if "wrong-sni-certificate" in handshake_faults(case) else case


def _normal(host: str) -> str:
    """Normalize a host: addresses in canonical form, names in lower case."""
    try:
        address = ip_address(host.partition("%")[0])
    except ValueError:
        return host.lower().removesuffix(".")
    mapped = getattr(address, "ipv4_mapped", None)
    return str(mapped or address)
