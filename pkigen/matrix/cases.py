"""The cases of a built environment, as validators take them, and what is to be expected of each."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any, Literal

from pkigen.environment.environment import Environment
from pkigen.inspection.artifacts import read_path
from pkigen.matrix.validator import MatrixCase, Sight
from pkigen.x509 import Malformed

_HOST = "host"
"""What stands for the asterisk of a wildcard in the name that is asked for."""

_AFTER = timedelta(milliseconds=500)
"""How long after the build's clock cases are judged: what was revoked at its second has been revoked then."""


@dataclass(frozen=True)
class Subject:
    """A case with what a strict validator does with it.

    ``fault`` is its id, ``family`` where it stands in the catalogue, ``category`` its class (R, A, P, V);
    all are empty for a sound case. ``spoils`` is who could see it: a sight, or empty when no column has
    eyes for it. Without ``revocation`` nobody is to ask for CRLs.
    """

    case: MatrixCase
    expected: Literal["accept", "reject", "varies"]
    spoils: Sight | Literal[""] = "path"
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


def subjects_of(environment: Environment, proxy: str | None = None) -> tuple[Subject, ...]:
    """Every TLS server of an environment; ``proxy`` is where it is served (see ``MatrixCase``).

    A sound certificate that is for other purposes alone, such as a client's, is none.
    """
    return tuple(
        _subject(replace(case, proxy=proxy), found.data)
        for case, found in zip(cases_of(environment), environment.cases(), strict=True)
        if found.fault is not None or _is_a_server(case.certificate)
    )


def _is_a_server(certificate: Path) -> bool:
    """Whether its extended key usage, if there is one, has servers among its purposes (4.2.1.12)."""
    held = next((found.certificate for found in read_path(certificate) if found.certificate), None)
    try:
        purposes = None if held is None else held.extensions.extended_key_usage
    except Malformed:
        return True
    return purposes is None or bool({"serverAuth", "any"} & {*purposes})


def cases_of(environment: Environment) -> tuple[MatrixCase, ...]:
    """Every end entity of an environment, judged at the build's clock.

    A case has its own anchors and the CRLs of its own path, so that nobody else's fault spoils it. It
    has its PKCS#12 file when there is one with the passphrase, for nobody could open it without.
    """
    authorities = {one["name"]: one for one in environment.manifest["authorities"]}
    at = environment.clock + _AFTER
    return tuple(_case(environment.folder, found.data, authorities, at) for found in environment.cases())


def _case(folder: Path, data: dict[str, Any], authorities: dict[str, Any], at: datetime) -> MatrixCase:
    files = {kind: folder / path for kind, path in data["files"].items()}
    above = [authorities[name] for name in data["path"] if name in authorities]
    published = (folder / one["crl"]["file"] for one in above if one["crl"] is not None)
    host = next(iter(data["hosts"]), None)
    told = data["verdict"].get("at")
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
        at=datetime.fromisoformat(told) if told else at,
        issuer=next((folder / one["files"]["certificate"] for one in above), None),
        ocsp=(data.get("ocsp") or {}).get("url"),
    )


def _anchors(data: dict[str, Any], authorities: Iterable[dict[str, Any]]) -> Iterator[str]:
    """What the case says, or the trusted ones of its path, or all that are trusted and sound."""
    if "trust" in data:
        return iter(data["trust"])
    trusted = [one for one in authorities if one["trusted"]]
    own = [one for one in trusted if one["name"] in data["path"]]
    return (one["files"]["certificate"] for one in own or trusted if own or "fault" not in one)


def _subject(case: MatrixCase, data: dict[str, Any]) -> Subject:
    fault = data.get("fault", {})
    spoils = _spoiled(case, fault, data["verdict"]["stage"])
    if spoils != "key" and case.passphrase is None and _is_locked(case.key):
        case = replace(case, key=None)  # nobody could open it
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


def _is_locked(key: Path | None) -> bool:
    return key is not None and key.is_file() and b"ENCRYPTED" in key.read_bytes()[:200]


def _spoiled(case: MatrixCase, fault: dict[str, Any], stage: str | None) -> Sight | Literal[""]:
    """What a fault of the catalogue spoils, by its family and by the stage where it shows."""
    family, own_id = fault.get("family", ""), fault.get("id", "")
    if family == "key-files":
        return "pkcs12" if own_id.startswith("p12-") else "key"
    if family == "ocsp":
        return "ocsp" if case.ocsp is not None and own_id != _STAPLED else ""
    if family == "crl":
        if own_id == _BESIDE:
            return ""
        return "fetching" if stage == "transport" else "crl"
    if stage == "transport":
        return ""
    if stage == "revocation":
        return "fetching"
    return "host" if stage == "name" else "file" if stage == "file" else "path"


_STAPLED, _BESIDE = "stapled-missing", "crl-der-file"
"""What a TLS server staples, and a copy of the CRL beside the CA's certificate: no column is given either."""
