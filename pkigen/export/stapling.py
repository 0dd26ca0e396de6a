"""OCSP responses for servers that read them from files (RFC 6066, section 8)."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime

from pkigen.export.draft import Draft, read_bytes
from pkigen.export.server_certificates import Server
from pkigen.inspection.artifacts import Kind, read
from pkigen.serve.tls.stapling import Stapler, staple


def add_ocsp_responses(
    draft: Draft, endpoints: tuple[Server, ...], path: Callable[[Server], str]
) -> dict[str, str]:
    """Add the current OCSP response of each server whose certificate requires stapling, at ``path(server)``.

    Return the paths by server name. Responses expire, so a note tells the user to export them again.
    """
    given = draft.given
    cases = {case.name: case for case in given.cases}
    stapler = Stapler(given.environment.folder, lambda: datetime.now(UTC), given.passphrases)
    paths = dict[str, str]()
    for server in (one for one in endpoints if one.must_staple):
        case = cases[server.name]
        leaf = [
            one.der
            for one in read(read_bytes(case.certificate), "the certificate")
            if one.kind is Kind.CERTIFICATE
        ]
        response = staple(case, leaf[:1], stapler)
        if response is not None:
            paths[server.name] = draft.add(path(server), response)
    if paths:
        draft.notes.append(
            f"Certificates that require OCSP stapling: {len(paths)}. Export again before responses expire."
        )
    return paths
