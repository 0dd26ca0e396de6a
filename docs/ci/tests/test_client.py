"""The client accepts the sound certificate, and refuses each of the others."""

import httpx
import pytest


@pytest.mark.pki_cases("tests/pki.yaml", expected="accept")
def test_a_sound_certificate_is_accepted(pki_case, pki_server, pki_dns):
    assert _get(pki_case, pki_server).is_success


@pytest.mark.pki_cases("tests/pki.yaml", expected="reject")
def test_a_broken_certificate_is_refused(pki_case, pki_server, pki_dns):
    with pytest.raises(httpx.ConnectError, match="CERTIFICATE_VERIFY_FAILED"):
        _get(pki_case, pki_server)


def _get(case, server):
    return httpx.get(server.url_of(case), verify=case.client_context(), trust_env=False)
