"""OpenVPN, 2.4 or later: configurations that contain all certificates, keys and CRLs."""

from __future__ import annotations

from collections.abc import Iterator

from pkigen.environment.crl.publish import BUNDLE
from pkigen.export.case_files import CaseFiles, NotExportable, exportable_cases
from pkigen.export.client_certificates import is_for_clients
from pkigen.export.draft import Draft, read_bytes
from pkigen.export.server_certificates import check_handshake
from pkigen.export.target import target
from pkigen.export.template import is_inline_pem
from pkigen.export.tls_check import loads_in_openssl


@target(
    "openvpn-server.ovpn.j2",
    "openvpn-client.ovpn.j2",
    start="openvpn server/NAME.ovpn",
    tls_port=1194,
    client_auth=True,
)
def openvpn(draft: Draft) -> None:
    """server/NAME.ovpn and client/NAME.ovpn, each with its certificates, key, trust anchors and CRLs"""
    anchors, crls = draft.given.anchors, read_bytes(draft.given.environment.folder / BUNDLE)
    for files in exportable_cases(draft, check_handshake, _check_pem, loads_in_openssl(), _check_purposes):
        for role in _roles(files):
            path, template = f"{role}/{files.case.name}.ovpn", f"openvpn-{role}.ovpn.j2"
            draft.render(path, template, secret=True, files=files, anchors=anchors, crls=crls)
        draft.exported.append(files.case.name)


def _roles(files: CaseFiles) -> Iterator[str]:
    if files.case.is_for_servers:
        yield "server"
    if is_for_clients(files):
        yield "client"


def _check_purposes(files: CaseFiles) -> None:
    if not any(_roles(files)):
        raise NotExportable("its extended key usage permits neither TLS servers nor clients")


def _check_pem(files: CaseFiles) -> None:
    if not is_inline_pem(files.full + files.key):
        raise NotExportable("its files cannot be part of a configuration")
