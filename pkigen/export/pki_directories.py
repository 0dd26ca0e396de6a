"""PKI directories of OPC UA applications (OPC 10000-12, Annex F): own, trusted and issuer."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from pkigen.environment.environment import Environment
from pkigen.environment.manifest.schema import Authority
from pkigen.export.case_files import CaseFiles, NotExportable, exportable_cases
from pkigen.export.draft import Draft, read_bytes
from pkigen.formats import pem, private_keys
from pkigen.inspection.artifacts import Kind, read
from pkigen.keys.entropy import SystemEntropy


@dataclass(frozen=True)
class Layout:
    """The names in a PKI directory that differ between implementations; NAME is the certificate's name.

    ``issuer`` is the directory of the CAs that complete a chain. A certificate file with the suffix .der
    has the certificate alone, any other one is PEM and has the CAs that complete the chain, too.
    """

    issuer: str = "issuer"
    certificate: str = "NAME.der"
    key: str = "NAME.pem"
    crl_suffix: str = ".crl"


@dataclass(frozen=True)
class _Trusted:
    """A certificate for the trust list: its directory (trusted or issuer), name, and the CRL of a CA."""

    directory: str
    name: str
    certificates: tuple[bytes, ...]
    crl: bytes | None = None


def add_pki_directories(draft: Draft, layout: Layout) -> None:
    """Add the directory NAME for each application: its certificate and key, and what it trusts.

    The CAs that issued the environment's certificates without a fault are trusted; the CAs above them are
    issuers, which complete a chain without being trusted.
    """
    trust_list = tuple(_trust_list(draft.given.environment, layout))
    for files in exportable_cases(draft, _check_key):
        name = files.case.name
        path = _certificates(files.full)
        file_name = layout.certificate.replace("NAME", name)
        data = path[0] if file_name.endswith(".der") else b"".join(map(pem.certificate, path))
        draft.add(f"{name}/own/certs/{file_name}", data)
        draft.add(f"{name}/own/private/{layout.key.replace('NAME', name)}", _key(files), secret=True)
        for one in trust_list:
            for number, der in enumerate(one.certificates, 1):
                suffix = f"-{number}" if number > 1 else ""
                draft.add(f"{name}/{one.directory}/certs/{one.name}{suffix}.der", der)
            if one.crl is not None:
                draft.add(f"{name}/{one.directory}/crl/{one.name}{layout.crl_suffix}", one.crl)
        draft.exported.append(name)


def _trust_list(environment: Environment, layout: Layout) -> Iterator[_Trusted]:
    sound = [case for case in environment.cases() if case.fault is None]
    issuing = {case.data["issuer"] for case in sound}
    above = {name for case in sound for name in case.data["path"]}
    for authority in environment.contents.authorities:
        if authority.name in above:
            directory = "trusted" if authority.name in issuing else layout.issuer
            yield _authority(environment.folder, authority, directory)
    for case in sound:
        if case.data["issuer"] is None:
            yield _Trusted("trusted", case.name, _certificates(read_bytes(case.certificate)))


def _authority(folder: Path, authority: Authority, directory: str) -> _Trusted:
    crl = None if authority.crl is None else read_bytes(folder / authority.crl.file)
    certificates = _certificates(read_bytes(folder / authority.files["certificate"]))
    return _Trusted(directory, authority.name, certificates, crl)


def _check_key(files: CaseFiles) -> None:
    if files.opened is None or files.opened.pkcs8 is None:
        raise NotExportable("its key cannot be read")
    if not _certificates(files.certificate):
        raise NotExportable("its certificate file has no certificate")


def _key(files: CaseFiles) -> bytes:
    assert files.opened is not None
    assert files.opened.pkcs8 is not None
    return private_keys.pkcs8(files.opened.pkcs8, None, SystemEntropy())


def _certificates(data: bytes) -> tuple[bytes, ...]:
    """Return the certificates of a file in DER, even if they are malformed."""
    return tuple(one.der for one in read(data, "the certificate") if one.kind is Kind.CERTIFICATE)
