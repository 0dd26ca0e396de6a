"""``pkigen status``, and the renewal of what it lists."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from cryptography import x509

from tests.cli.conftest import Cli

_PROFILE = """\
name: fleet
defaults: {key: ec-p256}
authorities: {root: {}}
certificates:
  long: {issuer: root, valid: 397d}
  short: {issuer: root, valid: 20d}
  gone: {issuer: root, revoked: keyCompromise}
  old: {issuer: root, valid: {from: -90d, for: 30d}}
negatives: [{of: long, faults: [expired]}]
"""


@pytest.fixture
def fleet(cli: Cli) -> Path:
    Path("fleet.yaml").write_text(_PROFILE)
    assert cli("build", "fleet.yaml").code == 0
    return Path("out/fleet")


def _states(cli: Cli, *arguments: str | Path) -> dict[str, str]:
    document = json.loads(cli("status", *arguments, "--json").out)
    return {one["name"]: one["state"] for one in document["certificates"]}


def test_each_certificate_is_in_its_state(cli: Cli, fleet: Path) -> None:
    assert _states(cli, fleet) == {
        "root": "valid",
        "long": "valid",
        "short": "expiring",
        "gone": "revoked",
        "old": "expired",
        "long.expired": "expired",
    }
    later = (datetime.now(UTC) + timedelta(days=25)).isoformat()
    assert _states(cli, fleet, "--at", later)["short"] == "expired"
    assert _states(cli, fleet, "--within", "5d")["short"] == "valid"


def test_the_page_counts_faulty_certificates_and_lists_the_others(cli: Cli, fleet: Path) -> None:
    text = cli("status", fleet).out
    assert "1  with a fault, on purpose" in text
    assert "long.expired" not in text
    assert "gone  keyCompromise since" in text
    assert "short  in 19 days" in text
    assert text.splitlines()[-1].endswith("1 to renew (`pkigen renew ENV --expiring 30d`).")


def test_a_stale_crl_is_reported(cli: Cli, fleet: Path) -> None:
    at = (datetime.now(UTC) + timedelta(days=8)).isoformat()
    assert "CRL of root: was due on" in cli("status", fleet, "--at", at).out


def test_what_is_expiring_is_renewed_and_nothing_else(cli: Cli, fleet: Path) -> None:
    def serial(name: str) -> int:
        data = (fleet / "certificates" / name / f"{name}.crt").read_bytes()
        return x509.load_pem_x509_certificate(data).serial_number

    before = {name: serial(name) for name in ("long", "short")}
    assert cli("renew", fleet, "--expiring", "25d").code == 0
    after = {name: serial(name) for name in ("long", "short")}
    assert after["long"] == before["long"]
    assert after["short"] != before["short"]


def test_nothing_to_renew_is_no_error(cli: Cli, profile: Path) -> None:
    assert cli("build", profile).code == 0
    outcome = cli("renew", "out/contoso", "--expiring", "1d")
    assert (outcome.code, outcome.err) == (0, "Nothing expires within 1d.\n")
    assert cli("renew", "out/contoso").code == 2
    assert cli("renew", "out/contoso", "--expiring", "soon").code == 2


def test_globs_select_certificates_for_renewal_and_revocation(cli: Cli, profile: Path) -> None:
    assert cli("build", profile).code == 0
    assert "reissued              3" in cli("renew", "out/contoso", "sensor-*").out
    revoked = cli("revoke", "out/contoso", "sensor-0[12]").out
    assert revoked.splitlines()[:2] == ["sensor-01 is revoked", "sensor-02 is revoked"]
    assert "sensor-03" not in revoked
    assert cli("revoke", "out/contoso", "nothing-*").code == 2
    assert "root is revoked" not in cli("revoke", "out/contoso", "*").out
