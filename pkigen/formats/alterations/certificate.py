"""Alterations of the certificate file: other formats, and other content."""

from __future__ import annotations

from collections.abc import Callable

from pkigen.asn1 import der, names
from pkigen.formats import pem
from pkigen.formats.alterations.draft import FileDraft
from pkigen.keys import kind_of, load_private
from pkigen.keys.entropy import SeededEntropy
from pkigen.keys.kinds import refusal
from pkigen.keys.signing import sign, signature_algorithm
from pkigen.model import Signature

_DATA, _SIGNED_DATA = "1.2.840.113549.1.7.1", "1.2.840.113549.1.7.2"
_DEFAULT = Signature()


def _der(draft: FileDraft, _argument: str) -> None:
    draft.write("certificate", draft.certificate)


def _pkcs7(draft: FileDraft, _argument: str) -> None:
    draft.write("certificate", pkcs7((draft.certificate,)))


def _leaf_last(draft: FileDraft, _argument: str) -> None:
    """Put the certificate after the issuing CA's."""
    draft.write("certificate", b"".join(map(pem.certificate, (draft.chain[0], draft.certificate))))


def _request(draft: FileDraft, _argument: str) -> None:
    """Write a CertificationRequest (RFC 2986, section 4) for the same key and name."""
    key = load_private(draft.key)
    problem = refusal(kind_of(key), _DEFAULT)
    if problem is not None:
        raise ValueError(problem)
    subject = names.encode(draft.issued.entity.certificates[0].subject)
    info = der.sequence(der.integer(0), subject, draft.issued.public_key, der.explicit(0))
    entropy = draft.entropy if isinstance(draft.entropy, SeededEntropy) else None
    signature = der.bit_string(sign(key, info, _DEFAULT, entropy))
    request = der.sequence(info, signature_algorithm(key, _DEFAULT), signature)
    draft.write("certificate", pem.encode("CERTIFICATE REQUEST", request))


def pkcs7(certificates: tuple[bytes, ...]) -> bytes:
    """Return SignedData without signatures (RFC 2315, section 9.1) in PEM: a bag of certificates."""
    signed = der.sequence(
        der.integer(1),
        der.set_of(),
        der.sequence(der.oid(_DATA)),
        der.explicit(0, *certificates),
        der.set_of(),
    )
    return pem.encode("PKCS7", der.sequence(der.oid(_SIGNED_DATA), der.explicit(0, signed)))


CERTIFICATE_ALTERATIONS: dict[str, Callable[[FileDraft, str], None]] = {
    "der": _der,
    "pkcs7": _pkcs7,
    "request": _request,
    "leaf-last": _leaf_last,
}
