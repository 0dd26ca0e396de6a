"""Every shipped profile builds, and openssl and keytool accept its output."""

from __future__ import annotations

import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path

import jsonschema
import pytest

from pkigen import build
from pkigen.documents import shipped
from pkigen.environment.build.options import BuildOptions
from pkigen.environment.environment import Environment
from pkigen.environment.manifest.schema import json_schema
from tests.environment.keytool import listing
from tests.openssl import Judge

_SCHEMA = jsonschema.Draft202012Validator(json_schema())
_BEYOND_OPENSSL_3_0 = ("ml-dsa",)


_WITH_INVALID_PATHS = ("pkits", "bettertls")
"""Profiles with invalid paths and CRLs on purpose; tests/pkits and tests/bettertls verify them."""


@pytest.fixture(scope="module", params=[name for name in shipped.names() if name not in _WITH_INVALID_PATHS])
def environment(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Environment:
    return build(request.param, tmp_path_factory.mktemp("shipped"), BuildOptions(keys="pool"))


@pytest.mark.needs("openssl")
def test_openssl_verifies_every_certificate(environment: Environment) -> None:
    judge = Judge(environment.folder)
    sound = (case for case in judge.manifest["cases"] if "fault" not in case)
    for case in sound:
        if not case["key"]["kind"].startswith(_BEYOND_OPENSSL_3_0):
            assert judge.verify(case) == "", case["name"]
            assert judge.key_matches(case), case["name"]


@pytest.mark.needs("openssl")
def test_every_authority_has_a_crl_that_its_key_signed(environment: Environment) -> None:
    # Those of faults are the faults' own affair: their CRL can be what is wrong.
    for authority in (one for one in environment.manifest["authorities"] if "fault" not in one):
        crl = environment.folder / authority["crl"]["file"]
        certificate = environment.folder / authority["files"]["certificate"]
        command = ["openssl", "crl", "-inform", "DER", "-in", str(crl), "-CAfile", str(certificate), "-noout"]
        done = subprocess.run(command, capture_output=True, text=True, check=True)
        assert "verify OK" in done.stderr


def test_the_manifest_matches_its_schema(environment: Environment) -> None:
    _SCHEMA.validate(environment.manifest)


def test_every_file_in_the_manifest_exists(environment: Environment) -> None:
    for entity in (*environment.manifest["authorities"], *environment.manifest["cases"]):
        for path in entity["files"].values():
            assert (environment.folder / path).is_file()


def test_only_the_owner_can_read_keys_and_www_contains_none(environment: Environment) -> None:
    # The directory protects the keys of cases whose fault is the mode of the key file.
    assert (environment.folder / "certificates").stat().st_mode & 0o077 == 0
    wrong_mode = {case.name for case in environment.cases() if (case.fault or "").endswith("-mode")}
    keys = [path for path in environment.folder.rglob("*.key") if path.parent.name not in wrong_mode]
    assert keys
    for path in keys:
        assert path.stat().st_mode & 0o077 == 0
        assert path.parent.stat().st_mode & 0o077 == 0
    served = [path.read_bytes() for path in environment.www.rglob("*") if path.is_file()]
    assert served
    assert not any(b"PRIVATE KEY" in data for data in served)


@pytest.fixture(scope="module")
def keytool() -> Iterator[Callable[[Path], str]]:
    with listing() as lists:
        yield lists


@pytest.mark.needs("keytool", "javac")
def test_keytool_reads_every_pkcs12(keytool: Callable[[Path], str], environment: Environment) -> None:
    for case in (one for one in environment.manifest["cases"] if "fault" not in one):
        path = case["files"].get("p12")
        if path is not None:
            printed = keytool(environment.folder / path)
            assert "PrivateKeyEntry" in printed
            assert f"Certificate chain length: {len(case['path']) + 1}" in printed
