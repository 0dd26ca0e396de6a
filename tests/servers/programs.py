"""Servers that require a client certificate: their configurations, and how a client tries one at them."""

from __future__ import annotations

import os
import shutil
import ssl
import subprocess
from abc import ABC, abstractmethod
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from socket import create_connection

_PATIENCE = 60
_NOBODY = "nobody" if os.geteuid() == 0 else None
"""The user of servers that refuse to run as root."""


@dataclass(frozen=True)
class Files:
    """The files in a server's directory: its certificate with the path, its key, trust anchors and CRLs."""

    directory: Path

    certificate = "server.pem"
    key = "server.key"
    anchors = "trust.pem"
    crls = "crls.pem"

    def configuration(self, name: str, text: str) -> str:
        """Write a configuration file; ``{NAME}`` stands for the directory or one of the files."""
        names = ("certificate", "key", "anchors", "crls")
        paths = {one: str(self.directory / getattr(self, one)) for one in names}
        for one, path in (*paths.items(), ("directory", str(self.directory))):
            text = text.replace(f"{{{one}}}", path)
        (self.directory / name).write_text(text, encoding="utf-8")
        return str(self.directory / name)


@dataclass(frozen=True)
class Client:
    """A client with a certificate (with its path) and a key that trusts ``anchors``."""

    certificate: Path
    key: Path
    anchors: Path

    @cached_property
    def context(self) -> ssl.SSLContext:
        """The TLS context; it does not check the host name."""
        context = ssl.create_default_context(cafile=str(self.anchors))
        context.check_hostname = False
        context.load_cert_chain(self.certificate, self.key)
        return context

    def exchange(self, port: int, request: bytes, before: tuple[bytes, bytes] = (b"", b"")) -> bytes:
        """Return what a server answers over TLS; empty if it ends the connection.

        ``before`` is what is sent before the handshake, and what the server answers to that.
        """
        with create_connection(("127.0.0.1", port), timeout=_PATIENCE) as connection:
            if before[0]:
                connection.sendall(before[0])
                assert connection.recv(len(before[1])) == before[1]
            try:
                with self.context.wrap_socket(connection) as protected:
                    protected.sendall(request)
                    return protected.recv(4096)
            except (ssl.SSLError, ConnectionError):
                return b""


class Program(ABC):
    """A server: its programs, its user if it refuses to run as root, and what it needs before it starts."""

    tool: str
    user: str | None = None

    @abstractmethod
    def start(self, files: Files, port: int) -> list[str]:
        """Write the configuration, and return the command that runs the server in the foreground."""

    @abstractmethod
    def accepts(self, client: Client, port: int) -> bool:
        """Return whether the server accepts a client's certificate."""


class _Http(Program):
    """A server that answers an HTTP request with 200."""

    def accepts(self, client: Client, port: int) -> bool:
        """Return whether the answer is 200: nginx answers 400 to a certificate that it rejects."""
        answer = client.exchange(port, b"GET / HTTP/1.0\r\nHost: server.test\r\n\r\n")
        return answer.split(b" ")[1:2] == [b"200"]


class Nginx(_Http):
    """nginx."""

    tool = "nginx"

    def start(self, files: Files, port: int) -> list[str]:
        """Write nginx.conf."""
        user = f"user {_NOBODY} nogroup;" if _NOBODY else ""
        text = f"""
            {user} daemon off; pid {{directory}}/pid; error_log stderr; events {{ }}
            http {{ access_log off; server {{
                listen 127.0.0.1:{port} ssl;
                ssl_certificate {{certificate}}; ssl_certificate_key {{key}};
                ssl_client_certificate {{anchors}}; ssl_crl {{crls}};
                ssl_verify_client on; ssl_verify_depth 9;
                return 200 "";
            }} }}"""
        return ["nginx", "-p", str(files.directory), "-c", files.configuration("nginx.conf", text)]


