"""Reads the artifacts in a file of any format."""

from __future__ import annotations

import stat
import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

from pkigen.asn1 import der
from pkigen.errors import InputError
from pkigen.files import read_file
from pkigen.formats import pem
from pkigen.formats.kdf_budget import KdfBudget
from pkigen.formats.pem import Block
from pkigen.formats.read import private_key_label
from pkigen.inspection.artifacts import text
from pkigen.inspection.artifacts.archive import archive_type, members
from pkigen.inspection.artifacts.artifact import Artifact, Encoding, Kind, Source
from pkigen.inspection.artifacts.java_key_store import java_store_type, read_java_store
from pkigen.inspection.artifacts.keys import is_key_label, open_key
from pkigen.inspection.artifacts.objects import parsed, split, structure_kind
from pkigen.inspection.artifacts.pkcs7 import read_pkcs7
from pkigen.inspection.artifacts.pkcs12 import read_pkcs12

FILE_BYTES = 16 * 1024 * 1024
MAX_ARTIFACTS = 20_000
MAX_KEYS = 1_000
"""OpenSSL needs 0.1 ms or more to read one."""
STANDARD_INPUT = "-"

_TRUSTED = "TRUSTED CERTIFICATE"
_KINDS: dict[str, Kind] = {
    **dict.fromkeys(("CERTIFICATE", "X509 CERTIFICATE", _TRUSTED), Kind.CERTIFICATE),
    **dict.fromkeys(("CERTIFICATE REQUEST", "NEW CERTIFICATE REQUEST"), Kind.REQUEST),
    **dict.fromkeys(("X509 CRL", "CRL"), Kind.CRL),
    **dict.fromkeys(("PKCS7", "CMS", "PKCS #7 SIGNED DATA", "PKCS#7", "CERTIFICATE CHAIN"), Kind.PKCS7),
    **dict.fromkeys(("PKCS12", "PKCS#12", "PFX"), Kind.PKCS12),
    "PUBLIC KEY": Kind.PUBLIC_KEY,
}
_OTHER_LABELS = (Kind.CRL, Kind.REQUEST, Kind.PUBLIC_KEY)
_RSA_PUBLIC_KEY, _EC_PARAMETERS = "RSA PUBLIC KEY", "EC PARAMETERS"
_REPAIRED = "text between its base64 was ignored; other programs may not read this file"
_PADDING = b" \t\r\n\x1a"


def read_path(path: Path, passphrases: Sequence[bytes] = ()) -> tuple[Artifact, ...]:
    """Return everything in a file, or in standard input (``-``); InputError if the file cannot be read."""
    if str(path) == STANDARD_INPUT:
        data = sys.stdin.buffer.read(FILE_BYTES + 1)
        if len(data) > FILE_BYTES:
            raise InputError(f"standard input is larger than {FILE_BYTES:,} bytes")
        return read(data, "standard input", passphrases)
    try:
        data = read_file(path, FILE_BYTES)
    except ValueError as error:
        raise InputError(str(error)) from error
    return read(data, str(path), passphrases, file_mode(path))


def file_mode(path: Path) -> int | None:
    """Return the permissions of a file; None if there is no such file."""
    try:
        return stat.S_IMODE(path.stat().st_mode)
    except OSError:
        return None


def read(
    data: bytes, name: str, passphrases: Sequence[bytes] = (), mode: int | None = None
) -> tuple[Artifact, ...]:
    """Return everything in a file's bytes: at least one artifact, possibly an unknown one. Raises nothing.

    ``name`` identifies the file in messages, ``mode`` are its permissions. Each passphrase is
    tried on whatever is encrypted.
    """
    try:
        return tuple(_Reader(name, passphrases, KdfBudget(), mode).artifacts(data))
    except InputError as error:
        return (Artifact(Kind.UNKNOWN, Source(name, Encoding.NONE), b"", problem=str(error)),)


