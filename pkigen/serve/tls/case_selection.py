"""Which case a client is shown: by the host name that it asks for, or by the address that it found."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from functools import partial
from ipaddress import ip_address
from pathlib import Path

from pkigen.clock import utc_now
from pkigen.environment.environment import Case, open_environment
from pkigen.environment.ocsp.responder import OcspResponder
from pkigen.errors import InputError
from pkigen.serve.faults.url_map import ManifestWatcher
from pkigen.serve.tls.credential import Credential, credential, handshake_ways

Stamp = tuple[int, int, int]


@dataclass(frozen=True)
class Names:
    """The cases of an environment by their hosts; of two with the same host the first counts.

    A case is found by its own name as well, if no host is called so: what has no host of its own can be
    asked for like that. Who asks for no name gets the case of the address asked, if there is one. Who
    asks for none that is known gets ``default``: the first sound case (or the first of all, if none is).
    """

    hosts: dict[str, Case]
    sound: tuple[Case, ...]
    default: Case

    @classmethod
    def of(cls, cases: Sequence[Case]) -> Names:
        """InputError when there is no case at all."""
        if not cases:
            raise InputError("the environment has no certificates to present: only authorities")
        hosts = dict[str, Case]()
        for case in cases:
            for host in case.hosts:
                hosts.setdefault(_normal(host), case)
        for case in cases:
            hosts.setdefault(_normal(case.name), case)
        sound = tuple(case for case in cases if case.accepted and case.fault is None)
        return cls(hosts, sound, (*sound, *cases)[0])

    def find(self, name: str | None, address: str) -> Case:
        """The case for a host name (small letters, None without SNI) and the server's own address."""
        asked = _normal(address if name is None else name)
        wildcard = f"*.{asked.partition('.')[2]}"
        return self.hosts.get(asked) or self.hosts.get(wildcard) or self.default

    def another(self, case: Case) -> Case:
        """A case for other hosts, sound if possible."""
        others = (one for one in (*self.sound, *self.hosts.values()) if not set(one.hosts) & set(case.hosts))
        return next(others, case)


@dataclass
class Directory:
    """The endpoints of a built environment, as it is at the moment: a build in between is seen.

    ``passphrases`` open keys whose own is not among the environment's files; by ``clock`` OCSP answers are
    signed that are stapled.
    """

    folder: Path
    passphrases: Sequence[bytes] = field(default=(), repr=False)
    clock: Callable[[], datetime] = utc_now
    _held: tuple[Stamp, Names] | None = field(default=None, repr=False)

    def __post_init__(self) -> None:
        manifest = ManifestWatcher(self.folder).manifest
        self._responder = OcspResponder(self.folder, manifest, self.clock, self.passphrases)

    def names(self) -> Names:
        """The cases as the manifest has them now; InputError when there is none to present."""
        stat = (self.folder / "manifest.json").stat()
        stamp = stat.st_mtime_ns, stat.st_size, stat.st_ino
        held = self._held
        if held is None or held[0] != stamp:
            held = stamp, Names.of(tuple(open_environment(self.folder).cases()))
            self._held = held
        return held[1]

    def present(self, address: str, name: str | None) -> Credential:
        """What is shown to who asks for a name at an address of this machine."""
        names = self.names()
        case = names.find(name, address)
        shown = names.another(case) if "wrong-sni-certificate" in handshake_ways(case) else case
        return credential(case, shown, self.passphrases, self._responder)

    def at(self, address: str) -> partial[Credential]:
        """``present`` for one address."""
        return partial(self.present, address)


def _normal(host: str) -> str:
    """One spelling for each host: addresses as Python writes them, names in small letters."""
    try:
        address = ip_address(host.partition("%")[0])
    except ValueError:
        return host.lower().removesuffix(".")
    mapped = getattr(address, "ipv4_mapped", None)
    return str(mapped or address)
