"""Client authentication: trust anchors and CRLs in each form that servers need, and the clients' files."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from hashlib import sha1

from OpenSSL import crypto

from pkigen.environment.crl.publish import BUNDLE
from pkigen.export.case_files import CaseFiles, NotExportable, exportable_cases
from pkigen.export.draft import Draft, read_bytes
from pkigen.export.server_certificates import Server, check_handshake, separate_files, servers
from pkigen.export.tls_check import loads_in_openssl
from pkigen.formats import pem
from pkigen.inspection.artifacts import Kind, read
from pkigen.x509 import Certificate, Malformed

_PURPOSES = {"clientAuth", "any"}


@dataclass(frozen=True)
class Client:
    """A client's certificate: its paths, whether a server should accept it, and the digest for pinning."""

    name: str
    certificate: str
    key: str
    accepted: bool
    sha1: str


def authenticating_servers(draft: Draft, configurations: Mapping[str, str]) -> tuple[Server, ...]:
    """Add the files of servers and clients, and the configurations of each server; return the servers.

    ``configurations`` contains templates by path; ``NAME`` in a path stands for the server's name.
    """
    endpoints = servers(draft)
    draft.trust()
    clients = [_client(files) for files in add_client_authentication(draft)]
    for server in endpoints:
        for path, template in configurations.items():
            draft.render(path.replace("NAME", server.name), template, server=server, clients=clients)
    return endpoints


def add_client_authentication(draft: Draft) -> tuple[CaseFiles, ...]:
    """Add the files that a server needs to verify clients, and those of each client; return the latter.

    ``crls.pem`` contains the CRLs of all CAs, ``trust-crls.pem`` the trust anchors and the CRLs, and
    ``trust/`` the same in files with the names that ``openssl rehash`` gives them. A client's files are
    ``certs/NAME.pem``, with the CA certificates that it sends, and ``private/NAME.key``.
    """
    crls = read_bytes(draft.given.environment.folder / BUNDLE)
    draft.add(BUNDLE, crls)
    draft.add("trust-crls.pem", draft.given.anchors + crls)
    _add_hashed_directory(draft, crls)
    reasons = dict[str, str]()
    clients = tuple(
        exportable_cases(draft, _check_purpose, check_handshake, loads_in_openssl(), left_out=reasons)
    )
    for files in clients:
        name = files.case.name
        if f"certs/{name}.pem" not in draft.files:
            separate_files(draft, files)
        if draft.left_out.pop(name, None) is not None:
            draft.exported.append(name)
    return clients


def certificates(data: bytes) -> tuple[bytes, ...]:
    """Return the certificates in ``data`` in DER, even if they are malformed."""
    return tuple(one.der for one in read(data, "the certificate") if one.kind is Kind.CERTIFICATE)


def _client(files: CaseFiles) -> Client:
    name, (leaf, *_) = files.case.name, certificates(files.certificate)
    digest = sha1(leaf, usedforsecurity=False).hexdigest().upper()
    pairs = ":".join(digest[place : place + 2] for place in range(0, len(digest), 2))
    return Client(name, f"certs/{name}.pem", f"private/{name}.key", files.case.accepted, f"SHA1:{pairs}")


def _add_hashed_directory(draft: Draft, crls: bytes) -> None:
    """Add each trust anchor as ``trust/HASH.N`` and each CRL as ``trust/HASH.rN``, for OpenSSL and Erlang."""
    environment, numbers = draft.given.environment, Counter[str]()
    hashes = dict[bytes, str]()
    issuers = [
        read_bytes(environment.folder / one.files["certificate"]) for one in environment.contents.authorities
    ]
    for der in {der for data in (draft.given.anchors, *issuers) for der in certificates(data)}:
        try:
            name_hash = crypto.load_certificate(crypto.FILETYPE_ASN1, der).subject_name_hash()
            hashes[Certificate(der).subject_der] = f"{name_hash:08x}"
        except (crypto.Error, Malformed):
            continue  # a malformed certificate cannot be a trust anchor
    blocks = [
        (der, Certificate(der).subject_der, "", pem.CERTIFICATE) for der in certificates(draft.given.anchors)
    ]
    blocks += [
        (one.der, one.crl.issuer_der, "r", pem.CRL) for one in read(crls, BUNDLE) if one.crl is not None
    ]
    for der, name, kind, label in blocks:
        if name in hashes:
            stem = f"{hashes[name]}.{kind}"
            draft.add(f"trust/{stem}{numbers[stem]}", pem.encode(label, der))
            numbers[stem] += 1


def revoked_serial_numbers(draft: Draft) -> tuple[int, ...]:
    """Return the serial numbers of the environment's CRLs, for servers that read no CRL."""
    crls = read(read_bytes(draft.given.environment.folder / BUNDLE), BUNDLE)
    return tuple(sorted({entry.serial for one in crls if one.crl for entry in one.crl.entries()}))


def is_for_clients(files: CaseFiles) -> bool:
    """Return whether the extended key usage permits TLS clients, or cannot be read."""
    try:
        purposes = [
            Certificate(der).extensions.extended_key_usage for der in certificates(files.certificate)[:1]
        ]
    except Malformed:
        return True
    return any(one is None or not _PURPOSES.isdisjoint(one) for one in purposes)


def _check_purpose(files: CaseFiles) -> None:
    if not is_for_clients(files):
        raise NotExportable("its extended key usage does not permit TLS clients")
