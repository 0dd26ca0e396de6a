"""What a server presents for a case: unmodified certificates, a key, an OCSP response."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from pathlib import Path
from typing import cast

from pkigen.environment.environment import Case
from pkigen.errors import InputError
from pkigen.files import FileStamp, file_stamp, read_file
from pkigen.inspection.artifacts import (
    FILE_BYTES,
    Artifact,
    Kind,
    read,
)
from pkigen.keys import PrivateKey, load_private
from pkigen.serve.tls.handshake_signature import HandshakeSigner, throwaway_key
from pkigen.serve.tls.stapling import Stapler, staple
from pkigen.x509 import Certificate, Malformed

_SECRET = (Kind.KEY, Kind.PKCS12)
_HANDSHAKE = "tls"
_KINDS = ("key", "passphrase", "certificate", "chain")
_CACHED_CASES = 64
UNOFFERED_SCHEME = "unoffered-scheme"
"""Not a fault of its own: a fault of the key needs it so that clients see the certificate."""


@dataclass(frozen=True)
class Credential:
    """``certificates`` are the bytes sent in the handshake, ``staple`` is an OCSPResponse.

    ``faults`` are the faults of the handshake by their names in the manifest, with their arguments. ``note``
    states why the key of the case cannot be used, if that is no fault.
    """

    case: Case
    certificates: tuple[bytes, ...] = field(repr=False)
    signer: HandshakeSigner
    staple: bytes | None = field(default=None, repr=False)
    faults: dict[str, str] = field(default_factory=dict)
    note: str = ""


def credential(
    case: Case, presented: Case, passphrases: Sequence[bytes] = (), stapler: Stapler | None = None
) -> Credential:
    """Return what is presented for ``case``: the files of ``presented``, another case for some faults.

    A certificate without a fault that has an OCSP URL or the TLS feature extension gets the current
    response of ``stapler``; a case with a fault defines its own.

    All files are read on each call; ``stamps`` shows whether that is necessary. A missing file is treated as
    empty, an unreadable one is an InputError. A key that cannot be decrypted is replaced by a throwaway key,
    so that the client sees the certificate.
    """
    faults = handshake_faults(case)
    kind = str(presented.data["key"]["kind"])
    key, note = _key(presented, passphrases)
    if "certificate-verify-other-key" in faults:
        key = throwaway_key(kind)
    certificates = (
        () if "no-certificate" in faults else _path(presented, with_root="chain-with-root" in faults)
    )
    signer = HandshakeSigner(
        key or throwaway_key(kind),
        is_wrong="bad-certificate-verify" in faults,
        ignores_offer=UNOFFERED_SCHEME in faults,
        is_for_pss_only=_is_for_pss_only(certificates[:1]),
    )
    response = None if "stapled-missing" in faults else staple(presented, certificates, stapler)
    return Credential(case, certificates, signer, response, faults, note)


def stamps(presented: Case) -> tuple[FileStamp, ...] | None:
    """Return the stamps of the files that ``credential`` reads for a case, except those of OCSP.

    While they stay the same, so does the credential. None if one of the files is too new for a stamp.
    """
    files = presented.data["files"]
    result = tuple(file_stamp(f"{presented.folder}/{files[kind]}") for kind in _KINDS if files.get(kind))
    return None if None in result else cast("tuple[FileStamp, ...]", result)


def handshake_faults(case: Case) -> dict[str, str]:
    """Return the faults of a case in the handshake, with their arguments."""
    faults = case.data.get("serving", ())
    return {str(one["how"]): str(one["argument"]) for one in faults if one["url"] == _HANDSHAKE}


def certificates_in(data: bytes, name: str) -> tuple[bytes, ...]:
    """Return what a file presents: its certificates, or any objects in it, or its bytes.

    From a file that contains a key, only certificates are presented.
    """
    artifacts = read(data, name)
    if certificates := tuple(one.der for one in artifacts if _is_certificate(one)):
        return certificates
    if any(artifact.kind in _SECRET for artifact in artifacts) or b"PRIVATE KEY" in data.replace(b"\0", b""):
        return ()
    return tuple(artifact.der for artifact in artifacts if artifact.der) or ((data,) if data else ())


def _path(case: Case, *, with_root: bool) -> tuple[bytes, ...]:
    """Return the certificate and its chain without the root, which clients already have.

    Without a certificate, no chain is sent.
    """
    return _path_in(_file(case, "certificate"), _file(case, "chain"), with_root=with_root)


# Most of the time of a handshake is the parsing of files and the first use of a key: both are cached by the
# contents of the files, so that a changed file has an effect at once.
@lru_cache(maxsize=_CACHED_CASES)
def _path_in(certificate: bytes, chain_file: bytes, *, with_root: bool) -> tuple[bytes, ...]:
    own = certificates_in(certificate, "the certificate")
    chain = [one for one in read(chain_file, "the chain") if _is_certificate(one)]
    last = chain[-1].certificate if chain else None
    if last is not None and last.is_self_issued and not with_root:
        chain.pop()
    return own + tuple(one.der for one in chain) if own else ()


@lru_cache(maxsize=_CACHED_CASES)
def _is_for_pss_only(certificates: tuple[bytes, ...]) -> bool:
    """Return whether the first certificate can be read and its key is only for RSASSA-PSS."""
    try:
        return any(Certificate(one).public_key.is_for_pss_only for one in certificates[:1])
    except Malformed:
        return False


def _is_certificate(artifact: Artifact) -> bool:
    return artifact.kind is Kind.CERTIFICATE and bool(artifact.der)


def _key(case: Case, passphrases: Sequence[bytes]) -> tuple[PrivateKey | None, str]:
    """Return the first key of the key file, or None and the reason."""
    own = _file(case, "passphrase").removesuffix(b"\n")
    return _key_in(_file(case, "key"), (own, *passphrases) if own else tuple(passphrases))


@lru_cache(maxsize=_CACHED_CASES)
def _key_in(key_file: bytes, passphrases: tuple[bytes, ...]) -> tuple[PrivateKey | None, str]:
    artifacts = read(key_file, "its key", passphrases)
    pkcs8 = next(_decrypted(artifacts), None)
    if pkcs8 is None:
        return None, next(
            (one.advised_problem for one in artifacts if one.problem), "the file contains no private key"
        )
    try:
        return load_private(pkcs8), ""
    except ValueError as error:
        return None, str(error)


def _decrypted(artifacts: Sequence[Artifact]) -> Iterator[bytes]:
    for artifact in artifacts:
        if artifact.key is not None and artifact.key.pkcs8 is not None:
            yield artifact.key.pkcs8


def _file(case: Case, kind: str) -> bytes:
    path = case.data["files"].get(kind)
    return _read(case.folder / str(path)) if path else b""


def _read(path: Path) -> bytes:
    if not path.exists():
        return b""
    try:
        return read_file(path, FILE_BYTES)
    except ValueError as error:
        raise InputError(str(error)) from error
