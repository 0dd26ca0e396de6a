"""ACME with real clients: first certificate, renewal, revocation, rejection."""

from __future__ import annotations

import functools
import os
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread

import pytest
from cryptography import x509

from tests import tools
from tests.clients.conftest import free_port
from tests.clients.enrolment.conftest import (
    Enrolment,
    environment_with,
    make_request,
    only_clients,
    serving,
    verify,
)

_TRUST_OF_THE_SYSTEM = "/etc/ssl/certs/ca-certificates.crt"


class Files(SimpleHTTPRequestHandler):
    """Serves the files of a directory."""

    def log_message(self, *_: object) -> None:
        """Print nothing."""


@dataclass
class Acme:
    """A running directory, and a web server of the devices that serves ``web``."""

    enrolment: Enrolment
    web: Path
    http_port: int
    tls_port: int

    @property
    def challenges(self) -> Path:
        """Where clients write challenges."""
        return self.web / ".well-known" / "acme-challenge"


@pytest.fixture(scope="module")
def acme(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Acme]:
    directory = tmp_path_factory.mktemp("acme")
    web = directory / "web"
    (web / ".well-known" / "acme-challenge").mkdir(parents=True)
    handler = functools.partial(Files, directory=str(web))
    with ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        thread = Thread(target=server.serve_forever)
        thread.start()
        try:
            port, tls_port = server.server_port, free_port()
            folder = environment_with("acme", f"{{http_port: {port}, tls_port: {tls_port}}}", directory)
            with serving(folder, "--control-port", "0") as enrolment:
                yield Acme(enrolment, web, port, tls_port)
        finally:
            server.shutdown()
            thread.join()


@dataclass
class Client:
    """A client program with its own directory; subclasses know its commands."""

    acme: Acme
    out: Path
    environ: dict[str, str] = field(default_factory=dict)

    def run(self, *command: str | Path) -> tuple[int, str]:
        """Run a command; return its exit code and its output."""
        done = subprocess.run(
            [str(word) for word in command],
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
            env={**os.environ, **self.environ, "HOME": str(self.out)},
            stdin=subprocess.DEVNULL,
        )
        return done.returncode, done.stdout + done.stderr

    def first(self, name: str) -> tuple[int, str]:
        """Request the first certificate for a name."""
        raise NotImplementedError

    def renew(self, name: str) -> tuple[int, str]:
        """Renew the certificate."""
        raise NotImplementedError

    def revoke(self, name: str) -> tuple[int, str]:
        """Revoke the certificate."""
        raise NotImplementedError

    def certificate(self, name: str) -> Path:
        """Return the path of the certificate."""
        raise NotImplementedError


class Certbot(Client):
    """Debian's certbot, with a web root."""

    def _certbot(self, *command: str | Path) -> tuple[int, str]:
        self.environ = {"REQUESTS_CA_BUNDLE": str(self.acme.enrolment.trust)}
        places = [f"--{kind}-dir={self.out / kind}" for kind in ("config", "work", "logs")]
        return self.run("certbot", *command, "-n", "--server", self.acme.enrolment.url, *places)

    def first(self, name: str) -> tuple[int, str]:
        account = ("--agree-tos", "--register-unsafely-without-email")
        return self._certbot("certonly", "--webroot", "-w", self.acme.web, "-d", name, *account)

    def renew(self, name: str) -> tuple[int, str]:
        return self._certbot("renew", "--force-renewal", "--cert-name", name, "--no-random-sleep-on-renew")

    def revoke(self, name: str) -> tuple[int, str]:
        return self._certbot("revoke", "--cert-name", name, "--no-delete-after-revoke")

    def certificate(self, name: str) -> Path:
        return self.out / "config" / "live" / name / "cert.pem"


class Lego(Client):
    """Debian's lego, with a web root."""

    def _lego(self, name: str, *command: str) -> tuple[int, str]:
        self.environ = {"LEGO_CA_CERTIFICATES": str(self.acme.enrolment.trust)}
        web = ("--http", "--http.webroot", self.acme.web)
        account = ("--server", self.acme.enrolment.url, "--path", self.out, "-a", "-m", "a@contoso.test")
        return self.run("lego", *account, *web, "-d", name, *command)

    def first(self, name: str) -> tuple[int, str]:
        return self._lego(name, "run")

    def renew(self, name: str) -> tuple[int, str]:
        return self._lego(name, "renew", "--days", "400", "--no-random-sleep")

    def revoke(self, name: str) -> tuple[int, str]:
        return self._lego(name, "revoke", "--keep")

    def certificate(self, name: str) -> Path:
        return self.out / "certificates" / f"{name}.crt"