@dataclass(frozen=True, slots=True)
class _Reader:
    """Reads one file with the passphrases that are available."""

    name: str
    passphrases: Sequence[bytes] = field(repr=False)
    budget: KdfBudget
    mode: int | None = None

    def artifacts(self, data: bytes) -> Iterator[Artifact]:
        """Yield the artifacts with their positions; InputError if there are more than the limits."""
        keys = 0
        for position, one in enumerate(self.file(data), 1):
            keys += one.kind is Kind.KEY
            _check_count(position, MAX_ARTIFACTS, "objects")
            _check_count(keys, MAX_KEYS, "private keys")
            own = one.source
            source = Source(
                own.file,
                own.encoding,
                position,
                own.label,
                own.before,
                len(data),
                own.ciphers,
                own.mac,
                self.mode,
            )
            yield Artifact(one.kind, source, one.der, one.value, one.problem, one.friendly_name, one.note)

    def file(self, data: bytes) -> Iterator[Artifact]:
        """Yield the artifacts of PEM, DER, a key store, or base64 in text."""
        if archive := archive_type(data):
            yield from self._archive(data, archive)
            return
        plain, note = text.normalized(data)
        if text.BEGIN in plain:
            _check_count(plain.count(text.BEGIN), MAX_ARTIFACTS, "objects")
            yield from self._pem(plain, note)
        elif java_store_type(data):
            yield from read_java_store(data, Source(self.name, Encoding.JKS), self.passphrases)
        else:
            artifacts = list(self._der(data, Source(self.name, Encoding.DER)))
            if all(one.kind is Kind.UNKNOWN for one in artifacts):
                artifacts = list(self._base64(data)) or artifacts
            yield from artifacts

    def _archive(self, data: bytes, encoding: Encoding) -> Iterator[Artifact]:
        """Yield the contents of the files in an archive; other files and archives in it are ignored."""
        empty = True
        for name, content in members(data, encoding, FILE_BYTES):
            for one in () if archive_type(content) else self.file(content):
                if one.kind is not Kind.UNKNOWN:
                    empty = False
                    yield replace(one, source=replace(one.source, encoding=encoding, label=name))
        if empty:
            problem = "the archive contains no certificate, key or CRL"
            yield Artifact(Kind.UNKNOWN, Source(self.name, encoding), data, problem=problem)

    def _pem(self, data: bytes, note: str) -> Iterator[Artifact]:
        empty = True
        for block in pem.scan(data, text.unquoted):
            if block.label != _EC_PARAMETERS:
                empty = False
                block_note = note or (_REPAIRED if block.repaired else "")
                for one in self._block(block):
                    yield one if one.note or not block_note else replace(one, note=block_note)
        if empty:
            problem = "it contains the parameters of an EC key, but no key"
            yield Artifact(Kind.UNKNOWN, Source(self.name, Encoding.PEM), data, problem=problem)

    def _block(self, block: Block) -> Iterator[Artifact]:
        source = Source(self.name, Encoding.PEM, label=block.label, before=block.before)
        kind = Kind.KEY if is_key_label(block.label) else _KINDS.get(block.label, Kind.UNKNOWN)
        if block.problem:
            yield Artifact(kind, source, b"", problem=block.problem)
        elif kind is Kind.KEY:
            yield self._key(block, source)
        elif block.label == _RSA_PUBLIC_KEY:
            yield Artifact(Kind.PUBLIC_KEY, source, _rsa_public_key_info(block.data))
        else:
            data = _first(block.data) if block.label == _TRUSTED else block.data
            actual = structure_kind(data)
            # The contents decide: ``certutil -encode`` writes BEGIN CERTIFICATE around all. But a damaged
            # CRL or request can have the structure of a certificate, and no program reads a certificate
            # labeled PUBLIC KEY.
            if actual is not Kind.UNKNOWN and not (actual is Kind.CERTIFICATE and kind in _OTHER_LABELS):
                kind = actual
            artifacts = list(self._object(kind, data, source))
            if block.label not in _KINDS and (artifacts[0].kind is Kind.UNKNOWN or artifacts[0].problem):
                problem = f"a PEM block with the label '{block.label[:80]}', which is not supported"
                artifacts = [Artifact(Kind.UNKNOWN, source, data, problem=problem)]
            yield from artifacts

    def _der(self, data: bytes, source: Source) -> Iterator[Artifact]:
        """Yield the objects that follow each other in a file; other bytes after the first are ignored."""
        parts, rest = split(data)
        while parts and not (structure_kind(parts[-1]) is not Kind.UNKNOWN or private_key_label(parts[-1])):
            rest = parts.pop() + rest
        if not parts:
            problem = "the file is empty" if not data else "the format is unknown: it is neither PEM nor DER"
            yield Artifact(Kind.UNKNOWN, replace(source, encoding=Encoding.NONE), data, problem=problem)
        for number, part in enumerate(parts, 1):
            is_last = number == len(parts)
            ignored = len(rest) if is_last and rest.strip(_PADDING) else 0
            note = f"{ignored:,} bytes after it were ignored" if ignored else ""
            yield from self._object(structure_kind(part), part, source, note)

    def _object(self, kind: Kind, data: bytes, source: Source, note: str = "") -> Iterator[Artifact]:
        label = private_key_label(data) if kind is Kind.UNKNOWN else ""
        if label:
            yield replace(self._key(Block(label, data), source), note=note)
        elif kind is Kind.PKCS12:
            yield from read_pkcs12(data, source, self.passphrases, self.budget)
        elif kind is Kind.PKCS7:
            yield from read_pkcs7(data, source)
        else:
            yield parsed(kind, data, source, note=note)

    def _base64(self, data: bytes) -> Iterator[Artifact]:
        """Yield the artifacts in base64 without PEM labels: alone, or in XML, JSON, LDIF or other text."""
        for decoded in text.base64_objects(data):
            plain, note = text.normalized(decoded)
            if text.BEGIN in plain:
                yield from self._pem(plain, note)
            else:
                artifacts = self._der(decoded, Source(self.name, Encoding.BASE64))
                yield from (one for one in artifacts if one.kind is not Kind.UNKNOWN)

    def _key(self, block: Block, source: Source) -> Artifact:
        key = open_key(block, self.passphrases, self.budget)
        return Artifact(Kind.KEY, source, block.data, key, key.problem)


def _check_count(count: int, limit: int, objects: str) -> None:
    if count > limit:
        raise InputError(f"it contains more than {limit:,} {objects}, which is the limit for a file")


def _first(data: bytes) -> bytes:
    """Return the first TLV; OpenSSL's TRUSTED CERTIFICATE contains trust settings after the certificate."""
    try:
        return data[: der.read(data)[2]]
    except ValueError:
        return data


def _rsa_public_key_info(data: bytes) -> bytes:
    """Return the SubjectPublicKeyInfo of an RSAPublicKey (RFC 8017, A.1.1)."""
    algorithm = der.sequence(der.oid("1.2.840.113549.1.1.1"), der.null())
    return der.sequence(algorithm, der.bit_string(data))
