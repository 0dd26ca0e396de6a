"""A file -> its artefacts."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from itertools import islice
from pathlib import Path

from pkigen.asn1 import der
from pkigen.errors import InputError
from pkigen.files import read_file
from pkigen.formats import pem
from pkigen.formats.pem import Block
from pkigen.inspection.artifacts import containers
from pkigen.inspection.artifacts.artifact import (
    Artifact,
    Encoding,
    Kind,
    Source,
)
from pkigen.inspection.artifacts.kdf_limits import KdfBudget
from pkigen.inspection.artifacts.keys import is_key_label, open_key
from pkigen.x509 import Certificate, CertificateList, CertificationRequest, Malformed

FILE_BYTES = 16 * 1024 * 1024
MAX_ARTIFACTS = 20_000

_CERTIFICATES = ("CERTIFICATE", "X509 CERTIFICATE", "TRUSTED CERTIFICATE")
_BYTE_ORDER_MARKS = {b"\xff\xfe": "utf-16-le", b"\xfe\xff": "utf-16-be"}
_KINDS: dict[str, Kind] = {
    **dict.fromkeys(_CERTIFICATES, Kind.CERTIFICATE),
    "CERTIFICATE REQUEST": Kind.REQUEST,
    "NEW CERTIFICATE REQUEST": Kind.REQUEST,
    "X509 CRL": Kind.CRL,
    "PKCS7": Kind.PKCS7,
    "CMS": Kind.PKCS7,
    "PKCS12": Kind.PKCS12,
    "PUBLIC KEY": Kind.PUBLIC_KEY,
}
_READERS: dict[Kind, Callable[[bytes], Certificate | CertificateList | CertificationRequest]] = {
    Kind.CERTIFICATE: Certificate,
    Kind.CRL: CertificateList,
    Kind.REQUEST: CertificationRequest,
}


def read_path(path: Path, passphrases: Sequence[bytes] = ()) -> tuple[Artifact, ...]:
    """Everything in a file; InputError when the file itself cannot be read."""
    try:
        data = read_file(path, FILE_BYTES)
    except ValueError as error:
        raise InputError(str(error)) from error
    return read(data, str(path), passphrases)


def read(data: bytes, name: str, passphrases: Sequence[bytes] = ()) -> tuple[Artifact, ...]:
    """Everything in a file's octets: at least one artefact, if only an unknown one. Raises nothing.

    ``name`` is what messages call the file. Each passphrase is tried on whatever is under one.
    """
    data = _as_ascii(data)
    opener = _Opener(passphrases, KdfBudget())
    if b"-----BEGIN " in data:
        found = _of_blocks(data, name, opener)
    else:
        found = _of_octets(data, Source(name, Encoding.DER), opener)
    numbered = enumerate(islice(found, MAX_ARTIFACTS), 1)
    held = tuple(replace(one, source=replace(one.source, position=number)) for number, one in numbered)
    if held:
        return held
    words = "it holds the parameters of an EC key, and no key"
    return (Artifact(Kind.UNKNOWN, Source(name, Encoding.PEM), data, problem=words),)


@dataclass(frozen=True, slots=True)
class _Opener:
    """What there is to open a file's keys and containers with."""

    passphrases: Sequence[bytes] = field(repr=False)
    allowance: KdfBudget


def _as_ascii(data: bytes) -> bytes:
    """PEM in UTF-16, which Windows' editors and shells write, as the text that it is."""
    for mark, codec in _BYTE_ORDER_MARKS.items():
        if data.startswith(mark) and "-----BEGIN ".encode(codec) in data:
            return data[2:].decode(codec, "replace").encode("ascii", "replace")
    return data


def _of_blocks(data: bytes, name: str, opener: _Opener) -> Iterator[Artifact]:
    for block in pem.scan(data):
        source = Source(name, Encoding.PEM, label=block.label, before=block.before)
        if block.label == "EC PARAMETERS":
            continue
        if is_key_label(block.label):
            if block.problem:
                yield Artifact(Kind.KEY, source, b"", problem=block.problem)
            else:
                yield _key(block, source, opener)
            continue
        kind = _KINDS.get(block.label, Kind.UNKNOWN)
        if block.problem:
            yield Artifact(kind, source, b"", problem=block.problem)
        elif kind is Kind.UNKNOWN:
            yield Artifact(kind, source, block.data, problem=f"a PEM block labelled '{block.label[:80]}'")
        else:
            yield from _artefacts(kind, _leading(block), source, opener)


