"""Certification requests (PKCS#10): what a device asks for, in the form of a profile."""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path

from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.serialization import load_der_public_key

from pkigen.asn1 import der, names
from pkigen.asn1.names import SHORT_NAMES
from pkigen.documents import limits
from pkigen.errors import InputError, panics_as_errors
from pkigen.files import read_file
from pkigen.formats import pem
from pkigen.keys import kind_of_public
from pkigen.keys.verify import Verdict, verdict
from pkigen.model import GivenKey, Name
from pkigen.profile.name_fields import GeneralName, Pairs, distinguished_name, parse_general_name
from pkigen.x509 import CertificationRequest, Extensions, Malformed
from pkigen.x509 import GeneralName as DecodedName

_LABELS = ("CERTIFICATE REQUEST", "NEW CERTIFICATE REQUEST")
_CHALLENGE_PASSWORD = "1.2.840.113549.1.9.7"  # noqa: S105  an OID
_MOST_NAMES = 1000


class UnprovenPossession(ValueError):
    """A request that is not signed with its own key."""


@dataclass(frozen=True)
class Requested:
    """What a device asks for: a certificate with its key, a subject and extensions.

    ``public_key`` is the SubjectPublicKeyInfo in DER. ``der`` is the certification request (PKCS#10), empty
    if the request came in another form. ``challenge_password`` is that of RFC 2985, 5.4.1.
    """

    public_key: bytes
    subject: Name
    extensions: Extensions
    der: bytes = field(default=b"", repr=False)
    challenge_password: str | None = field(default=None, repr=False)

    @cached_property
    def key_kind(self) -> str:
        """The kind of the key; ValueError if pkigen does not support it."""
        try:
            with panics_as_errors():
                return kind_of_public(load_der_public_key(self.public_key)).name
        except (ValueError, UnsupportedAlgorithm) as error:
            raise ValueError(f"its key is not supported: {error}") from error

    @property
    def given_key(self) -> GivenKey:
        """The key of the entity to issue."""
        return GivenKey(self.public_key)

    @property
    def subject_pairs(self) -> Pairs:
        """The subject in the form of a profile; ValueError for one that a profile cannot have."""
        pairs = list[tuple[str, str]]()
        for rdn in self.subject:
            for number, attribute in enumerate(rdn):
                if not isinstance(attribute.value, str):
                    raise ValueError("its subject contains a value that is not a text")
                kind = SHORT_NAMES.get(attribute.oid, attribute.oid)
                distinguished_name({kind: attribute.value})
                pairs.append((f"+{kind}" if number else kind, attribute.value))
        return tuple(pair for pair in pairs if pair[1])

    @property
    def names(self) -> tuple[GeneralName, ...]:
        """The subject alternative names in the form of a profile; ValueError for one that it cannot have."""
        try:
            requested = self.extensions.alternative_names or ()
        except Malformed as error:
            raise ValueError(f"its subject alternative names cannot be read: {error}") from error
        if len(requested) > _MOST_NAMES:
            raise ValueError(f"it has more than {_MOST_NAMES} subject alternative names")
        return tuple(map(_name_in_profile, requested))


def _name_in_profile(name: DecodedName) -> GeneralName:
    if name.kind == "other" and name.type_id:
        return parse_general_name({"other": {"oid": name.type_id, "der": name.der.hex()}})
    if name.kind == "dirname":
        subject = Requested(b"", names.decode(name.der), Extensions()).subject_pairs
        return GeneralName("dirname", subject)
    return parse_general_name(f"{name.kind}:{name.value}")


def read_request(data: bytes) -> Requested:
    """Return what a certification request in PEM or DER asks for; InputError if it cannot be read.

    The signature is not verified: see ``check_possession``.
    """
    blocks = [block for block in pem.scan(data) if block.label in _LABELS]
    if len(blocks) > 1:
        raise InputError("the file contains several requests; give one")
    if blocks and blocks[0].problem:
        raise InputError(f"the request cannot be read: {blocks[0].problem}")
    encoded = blocks[0].data if blocks else data
    try:
        request = CertificationRequest(encoded)
        subject, extensions = request.subject, request.extensions
        password = next((v for oid, v in request.other_attributes if oid == _CHALLENGE_PASSWORD), None)
        text = None if password is None else der.contents(password).decode("utf-8", "replace")
        return Requested(request.subject_public_key_info, subject, extensions, encoded, text)
    except (ValueError, IndexError) as error:
        what = "the file is not a certification request (PKCS#10) in PEM or DER"
        raise InputError(f"{what}: {error}" if blocks else what) from error


def read_request_file(path: Path) -> bytes:
    """Return the contents of a file with a request; InputError if it cannot be read."""
    try:
        return read_file(path, limits.KEY_FILE_BYTES)
    except ValueError as error:
        raise InputError(str(error)) from error


def check_possession(requested: Requested) -> None:
    """Raise UnprovenPossession if a request is not signed with the private key of its public key."""
    if verdict(CertificationRequest(requested.der), requested.public_key) is Verdict.GOOD:
        return
    raise UnprovenPossession(
        "its signature does not verify with its own key, so the requester has not proved that it has the key"
    )
