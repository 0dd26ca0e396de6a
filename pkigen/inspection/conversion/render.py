"""Certificates, keys and chains -> the octets of files."""

from __future__ import annotations

import warnings
from collections.abc import Sequence

from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.serialization import pkcs12
from cryptography.x509 import InvalidVersion, load_der_x509_certificate

from pkigen.errors import InputError, panics_as_errors
from pkigen.formats import pem, private_keys
from pkigen.formats.output_formats import incompatible
from pkigen.formats.pkcs12 import encryption
from pkigen.inspection.conversion.selection import describe
from pkigen.inspection.conversion.write import Rendered
from pkigen.keys import PKCS12_KEYS, kind_of, load_private
from pkigen.keys.entropy import SystemEntropy
from pkigen.x509 import Certificate


def certificate_pem(certificate: Certificate) -> Rendered:
    """NAME.crt."""
    return Rendered(".crt", pem.certificate(certificate.der), f"certificate {describe(certificate)}")


def certificate_der(certificate: Certificate) -> Rendered:
    """NAME.der."""
    return Rendered(".der", certificate.der, f"certificate {describe(certificate)} in DER")


def chain_pem(chain: Sequence[Certificate]) -> Rendered:
    """NAME.pem."""
    count = "1 CA certificate" if len(chain) == 1 else f"{len(chain)} CA certificates, the issuing CA first"
    return Rendered(".pem", b"".join(pem.certificate(one.der) for one in chain), f"chain of {count}")


def key_pem(pkcs8: bytes, key_format: str, passphrase: bytes | None) -> Rendered:
    """NAME.key, as PKCS#8 or in the traditional format of its kind."""
    write = private_keys.pkcs8
    if key_format == "traditional":
        _must_fit(pkcs8, "key-traditional")
        write = private_keys.traditional
    return Rendered(".key", write(pkcs8, passphrase, SystemEntropy()), _holds(passphrase), secret=True)


def key_der(pkcs8: bytes, key_format: str, passphrase: bytes | None) -> Rendered:
    """NAME.key.der; the traditional formats have no place for encryption in DER."""
    if key_format != "traditional":
        data = private_keys.pkcs8_der(pkcs8, passphrase, SystemEntropy())
        return Rendered(".key.der", data, f"{_holds(passphrase)} in DER", secret=True)
    if passphrase is not None:
        raise InputError("a traditional key in DER cannot be under a passphrase; leave one of the two out")
    (block,) = pem.blocks(key_pem(pkcs8, key_format, None).data)
    return Rendered(".key.der", block.data, f"{_holds(None)} in DER", secret=True)


def key_store(
    pkcs8: bytes, path: Sequence[Certificate], alias: str, passphrase: bytes | None, *, legacy: bool
) -> Rendered:
    """NAME.p12: key, certificate and chain; ``legacy`` is 3DES and SHA-1, for readers from before 2018."""
    _must_fit(pkcs8, "pkcs12")
    key = load_private(pkcs8)
    assert isinstance(key, PKCS12_KEYS)
    try:
        with warnings.catch_warnings(action="ignore"), panics_as_errors():
            leaf, *chain = (load_der_x509_certificate(one.der) for one in path)
            cipher = encryption(passphrase, legacy=legacy)
            data = pkcs12.serialize_key_and_certificates(alias.encode(), key, leaf, chain, cipher)
    except UnicodeEncodeError:
        raise InputError("the alias cannot be written: it is not UTF-8") from None
    except (ValueError, InvalidVersion, UnsupportedAlgorithm) as error:
        raise InputError(f"PKCS#12 cannot be written: {str(error).partition(chr(10))[0]}") from error
    above = f", {len(chain)} above it" if chain else ""
    holds = f"{_holds(passphrase)}, certificate {describe(path[0])}{above}"
    return Rendered(".p12", data, holds, secret=True)


def _must_fit(pkcs8: bytes, form: str) -> None:
    if words := incompatible(kind_of(load_private(pkcs8)), form):
        raise InputError(words)


def _holds(passphrase: bytes | None) -> str:
    return "private key" if passphrase is None else "private key under a passphrase"