def _leading(block: Block) -> bytes:
    """The certificate of a block; OpenSSL's TRUSTED CERTIFICATE has settings of its own after it."""
    if block.label != "TRUSTED CERTIFICATE":
        return block.data
    try:
        return block.data[: der.read(block.data)[2]]
    except ValueError:
        return block.data


def _of_octets(data: bytes, source: Source, opener: _Opener) -> Iterator[Artifact]:
    kind, label = _recognize(data)
    if kind is Kind.KEY:
        yield _key(Block(label, data), source, opener)
    elif kind is Kind.UNKNOWN:
        words = "the file is empty" if not data else "it is nothing that is known here, in PEM or in DER"
        yield Artifact(kind, replace(source, encoding=Encoding.NONE), data, problem=words)
    else:
        yield from _artefacts(kind, data, source, opener)


def _artefacts(kind: Kind, data: bytes, source: Source, opener: _Opener) -> Iterator[Artifact]:
    if kind is Kind.PKCS12:
        yield from containers.of_pkcs12(data, source, opener.passphrases, opener.allowance)
    elif kind is Kind.PKCS7:
        yield from containers.of_pkcs7(data, source)
    elif reader := _READERS.get(kind):
        try:
            yield Artifact(kind, source, data, reader(data))
        except Malformed as error:
            yield Artifact(kind, source, data, problem=str(error))
    else:
        yield Artifact(kind, source, data)


def _key(block: Block, source: Source, opener: _Opener) -> Artifact:
    held = open_key(block, opener.passphrases, opener.allowance)
    return Artifact(Kind.KEY, source, block.data, held, held.problem)


def _recognize(data: bytes) -> tuple[Kind, str]:
    """What DER octets are by their outline, and the PEM label of a private key."""
    try:
        if data[:1] != b"\x30":
            return Kind.UNKNOWN, ""
        if data[1:2] == b"\x80":
            return _recognize_ber(data), ""
        parts = der.children(data)
        shape = bytes(part[0] for part in parts[:9])
        return _of_shape(shape, parts)
    except (ValueError, IndexError):
        return Kind.UNKNOWN, ""


def _recognize_ber(data: bytes) -> Kind:
    """Containers alone occur in the field with indefinite lengths."""
    if data[2:5] == b"\x02\x01\x03":
        return Kind.PKCS12
    return Kind.PKCS7 if data[2:3] == b"\x06" else Kind.UNKNOWN


def _of_shape(shape: bytes, parts: list[bytes]) -> tuple[Kind, str]:
    if shape == b"\x30\x30\x03":
        return _signed(parts[0]), ""
    if shape[:2] == b"\x02\x30" and parts[0] == b"\x02\x01\x03":
        return Kind.PKCS12, ""
    if shape[:2] == b"\x06\xa0":
        return Kind.PKCS7, ""
    if shape[:3] == b"\x02\x30\x04":
        return Kind.KEY, "PRIVATE KEY"
    if shape == b"\x30\x04":
        return Kind.KEY, "ENCRYPTED PRIVATE KEY"
    if shape == b"\x02" * 9:
        return Kind.KEY, "RSA PRIVATE KEY"
    if shape[:2] == b"\x02\x04" and parts[0] == b"\x02\x01\x01":
        return Kind.KEY, "EC PRIVATE KEY"
    if shape == b"\x30\x03":
        return Kind.PUBLIC_KEY, ""
    if shape[:1] == b"\x0a":
        return Kind.OCSP_RESPONSE, ""
    return Kind.UNKNOWN, ""


def _signed(tbs: bytes) -> Kind:
    """What a signed structure is by the elements inside: certificate, CRL or request."""
    parts = der.children(tbs)
    shape = bytes(part[0] for part in parts)
    if shape[:3] == b"\x02\x30\x30" and [part[0] for part in der.children(parts[2])] == [0x30, 0x03]:
        return Kind.REQUEST
    without_version = shape.removeprefix(b"\x02")
    if without_version[:2] == b"\x30\x30" and without_version[2:3] in (b"\x17", b"\x18"):
        return Kind.CRL
    return Kind.CERTIFICATE
