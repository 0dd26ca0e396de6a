"""Revocation of certificates of fleets: by the profile and by command, in CRLs and by OCSP."""

from __future__ import annotations

import shutil
import subprocess
from datetime import UTC, datetime
from pathlib import Path

import pytest
from cryptography.x509 import load_der_x509_crl

from pkigen.environment.environment import open_environment
from pkigen.environment.revoke import revoke, unrevoke
from pkigen.environment.status import environment_status
from pkigen.errors import InputError
from pkigen.serve import serve
from tests.environment.fleets.profiles import build_fleet, rows


def _listed(folder: Path) -> set[str]:
    crl = load_der_x509_crl((folder / "www/crl/issuing.crl").read_bytes())
    serials = {f"{entry.serial_number:x}" for entry in crl}
    return {name for name, row in rows(folder).items() if row["serial"] in serials}


def test_the_profile_revokes_every_nth_certificate(tmp_path: Path) -> None:
    folder = build_fleet(tmp_path, revoked={"every": "6", "reason": "keyCompromise"}).folder
    assert _listed(folder) == {"meter-06", "meter-12", "meter-18"}
    build_fleet(tmp_path, revoked={"every": "9"})
    assert _listed(folder) == {"meter-09", "meter-18"}
    build_fleet(tmp_path)
    assert _listed(folder) == set()


def test_commands_revoke_by_name_and_by_serial_number(tmp_path: Path) -> None:
    folder = build_fleet(tmp_path).folder
    serial = int(rows(folder)["meter-17"]["serial"], 16)
    assert revoke(folder, ["meter-11"], reason="certificateHold").changed == ("certificates/meter-11",)
    assert revoke(folder, serial=serial, issued_by="issuing").changed == ("certificates/meter-17",)
    assert _listed(folder) == {"meter-11", "meter-17"}
    unrevoke(folder, ["meter-11"])
    assert _listed(folder) == {"meter-17"}
    with pytest.raises(InputError, match="no such entity"):
        revoke(folder, ["meter-21"])


def test_the_status_counts_revocations_by_the_profile_and_by_commands_once(tmp_path: Path) -> None:
    environment = build_fleet(tmp_path, revoked={"every": "6"})

    def revoked() -> int:
        now = datetime.now(UTC)
        (fleet,) = environment_status(open_environment(environment.folder), now, now).fleets
        return fleet.revoked

    assert revoked() == 3
    revoke(environment.folder, ["meter-06", "meter-11"], reason="keyCompromise")
    assert revoked() == 4
    shutil.rmtree(environment.folder / ".pkigen")
    assert revoked() == 3


def test_a_new_certificate_is_revoked_like_the_one_that_it_replaces(tmp_path: Path) -> None:
    folder = build_fleet(tmp_path).folder
    revoke(folder, ["meter-02"], reason="certificateHold")
    revoke(folder, ["meter-03"], reason="keyCompromise")
    (folder / "fleets/meter/jsonl/meter-01-08.jsonl").unlink()
    build_fleet(tmp_path)
    assert _listed(folder) == {"meter-02"}


@pytest.mark.needs("openssl")
def test_ocsp_knows_every_certificate_without_the_shards(tmp_path: Path) -> None:
    folder = build_fleet(tmp_path, revoked={"every": "10"}).folder
    members = rows(folder)
    shutil.rmtree(folder / "fleets")
    beyond = int(members["meter-20"]["serial"], 16) + 1
    serials = [members["meter-11"]["serial"], members["meter-10"]["serial"], f"{beyond:x}"]
    with serve(folder) as url:
        command = ["openssl", "ocsp", "-url", f"{url}/ocsp", "-CAfile", str(folder / "trust.pem")]
        command += ["-issuer", str(folder / "authorities/issuing/issuing.crt")]
        command += [word for serial in serials for word in ("-serial", f"0x{serial}")]
        done = subprocess.run(command, capture_output=True, text=True, check=True)
    states = [line.rpartition(": ")[2] for line in done.stdout.splitlines() if line.startswith("0x")]
    assert "Response verify OK" in done.stdout + done.stderr
    assert states == ["good", "revoked", "unknown"]