class Apache(_Http):
    """Apache HTTP Server."""

    tool = "apachectl"

    def start(self, files: Files, port: int) -> list[str]:
        """Write httpd.conf, for the modules of Debian's package."""
        modules = ("mpm_event", "authn_core", "authz_core", "ssl", "rewrite")
        directory = "/usr/lib/apache2/modules"
        loads = "\n".join(
            f"<IfModule !{name}_module>\nLoadModule {name}_module {directory}/mod_{name}.so\n</IfModule>"
            for name in modules
        )
        user = f"User {_NOBODY}\nGroup nogroup" if _NOBODY else ""
        text = f"""{loads}
{user}
ServerName server.test
ServerRoot {{directory}}
DefaultRuntimeDir {{directory}}
PidFile {{directory}}/pid
ErrorLog {{directory}}/error.log
Listen 127.0.0.1:{port}
SSLEngine on
SSLCertificateFile {{certificate}}
SSLCertificateKeyFile {{key}}
SSLCACertificateFile {{anchors}}
SSLCARevocationFile {{crls}}
SSLCARevocationCheck chain
SSLVerifyClient require
SSLVerifyDepth 9
RewriteEngine on
RewriteRule .* - [R=200]
"""
        settings = files.configuration("httpd.conf", text)
        return ["apachectl", "-d", str(files.directory), "-f", settings, "-D", "FOREGROUND"]


class HaProxy(_Http):
    """HAProxy."""

    tool = "haproxy"

    def start(self, files: Files, port: int) -> list[str]:
        """Write haproxy.cfg and the file that combines certificate and key."""
        parts = ((files.directory / name).read_bytes() for name in (files.certificate, files.key))
        (files.directory / "combined.pem").write_bytes(b"\n".join(parts))
        text = f"""
defaults
    mode http
    timeout client 60s
    timeout server 60s
    timeout connect 60s
frontend clients
    bind 127.0.0.1:{port} ssl crt {{combined}} ca-file {{anchors}} verify required crl-file {{crls}}
    http-request return status 200
"""
        return [
            "haproxy",
            "-f",
            files.configuration("haproxy.cfg", text.replace("{combined}", "{directory}/combined.pem")),
        ]


class Stunnel(_Http):
    """stunnel, in front of a program that answers with 200."""

    tool = "stunnel"

    def start(self, files: Files, port: int) -> list[str]:
        """Write stunnel.conf."""
        text = f"""
foreground = yes
pid =
syslog = no
[http]
accept = 127.0.0.1:{port}
cert = {{certificate}}
key = {{key}}
CAfile = {{anchors}}
CRLfile = {{crls}}
verifyChain = yes
exec = {{directory}}/answer
"""
        answer = files.directory / "answer"
        read_request = "while read -r line && [ ${#line} -gt 1 ]; do :; done"
        answer.write_text(f"#!/bin/sh\n{read_request}\necho HTTP/1.0 200 OK\n", encoding="ascii")
        answer.chmod(0o755)
        return ["stunnel", files.configuration("stunnel.conf", text)]


class PostgreSql(Program):
    """PostgreSQL, with ``clientcert=verify-ca``."""

    tool = "initdb"
    user = _NOBODY
    _SSL_REQUEST = (8).to_bytes(4, "big") + (80877103).to_bytes(4, "big")
    _AUTHENTICATION = b"R"

    def start(self, files: Files, port: int) -> list[str]:
        """Create a database cluster, and write postgresql.conf and pg_hba.conf."""
        initdb = Path(shutil.which("initdb") or "").resolve()
        data = files.directory / "data"
        _run([str(initdb), "--no-sync", "--username=postgres", "--auth=trust", "-D", str(data)], self.user)
        text = f"""
listen_addresses = '127.0.0.1'
port = {port}
unix_socket_directories = ''
fsync = off
ssl = on
ssl_cert_file = '{{certificate}}'
ssl_key_file = '{{key}}'
ssl_ca_file = '{{anchors}}'
ssl_crl_file = '{{crls}}'
"""
        settings = files.configuration("postgresql.conf", text)
        hba = files.configuration("pg_hba.conf", "hostssl all all 127.0.0.1/32 trust clientcert=verify-ca\n")
        command = [str(initdb.with_name("postgres")), "-D", str(data)]
        return [*command, f"--config-file={settings}", f"--hba-file={hba}"]

    def accepts(self, client: Client, port: int) -> bool:
        """Return whether the server asks for no further authentication."""
        parameters = b"user\0postgres\0database\0postgres\0\0"
        startup = (8 + len(parameters)).to_bytes(4, "big") + (196608).to_bytes(4, "big") + parameters
        answer = client.exchange(port, startup, (self._SSL_REQUEST, b"S"))
        return answer[:1] == self._AUTHENTICATION


