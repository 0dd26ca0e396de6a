"""HAProxy, 2.6 or later."""

from __future__ import annotations

from pkigen.export.client_certificates import add_client_authentication, certificates
from pkigen.export.draft import Draft, read_bytes
from pkigen.export.server_certificates import combined_file, servers
from pkigen.export.stapling import add_ocsp_responses
from pkigen.export.target import target
from pkigen.export.tls_check import loads_in_openssl
from pkigen.formats import pem

_LARGEST = 4 * 1024 * 1024
_HEADERS = 16 * 1024
"""A file that HAProxy serves must fit, with its headers, into the buffer of a connection."""


@target("haproxy.cfg.j2", "crt-list.j2", start="haproxy -f haproxy.cfg", client_auth=True)
def haproxy(draft: Draft) -> None:
    """haproxy.cfg: every certificate at one TLS port by SNI, and the CRL server"""
    # HAProxy loads certificates at the distribution's security level, before its configuration can lower it.
    endpoints = servers(draft, loads_in_openssl(level=2), combined_file)
    www = draft.www()
    files = [one for one in www if one.size <= _LARGEST]
    if len(files) < len(www):
        draft.notes.append(f"{len(www) - len(files)} files are too large; HAProxy does not serve them.")
    draft.trust()
    if draft.given.client_auth:
        add_client_authentication(draft)
    # HAProxy reads FILE.ocsp beside FILE, and FILE.issuer if FILE does not contain the issuing CA.
    responses = add_ocsp_responses(draft, endpoints, lambda server: f"{server.certificate}.ocsp")
    for case in (one for one in draft.given.cases if one.name in responses):
        issuer = certificates(read_bytes(case.chain))[0]
        draft.add(f"private/{case.name}.pem.issuer", pem.certificate(issuer))
    buffer = max((one.size for one in files), default=0) + _HEADERS
    draft.render("haproxy.cfg", "haproxy.cfg.j2", servers=endpoints, files=files, buffer=buffer)
    draft.render("crt-list", "crt-list.j2", servers=endpoints)
