"""nginx, Apache, HAProxy, Caddy and stunnel take what is written for them, and serve it."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from pkigen.environment.environment import Environment
from pkigen.export import TARGETS, ExportOptions, export
from pkigen.serve import serve
from tests.export.conftest import PASSPHRASE, Export, Served, free_port, running
from tests.tools import run

CHECKS: dict[str, tuple[str, ...]] = {
    "nginx": ("nginx", "-t", "-p", ".", "-c", "nginx.conf"),
    "apache": ("apachectl", "-d", "{folder}", "-f", "httpd.conf", "-t"),
    "haproxy": ("haproxy", "-c", "-f", "haproxy.cfg"),
    "caddy": ("caddy", "validate", "--config", "Caddyfile", "--adapter", "caddyfile"),
}
"""How each program says whether it accepts a configuration."""

STARTS: dict[str, tuple[str, ...]] = {
    "nginx": ("nginx", "-p", ".", "-c", "nginx.conf"),
    "apache": ("apachectl", "-d", "{folder}", "-f", "httpd.conf", "-D", "FOREGROUND"),
    "haproxy": ("haproxy", "-f", "haproxy.cfg"),
    "caddy": ("caddy", "run", "--config", "Caddyfile"),
}
SERVERS = [pytest.param(name, marks=pytest.mark.needs(CHECKS[name][0], "curl", "openssl")) for name in CHECKS]
PUBLISHED = {"crl/issuing.crl": "application/pkix-crl", "ca/root.crt": "application/pkix-cert"}
SOUND = ("sensor", "also", "locked")


def _command(words: tuple[str, ...], folder: Path) -> list[str]:
    return [word.format(folder=folder) for word in words]


@pytest.fixture(autouse=True)
def _caddys_own_folders(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "config"))
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path / "data"))


@contextmanager
def served(environment: Environment, target: str, folder: Path) -> Iterator[Served]:
    port, tls_port = free_port(), free_port()
    options = ExportOptions(out=folder / target, port=port, tls_port=tls_port, passphrases=(PASSPHRASE,))
    export(environment, TARGETS[target], options)
    with running(_command(STARTS[target], folder / target), folder / target, port, tls_port):
        yield Served(folder / target, port, tls_port)


@pytest.mark.parametrize("target", SERVERS)
def test_the_server_accepts_its_configuration(target: str, exported: Export) -> None:
    done = exported(target)
    run(*_command(CHECKS[target], done.folder), cwd=done.folder)
    assert "sensor.sig-md5" in done.certificates or target == "haproxy"


@pytest.mark.parametrize("target", SERVERS)
def test_a_server_presents_each_certificate_by_name_and_serves_the_crls(
    target: str, environment: Environment, open_folder: Path
) -> None:
    with served(environment, target, open_folder) as server:
        for name in SOUND:
            assert server.page(f"{name}.contoso.test")
        assert server.page("any.edge.contoso.test")
        fault = environment["sensor.expired"].hosts[0]
        assert "expired" in server.refusal(fault)
        for host, case in {
            "sensor.contoso.test": "sensor",
            "also.contoso.test": "sensor",
            "retired.contoso.test": "retired",
            "gateway": "gateway",
            fault: "sensor.expired",
            environment["sensor.chain-missing-intermediate"].hosts[0]: "sensor.chain-missing-intermediate",
            None: "gateway",
            "unknown.contoso.test": "gateway",
        }.items():
            assert server.fingerprint(host) == environment[case].data["sha256"], host
        for path, kind in PUBLISHED.items():
            got = server.folder / "got"
            url = f"http://pki.contoso.test:{server.port}/lab/{path}"
            output = server.curl(url, "--fail", "--output", str(got), "--write-out", "%{content_type}")
            assert (output.returncode, output.stdout) == (0, kind)
            assert got.read_bytes() == (environment.www / path).read_bytes()
        for path in ("private/sensor.key", "lab/../private/sensor.key", "crl/issuing.crl"):
            refused = server.curl(f"http://pki.contoso.test:{server.port}/{path}", "--fail", "--path-as-is")
            assert refused.returncode == 22


@pytest.mark.needs("stunnel", "curl", "openssl")
def test_stunnel_serves_the_crls_over_tls(environment: Environment, open_folder: Path) -> None:
    with serve(environment.folder) as url:
        port, tls_port = int(url.rpartition(":")[2]), free_port()
        folder = open_folder / "stunnel"
        options = ExportOptions(out=folder, port=port, tls_port=tls_port, passphrases=(PASSPHRASE,))
        done = export(environment, TARGETS["stunnel"], options)
        assert not (folder / "www").exists()
        with running(["stunnel", "stunnel.conf"], folder, tls_port):
            server = Served(folder, port, tls_port)
            got = folder / "got"
            url = f"https://sensor.contoso.test:{tls_port}/lab/crl/issuing.crl"
            assert server.curl(url, "--fail", "--output", str(got)).returncode == 0
            assert got.read_bytes() == (environment.www / "crl/issuing.crl").read_bytes()
            for name in ("sensor", "edge", "locked", "sensor.expired"):
                host = environment[name].hosts[0].replace("*", "any").lower()
                assert server.fingerprint(host) == environment[name].data["sha256"]
            assert server.fingerprint(None) == environment["gateway"].data["sha256"]
        assert "sensor.sig-md5" in done.certificates


def test_cases_that_no_server_can_present_are_omitted_with_the_reason(exported: Export) -> None:
    left_out = exported("nginx").left_out
    assert left_out.keys() == {
        "locked",
        "sensor.key-mismatch",
        "sensor.key-encrypted",
        "sensor.chain-key-in-chain-file",
        "sensor.pem-utf16",
        "sensor.tls-no-certificate",
    }
    assert "key values mismatch" in left_out["sensor.key-mismatch"]
    assert "--passphrase-file" in left_out["sensor.key-encrypted"]
    assert "private key" in left_out["sensor.chain-key-in-chain-file"]
    assert "pkigen serve --tls-port" in left_out["sensor.tls-no-certificate"]


def test_cases_with_a_faulty_response_are_reported(exported: Export) -> None:
    (note,) = exported("nginx").notes
    assert note.startswith("2 certificates need faulty CRL or OCSP responses")
    assert "sensor.crl-http-404" in note


def test_files_equal_those_of_the_environment(environment: Environment, exported: Export) -> None:
    folder = exported("nginx", passphrases=(PASSPHRASE,)).folder
    case = environment["sensor.pem-crlf"]
    assert (folder / "certs/sensor.pem-crlf.pem").read_bytes().startswith(case.certificate.read_bytes())
    assert (folder / "private/sensor.key").read_bytes() == environment["sensor"].key.read_bytes()
    assert b"ENCRYPTED" not in (folder / "private/locked.key").read_bytes()
    full = (folder / "certs/sensor.pem").read_text()
    assert full.count("BEGIN CERTIFICATE") == 2  # without the root


@pytest.mark.parametrize("target", ["nginx", "apache", "haproxy", "envoy", "caddy", "stunnel"])
def test_an_ipv6_address_is_in_brackets_where_required(target: str, exported: Export) -> None:
    folder = exported(target, host="::1").folder
    text = "".join(path.read_text() for path in folder.iterdir() if path.is_file())
    assert ("[::1]:8443" in text) == (target not in ("envoy", "caddy"))
    assert "::1" in text
