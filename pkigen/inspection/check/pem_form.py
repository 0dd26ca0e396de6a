"""Finds what cannot be used in a file, including PEM that only pkigen, which is more tolerant, can read."""

from __future__ import annotations

import re
from collections.abc import Sequence

from pkigen.formats.read import private_key_label
from pkigen.inspection.artifacts import Artifact, Encoding, Kind, Source

_LABELS = {
    Kind.CERTIFICATE: ("CERTIFICATE", "X509 CERTIFICATE", "TRUSTED CERTIFICATE"),
    Kind.CRL: ("X509 CRL",),
    Kind.REQUEST: ("CERTIFICATE REQUEST", "NEW CERTIFICATE REQUEST"),
    # OpenSSL does not read OPENSSH, but requirements report that format (key-encoding).
    Kind.KEY: tuple(f"{form}PRIVATE KEY" for form in ("", "ENCRYPTED ", "RSA ", "EC ", "DSA ", "OPENSSH ")),
}
_PKCS7_LABELS = ("PKCS7", "CMS", "PKCS #7 SIGNED DATA")
_BOUNDARY = re.compile(rb"-----(?:BEGIN|END) [^\r\n-]*-----")
_UTF_16 = (b"\xff\xfe", b"\xfe\xff")
_UTF_8 = b"\xef\xbb\xbf"


def unusable_parts(content: Sequence[Artifact], data: bytes, file: str) -> list[Artifact]:
    """Return what cannot be used of a file's ``content``, each with its problem.

    A file that OpenSSL does not read is one more part. ``data`` are the bytes of the file. A key that no
    passphrase decrypts is not included: requirements state its problem.
    """
    unusable = [one for one in content if one.problem and one.key is None]
    if not any(one.problem for one in content) and any(_is_text(one.source) for one in content):
        problem = openssl_problem(data) or label_problem(content)
        if problem:
            unusable.append(unusable_file(file, problem, content[0].kind))
    return unusable


def unusable_file(file: str, problem: str, kind: Kind = Kind.UNKNOWN) -> Artifact:
    """Return the artifact of a file that cannot be used."""
    return Artifact(kind, Source(file, Encoding.NONE), b"", problem=problem)


def _is_text(source: Source) -> bool:
    return bool(source.label) or source.encoding is Encoding.BASE64


def openssl_problem(data: bytes) -> str:
    """Return why OpenSSL skips or rejects a PEM file or a block in it; "" if it reads all of it.

    OpenSSL accepts a BEGIN or END line only if it starts at the beginning of a line, which ends with LF, and
    contains nothing else (RFC 7468 also requires this of generators).
    """
    if data.startswith(_UTF_16) or b"\0-\0-\0-" in data:
        return _problem("it is encoded in UTF-16; convert it to ASCII")
    data = data.removeprefix(_UTF_8)
    if b"\r" in data and b"\n" not in data:
        return _problem("its lines end with CR; use LF or CR LF")
    for boundary in _BOUNDARY.finditer(data):
        start = data.rfind(b"\n", 0, boundary.start()) + 1
        end = data.find(b"\n", boundary.end())
        line = data.count(b"\n", 0, start) + 1
        before, after = data[start : boundary.start()], data[boundary.end() : end if end >= 0 else None]
        if before.strip() or after.strip():
            return _problem(f"line {line} contains more than the BEGIN or END line; insert a line break")
        if before:
            return _problem(f"line {line} is indented; remove the spaces before BEGIN and END lines")
    return ""


def label_problem(contents: Sequence[Artifact]) -> str:
    """Return which PEM label is missing, or which one OpenSSL does not expect for its content; "" if none."""
    for artifact in contents:
        source = artifact.source
        if source.encoding is Encoding.BASE64:
            return _problem("it is base64 without BEGIN and END lines")
        in_pkcs7 = source.encoding is Encoding.PKCS7
        labels = _PKCS7_LABELS if in_pkcs7 else _LABELS.get(artifact.kind, ())
        if source.label and labels and source.label not in labels:
            kind = Kind.PKCS7 if in_pkcs7 else artifact.kind
            usual = private_key_label(artifact.der) if kind is Kind.KEY else labels[0]
            return _problem(f"its {kind} has the label '{source.label[:80]}'; use '{usual}'")
    return ""


def _problem(reason: str) -> str:
    return f"OpenSSL does not read this PEM file: {reason}"
