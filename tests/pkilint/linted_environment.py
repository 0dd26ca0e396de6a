"""The certificates, CRLs and OCSP responses of an environment, for pkilint's RFC 5280 linters."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

from pkigen.environment.environment import Environment
from tests.faults.conftest import is_twin
from tests.pkilint.linting import lint

_CERTIFICATE, _CRL, _OCSP = "rfc5280:certificate", "rfc5280:crl", "rfc5280:ocsp"
SOUND = ""
"""The owner of what has no fault."""


def codes_by_fault(environment: Environment) -> dict[str, set[str]]:
    """Return the findings by fault: in certificates, OCSP responses, copied CAs and their CRLs."""
    owners = {fault: set[str]() for fault in (SOUND, *(_fault(case.data) for case in environment.cases()))}
    documents = list(_documents(environment))
    reported = lint([against for _, against, _ in documents], [path for *_, path in documents])
    for (fault, *_), codes in zip(documents, reported, strict=True):
        owners[fault] |= set(codes)
    return owners


def _documents(environment: Environment) -> Iterator[tuple[str, str, Path]]:
    folder = environment.folder
    authorities = {one["name"]: one for one in environment.manifest["authorities"]}
    cases = sorted(environment.cases(), key=lambda case: "fault" in case.data)
    seen = set[str]()
    for case in cases:
        fault = _fault(case.data)
        yield fault, _CERTIFICATE, case.certificate
        if (response := case.data.get("ocsp")) is not None:
            yield fault, _OCSP, folder / response["file"]
        if not is_twin(case.name):
            own = [name for name in case.data["path"] if name in authorities and name not in seen]
            seen.update(own)
            for name in own:
                yield from ((fault, against, folder / path) for against, path in _files(authorities[name]))
    for name in authorities.keys() - seen:
        yield from ((SOUND, against, folder / path) for against, path in _files(authorities[name]))


def _fault(case: dict[str, Any]) -> str:
    return str(case.get("fault", {}).get("id") or SOUND)


def _files(authority: dict[str, Any]) -> Iterator[tuple[str, str]]:
    yield _CERTIFICATE, authority["files"]["certificate"]
    if authority["crl"] is not None:
        yield _CRL, authority["crl"]["file"]
