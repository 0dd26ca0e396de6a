"""Docker Compose and other implementations of the Compose specification."""

from __future__ import annotations

from ipaddress import ip_address
from urllib.parse import urlsplit

from pkigen.export.case_files import CaseFiles, NotExportable
from pkigen.export.draft import Draft
from pkigen.export.server_certificates import is_host, servers
from pkigen.export.target import target
from pkigen.export.tls_check import loads_in_openssl

_CRL_SERVICE = "pkigen-crl"


@target("compose.yaml.j2", "crl.conf.j2", "appliance.conf.j2", start="docker compose up")
def compose(draft: Draft) -> None:
    """compose.yaml: nginx for the CRLs, and one service for each certificate"""
    endpoints = servers(draft, _fits)
    draft.www()
    draft.trust()
    base = urlsplit(draft.given.environment.base_url)
    host, port = (base.hostname or "").lower(), base.port or 80
    if not _is_remote(host):
        draft.notes.append(
            f"The certificates contain URLs below {base.geturl()}, which in a container is the container"
            " itself. Use a profile whose base_url contains a host name, such as http://crl.example.test."
        )
    alias = host if is_host(host) and _is_remote(host) else ""
    draft.render("compose.yaml", "compose.yaml.j2", servers=endpoints, crl_host=alias, crl_port=port)
    draft.render("crl.conf", "crl.conf.j2", crl_port=port)
    draft.render("appliance.conf", "appliance.conf.j2")


def _fits(files: CaseFiles) -> None:
    if files.case.name == _CRL_SERVICE:
        raise NotExportable("the CRL service has the same name")
    loads_in_openssl()(files)


def _is_remote(host: str) -> bool:
    try:
        return not ip_address(host).is_loopback
    except ValueError:
        return host not in ("localhost", "")
