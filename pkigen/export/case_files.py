"""The contents of a case's files for an export, unmodified where possible."""

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
from pkigen.serve.tls.credential import handshake_faults

_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]*")
_WITH_ROOT = "chain-with-root"


class NotExportable(Exception):
    """A target cannot export a case; the message states the reason for the user."""


@dataclass(frozen=True)
class CaseFiles:
    """A case's files: the certificate, its CA certificates, and the private key.

    ``certificate`` and ``key`` are the unmodified contents of their files, possibly malformed; a
    passphrase-protected key is converted to unencrypted PKCS#8 in PEM. ``chain`` is PEM, from the issuing CA
    up, without the root unless the fault is about the root in the chain. ``opened`` is the parsed key, if it
    can be parsed.
    """

    case: Case
    certificate: bytes = field(repr=False)
    chain: bytes = field(repr=False)
    key: bytes = field(repr=False)
    opened: KeyFile | None = field(default=None, repr=False)

    @property
    def full(self) -> bytes:
        """The full chain: the certificate followed by its CA certificates."""
        between = b"" if self.certificate.endswith(b"\n") else b"\n"
        return self.certificate + (between + self.chain if self.chain else b"")


Check = Callable[[CaseFiles], None]
"""Raises NotExportable if a target cannot export the files."""


def exportable_cases(
    draft: Draft, *checks: Check, left_out: dict[str, str] | None = None
) -> Iterator[CaseFiles]:
    """Yield each case that passes all checks; record the reason for the others in ``left_out``.

    The default of ``left_out`` is that of the draft.
    """
    reasons = draft.left_out if left_out is None else left_out
    for case in draft.given.cases:
        try:
            files = read_case_files(case, draft.given.passphrases)
            for check in checks:
                check(files)
        except NotExportable as error:
            reasons[case.name] = str(error)
            continue
        yield files


def read_case_files(case: Case, passphrases: tuple[bytes, ...] = ()) -> CaseFiles:
    """Read the files of a case; raise NotExportable if a required file is missing or unusable."""
    if not _NAME.fullmatch(case.name):
        raise InputError(
            f"{visible(case.name)!r} is not a valid certificate name; build the environment again"
        )
    files = case.data["files"]
    if missing := [kind for kind in ("certificate", "key") if kind not in files]:
        raise NotExportable(f"it has no {missing[0]} file")
    certificate = read_bytes(case.certificate)
    if has_key(certificate):
        raise NotExportable("its certificate file contains a private key")
    chain = _chain(case) if "chain" in files else b""
    key, opened = _key(case, passphrases)
    return CaseFiles(case, certificate, chain, key, opened)


def _chain(case: Case) -> bytes:
    data = read_bytes(case.chain)
    if not data:
        return b""
    artifacts = list(read(data, "the chain"))
    if any(one.kind in (Kind.KEY, Kind.PKCS12) for one in artifacts) or has_key(data):
        raise NotExportable("its chain file contains a private key")
    if not all(one.certificate for one in artifacts):
        return data  # the fault is in the chain file: export it unmodified
    last = artifacts[-1].certificate
    if last is not None and last.is_self_issued and _WITH_ROOT not in handshake_faults(case):
        artifacts.pop()
    return b"".join(pem.certificate(one.der) for one in artifacts)


def _key(case: Case, passphrases: tuple[bytes, ...]) -> tuple[bytes, KeyFile | None]:
    data, files = read_bytes(case.key), case.data["files"]
    own = (read_bytes(case.file("passphrase")).removesuffix(b"\n"),) if "passphrase" in files else ()
    keys = [one.key for one in read(data, "the key", (*own, *passphrases)) if one.key is not None]
    opened = next((one for one in keys if one.pkcs8 is not None), None)
    if not any(one.encrypted for one in keys):
        return data, opened
    if opened is None or opened.pkcs8 is None:
        raise NotExportable("its key is passphrase-protected; use --passphrase-file")
    return private_keys.pkcs8(opened.pkcs8, None, SystemEntropy()), opened