class Uacme(Client):
    """uacme: it trusts only the system's store, so it gets one of its own in a mount namespace."""

    def _uacme(self, *command: str | Path) -> tuple[int, str]:
        hook = self.out / "hook.sh"
        if not hook.exists():
            path = f'"{self.acme.challenges}/$4"'
            hook.write_text(
                f'#!/bin/sh\n[ "$2" = http-01 ] || exit 1\n[ "$1" = begin ] || exec rm -f {path}\n'
                f'printf %s "$5" > {path}\n'
            )
            hook.chmod(0o700)
        trust = self.acme.enrolment.trust
        mount = f'mount --bind "{trust}" {_TRUST_OF_THE_SYSTEM} && exec "$@"'
        options = ("-a", self.acme.enrolment.url, "-c", self.out / "uacme", "-h", hook, "-y", "-n")
        started = ("unshare", "-rm", "sh", "-c", mount, "sh", "uacme")
        return self.run(*started, *(one for one in options if one != "-n"), *command)

    def first(self, name: str) -> tuple[int, str]:
        if not (self.out / "uacme").exists():
            self._uacme("new")
        return self._uacme("-v", "issue", name)

    def renew(self, name: str) -> tuple[int, str]:
        return self._uacme("-v", "-f", "issue", name)

    def revoke(self, name: str) -> tuple[int, str]:
        return self._uacme("revoke", self.certificate(name))

    def certificate(self, name: str) -> Path:
        return self.out / "uacme" / name / "cert.pem"


class Dehydrated(Client):
    """dehydrated, with a web root."""

    def _dehydrated(self, *command: str | Path) -> tuple[int, str]:
        config = self.out / "config"
        config.write_text(
            f'CA="{self.acme.enrolment.url}"\nBASEDIR={self.out}\nWELLKNOWN={self.acme.challenges}\n'
            f'CURL_OPTS="--cacert {self.acme.enrolment.trust}"\nKEY_ALGO=prime256v1\n'
        )
        return self.run("dehydrated", "-f", config, *command)

    def first(self, name: str) -> tuple[int, str]:
        code, output = self._dehydrated("--register", "--accept-terms")
        return (code, output) if code else self._dehydrated("-c", "-d", name)

    def renew(self, name: str) -> tuple[int, str]:
        return self._dehydrated("-c", "-x", "-d", name)

    def revoke(self, name: str) -> tuple[int, str]:
        return self._dehydrated("-r", self.certificate(name).resolve())

    def certificate(self, name: str) -> Path:
        return self.out / "certs" / name / "cert.pem"


def _can_mount() -> bool:
    command = ["unshare", "-rm", "true"]
    return Path(_TRUST_OF_THE_SYSTEM).exists() and subprocess.run(command, check=False).returncode == 0


def _with_client(*kinds: type[Client]) -> list[object]:
    return [
        pytest.param(one, marks=pytest.mark.needs(one.__name__.lower()), id=one.__name__) for one in kinds
    ]


_CLIENTS = _with_client(Certbot, Lego, Uacme, Dehydrated)


def _client(kind: type[Client], acme: Acme, out: Path) -> Client:
    if kind is Uacme and not _can_mount():
        pytest.skip("uacme trusts only the system's store, and this user may not replace it for one program")
    return kind(acme, out)


@pytest.mark.parametrize("kind", _CLIENTS)
def test_the_client_gets_its_first_certificate(acme: Acme, tmp_path: Path, kind: type[Client]) -> None:
    client, name = _client(kind, acme, tmp_path), f"{kind.__name__.lower()}.contoso.test"
    code, output = client.first(name)
    assert code == 0, output
    verify(acme.enrolment, client.certificate(name), "-verify_hostname", name)


