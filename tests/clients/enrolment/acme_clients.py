"""The ACME clients of Debian, and the servers that they use: pkigen's, and a web server for challenges."""

from __future__ import annotations

import functools
import os
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread

import pytest

from tests import tools
from tests.clients.conftest import free_port
from tests.clients.enrolment.conftest import Enrolment, environment_with, make_request, serving

_TRUST_OF_THE_SYSTEM = "/etc/ssl/certs/ca-certificates.crt"


class Files(SimpleHTTPRequestHandler):
    """Serves the files of a directory."""

    def log_message(self, *_: object) -> None:
        """Print nothing."""


@dataclass
class Acme:
    """A directory of an ACME server, what its clients trust, and a web server of the devices (``web``).

    The server fetches challenges from ``http_port`` and ``tls_port``. ``enrolment`` is pkigen's server.
    """

    url: str
    trust: Path
    web: Path
    http_port: int
    tls_port: int
    served: Enrolment | None = None

    @property
    def challenges(self) -> Path:
        """Where clients write challenges."""
        return self.web / ".well-known" / "acme-challenge"

    @property
    def enrolment(self) -> Enrolment:
        """The server, if it is pkigen's."""
        assert self.served is not None
        return self.served


@contextmanager
def web_server(directory: Path) -> Iterator[tuple[Path, int]]:
    """Serve the files of a directory for challenges; yields the directory and the port."""
    web = directory / "web"
    (web / ".well-known" / "acme-challenge").mkdir(parents=True)
    with ThreadingHTTPServer(("127.0.0.1", 0), functools.partial(Files, directory=str(web))) as server:
        thread = Thread(target=server.serve_forever)
        thread.start()
        try:
            yield web, server.server_port
        finally:
            server.shutdown()
            thread.join()


@contextmanager
def acme_server(directory: Path, *options: str, settings: str = "", issuing: str = "") -> Iterator[Acme]:
    """Serve the template ``sensors`` with ACME, and the web server of the devices.

    ``issuing`` are further fields of the issuing CA.
    """
    with web_server(directory) as (web, port):
        tls_port = free_port()
        protocol = f"{{http_port: {port}, tls_port: {tls_port}}}{settings}"
        with serving(environment_with("acme", protocol, directory, issuing), *options) as enrolment:
            yield Acme(enrolment.url, enrolment.trust, web, port, tls_port, enrolment)


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
            timeout=300,
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

    program = "certbot"

    def _certbot(self, *command: str | Path) -> tuple[int, str]:
        self.environ = {"REQUESTS_CA_BUNDLE": str(self.acme.trust)}
        places = [f"--{kind}-dir={self.out / kind}" for kind in ("config", "work", "logs")]
        return self.run(self.program, *command, "-n", "--server", self.acme.url, *places)

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
        self.environ = {"LEGO_CA_CERTIFICATES": str(self.acme.trust)}
        web = ("--http", "--http.webroot", self.acme.web)
        account = ("--server", self.acme.url, "--path", self.out, "-a", "-m", "a@contoso.test")
        return self.run("lego", *account, *web, "-d", name, *command)

    def first(self, name: str) -> tuple[int, str]:
        return self._lego(name, "run")

    def renew(self, name: str) -> tuple[int, str]:
        return self._lego(name, "renew", "--days", "4000", "--no-random-sleep")

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
        trust = self.acme.trust
        mount = f'mount --bind "{trust}" {_TRUST_OF_THE_SYSTEM} && exec "$@"'
        options = ("-a", self.acme.url, "-c", self.out / "uacme", "-h", hook, "-y", "-n")
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
            f'CA="{self.acme.url}"\nBASEDIR={self.out}\nWELLKNOWN={self.acme.challenges}\n'
            f'CURL_OPTS="--cacert {self.acme.trust}"\nKEY_ALGO=prime256v1\n'
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


def can_mount() -> bool:
    """Whether this user may replace the system's trust store for one program."""
    command = ["unshare", "-rm", "true"]
    return Path(_TRUST_OF_THE_SYSTEM).exists() and subprocess.run(command, check=False).returncode == 0


def with_client(*kinds: type[Client]) -> list[object]:
    """Return parameters of tests, one for each client; a test needs its program."""
    return [
        pytest.param(one, marks=pytest.mark.needs(one.__name__.lower()), id=one.__name__) for one in kinds
    ]


CLIENTS = with_client(Certbot, Lego, Uacme, Dehydrated)


def client_of(kind: type[Client], acme: Acme, out: Path) -> Client:
    """Return a client of a server, with a directory of its own; skips the test if it cannot run."""
    if kind is Uacme and not can_mount():
        pytest.skip("uacme trusts only the system's store, and this user may not replace it for one program")
    return kind(acme, out)


def acme_tiny(acme: Acme, directory: Path, name: str) -> Path:
    """Let acme-tiny request a certificate; it neither renews nor revokes. Return the file."""
    _, request = make_request(directory, name)
    csr, account, out = directory / "tiny.pem", directory / "account.key", directory / "tiny.crt"
    tools.run("openssl", "req", "-inform", "DER", "-in", request, "-out", csr)
    tools.run("openssl", "genrsa", "-traditional", "-out", account, "2048")
    command = ("acme-tiny", "--account-key", account, "--csr", csr, "--acme-dir", acme.challenges)
    options = ("--directory-url", acme.url, "--disable-check", "--quiet")
    out.write_text(tools.run(*command, *options, environ={"SSL_CERT_FILE": str(acme.trust)}))
    return out
