"""Reads authorities from files: their certificate, the certificates above it, and their key."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from pkigen.asn1 import names
from pkigen.errors import InputError
from pkigen.model import ImportedCA
from pkigen.x509 import Certificate, CertificateList, Malformed
from pkigen.x509.public_key import same_key

if TYPE_CHECKING:
    from pkigen.inspection.artifacts import Artifact
    from pkigen.profile import ImportedCASpec

_SERIAL_BITS = 160
_RSA_PSS = "1.2.840.113549.1.1.10"


def read(spec: ImportedCASpec) -> tuple[ImportedCA, tuple[str, ...]]:
    """Read the authority in the files that a profile names, and return it with notes for the user.

    Each file can have any format that ``pkigen show`` reads, and contain the certificates in any order. The
    key can be in the certificate's file. Raises InputError for files that do not match.
    """
    artifacts = _artifacts(spec.certificate, spec)
    certificates = _certificates(artifacts, spec.certificate)
    pool = list(certificates)
    if spec.chain is not None:
        pool += _certificates(_artifacts(spec.chain, spec), spec.chain)
    keys = _keys(artifacts if spec.key is None else _artifacts(spec.key, spec), spec)
    own, key = _lowest(certificates), None
    if keys:
        own, key = _own_certificate(keys, certificates, spec)
        _check_can_issue(own, spec.certificate)
    path = _path(own, pool)
    notes = list(_notes(path, [one for one in dict.fromkeys(pool) if one not in path]))
    return ImportedCA(own.der, tuple(one.der for one in path[1:]), key), tuple(notes)


def _artifacts(path: Path, spec: ImportedCASpec) -> tuple[Artifact, ...]:
    from pkigen.inspection.artifacts import read_path

    return read_path(path, () if spec.passphrase is None else (spec.passphrase,))


def _certificates(artifacts: Sequence[Artifact], path: Path) -> list[Certificate]:
    certificates = [one.certificate for one in artifacts if one.certificate]
    if not certificates:
        reason = next((f": {one.problem}" for one in artifacts if one.problem), "")
        raise InputError(f"{path} contains no certificate{reason}")
    return certificates


def _keys(artifacts: Sequence[Artifact], spec: ImportedCASpec) -> list[bytes]:
    """Return the private keys in a file as PKCS#8; there may be none only in the certificate's file."""
    from pkigen.formats.read import usable_key
    from pkigen.inspection.artifacts import Kind

    keys = [one for one in artifacts if one.kind is Kind.KEY]
    path = spec.key or spec.certificate
    if not keys and spec.key is not None:
        reason = next((f": {one.problem}" for one in artifacts if one.problem), "")
        raise InputError(f"{path} contains no private key{reason}")
    readable = [one.key for one in keys if one.key is not None and one.key.pkcs8 is not None]
    if keys and not readable:
        raise InputError(f"the key in {path} cannot be read: {keys[0].problem}")
    if unsound := next((key.unsound for key in readable if key.unsound), ""):
        raise InputError(f"the key in {path} is damaged: {unsound}")
    return [usable_key(key.pkcs8) for key in readable if key.pkcs8 is not None]


def _own_certificate(
    keys: Sequence[bytes], certificates: Sequence[Certificate], spec: ImportedCASpec
) -> tuple[Certificate, bytes]:
    """Return the certificate that belongs to one of the keys, and that key."""
    from pkigen.keys import kind_of, load_private, public_key_info
    from pkigen.keys.kinds import LARGEST_RSA, refusal
    from pkigen.model import Signature

    path = spec.key or spec.certificate
    for key in keys:
        private = load_private(key)
        kind = kind_of(private)
        if kind.family == "rsa" and kind.size > LARGEST_RSA:
            raise InputError(f"the key in {path} has {kind.size} bits; RSA keys have {LARGEST_RSA} at most")
        # Only faults sign with DSA.
        dsa = "pkigen does not sign with DSA" if kind.family == "dsa" else None
        if words := dsa or refusal(kind, Signature()):
            raise InputError(
                f"the key in {path} cannot sign: {words}. Remove 'key' to import it as trusted only"
            )
        public = public_key_info(private)
        own = next((one for one in certificates if same_key(one.subject_public_key_info, public)), None)
        if own is None:
            continue
        if own.public_key.name == "ec (explicit parameters)":
            raise InputError(
                f"the certificate in {spec.certificate} describes its curve by parameters instead of "
                "a name; RFC 5480 (2.1.1) forbids this, and clients reject it"
            )
        return own, key
    raise InputError(f"the key in {path} does not belong to the certificate in {spec.certificate}")


