"""The cases of a built environment as input for validators, with the expected verdicts."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any, Literal

from pkigen.environment.environment import Environment
from pkigen.matrix.validator import Capability, MatrixCase

_HOST = "host"
"""Replacement of the asterisk of a wildcard in the requested host name."""

_AFTER = timedelta(milliseconds=500)
"""Evaluation time after the build's clock, so that revocations in its second are in effect."""


@dataclass(frozen=True)
class Subject:
    """A case with the expected verdict of a strict validator.

    ``fault`` is the fault ID, ``family`` its family in the catalog, ``category`` its class (R, A, P, V); all
    are empty for a case without a fault. ``spoils`` is the capability that detects the fault, empty if no
    column has it. Without ``revocation``, CRLs are not checked.
    """

    case: MatrixCase
    expected: Literal["accept", "reject", "varies"]
    spoils: Capability | Literal[""] = "path"
    fault: str = ""
    family: str = ""
    category: str = ""
    says: str = ""
    clause: str = ""
    revocation: bool = True

    @property
    def name(self) -> str:
        """The case's name."""
        return self.case.name


def subjects_of(
    environment: Environment, proxy: str | None = None, tls: str | None = None
) -> tuple[Subject, ...]:
    """Return every TLS server of an environment; ``proxy`` and ``tls`` serve it (see ``MatrixCase``).

    Certificates that are only for other purposes, such as clients, are left out, with their cases.
    """
    presented = _presented(environment)
    return tuple(
        _subject(replace(case, proxy=proxy, tls=tls if case.name in presented else None), entity.data)
        for case, entity in zip(cases_of(environment), environment.cases(), strict=True)
        if entity.is_for_servers
    )


def _presented(environment: Environment) -> frozenset[str]:
    """Return the cases that a TLS endpoint presents for their first host name, at the time of the build.

    Of several cases with the same host, it is the first.
    """
    first = dict[str, str]()
    for case in environment.cases():
        for host in case.hosts if case.is_for_servers else ():
            first.setdefault(host.lower(), case.name)
    return frozenset(
        case.name
        for case in environment.cases()
        if case.hosts and first.get(case.hosts[0].lower()) == case.name and "at" not in case.data["verdict"]
    )


def cases_of(environment: Environment) -> tuple[MatrixCase, ...]:
    """Return every end entity of an environment, to be evaluated at the build's clock.

    A case has its own anchors and the CRLs of its own path, so that faults of other cases do not affect it.
    It has a PKCS#12 file only if its passphrase is known.
    """
    authorities = {one["name"]: one for one in environment.manifest["authorities"]}
    at = environment.clock + _AFTER
    return tuple(_case(environment.folder, entity.data, authorities, at) for entity in environment.cases())


def _case(folder: Path, data: dict[str, Any], authorities: dict[str, Any], at: datetime) -> MatrixCase:
    files = {kind: folder / path for kind, path in data["files"].items()}
    above = [authorities[name] for name in data["path"] if name in authorities]
    published = (folder / one["crl"]["file"] for one in above if one["crl"] is not None)
    host = next(iter(data["hosts"]), None)
    verdict_time = data["verdict"].get("at")
    return MatrixCase(
        name=data["name"],
        certificate=files["certificate"],
        chain=files.get("chain") if data["path"] else None,
        key=files.get("key"),
        pkcs12=files.get("p12") if "passphrase" in files else None,
        passphrase=files.get("passphrase"),
        anchors=tuple(folder / path for path in _anchors(data, authorities.values())),
        crls=tuple(path for path in published if path.is_file()),
        host=host.replace("*", _HOST, 1) if host and host.startswith("*.") else host,
        at=datetime.fromisoformat(verdict_time) if verdict_time else at,
        issuer=next((folder / one["files"]["certificate"] for one in above), None),
        ocsp=(data.get("ocsp") or {}).get("url"),
    )


def _anchors(data: dict[str, Any], authorities: Iterable[dict[str, Any]]) -> Iterator[str]:
    """Return the anchors of the case, or those of its path, or all anchors without a fault."""
    if "trust" in data:
        return iter(data["trust"])
    trusted = [one for one in authorities if one["trusted"]]
    own = [one for one in trusted if one["name"] in data["path"]]
    return (one["files"]["certificate"] for one in own or trusted if own or "fault" not in one)


def _subject(case: MatrixCase, data: dict[str, Any]) -> Subject:
    fault = data.get("fault", {})
    spoils = _spoiled(case, fault, data["verdict"]["stage"])
    if spoils == "file" and not fault.get("family") and _is_in_another_file(case, data["files"]):
        spoils = ""
    if fault.get("id") == _ENDLESS:
        case, spoils = replace(case, pkcs12=None), ""
    if spoils != "key" and case.passphrase is None and _is_locked(case.key):
        case = replace(case, key=None)  # The passphrase is unknown.
    return Subject(
        case,
        data["verdict"]["expected"],
        spoils,
        fault=fault.get("id", ""),
        family=fault.get("family", "") or fault.get("against", ""),
        category=fault.get("verdict", ""),
        says=fault.get("says", ""),
        clause=fault.get("clause", ""),
    )


def _is_in_another_file(case: MatrixCase, files: dict[str, str]) -> bool:
    """Return whether a requirement on files is violated by one that no column reads, such as an archive."""
    if files.keys() <= _READ or case.certificate.suffix != ".crt" or not case.certificate.is_file():
        return False
    return case.certificate.read_bytes().startswith(_PEM)


def _is_locked(key: Path | None) -> bool:
    return key is not None and key.is_file() and b"ENCRYPTED" in key.read_bytes()[:200]


def _spoiled(case: MatrixCase, fault: dict[str, Any], stage: str | None) -> Capability | Literal[""]:
    """Return the capability that detects a fault, by its family and stage."""
    family, own_id = fault.get("family", ""), fault.get("id", "")
    if family == "key-files":
        return "pkcs12" if own_id.startswith("p12-") else "key"
    if fault.get("file") == "key":
        return "key"
    if family == "ocsp":
        if own_id == _STAPLED:
            return "tls"
        return "ocsp" if case.ocsp is not None else ""
    if family == "crl":
        if own_id == _BESIDE:
            return ""
        return "fetching" if stage == "transport" else "crl"
    if stage == "transport":
        return "tls"
    if stage == "revocation":
        return "fetching"
    return "host" if stage == "name" else "file" if stage == "file" else "path"


_PEM = b"-----BEGIN CERTIFICATE-----"
_READ = {"certificate", "key", "chain", "p12", "passphrase"}
"""The files of a case that columns read."""
_ENDLESS = "p12-mac-iterations"
"""A file that programs without a limit read for minutes: no column receives it."""
_STAPLED = "stapled-missing"
_BESIDE = "crl-der-file"
"""A copy of the CRL next to the CA certificate: no column receives it."""
