"""Test CAs and certificates in memory; they write files only on request."""

from __future__ import annotations

import re
import ssl
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime
from ipaddress import ip_address
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Any

from pkigen.api.environment import Fault
from pkigen.clock import utc_now
from pkigen.environment.build.issuance import IssuanceTask, IssuanceWorker, IssuingAuthority
from pkigen.environment.build.session import random_serial
from pkigen.environment.published.stored_keys import subject_key_identifier
from pkigen.environment.tls_identity import PemFiles, TlsIdentity
from pkigen.errors import InputError
from pkigen.faults import FAULTS
from pkigen.files import write_private_file
from pkigen.formats import pem
from pkigen.formats.render import render
from pkigen.keys.entropy import SystemEntropy
from pkigen.keys.sources import FreshKeys
from pkigen.model import Entity, File, Issued
from pkigen.plan import plan
from pkigen.profile import load

if TYPE_CHECKING:
    from pkigen.inspection.check import CheckResult

_NOT_IN_NAMES = re.compile(r"[^A-Za-z0-9-]+")
_LONGEST_COMMON_NAME = 64  # RFC 5280, Appendix A.1: ub-common-name
_NEED_A_SERVER = ("revocation", "transport")
"""The stages of faults that are in CRLs, OCSP responses and connections, not in a certificate."""
_BUILD = "build an environment with pkigen.build"


@dataclass(frozen=True, repr=False)
class Certificate(TlsIdentity):
    """A certificate in memory with its key, its chain and the trust anchors of its peers.

    ``files`` are the contents of its files by name, as a build writes them. ``name`` is the name of these
    files, ``host`` the first DNS name or IP address, ``fault`` the ID of the intentional fault or None.
    ``expected`` is the verdict of a strict validator: ``accept``, ``reject`` or ``varies``.
    """

    name: str
    host: str
    files: Mapping[str, bytes] = field(repr=False)
    anchors: tuple[bytes, ...] = field(repr=False)
    fault: str | None = None
    expected: str = "accept"
    passphrase: bytes = field(default=b"", repr=False)
    _secret: frozenset[str] = frozenset()
    _chain: bytes = field(default=b"", repr=False)

    def __repr__(self) -> str:
        return f"Certificate({self.name!r})"

    @property
    def certificate_pem(self) -> bytes:
        """The certificate (PEM)."""
        return self.files[f"{self.name}.crt"]

    @property
    def key_pem(self) -> bytes:
        """The private key (PEM); encrypted if the certificate was issued with ``passphrase``.

        Raises InputError if only its owner has it, or if ``files`` does not list it.
        """
        if f"{self.name}.key" not in self.files:
            raise InputError(
                f"{self.name} has no key: only its owner has the private key, or 'files' omits it"
            )
        return self.files[f"{self.name}.key"]

    @property
    def chain_pem(self) -> bytes:
        """The CA certificates from the issuing CA up to and including the root (PEM)."""
        return self.files.get("chain.pem", self._chain)

    @property
    def der(self) -> bytes:
        """The certificate (DER)."""
        return next(pem.blocks(self.certificate_pem)).data

    def pem_files(self, passphrase: str = "") -> PemFiles:
        """Return the contents of its certificate, chain and key; ``passphrase`` overrides its own."""
        return PemFiles(
            self.certificate_pem, self.chain_pem, self.key_pem, passphrase.encode() or self.passphrase
        )

    def anchors_pem(self) -> str:
        """Return the trust anchors of its peers (PEM)."""
        return "".join(pem.certificate(anchor).decode("ascii") for anchor in self.anchors)

    def check(self, *sets: str, at: datetime | None = None) -> CheckResult:
        """Check the certificate against requirement sets, as an appliance does at upload.

        ``sets`` are names of shipped sets or paths of files, ``at`` is the time to evaluate validity at
        (default: now). Raises InputError for a set that does not exist.
        """
        from pkigen.api.inspection import check_identity

        return check_identity(self, sets, at)

    def write(self, directory: str | Path) -> Path:
        """Write the files into a directory, which is created if necessary, and return it.

        Files with a private key have mode 0600. The file ``trust.pem`` contains the trust anchors.
        """
        folder = Path(directory)
        folder.mkdir(parents=True, exist_ok=True)
        for name, data in {**self.files, "trust.pem": self.anchors_pem().encode()}.items():
            path = folder / name
            if name in self._secret:
                write_private_file(path, data)
            else:
                path.write_bytes(data)
        return folder

    @contextmanager
    def written(self) -> Iterator[Path]:
        """Write the files into a temporary directory until the block ends, for programs that read files."""
        with TemporaryDirectory(prefix="pkigen-") as folder:
            yield self.write(folder)


