"""What a TLS server needs for each certificate: two files, and the names that lead to it."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Callable
from dataclasses import dataclass
from ipaddress import ip_address

from pkigen.environment.environment import Case
from pkigen.export.case_files import (
    CaseFiles,
    Check,
    NotExportable,
    exportable_cases,
)
from pkigen.export.draft import Draft
from pkigen.export.tls_check import loads_in_openssl
from pkigen.serve.tls.case_selection import Names
from pkigen.serve.tls.credential import handshake_ways

_LABEL = r"[a-z0-9_]([a-z0-9_-]{0,61}[a-z0-9_])?"
_HOST = re.compile(rf"(\*\.)?({_LABEL}\.)*{_LABEL}")
_BY_THEMSELVES = {"chain-with-root", "stapled-missing"}
"""What is wrong in a handshake by the files alone: any server does it."""


@dataclass(frozen=True)
class Server:
    """A certificate as a server presents it; paths are below the folder.

    ``hosts`` are the names (SNI) that lead to it, small letters, perhaps with ``*.`` in front. ``says`` is
    what is wrong with it, or "sound". ``default`` marks the one that clients without a known name get.
    """

    name: str
    hosts: tuple[str, ...]
    certificate: str
    key: str
    expected: str
    says: str
    default: bool


Place = Callable[[Draft, CaseFiles], tuple[str, str]]


def separate_files(draft: Draft, found: CaseFiles) -> tuple[str, str]:
    """certs/NAME.pem and private/NAME.key."""
    name = found.case.name
    certificate = draft.add(f"certs/{name}.pem", found.full)
    return certificate, draft.add(f"private/{name}.key", found.key, secret=True)


def combined_file(draft: Draft, found: CaseFiles) -> tuple[str, str]:
    """private/NAME.pem, with certificate, CA certificates and key."""
    between = b"" if found.full.endswith(b"\n") else b"\n"
    path = draft.add(f"private/{found.case.name}.pem", found.full + between + found.key, secret=True)
    return path, path


def servers(draft: Draft, loads: Check | None = None, place: Place = separate_files) -> tuple[Server, ...]:
    """Every case that a server can present, its files in the draft; the others are left out with a reason."""
    fit = list(exportable_cases(draft, _sound_handshake, loads or loads_in_openssl()))
    if not fit:
        return ()
    names = Names.of([one.case for one in fit])
    hosts = defaultdict[str, list[str]](list)
    for host, case in names.hosts.items():
        if is_host(host):
            hosts[case.name].append(host)
    _note_answers(draft, fit)
    return tuple(_server(draft, one, hosts[one.case.name], names.default, place) for one in fit)


def is_host(text: str) -> bool:
    """Whether a configuration can have it as the name of a server: no address, small letters."""
    try:
        ip_address(text)
    except ValueError:
        return len(text) <= 253 and bool(_HOST.fullmatch(text))
    return False


def _sound_handshake(found: CaseFiles) -> None:
    if set(handshake_ways(found.case)) - _BY_THEMSELVES:
        raise NotExportable("the handshake itself is wrong; `pkigen serve --tls-port` does that")


def _server(draft: Draft, found: CaseFiles, hosts: list[str], default: Case, place: Place) -> Server:
    case = found.case
    certificate, key = place(draft, found)
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
    )


def _note_answers(draft: Draft, fit: list[CaseFiles]) -> None:
    """Some cases are about what is answered at their URLs, which a server of files does not get wrong."""
    wrong = [one.case.name for one in fit if _wants_answers(one.case)]
    if wrong:
        few = ", ".join(wrong[:3]) + (", ..." if len(wrong) > 3 else "")
        draft.notes.append(
            f"{len(wrong)} certificates are about wrong CRL or OCSP answers ({few}): for those have"
            " `pkigen serve` answer at the base URL, in place of the CRL server exported here."
        )


def _wants_answers(case: Case) -> bool:
    elsewhere = any(one["url"] != "tls" for one in case.data.get("serving", ()))
    return elsewhere or bool(case.data.get("ocsp"))