class MariaDb(Program):
    """MariaDB, with an account that requires a certificate."""

    tool = "mariadbd"
    user = _NOBODY

    def start(self, files: Files, port: int) -> list[str]:
        """Create the system tables, and write my.cnf and the account."""
        data = files.directory / "data"
        install = [
            "mariadb-install-db",
            "--no-defaults",
            f"--datadir={data}",
            "--auth-root-authentication-method=normal",
        ]
        _run([*install, "--skip-test-db"], self.user)
        account = "CREATE USER client@'127.0.0.1' REQUIRE X509;\n"
        (files.directory / "init.sql").write_text(account, encoding="ascii")
        text = f"""
[mariadbd]
datadir = {data}
bind-address = 127.0.0.1
port = {port}
socket = {{directory}}/socket
pid-file = {{directory}}/pid
init-file = {{directory}}/init.sql
skip-name-resolve
ssl-cert = {{certificate}}
ssl-key = {{key}}
ssl-ca = {{anchors}}
ssl-crl = {{crls}}
"""
        return ["mariadbd", f"--defaults-file={files.configuration('my.cnf', text)}"]

    def accepts(self, client: Client, port: int) -> bool:
        """Return whether the client of MariaDB can sign in and run a statement."""
        command = ["mariadb", "--no-defaults", "--protocol=tcp", "--host=127.0.0.1", f"--port={port}"]
        command += [
            f"--ssl-ca={client.anchors}",
            f"--ssl-cert={client.certificate}",
            f"--ssl-key={client.key}",
        ]
        command += ["--user=client", "--batch", "--execute=SELECT 1"]
        return subprocess.run(command, capture_output=True, check=False, timeout=_PATIENCE).returncode == 0


class Mosquitto(Program):
    """mosquitto, a broker for MQTT. It compares only the client's own certificate with the CRLs."""

    tool = "mosquitto"
    user = _NOBODY
    _CONNECT = b"\x10\x10\x00\x04MQTT\x04\x02\x00\x3c\x00\x04test"
    _ACCEPTED = b"\x20\x02\x00\x00"

    def start(self, files: Files, port: int) -> list[str]:
        """Write mosquitto.conf."""
        text = f"""
listener {port} 127.0.0.1
allow_anonymous true
certfile {{certificate}}
keyfile {{key}}
cafile {{anchors}}
crlfile {{crls}}
require_certificate true
"""
        return ["mosquitto", "-c", files.configuration("mosquitto.conf", text)]

    def accepts(self, client: Client, port: int) -> bool:
        """Return whether the broker accepts an MQTT connection."""
        return client.exchange(port, self._CONNECT) == self._ACCEPTED


PROGRAMS: dict[str, Program] = {
    "nginx": Nginx(),
    "apache": Apache(),
    "haproxy": HaProxy(),
    "stunnel": Stunnel(),
    "postgresql": PostgreSql(),
    "mariadb": MariaDb(),
    "mosquitto": Mosquitto(),
}


def _run(command: list[str], user: str | None) -> None:
    done = subprocess.run(
        command, capture_output=True, text=True, check=False, timeout=300, user=user, cwd="/"
    )
    assert done.returncode == 0, f"{command}: {done.stdout}{done.stderr}"
