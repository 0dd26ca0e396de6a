"""Authorities with the key of another one (``key_of``), and path tests with their own chains and anchors."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from pkigen.cli import main
from pkigen.errors import InputError
from pkigen.profile import load
from tests.environment.profiles import Document, build_it, changes
from tests.tools import run


def _document(**authorities: Any) -> Document:
    return {
        "name": "shared",
        "defaults": {"key": "ec-p256", "subject": {"O": "Test"}, "crl": "none"},
        "authorities": {
            "root": {"subject": {"CN": "Root"}},
            "issuing": {"issuer": "root", "subject": {"CN": "Issuing"}},
            "expired": {
                "like": "issuing",
                "key_of": "issuing",
                "valid": {"from": "2010-01-01", "to": "2011-01-01"},
            },
            **authorities,
        },
        "certificates": {"leaf": {"issuer": "issuing", "subject": {"CN": "leaf.test"}}},
    }


def _key(folder: Path, name: str) -> str:
    return run(
        "openssl",
        "x509",
        "-noout",
        "-pubkey",
        "-in",
        folder / "shared" / "authorities" / name / f"{name}.crt",
    )


@pytest.mark.needs("openssl")
@pytest.mark.parametrize("keys", [{}, {"seed": "x"}, {"keys": "pool"}], ids=["fresh", "seed", "pool"])
def test_an_authority_has_the_key_of_another_one(keys: dict[str, Any], tmp_path: Path) -> None:
    build_it(_document(), tmp_path, **keys)
    assert _key(tmp_path, "expired") == _key(tmp_path, "issuing")
    assert changes(build_it(_document(), tmp_path, **keys)) == {}
    folder = tmp_path / "shared"
    run(
        *("openssl", "verify", "-no_check_time", "-CAfile", folder / "trust.pem"),
        *("-untrusted", folder / "authorities/expired/expired.crt", folder / "certificates/leaf/leaf.crt"),
    )


@pytest.mark.needs("openssl")
def test_a_new_key_of_the_owner_is_a_new_key_of_all(tmp_path: Path) -> None:
    build_it(_document(), tmp_path)
    before = _key(tmp_path, "issuing")
    (tmp_path / "shared/authorities/issuing/issuing.key").unlink()
    result = build_it(_document(), tmp_path)
    assert _key(tmp_path, "issuing") != before
    assert _key(tmp_path, "expired") == _key(tmp_path, "issuing")
    reasons = {change.id: change.reasons for change in result.summary.changes}
    assert "the key of issuing, which it shares, is new" in reasons["authorities/expired"]


@pytest.mark.needs("openssl")
def test_an_authority_whose_key_is_lost_gets_that_of_the_owner_again(tmp_path: Path) -> None:
    build_it(_document(), tmp_path)
    before = _key(tmp_path, "issuing")
    (tmp_path / "shared/authorities/expired/expired.key").unlink()
    build_it(_document(), tmp_path)
    assert _key(tmp_path, "expired") == _key(tmp_path, "issuing") == before


@pytest.mark.needs("openssl")
def test_an_authority_that_no_longer_shares_its_key_gets_its_own(tmp_path: Path) -> None:
    build_it(_document(), tmp_path)
    owner = _key(tmp_path, "issuing")
    alone = {
        "issuer": "root",
        "subject": {"CN": "Issuing"},
        "valid": {"from": "2010-01-01", "to": "2011-01-01"},
    }
    result = build_it(_document(expired=alone), tmp_path)
    assert changes(result).keys() == {"expired"}
    assert _key(tmp_path, "expired") != owner == _key(tmp_path, "issuing")
    build_it(_document(), tmp_path)
    assert _key(tmp_path, "expired") == owner


@pytest.mark.parametrize(
    ("fields", "message"),
    [
        ({"key_of": "isuing"}, "no authority is called 'isuing'"),
        ({"key_of": "other"}, "'other' has no key of its own"),
        ({"key_of": "expired"}, "'expired' has no key of its own"),
        ({"key_of": "issuing", "key": "rsa-2048"}, "the key of 'issuing' is ec-p256, not rsa-2048"),
        (
            {"key_of": "below"},
            "'other' is issued by itself, through other authorities or the owner of its key",
        ),
    ],
)
def test_a_key_that_cannot_be_shared_is_an_error(fields: dict[str, str], message: str) -> None:
    below = {"issuer": "other", "subject": {"CN": "Below"}}
    other = {"issuer": "root", "subject": {"CN": "Other"}, **fields}
    with pytest.raises(InputError) as caught:
        load(_document(other=other, below=below))
    assert message in str(caught.value)


_TESTS: list[dict[str, Any]] = [
    {"id": "own", "certificate": "leaf", "expect": "accept"},
    {"id": "chain", "certificate": "leaf", "chain": ["expired"], "expect": "reject"},
    {"id": "both", "certificate": "leaf", "chain": ["expired", "issuing"], "expect": "accept"},
    {"id": "other-root", "certificate": "leaf", "trust": ["other"], "expect": "reject"},
    {"id": "partial", "certificate": "leaf", "trust": ["issuing"], "expect": "accept"},
    {"id": "host", "certificate": "leaf", "host": "leaf.test", "purpose": "server", "expect": "accept"},
    {"id": "other-host", "certificate": "leaf", "host": "a.test", "expect": "reject"},
    {"id": "purpose", "certificate": "mail", "purpose": "server", "expect": "reject"},
    {"id": "sha1", "certificate": "sha1", "expect": "accept"},
    {"id": "no-sha1", "certificate": "sha1", "reject_sha1": "true", "expect": "reject"},
]


def test_path_tests_state_chain_anchors_host_and_purpose(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    document = _document(other={"subject": {"CN": "Other"}})
    leaf = document["certificates"]["leaf"]
    document["certificates"] |= {
        "mail": {**leaf, "extended_key_usage": ["emailProtection"]},
        "sha1": {**leaf, "signature": "sha1"},
    }
    preferable = {"id": "preferable", "certificate": "leaf", "expect": "reject", "required": "false"}
    build_it({**document, "path_tests": [*_TESTS, preferable]}, tmp_path)
    folder = str(tmp_path / "shared")
    assert main(["verify", folder]) == 0
    printed = capsys.readouterr().out
    assert "differs  preferable : expected reject" in printed
    assert "10 right, 0 wrong, 0 cannot say, 1 different where it is not required" in printed
    assert main(["verify", folder, "--json"]) == 0
    files = {one["id"]: one["files"] for one in json.loads(capsys.readouterr().out)}
    assert files["both"]["chain"] == [f"authorities/{name}/{name}.crt" for name in ("expired", "issuing")]
    assert files["own"]["trust"] == ["trust.pem"]
    assert files["partial"]["trust"] == ["authorities/issuing/issuing.crt"]
    wrong = [{**one, "expect": "reject"} if one["id"] == "host" else one for one in _TESTS]
    build_it({**document, "path_tests": wrong}, tmp_path)
    assert main(["verify", folder]) == 1
    assert "9 right, 1 wrong" in capsys.readouterr().out
