"""A build that is killed leaves complete certificates, and the next build finishes the work."""

from __future__ import annotations

import os
import random
import select
import signal
import subprocess
import sys
from pathlib import Path

import pytest
import yaml
from cryptography import x509
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    PublicFormat,
    load_pem_private_key,
)

from tests.environment import kill
from tests.openssl import Judge

_KILLS = 60

pytestmark = pytest.mark.skipif(os.name != "posix", reason="SIGKILL is of POSIX")


def _document(generation: int) -> str:
    """A profile whose certificates differ in every generation, and whose keys differ in some."""
    organization = f"Generation {generation}"
    return yaml.safe_dump(
        {
            "name": "killed",
            "defaults": {
                "key": "ec-p384" if generation % 3 == 0 else "ec-p256",
                "subject": {"O": organization},
            },
            "authorities": {"root": {"subject": {"CN": "Root"}}, "issuing": {"issuer": "root"}},
            "certificates": {
                "host-{01..40}": {"issuer": "issuing", "formats": ["fullchain"]},
            },
        }
    )


def _broken(folder: Path) -> list[str]:
    """Return the entities whose files do not match each other."""
    torn = []
    for entity in [*folder.glob("authorities/*"), *folder.glob("certificates/*")]:
        names = {path.name for path in entity.iterdir()}
        expected = {f"{entity.name}.crt", f"{entity.name}.key", "chain.pem"}
        if not expected <= names or not _belong_together(entity):
            torn.append(f"{entity.name}: {sorted(names)}")
    return torn


def _belong_together(entity: Path) -> bool:
    certificate = x509.load_pem_x509_certificate((entity / f"{entity.name}.crt").read_bytes())
    key = load_pem_private_key((entity / f"{entity.name}.key").read_bytes(), None)
    form = Encoding.DER, PublicFormat.SubjectPublicKeyInfo
    issuer = x509.load_pem_x509_certificates((entity / "chain.pem").read_bytes())[0]
    certificate.verify_directly_issued_by(issuer)
    return key.public_key().public_bytes(*form) == certificate.public_key().public_bytes(*form)


def _start(profile: Path, out: Path, inherited: int | None = None) -> subprocess.Popen[bytes]:
    command = [sys.executable, "-m", "pkigen", "build", str(profile), "--force", "--out", str(out)]
    fds = () if inherited is None else (inherited,)
    return subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, pass_fds=fds)


def test_a_killed_build_leaves_complete_certificates(tmp_path: Path) -> None:
    profile, out = tmp_path / "killed.yaml", tmp_path / "out"
    body = "import sys, pkigen.cli\nassert pkigen.cli.main(['build', *sys.argv[1:]]) == 0"
    with kill.program(body) as run:
        for generation in (0, 1):
            profile.write_text(_document(generation))
            exit_code, events = run(profile, "--force", "--out", out, kill_at=0)
            assert exit_code == 0
        moments = random.Random(20261123)
        for generation in range(2, _KILLS + 2):
            profile.write_text(_document(generation))
            # Generations that keep their keys have a little fewer events.
            kill_at = moments.randrange(1, events * 9 // 10)
            assert run(profile, "--force", "--out", out, kill_at=kill_at)[0] == -signal.SIGKILL
            assert _broken(out / "killed") == [], f"after kill {generation}"
    assert _start(profile, out).wait() == 0
    judge = Judge(out / "killed")
    assert [judge.verify(case) for case in judge.manifest["cases"]] == [""] * 40
    assert not any((out / "killed" / ".pkigen" / "staging").iterdir())


@pytest.mark.parametrize("how", [signal.SIGKILL, signal.SIGINT, signal.SIGTERM])
def test_worker_processes_exit_with_their_build(tmp_path: Path, how: signal.Signals) -> None:
    profile, out = tmp_path / "killed.yaml", tmp_path / "out"
    profile.write_text(_document(1).replace("{01..40}", "{0001..1500}"))
    ours, theirs = os.pipe()
    with _start(profile, out, theirs) as process:
        os.close(theirs)
        certificates = out / "killed" / "certificates"
        while not (certificates.exists() and any(certificates.iterdir())):
            assert not select.select([ours], [], [], 0.02)[0], "the build ended before it could be killed"
        process.send_signal(how)
        try:
            process.wait(30)
        finally:
            process.kill()
    # The pipe reaches its end when the last process that holds its other side is gone.
    assert select.select([ours], [], [], 30)[0], "workers are still there"
    assert os.read(ours, 1) == b""
    os.close(ours)
    assert _broken(out / "killed") == []
    assert _start(profile, out).wait() == 0
    assert len(list(certificates.iterdir())) == 1500
