"""Java's PKIX validator, which fetches CRLs and asks for OCSP answers itself."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests import tools
from tests.clients.conftest import Lab

pytestmark = pytest.mark.needs("javac", "keytool")

# Java wants a CRL for the unused first flag as well before those for some reasons count as for all.
_BY_CRL = ("plain", "delta", "partitioned")
_BY_OCSP = ("plain", "delegated", "named")


def test_java_rejects_only_the_revoked_certificate(lab: Lab, tmp_path: Path) -> None:
    tools.run("javac", "-d", tmp_path, Path(__file__).with_name("Judge.java"))
    arguments: list[str | Path] = []
    for way, kinds in (("crl", _BY_CRL), ("ocsp", _BY_OCSP)):
        for kind in kinds:
            for name in (f"good-{kind}", f"bad-{kind}"):
                arguments += [way, lab.certificate(name), lab.chain(name)]
    options = ("-Dcom.sun.security.enableCRLDP=true", "-cp", tmp_path)
    output = tools.run("java", *options, "Judge", lab.trust, *arguments)
    verdicts = [line.split(" ", 2) for line in output.splitlines()]
    expected = [
        (way, f"{how}-{kind}", word)
        for way, kinds in (("crl", _BY_CRL), ("ocsp", _BY_OCSP))
        for kind in kinds
        for how, word in (("good", "good"), ("bad", "SUPERSEDED"))
    ]
    assert [(way, Path(path).stem, word) for way, path, word in verdicts] == expected
