"""strongSwan, 5.8 or later, configured with swanctl."""

from __future__ import annotations

from pkigen.export.case_files import exportable_cases
from pkigen.export.client_certificates import is_for_clients
from pkigen.export.draft import Draft, read_bytes
from pkigen.export.server_certificates import check_handshake
from pkigen.export.target import target
from pkigen.export.tls_check import loads_in_openssl


@target(
    "swanctl-server.conf.j2",
    "swanctl-client.conf.j2",
    start="SWANCTL_DIR=$PWD swanctl --load-all --file NAME.conf",
    tls_port=500,
    client_auth=True,
)
def strongswan(draft: Draft) -> None:
    """The directories of swanctl with certificates, keys and CRLs, NAME.conf and NAME.client.conf"""
    environment = draft.given.environment
    for authority in environment.contents.authorities:
        if authority.fault is None:
            certificate = read_bytes(environment.folder / authority.files["certificate"])
            draft.add(f"x509ca/{authority.name}.pem", certificate)
            if authority.crl is not None:
                draft.add(
                    f"x509crl/{authority.name}.crl", read_bytes(environment.folder / authority.crl.file)
                )
    for files in exportable_cases(draft, check_handshake, loads_in_openssl()):
        name = files.case.name
        draft.add(f"x509/{name}.pem", files.certificate)
        draft.add(f"private/{name}.key", files.key, secret=True)
        if files.case.is_for_servers:
            draft.render(f"{name}.conf", "swanctl-server.conf.j2", files=files)
        if is_for_clients(files):
            draft.render(f"{name}.client.conf", "swanctl-client.conf.j2", files=files)
        draft.exported.append(name)