class CA:
    """A CA in memory: a root, or a CA below one. Writes nothing.

    ``common_name`` is that of the root, ``key`` a key kind such as ``ec-p256`` or ``rsa-2048``, ``valid`` a
    validity period in the syntax of profiles (``10y``, ``30d``), ``at`` the time that it begins at (default:
    now). ``options`` are further keys of an authority in a profile, such as ``path_length``. Certificates
    contain no URLs, because no server publishes a CRL; for revocation, build an environment with
    ``pkigen.build``. Raises InputError for values that a profile does not allow.
    """

    def __init__(
        self,
        common_name: str = "Test Root CA",
        *,
        key: str = "ec-p256",
        valid: str = "10y",
        at: datetime | None = None,
        **options: Any,
    ) -> None:
        self._at = (at or utc_now()).replace(microsecond=0)
        root = {"subject": {"CN": common_name}, "key": key, "valid": valid, "crl": "none", **options}
        self._open({"root": root}, "root", IssuanceWorker(Path(), FreshKeys(), SystemEntropy(), seeded=False))

    def _open(self, authorities: dict[str, dict[str, Any]], name: str, worker: IssuanceWorker) -> None:
        self._authorities, self._name, self._worker = authorities, name, worker
        planned = plan(load({"name": "memory", "authorities": authorities}), self._at, random_serial)
        for entity in planned.authorities:
            _issue_authority(worker, entity)

    @property
    def der(self) -> bytes:
        """The CA's own certificate (DER)."""
        return self._worker.authorities[f"authorities/{self._name}"].certificate

    @property
    def certificate_pem(self) -> bytes:
        """The CA's own certificate (PEM)."""
        return pem.certificate(self.der)

    @property
    def key_pem(self) -> bytes:
        """The CA's private key (PEM, PKCS#8, not encrypted)."""
        key = self._worker.authorities[f"authorities/{self._name}"].key
        assert key is not None
        return pem.encode("PRIVATE KEY", key)

    @property
    def trust_pem(self) -> bytes:
        """The root's certificate (PEM), which clients trust."""
        return pem.certificate(self._worker.authorities["authorities/root"].certificate)

    def configure_trust(self, context: ssl.SSLContext) -> None:
        """Let a context trust the root, in addition to what it trusts."""
        context.load_verify_locations(cadata=self.trust_pem.decode("ascii"))

    def issue_ca(self, common_name: str = "Test Issuing CA", **options: Any) -> CA:
        """Return a new CA below this one; ``options`` are those of ``CA``, except ``at``."""
        below = object.__new__(CA)
        below._at = self._at
        name = f"ca-{len(self._authorities)}"
        authority = {"issuer": self._name, "subject": {"CN": common_name}, "key": "ec-p256", "crl": "none"}
        below._open({**self._authorities, name: {**authority, **options}}, name, self._copied_worker())
        return below

    def issue(
        self,
        *names: str,
        common_name: str | None = None,
        key: str = "ec-p256",
        valid: str = "397d",
        faults: Iterable[Fault] = (),
        at: datetime | None = None,
        **options: Any,
    ) -> Certificate:
        """Issue a certificate for DNS names, IP addresses, email addresses or URIs, with a new key.

        ``common_name`` is by default the first name, ``key`` a key kind, ``valid`` a validity period in the
        syntax of profiles (``90d``), ``at`` the time that relative times are counted from (default: now).
        ``faults`` are IDs of the catalog, or IDs with parameters: ``["expired"]``. ``options`` are further
        keys of a certificate in a profile, such as ``extended_key_usage`` or ``formats``. Raises InputError
        for values that a profile does not allow, and for faults that need a server (CRLs, OCSP, TLS).
        """
        first = common_name or (names[0] if names else "")
        if not first:
            raise InputError("specify a host name, or another name that the certificate is for")
        requested = _parsed(faults)
        name = _NOT_IN_NAMES.sub("-", first.replace("*", "any")).strip("-")[:60] or "certificate"
        specification: dict[str, Any] = {
            "issuer": self._name,
            "key": key,
            "valid": valid,
            "subject": {"CN": first} if len(first) <= _LONGEST_COMMON_NAME else {},
            **({"san": [_general_name(one) for one in names]} if names else {}),
            **({"faults": requested} if requested else {}),
            **options,
        }
        profile = load(
            {"name": "memory", "authorities": self._authorities, "certificates": {name: specification}}
        )
        planned = plan(profile, (at or utc_now()).replace(microsecond=0), random_serial)
        entity, *others = planned.certificates()
        if others:
            raise InputError(
                f"the fault {entity.fault and entity.fault.id} needs a second certificate; {_BUILD}"
            )
        worker = self._copied_worker()
        for authority in planned.authorities:
            if authority.id not in worker.authorities:
                _issue_authority(worker, authority)
        issued = worker.sign(IssuanceTask(entity))
        return _certificate(issued, render(issued, worker.entropy, worker), worker)

    def _copied_worker(self) -> IssuanceWorker:
        """Return a worker with this CA and those above: copies of CAs with a fault are for one case."""
        own = self._worker
        return IssuanceWorker(own.folder, own.keys, own.entropy, own.seeded, dict(own.authorities))


