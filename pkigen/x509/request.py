"""CertificationRequest (RFC 2986, 4)."""

from __future__ import annotations

from functools import cached_property

from pkigen import der
from pkigen.model import Name
from pkigen.oids import EXTENSION_REQUEST
from pkigen.x509 import decoding
from pkigen.x509.algorithms import AlgorithmIdentifier, algorithm_identifier
from pkigen.x509.decoding import Malformed, decoder, elements
from pkigen.x509.extensions import Extensions, extensions
from pkigen.x509.public_key import PublicKey, public_key


class CertificationRequest:
    """A request (CSR); Malformed at once when not even its outline is one."""

    @decoder("the request")
    def __init__(self, data: bytes) -> None:
        self.der = data
        self.info, self._algorithm, self._signature = elements(data, "the request")
        version, self._subject, self.subject_public_key_info, *rest = elements(
            self.info, "the request's information"
        )
        if version[0] != der.INTEGER or self.subject_public_key_info[0] != der.SEQUENCE:
            raise Malformed("this is no request")
        self._attributes = rest[0] if rest else b"\xa0\x00"

    @cached_property
    def subject(self) -> Name:
        """The subject's name."""
        return decoding.decoder("the subject")(decoding.name)(self._subject, "the subject")

    @cached_property
    def public_key(self) -> PublicKey:
        """The public key."""
        return public_key(self.subject_public_key_info)

    @cached_property
    def signature_algorithm(self) -> AlgorithmIdentifier:
        """The algorithm of the request's own signature."""
        return algorithm_identifier(self._algorithm)

    @property
    def signature(self) -> bytes:
        """The signature's octets."""
        return decoding.expect(self._signature, der.BIT_STRING, "the signature")[1:]

    @cached_property
    def extensions(self) -> Extensions:
        """The extensions that are asked for (PKCS#9 extensionRequest)."""
        return _requested(self._attributes)


@decoder("the request's attributes")
def _requested(attributes: bytes) -> Extensions:
    for attribute in der.children(attributes):
        oid, values = der.children(attribute)
        if der.dotted(oid) == EXTENSION_REQUEST:
            return extensions(der.children(values)[0])
    return Extensions()
