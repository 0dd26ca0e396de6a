"""The octets of a case that go into an export: as its files stand, wherever they can."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field

from pkigen.environment.environment import Case
from pkigen.errors import InputError, visible
from pkigen.export.draft import Draft, has_key, read_bytes
from pkigen.formats import pem, private_keys
from pkigen.inspection.artifacts import KeyFile, Kind, read
from pkigen.keys.entropy import SystemEntropy
from pkigen.serve.tls.credential import handshake_ways

_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]*")
_WITH_ROOT = "chain-with-root"


class NotExportable(Exception):
    """Why a target cannot hold a case, in words for the user."""


@dataclass(frozen=True)
class CaseFiles:
    """A case's files: the certificate's, the CA certificates above it, the private key's.

    ``certificate`` and ``key`` are octets as they stand in their files, which may be anything; a key
    under a passphrase is PKCS#8 in PEM without one. ``chain`` is PEM, from the issuing CA up, without
    the root at its end unless the case is about that. ``opened`` is the key as far as it can be read.
    """

    case: Case
    certificate: bytes = field(repr=False)
    chain: bytes = field(repr=False)
    key: bytes = field(repr=False)
    opened: KeyFile | None = field(default=None, repr=False)

    @property
    def full(self) -> bytes:
        """What TLS servers call a full chain: the certificate and the CA certificates above it."""
        between = b"" if self.certificate.endswith(b"\n") else b"\n"
        return self.certificate + (between + self.chain if self.chain else b"")


Check = Callable[[CaseFiles], None]
"""Raises Unfit when a target cannot hold what it is given."""


def exportable_cases(draft: Draft, *checks: Check) -> Iterator[CaseFiles]:
    """Each case of a draft that passes all checks; the others are left out with the reason."""
    for case in draft.given.cases:
        try:
            found = read_case_files(case, draft.given.passphrases)
            for check in checks:
                check(found)
        except NotExportable as error:
            draft.left_out[case.name] = str(error)
            continue
        yield found


def read_case_files(case: Case, passphrases: tuple[bytes, ...] = ()) -> CaseFiles:
    """What the files of a case hold; Unfit when nothing of them can be taken elsewhere."""
    if not _NAME.fullmatch(case.name):
        raise InputError(f"{visible(case.name)!r} is no certificate's name; build the environment again")
    files = case.data["files"]
    if missing := [kind for kind in ("certificate", "key") if kind not in files]:
        raise NotExportable(f"it has no {missing[0]} file")
    certificate = read_bytes(case.certificate)
    if has_key(certificate):
        raise NotExportable("its certificate file holds a private key")
    chain = _chain(case) if "chain" in files else b""
    key, opened = _key(case, passphrases)
    return CaseFiles(case, certificate, chain, key, opened)


def _chain(case: Case) -> bytes:
    data = read_bytes(case.chain)
    if not data:
        return b""
    found = list(read(data, "the chain"))
    if any(one.kind in (Kind.KEY, Kind.PKCS12) for one in found) or has_key(data):
        raise NotExportable("its chain file holds a private key")
    if not all(one.certificate for one in found):
        return data  # a fault of the chain's file: whoever reads it has to cope
    last = found[-1].certificate
    if last is not None and last.is_self_issued and _WITH_ROOT not in handshake_ways(case):
        found.pop()
    return b"".join(pem.certificate(one.der) for one in found)


def _key(case: Case, passphrases: tuple[bytes, ...]) -> tuple[bytes, KeyFile | None]:
    data, files = read_bytes(case.key), case.data["files"]
    own = (read_bytes(case.file("passphrase")).removesuffix(b"\n"),) if "passphrase" in files else ()
    found = [one.key for one in read(data, "the key", (*own, *passphrases)) if one.key is not None]
    opened = next((one for one in found if one.pkcs8 is not None), None)
    if not any(one.encrypted for one in found):
        return data, opened
    if opened is None or opened.pkcs8 is None:
        raise NotExportable("its key is under a passphrase; --passphrase-file opens it")
    return private_keys.pkcs8(opened.pkcs8, None, SystemEntropy()), opened