def _issue_authority(worker: IssuanceWorker, entity: Entity) -> None:
    if entity.id not in worker.authorities:
        issued = worker.sign(IssuanceTask(entity))
        certificate = issued.certificates[0]
        worker.authorities[entity.id] = IssuingAuthority(
            certificate, (), issued.key, subject_key_identifier(certificate)
        )


def _certificate(issued: Issued, rendered: Sequence[File], worker: IssuanceWorker) -> Certificate:
    entity = issued.entity
    anchors = entity.trust or entity.issuers[-1:]
    fault = entity.fault
    return Certificate(
        entity.name,
        next(iter(entity.hosts), entity.name),
        {file.path: file.data for file in rendered},
        tuple(
            issued.certificates[0] if anchor == entity.id else worker.authorities[anchor].certificate
            for anchor in anchors
        ),
        fault.id if fault else None,
        fault.expected if fault else "accept",
        entity.output.passphrase or b"",
        frozenset(file.path for file in rendered if file.secret),
        b"".join(map(pem.certificate, issued.chain or issued.certificates[:1])),
    )


def _parsed(faults: Iterable[Fault]) -> list[Fault]:
    """Return faults; InputError for one that is not in the certificate, its CAs or its files."""
    requested = list(faults)
    for fault in requested:
        fault_id = fault if isinstance(fault, str) else next(iter(fault), "")
        known = FAULTS.get(fault_id)
        if known is not None and known.stage in _NEED_A_SERVER:
            raise InputError(
                f"the fault {fault_id} is in a CRL, an OCSP response or a connection, which need a server; "
                f"{_BUILD}, and serve it with pkigen.serving"
            )
    return requested


def _general_name(text: str) -> str:
    """Return a name in the syntax of profiles, with its kind."""
    if "://" in text:
        return f"uri:{text}"
    if "@" in text:
        return f"email:{text}"
    try:
        return f"ip:{ip_address(text)}"
    except ValueError:
        return f"dns:{text}"
