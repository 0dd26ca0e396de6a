"""The checks of .pre-commit-hooks.yaml; tests/installers runs them with pre-commit."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
import yaml

from pkigen import build
from pkigen.commit_hooks import main
from tests.tools import ROOT, run

HOOKS = {one["id"]: one for one in yaml.safe_load((ROOT / ".pre-commit-hooks.yaml").read_bytes())}


@pytest.fixture(scope="module")
def files(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A directory of a server's files, and an expired copy of its certificate."""
    document = {
        "name": "hooks",
        "defaults": {"key": "ec-p256"},
        "authorities": {"root": {}},
        "certificates": {"server": {"issuer": "root", "subject": {"CN": "server.test"}}},
        "negatives": [{"of": "server", "faults": ["expired"]}],
    }
    return build(document, tmp_path_factory.mktemp("hooks")).folder / "certificates"


def test_every_hook_runs_a_check() -> None:
    assert HOOKS.keys() == {"pkigen-validate", "pkigen-expiry", "pkigen-private-keys"}
    for hook in HOOKS.values():
        assert hook["entry"].startswith("python -m pkigen.commit_hooks ")
        assert hook["language"] == "python"
        assert main(hook["entry"].split()[3:]) == 0


@pytest.mark.parametrize(
    ("hook", "chosen"),
    [
        ("pkigen-validate", {"pki.yaml", "lab.pki.yml", "pki/plant.yaml", "a/profiles/b.yaml"}),
        ("pkigen-expiry", {"server.crt", "ca.pem", "a/b.der"}),
    ],
)
def test_the_patterns_choose_the_files_of_a_hook(hook: str, chosen: set[str]) -> None:
    names = chosen | {"compose.yaml", "README.md", "src/pki.py", "certs.yaml.txt"}
    assert {name for name in names if re.search(HOOKS[hook]["files"], name)} - {"src/pki.py"} == chosen


def test_an_invalid_profile_is_reported_with_its_line(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    good, bad = tmp_path / "good.yaml", tmp_path / "bad.yaml"
    good.write_text("name: good\nauthorities: {root: {}}\n")
    bad.write_text("name: bad\nauthorities:\n  root: {kye: rsa-2048}\n")
    assert main(["validate", str(good)]) == 0
    assert main(["validate", str(bad), str(good)]) == 2
    assert "bad.yaml:3:" in capsys.readouterr().err


def test_a_certificate_that_expires_within_the_period_is_refused(
    files: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    server, expired = (str(files / name / f"{name}.crt") for name in ("server", "server.expired"))
    assert main(["expiry", server]) == 0
    assert main(["expiry", "--within", "10y", server]) == 1
    assert "server.crt: the certificate expires on " in capsys.readouterr().out
    assert main(["expiry", server, expired]) == 1
    assert "server.expired.crt: the certificate expired on " in capsys.readouterr().out


@pytest.mark.needs("openssl")
def test_private_keys_are_refused_in_every_form(
    files: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    key, certificate = files / "server" / "server.key", files / "server" / "server.crt"
    made = {
        "encrypted.pem": ("pkey", "-in", key, "-aes256", "-passout", "pass:x", "-out"),
        "key.der": ("pkey", "-in", key, "-outform", "DER", "-out"),
        "store.p12": ("pkcs12", "-export", "-inkey", key, "-in", certificate, "-passout", "pass:x", "-out"),
    }
    for name, arguments in made.items():
        run("openssl", *arguments, tmp_path / name)
    (tmp_path / "script.sh").write_text(f"cat <<END\n{key.read_text()}END\n")
    for name in (*made, "script.sh"):
        assert main(["private-keys", str(tmp_path / name)]) == 1
        assert name in capsys.readouterr().out
    sound = [certificate, ROOT / "README.md", ROOT / "docs" / "lab-upload.png"]
    assert main(["private-keys", *map(str, sound)]) == 0


def test_a_file_that_cannot_be_read_is_an_error(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["private-keys", str(tmp_path / "missing.pem")]) == 2
    assert "missing.pem" in capsys.readouterr().err


def test_a_period_that_means_nothing_is_an_error(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        main(["expiry", "--within", "soon"])
    assert "soon" in capsys.readouterr().err
