"""Java key stores: JKS is read; for the others, the error states how to convert them to PKCS#12.

JKS: magic, version, and entries of an alias, a date, and a certificate or an encrypted key with its chain.
"""

from __future__ import annotations

import struct
from collections.abc import Iterator, Sequence
from dataclasses import replace
from hashlib import sha1
from hmac import compare_digest

from pkigen.asn1 import der
from pkigen.errors import InputError
from pkigen.formats.passphrase_encryption import UnsupportedCipher
from pkigen.formats.pem import Block
from pkigen.inspection.artifacts.artifact import Artifact, Encoding, Kind, Source
from pkigen.inspection.artifacts.keys import NOT_GIVEN, KeyFile, open_key
from pkigen.inspection.artifacts.objects import parsed

MAGIC = b"\xfe\xed\xfe\xed"
_JCEKS = b"\xce\xce\xce\xce"
_BKS = (b"\x00\x00\x00\x01\x00\x00\x00\x14", b"\x00\x00\x00\x02\x00\x00\x00\x14")
_PROTECTOR = "1.3.6.1.4.1.42.2.17.1.1"
_DIGEST = 20
_KEY_ENTRY, _CERTIFICATE_ENTRY = 1, 2


def java_store_type(data: bytes) -> str:
    """Return JKS, JCEKS or BKS for a key store of Java's own formats; "" for other data."""
    if data.startswith(MAGIC):
        return "JKS"
    return "JCEKS" if data.startswith(_JCEKS) else "BKS" if data.startswith(_BKS) else ""


def read_java_store(data: bytes, source: Source, passphrases: Sequence[bytes]) -> Iterator[Artifact]:
    """Yield keys and certificates; certificates need no passphrase."""
    store_type = java_store_type(data)
    source = replace(source, encoding=Encoding.JKS)
    if store_type != "JKS":
        advice = conversion_advice(source.file, store_type)
        yield Artifact(Kind.JKS, source, data, problem=f"it is a Java key store ({store_type}); {advice}")
        return
    try:
        yield from _entries(data, source, passphrases)
    except (struct.error, ValueError, IndexError):
        problem = f"it is a Java key store (JKS) that is damaged; {conversion_advice(source.file, 'JKS')}"
        yield Artifact(Kind.JKS, source, data, problem=problem)


def conversion_advice(file: str, store_type: str) -> str:
    """Return the command that converts a key store to PKCS#12."""
    command = f"keytool -importkeystore -srckeystore {file} -srcstoretype {store_type}"
    return f"convert it: {command} -destkeystore NEW.p12 -deststoretype PKCS12"


class _Cursor:
    def __init__(self, data: bytes) -> None:
        self._data, self._position = data, 0

    def number(self, form: str) -> int:
        value: int = struct.unpack_from(form, self._data, self._position)[0]
        self._position += struct.calcsize(form)
        return value

    def octets(self, form: str) -> bytes:
        size = self.number(form)
        start, self._position = self._position, self._position + size
        if self._position > len(self._data):
            raise ValueError("the key store is cut off")
        return self._data[start : self._position]


def _entries(data: bytes, source: Source, passphrases: Sequence[bytes]) -> Iterator[Artifact]:
    cursor = _Cursor(data)
    cursor.number(">I")
    version, count = cursor.number(">I"), cursor.number(">I")
    for _ in range(count):
        tag, alias = cursor.number(">I"), cursor.octets(">H").decode("utf-8", "replace")
        cursor.number(">Q")
        certificates = 1
        if tag == _KEY_ENTRY:
            key = _key(cursor.octets(">I"), passphrases)
            yield Artifact(Kind.KEY, source, key.pkcs8 or b"", key, key.problem, alias)
            certificates = cursor.number(">I")
        elif tag != _CERTIFICATE_ENTRY:
            raise ValueError(f"an entry of type {tag}")
        for _ in range(certificates):
            if version == 2:
                cursor.octets(">H")
            yield parsed(Kind.CERTIFICATE, cursor.octets(">I"), source, name=alias)


def _key(data: bytes, passphrases: Sequence[bytes]) -> KeyFile:
    """Decrypt an EncryptedPrivateKeyInfo of Sun's key protector."""
    algorithm, sealed = der.children(data)
    oid = der.dotted(der.children(algorithm)[0])
    problem = NOT_GIVEN
    if oid != _PROTECTOR:
        problem, passphrases = str(UnsupportedCipher(oid)), ()
    for passphrase in passphrases:
        if plain := _unprotected(der.contents(sealed), passphrase):
            try:
                opened = open_key(Block("PRIVATE KEY", plain))
            except InputError as error:
                problem = str(error)
                break
            return replace(opened, format="JKS", encrypted=True, passphrase=passphrase)
        problem = "the passphrase is wrong, or the file is damaged"
    return KeyFile("JKS", encrypted=True, problem=problem)


def _unprotected(sealed: bytes, passphrase: bytes) -> bytes:
    """Return the key, XORed with a chain of SHA-1 digests from the salt; b"" if the check digest differs."""
    secret = passphrase.decode("utf-8", "replace").encode("utf-16-be")
    block, encrypted, check = sealed[:_DIGEST], sealed[_DIGEST:-_DIGEST], sealed[-_DIGEST:]
    stream = bytearray()
    while len(stream) < len(encrypted):
        block = sha1(secret + block, usedforsecurity=False).digest()
        stream += block
    plain = bytes(a ^ b for a, b in zip(encrypted, stream, strict=False))
    return plain if compare_digest(sha1(secret + plain, usedforsecurity=False).digest(), check) else b""
