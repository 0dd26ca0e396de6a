"""PKCS#7 (RFC 2315) and PKCS#12 (RFC 7292): the artefacts inside."""

from __future__ import annotations

import warnings
from collections.abc import Iterator, Sequence
from dataclasses import replace

from cryptography import x509
from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.serialization import Encoding as To
from cryptography.hazmat.primitives.serialization import pkcs7, pkcs12

from pkigen.errors import panics_as_errors
from pkigen.inspection.artifacts.artifact import (
    Artifact,
    Encoding,
    Kind,
    Source,
)
from pkigen.inspection.artifacts.kdf_limits import KdfBudget
from pkigen.inspection.artifacts.keys import KeyFile
from pkigen.keys import PrivateKey, public_key_info, to_pkcs8
from pkigen.x509 import Certificate, Malformed
from pkigen.x509.public_key import public_key


def of_pkcs7(data: bytes, source: Source) -> Iterator[Artifact]:
    """The certificates of a SignedData, or the container itself with what is wrong with it."""
    try:
        with warnings.catch_warnings(), panics_as_errors():
            # openssl itself writes certificates that are not sorted as DER wants a SET to be.
            warnings.simplefilter("ignore")
            found = pkcs7.load_der_pkcs7_certificates(data)
    except (ValueError, UnsupportedAlgorithm, x509.InvalidVersion) as error:
        yield Artifact(Kind.PKCS7, source, data, problem=f"it cannot be read: {_in_short(error)}")
        return
    inside = replace(source, encoding=Encoding.PKCS7, before=b"")
    if not found:
        yield Artifact(Kind.PKCS7, inside, data, problem="it holds no certificate")
    for certificate in found:
        yield _certificate(certificate, inside)


def of_pkcs12(
    data: bytes, source: Source, passphrases: Sequence[bytes], allowance: KdfBudget
) -> Iterator[Artifact]:
    """Key, certificate and further certificates, or the container with why it does not open.

    The empty passphrase is tried as well: much that is exported has none.
    """
    inside = replace(source, encoding=Encoding.PKCS12, before=b"")
    problem = ""
    for passphrase in (*passphrases, b"", None):
        if b"\x00" in (passphrase or b""):
            problem = problem or "no PKCS#12 is opened by a passphrase with a NUL in it"
            continue
        if words := allowance.refusal(data):
            problem = problem or words
            break
        try:
            with warnings.catch_warnings(), panics_as_errors():
                # BER, which Windows and Java write, is read, and its users need not be told.
                warnings.simplefilter("ignore")
                held = pkcs12.load_pkcs12(data, passphrase)
        except (ValueError, TypeError, UnsupportedAlgorithm, x509.InvalidVersion) as error:
            problem = problem or _in_short(error)
            continue
        yield from _contents(held, inside, passphrase)
        return
    if not passphrases and "password" in problem.lower():
        problem = "it is under a passphrase, and none was given"
    elif "password" in problem.lower():
        problem = "the passphrase is wrong, or it is damaged"
    yield Artifact(Kind.PKCS12, inside, data, problem=problem)


def _contents(
    held: pkcs12.PKCS12KeyAndCertificates, source: Source, passphrase: bytes | None
) -> Iterator[Artifact]:
    if held.key is not None:
        yield _key(held.key, source, passphrase)
    for found in (held.cert, *held.additional_certs):
        if found is not None:
            name = (found.friendly_name or b"").decode("utf-8", "replace")
            yield _certificate(found.certificate, source, name)


def _key(key: object, source: Source, passphrase: bytes | None) -> Artifact:
    if not isinstance(key, PrivateKey):
        words = "the key is of a kind that is not supported"
        held = KeyFile("PKCS#12", encrypted=bool(passphrase), problem=words)
        return Artifact(Kind.KEY, source, b"", held, held.problem)
    pkcs8 = to_pkcs8(key)
    try:
        public = public_key(public_key_info(key))
    except Malformed as error:
        held = KeyFile("PKCS#12", encrypted=bool(passphrase), problem=str(error))
        return Artifact(Kind.KEY, source, pkcs8, held, held.problem)
    return Artifact(Kind.KEY, source, pkcs8, KeyFile("PKCS#12", bool(passphrase), pkcs8, passphrase, public))


def _certificate(certificate: x509.Certificate, source: Source, name: str = "") -> Artifact:
    data = certificate.public_bytes(To.DER)
    try:
        return Artifact(Kind.CERTIFICATE, source, data, Certificate(data), friendly_name=name)
    except Malformed as error:
        return Artifact(Kind.CERTIFICATE, source, data, problem=str(error), friendly_name=name)


def _in_short(error: Exception) -> str:
    return str(error).partition("\n")[0][:200] or type(error).__name__
