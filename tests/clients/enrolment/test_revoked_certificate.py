"""What Caddy does when OCSP says that its certificate is revoked; other ACME clients ask no responder."""

from __future__ import annotations

from pathlib import Path

import pytest

from pkigen.environment.revoke import revoke
from tests.clients.enrolment.acme_clients import Acme, acme_server
from tests.clients.enrolment.caddy import Caddy
from tests.clients.enrolment.conftest import only_clients

pytestmark = [only_clients, pytest.mark.needs("caddy")]
_NAME = "caddy.contoso.test"
_STAPLED, _REVOKED = "advancing OCSP staple", "OCSP status for managed certificate is REVOKED"
_REJECTED = "bad OCSP signature"


@pytest.mark.parametrize(("reason", "has_new_key"), [("superseded", False), ("keyCompromise", True)])
def test_caddy_replaces_a_revoked_certificate(tmp_path: Path, reason: str, *, has_new_key: bool) -> None:
    with acme_server(tmp_path, issuing=", ocsp: {valid: 4s, certificates: false}") as acme:
        caddy = Caddy(acme, tmp_path, _NAME)
        with caddy.running(checks_ocsp=True):
            first = caddy.obtained()
            old = caddy.certificate
            caddy.wait_for(lambda: _STAPLED in caddy.log)
            _revoke(acme, first, reason)
            caddy.obtained(other_than=first)
            assert _REVOKED in caddy.log
    assert old is not None
    assert caddy.certificate is not None
    assert (caddy.certificate.public_key() != old.public_key()) is has_new_key


def test_caddy_rejects_a_response_with_the_certificate_of_the_ca_that_signed_it(tmp_path: Path) -> None:
    with acme_server(tmp_path, issuing=", ocsp: {valid: 4s}") as acme:
        caddy = Caddy(acme, tmp_path, _NAME)
        with caddy.running(checks_ocsp=True):
            first = caddy.obtained()
            _revoke(acme, first, "superseded")
            caddy.wait_for(lambda: _REJECTED in caddy.log)
    assert _REVOKED not in caddy.log


def _revoke(acme: Acme, serial: int, reason: str) -> None:
    revoke(acme.enrolment.folder, reason=reason, issued_by="ot-issuing", serial=serial)
