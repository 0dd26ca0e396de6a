"""The certificates of a TLS server: for each one its files and its host names (SNI)."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Callable
from dataclasses import dataclass
from ipaddress import ip_address

from pkigen.asn1 import oids
from pkigen.environment.environment import Case
from pkigen.export.case_files import (
    CaseFiles,
    Check,
    NotExportable,
    exportable_cases,
)
from pkigen.export.draft import Draft
from pkigen.export.tls_check import loads_in_openssl
from pkigen.inspection.artifacts import read
from pkigen.serve.tls.case_selection import CasesByHost
from pkigen.serve.tls.credential import UNOFFERED_SCHEME, handshake_faults
from pkigen.x509 import Malformed

_LABEL = r"[a-z0-9_]([a-z0-9_-]{0,61}[a-z0-9_])?"
_HOST = re.compile(rf"(\*\.)?({_LABEL}\.)*{_LABEL}")
_FILE_FAULTS = {"chain-with-root", "stapled-missing", UNOFFERED_SCHEME}
"""Handshake faults that result from the files alone, so that every server reproduces them."""


@dataclass(frozen=True)
class Server:
    """A certificate that a server presents; paths are relative to the export directory.

    ``hosts`` are its host names (SNI), in lowercase, possibly with a ``*.`` prefix. ``says`` describes its
    fault, or is "sound". ``default`` marks the certificate for clients that request no or an unknown name.
    ``must_staple`` is set if a client expects an OCSP response in the handshake, and no fault omits it.
    """

    name: str
    hosts: tuple[str, ...]
    certificate: str
    key: str
    expected: str
    says: str
    default: bool
    must_staple: bool


Place = Callable[[Draft, CaseFiles], tuple[str, str]]


def separate_files(draft: Draft, files: CaseFiles) -> tuple[str, str]:
    """Add certs/NAME.pem and private/NAME.key, and return their paths."""
    name = files.case.name
    certificate = draft.add(f"certs/{name}.pem", files.full)
    return certificate, draft.add(f"private/{name}.key", files.key, secret=True)


def combined_file(draft: Draft, files: CaseFiles) -> tuple[str, str]:
    """Add private/NAME.pem with certificate, CA certificates and key, and return its path twice."""
    between = b"" if files.full.endswith(b"\n") else b"\n"
    path = draft.add(f"private/{files.case.name}.pem", files.full + between + files.key, secret=True)
    return path, path


def servers(draft: Draft, loads: Check | None = None, place: Place = separate_files) -> tuple[Server, ...]:
    """Add the files of every case that a server can present; the others are not exported, with the reason."""
    fit = list(exportable_cases(draft, check_purpose, check_handshake, loads or loads_in_openssl()))
    if not fit:
        return ()
    names = CasesByHost.of([one.case for one in fit])
    hosts = defaultdict[str, list[str]](list)
    for host, case in names.hosts.items():
        if is_host(host):
            hosts[case.name].append(host)
    _note_faulty_responses(draft, fit)
    return tuple(_server(draft, one, hosts[one.case.name], names.default, place) for one in fit)


def is_host(text: str) -> bool:
    """Return whether ``text`` is a lowercase host name, possibly with a wildcard, and not an IP address."""
    try:
        ip_address(text)
    except ValueError:
        return len(text) <= 253 and bool(_HOST.fullmatch(text))
    return False


def check_purpose(files: CaseFiles) -> None:
    """Raise NotExportable if the certificate is not for TLS servers."""
    if not files.case.is_for_servers:
        raise NotExportable("its extended key usage does not permit TLS servers")


def check_handshake(files: CaseFiles) -> None:
    """Raise NotExportable if files alone cannot reproduce the case's fault."""
    if set(handshake_faults(files.case)) - _FILE_FAULTS:
        raise NotExportable("its fault is in the TLS handshake; use `pkigen serve --tls-port`")


def _server(draft: Draft, files: CaseFiles, hosts: list[str], default: Case, place: Place) -> Server:
    case = files.case
    certificate, key = place(draft, files)
    draft.exported.append(case.name)
    fault = case.data.get("fault")
    return Server(
        name=case.name,
        hosts=tuple(hosts),
        certificate=certificate,
        key=key,
        expected=case.expected,
        says=fault["says"] if fault else "sound",
        default=case.name == default.name,
        must_staple=_must_staple(files),
    )


def _must_staple(files: CaseFiles) -> bool:
    if "stapled-missing" in handshake_faults(files.case):
        return False
    try:
        leaf = next((one.certificate for one in read(files.certificate, "") if one.certificate), None)
        return leaf is not None and leaf.extensions.raw(oids.TLS_FEATURE) is not None
    except Malformed:
        return False


def _note_faulty_responses(draft: Draft, fit: list[CaseFiles]) -> None:
    """Add a note about cases with faulty CRL or OCSP responses: a file server cannot reproduce them."""
    names = [one.case.name for one in fit if has_faulty_responses(one.case)]
    if names:
        examples = ", ".join(names[:3]) + (", ..." if len(names) > 3 else "")
        draft.notes.append(
            f"{len(names)} certificates need faulty CRL or OCSP responses ({examples}): run `pkigen serve` at"
            " the base URL instead of the exported CRL server."
        )


def has_faulty_responses(case: Case) -> bool:
    """Return whether a fault is in the responses of the CRL or OCSP server."""
    elsewhere = any(one["url"] != "tls" for one in case.data.get("serving", ()))
    return elsewhere or bool(case.data.get("ocsp"))
