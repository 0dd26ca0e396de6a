"""Renders certificates, keys and chains as the content of files."""

from __future__ import annotations

from collections.abc import Sequence

from cryptography.exceptions import UnsupportedAlgorithm

from pkigen.errors import InputError
from pkigen.formats import keytool, pem, private_keys
from pkigen.formats.output_formats import incompatible
from pkigen.formats.pkcs7 import pkcs7_file
from pkigen.formats.pkcs12 import Protection, pkcs12_file
from pkigen.inspection.conversion.selection import describe
from pkigen.inspection.conversion.write import Rendered
from pkigen.keys import kind_of, load_private
from pkigen.keys.entropy import SystemEntropy
from pkigen.x509 import Certificate


def certificate_pem(certificate: Certificate) -> Rendered:
    """Return NAME.crt."""
    return Rendered(".crt", pem.certificate(certificate.der), f"certificate {describe(certificate)}")


def certificate_der(certificate: Certificate) -> Rendered:
    """Return NAME.der."""
    return Rendered(".der", certificate.der, f"certificate {describe(certificate)} in DER")


def chain_pem(chain: Sequence[Certificate]) -> Rendered:
    """Return NAME.pem."""
    count = "1 CA certificate" if len(chain) == 1 else f"{len(chain)} CA certificates, the issuing CA first"
    return Rendered(".pem", b"".join(pem.certificate(one.der) for one in chain), f"chain of {count}")


def key_pem(pkcs8: bytes, key_format: str, passphrase: bytes | None) -> Rendered:
    """Return NAME.key, as PKCS#8 or in the traditional format of the kind of key."""
    write = private_keys.pkcs8
    if key_format == "traditional":
        _must_fit(pkcs8, "key-traditional")
        write = private_keys.traditional
    return Rendered(".key", write(pkcs8, passphrase, SystemEntropy()), _holds(passphrase), secret=True)


def key_der(pkcs8: bytes, key_format: str, passphrase: bytes | None) -> Rendered:
    """Return NAME.key.der; the traditional formats cannot be encrypted in DER."""
    if key_format != "traditional":
        data = private_keys.pkcs8_der(pkcs8, passphrase, SystemEntropy())
        return Rendered(".key.der", data, f"{_holds(passphrase)} in DER", secret=True)
    if passphrase is not None:
        raise InputError(
            "a traditional key in DER cannot be encrypted; omit --key-format or --new-passphrase-file"
        )
    (block,) = pem.blocks(key_pem(pkcs8, key_format, None).data)
    return Rendered(".key.der", block.data, f"{_holds(None)} in DER", secret=True)


def key_store(
    pkcs8: bytes, path: Sequence[Certificate], alias: str, passphrase: bytes | None, *, legacy: bool
) -> Rendered:
    """Return NAME.p12: key, certificate and chain; ``legacy`` uses 3DES and SHA-1, for old programs."""
    _must_fit(pkcs8, "pkcs12")
    try:
        (passphrase or b"").decode("utf-8")
    except UnicodeDecodeError:
        raise InputError("PKCS#12 cannot be written: the new passphrase is not UTF-8") from None
    protection = Protection.LEGACY if legacy else Protection.AES
    try:
        data = pkcs12_file(pkcs8, [one.der for one in path], alias, passphrase, protection=protection)
    except UnicodeEncodeError:
        raise InputError("the alias cannot be written: it is not UTF-8") from None
    above = f", {len(path) - 1} above it" if len(path) > 1 else ""
    holds = f"{_holds(passphrase)}, certificate {describe(path[0])}{above}"
    return Rendered(".p12", data, holds, secret=True)


def java_key_store(
    pkcs8: bytes, path: Sequence[Certificate], alias: str, passphrase: bytes | None
) -> Rendered:
    """Return NAME.jks: key, certificate and chain; written by keytool."""
    if passphrase is None:
        raise InputError("a JKS file needs a passphrase; add --new-passphrase-file FILE")
    store = key_store(pkcs8, path, alias, passphrase, legacy=True)
    return Rendered(".jks", keytool.java_key_store(store.data, passphrase), store.holds, secret=True)


def pkcs7(certificates: Sequence[Certificate], crls: Sequence[bytes]) -> Rendered:
    """Return NAME.p7b."""
    count = f"{len(certificates)} certificate{'s' * (len(certificates) != 1)}"
    also = f" and {len(crls)} CRL{'s' * (len(crls) != 1)}" if crls else ""
    return Rendered(".p7b", pkcs7_file([one.der for one in certificates], crls), f"PKCS#7 with {count}{also}")


def _must_fit(pkcs8: bytes, form: str) -> None:
    try:
        kind = kind_of(load_private(pkcs8))
    except (ValueError, UnsupportedAlgorithm) as error:
        if form == "pkcs12":
            return
        raise InputError("pkigen cannot write a traditional key of this kind; use PKCS#8") from error
    if reason := incompatible(kind, form):
        raise InputError(reason)


def _holds(passphrase: bytes | None) -> str:
    return "private key" if passphrase is None else "encrypted private key"