@only_clients
@pytest.mark.parametrize("kind", _CLIENTS)
def test_the_client_renews_and_revokes_and_reports_a_rejection(
    acme: Acme, tmp_path: Path, kind: type[Client]
) -> None:
    client, name = _client(kind, acme, tmp_path), f"{kind.__name__.lower()}-2.contoso.test"
    code, output = client.first(name)
    assert code == 0, output
    first = x509.load_pem_x509_certificate(client.certificate(name).read_bytes())
    code, output = client.renew(name)
    assert code == 0, output
    renewed = x509.load_pem_x509_certificate(client.certificate(name).read_bytes())
    assert renewed.serial_number != first.serial_number
    code, output = client.revoke(name)
    assert code == 0, output
    crl = acme.enrolment.folder / "www" / "crl" / "ot-issuing.crl"
    revoked = x509.load_der_x509_crl(crl.read_bytes())
    assert revoked.get_revoked_certificate_by_serial_number(renewed.serial_number) is not None
    code, output = client.first("device.evil.test")
    assert code != 0
    # certbot 2.1 fails itself ("can't set attribute") on a problem document with subproblems.
    reasons = ("rejectedIdentifier", "is not allowed", "can't set attribute")
    assert any(reason in output for reason in reasons), output


@pytest.mark.needs("acme-tiny", "openssl")
def test_acme_tiny_gets_its_first_certificate(acme: Acme, tmp_path: Path) -> None:
    _, request = make_request(tmp_path, "tiny.contoso.test")
    csr, account, out = tmp_path / "tiny.pem", tmp_path / "account.key", tmp_path / "tiny.crt"
    tools.run("openssl", "req", "-inform", "DER", "-in", request, "-out", csr)
    tools.run("openssl", "genrsa", "-traditional", "-out", account, "2048")
    command = ("acme-tiny", "--account-key", account, "--csr", csr, "--acme-dir", acme.challenges)
    options = ("--directory-url", acme.enrolment.url, "--disable-check", "--quiet")
    environ = {"SSL_CERT_FILE": str(acme.enrolment.trust)}
    out.write_text(tools.run(*command, *options, environ=environ))
    verify(acme.enrolment, out, "-verify_hostname", "tiny.contoso.test")


@contextmanager
def _running(*command: str | Path, **environ: str) -> Iterator[None]:
    """Run a server until the block ends."""
    with subprocess.Popen(
        [str(word) for word in command],
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        env={**os.environ, **environ},
    ) as process:
        try:
            yield
        finally:
            process.terminate()


def _presented(port: int, name: str, trust: Path) -> str:
    """Wait until a TLS server presents a certificate that openssl verifies; return openssl's output."""
    command = (
        "openssl",
        "s_client",
        "-connect",
        f"127.0.0.1:{port}",
        "-servername",
        name,
        "-verify_return_error",
    )
    words = [*command, "-verify_hostname", name, "-CAfile", str(trust)]
    ends = time.monotonic() + 60
    while True:
        done = subprocess.run(words, capture_output=True, text=True, input="", timeout=20, check=False)
        if done.returncode == 0 or time.monotonic() > ends:
            assert done.returncode == 0, done.stdout + done.stderr
            return done.stdout
        time.sleep(0.2)


@pytest.mark.needs("caddy", "openssl")
def test_caddy_gets_its_certificate_with_tls_alpn_01(acme: Acme, tmp_path: Path) -> None:
    (tmp_path / "Caddyfile").write_text(
        f"""{{
    admin off
    storage file_system {tmp_path}/storage
    http_port {free_port()}
    https_port {acme.tls_port}
    default_bind 127.0.0.1
    acme_ca {acme.enrolment.url}
    acme_ca_root {acme.enrolment.trust}
    skip_install_trust
}}
caddy.contoso.test {{
    tls {{
        issuer acme {{
            dir {acme.enrolment.url}
            trusted_roots {acme.enrolment.trust}
            disable_http_challenge
        }}
    }}
    respond "ok"
}}
"""
    )
    command = ("caddy", "run", "--config", tmp_path / "Caddyfile", "--adapter", "caddyfile")
    with _running(*command, HOME=str(tmp_path), XDG_DATA_HOME=str(tmp_path)):
        output = _presented(acme.tls_port, "caddy.contoso.test", acme.enrolment.trust)
    assert "Verify return code: 0 (ok)" in output