def _lowest(certificates: list[Certificate]) -> Certificate:
    """Return the first certificate that issued none of the others: many files begin with the root."""
    issuers = {one.normalized_issuer for one in certificates if not one.is_self_issued}
    return next((one for one in certificates if one.normalized_subject not in issuers), certificates[0])


def _path(own: Certificate, pool: Iterable[Certificate]) -> list[Certificate]:
    """Return a CA certificate and those above it, each issued by the next, as far as the files go."""
    from pkigen.keys.verify import is_signed_by

    path = [own]
    while not path[-1].is_self_issued:
        issuers = [
            one for one in pool if one.normalized_subject == path[-1].normalized_issuer and one not in path
        ]
        signed = [one for one in issuers if is_signed_by(path[-1], one)]
        if not signed:
            break
        path.append(min(signed, key=lambda one: not one.is_self_issued))
    return path


def _notes(path: list[Certificate], unused: list[Certificate]) -> Iterator[str]:
    if unused:
        subjects = "; ".join(names.text(one.subject) or "an empty subject" for one in unused[:3])
        more = f" and {len(unused) - 3} more" if len(unused) > 3 else ""
        yield f"certificates in its files that are not on its path were not used: {subjects}{more}"
    if not path[-1].is_self_issued:
        yield (
            f"its root is missing: trust.pem contains {names.text(path[-1].subject)} instead, which some "
            "clients do not accept as a trust anchor. Add the root's certificate to 'chain'"
        )


def _check_can_issue(certificate: Certificate, path: Path) -> None:
    """Refuse a certificate that no validator accepts as an issuer (RFC 5280, 6.1.4 (k) and (n))."""
    if certificate.public_key.algorithm == _RSA_PSS:
        raise InputError(f"the certificate in {path} is for RSA-PSS alone, which is not supported")
    try:
        constraints, usage = certificate.extensions.basic_constraints, certificate.extensions.key_usage
    except Malformed as error:
        raise InputError(f"the certificate in {path} has extensions that cannot be read: {error}") from error
    if constraints is None or not constraints.ca:
        raise InputError(f"the certificate in {path} is not a CA's: its basic constraints do not say so")
    if usage is not None and "keyCertSign" not in usage:
        raise InputError(f"the certificate in {path} may not issue: its key usage lacks keyCertSign")


def read_previous_crl(path: Path, imported: ImportedCA) -> CertificateList:
    """Return the CRL in a file that an imported CA published before; InputError for any other file."""
    from pkigen.inspection.artifacts import read_path
    from pkigen.keys.verify import is_signed_by

    issuer = Certificate(imported.certificate)
    crls = [one.crl for one in read_path(path) if one.crl is not None]
    if len(crls) != 1:
        raise InputError(f"{path} contains {len(crls) or 'no'} CRLs that can be read; give one")
    try:
        if crls[0].base_number is not None:
            raise InputError(f"the CRL in {path} is a delta CRL; give a complete CRL")
        if not is_signed_by(crls[0], issuer):
            raise InputError(f"the CRL in {path} is not signed by {names.text(issuer.subject)}")
        if any(not 0 <= entry.serial < 1 << _SERIAL_BITS for entry in crls[0].entries()):
            raise InputError(f"the CRL in {path} has an entry whose serial number is negative or too long")
    except Malformed as error:
        raise InputError(f"the CRL in {path} cannot be read: {error}") from error
    return crls[0]


def kind_of_certificate(certificate: bytes) -> str:
    """Return the name of the key kind of a certificate; of an unsupported key, a description."""
    from cryptography.exceptions import UnsupportedAlgorithm
    from cryptography.hazmat.primitives.serialization import load_der_public_key

    from pkigen.keys import kind_of_public

    parsed = Certificate(certificate)
    try:
        return kind_of_public(load_der_public_key(parsed.subject_public_key_info)).name
    except (ValueError, UnsupportedAlgorithm):
        return parsed.public_key.name
