"""Which certificates does httpx accept that a strict validator refuses? accepted.json has the answer."""

from __future__ import annotations

import json
from pathlib import Path

import httpx
import pytest

from pkigen import Case
from pkigen.pytest_plugin import PkiServer

ACCEPTED = json.loads(Path(__file__).with_name("accepted.json").read_bytes())


@pytest.mark.pki_cases(expected="reject", stages=["parse", "path", "name", "revocation", "transport"])
def test_httpx(pki_case: Case, pki_server: PkiServer, pki_dns: None) -> None:
    """Refused; or accepted, as accepted.json says, and why."""
    if pki_case.hosts[0][0].isdigit():
        pytest.skip("a TLS server cannot select a case by an IP address")
    if {pki_case.fault, f"{pki_case.stage}/*"} & ACCEPTED.keys():
        assert _get(pki_case, pki_server).is_success
    else:
        with pytest.raises(httpx.TransportError):
            _get(pki_case, pki_server)


@pytest.mark.pki_cases(names="server")
def test_httpx_trusts_the_sound_one(pki_case: Case, pki_server: PkiServer, pki_dns: None) -> None:
    """Or all those refusals would say nothing."""
    assert _get(pki_case, pki_server).is_success


def _get(case: Case, server: PkiServer) -> httpx.Response:
    return httpx.get(server.url_of(case), verify=case.client_context(), trust_env=False, timeout=2)
