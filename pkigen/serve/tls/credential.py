"""What a server presents for a case: the certificates as its files stand, a key, an OCSP answer."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from pkigen.asn1 import oids
from pkigen.environment.environment import Case
from pkigen.environment.ocsp.responder import OcspResponder
from pkigen.errors import InputError
from pkigen.files import read_file
from pkigen.inspection.artifacts import (
    FILE_BYTES,
    Artifact,
    Kind,
    read,
)
from pkigen.keys import PrivateKey, load_private
from pkigen.serve.tls.handshake_signature import Prover, stand_in
from pkigen.x509 import Certificate, Malformed

_SECRET = (Kind.KEY, Kind.PKCS12)
_HANDSHAKE = "tls"


@dataclass(frozen=True)
class Credential:
    """``certificates`` are the octets that go into the handshake, ``staple`` an OCSPResponse.

    ``ways`` are what the server does wrong, by the manifest's words, with their arguments. ``note`` says
    why the key is not the case's own, where it should be.
    """

    case: Case
    certificates: tuple[bytes, ...] = field(repr=False)
    prover: Prover
    staple: bytes | None = field(default=None, repr=False)
    ways: dict[str, str] = field(default_factory=dict)
    note: str = ""


def credential(
    case: Case, presented: Case, passphrases: Sequence[bytes] = (), responder: OcspResponder | None = None
) -> Credential:
    """What is presented for ``case``: the files of ``presented``, which differs if a fault says so.

    A sound certificate that leads to OCSP, or wants a stapled answer, gets the one that ``responder`` gives
    now. Of a case with a fault it is for the case to say.

    Every file is read anew. One that is not there counts as empty, one that cannot be read is an
    InputError. A key that does not open is replaced by one that is nobody's, since a handshake without a
    signature would not show the certificate.
    """
    ways = handshake_ways(case)
    kind = str(presented.data["key"]["kind"])
    key, note = _key(presented, passphrases)
    if "certificate-verify-other-key" in ways:
        key = stand_in(kind)
    prover = Prover(key or stand_in(kind), spoiled="bad-certificate-verify" in ways)
    certificates = () if "no-certificate" in ways else _path(presented, with_root="chain-with-root" in ways)
    staple = None if "stapled-missing" in ways else _staple(presented, certificates, responder)
    return Credential(case, certificates, prover, staple, ways, note)


def handshake_ways(case: Case) -> dict[str, str]:
    """What a server does wrong for a case in the handshake, with the argument of each."""
    served = case.data.get("serving", ())
    return {str(one["how"]): str(one["argument"]) for one in served if one["url"] == _HANDSHAKE}


def certificates_in(data: bytes, name: str) -> tuple[bytes, ...]:
    """What a file presents: its certificates, or else all that is in it, or else its own octets.

    Nothing of a file with a key in it but the certificates is ever presented.
    """
    found = read(data, name)
    if certificates := tuple(one.der for one in found if _is_certificate(one)):
        return certificates
    if any(artefact.kind in _SECRET for artefact in found) or b"PRIVATE KEY" in data.replace(b"\0", b""):
        return ()
    return tuple(artefact.der for artefact in found if artefact.der) or ((data,) if data else ())


def _path(case: Case, *, with_root: bool) -> tuple[bytes, ...]:
    """The certificate's file and the chain's; the root at the end is left out, since clients have it.

    Without a certificate there is nothing to send a chain for.
    """
    own = certificates_in(_octets(case, "certificate"), "the certificate")
    chain = [one for one in read(_octets(case, "chain"), "the chain") if _is_certificate(one)]
    last = chain[-1].certificate if chain else None
    if last is not None and last.is_self_issued and not with_root:
        chain.pop()
    return own + tuple(one.der for one in chain) if own else ()


def _is_certificate(artefact: Artifact) -> bool:
    return artefact.kind is Kind.CERTIFICATE and bool(artefact.der)


def _key(case: Case, passphrases: Sequence[bytes]) -> tuple[PrivateKey | None, str]:
    """The first key of the key's file, as servers take it; or None and why there is none."""
    own = _octets(case, "passphrase").removesuffix(b"\n")
    found = read(_octets(case, "key"), "its key", (own, *passphrases) if own else passphrases)
    held = next(_opened(found), None)
    if held is None:
        return None, next((one.problem for one in found if one.problem), "it holds no private key")
    return load_private(held), ""


def _opened(found: Sequence[Artifact]) -> Iterator[bytes]:
    for artefact in found:
        if artefact.key is not None and artefact.key.pkcs8 is not None:
            yield artefact.key.pkcs8


def _staple(case: Case, certificates: Sequence[bytes], responder: OcspResponder | None) -> bytes | None:
    """The OCSP answer on the disk, if there is one with anything in it; or else the responder's."""
    told, issuer = case.data.get("ocsp"), case.data["issuer"]
    if told:
        return _read(case.folder / str(told["file"])) or None
    if responder is None or issuer is None or case.fault is not None:
        return None
    if not certificates or not _leads_to_ocsp(certificates[0]):
        return None
    given = responder.respond_about(issuer, int(case.data["serial"], 16))
    return None if given.next_update is None else given.response


def _leads_to_ocsp(certificate: bytes) -> bool:
    try:
        found = Certificate(certificate).extensions
        if found.raw(oids.TLS_FEATURE) is not None:
            return True
        return any(method == oids.OCSP_ACCESS for method, _ in found.authority_information_access or ())
    except Malformed:
        return False


def _octets(case: Case, kind: str) -> bytes:
    path = case.data["files"].get(kind)
    return _read(case.folder / str(path)) if path else b""


def _read(path: Path) -> bytes:
    if not path.exists():
        return b""
    try:
        return read_file(path, FILE_BYTES)
    except ValueError as error:
        raise InputError(str(error)) from error
