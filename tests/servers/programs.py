"""Databases, brokers and other servers that require a client certificate."""

from __future__ import annotations

import os
import shutil
import ssl
import subprocess
from contextlib import suppress
from pathlib import Path
from socket import create_connection

from pkigen.export import ExportResult
from tests.export.conftest import free_port
from tests.servers.http_servers import Apache, Caddy, HaProxy, Nginx, Stunnel
from tests.servers.program import PATIENCE, Client, Program, run, succeeds
from tests.servers.strongswan import StrongSwan

_NOBODY = "nobody" if os.geteuid() == 0 else None
"""The user of servers that refuse to run as root."""


class PostgreSql(Program):
    """PostgreSQL, with ``clientcert=verify-ca``."""

    tool, target, user = "initdb", "postgresql", _NOBODY
    ready = "database system is ready to accept connections"
    _SSL_REQUEST = (8).to_bytes(4, "big") + (80877103).to_bytes(4, "big")
    _AUTHENTICATION = b"R"

    def start(self, done: ExportResult, server: str, port: int) -> list[str]:
        """Create a database cluster."""
        initdb = Path(shutil.which("initdb") or "").resolve()
        data = done.folder / "data"
        run([str(initdb), "--no-sync", "--username=postgres", "--auth=trust", "-D", str(data)], self.user)
        command = [str(initdb.with_name("postgres")), "-D", "data", f"--config-file={server}.conf"]
        return [*command, "-F", "-c", "dynamic_shared_memory_type=mmap"]

    def accepts(self, client: Client, port: int) -> bool:
        """Return whether the server asks for no further authentication."""
        parameters = b"user\0postgres\0database\0postgres\0\0"
        startup = (8 + len(parameters)).to_bytes(4, "big") + (196608).to_bytes(4, "big") + parameters
        answer = client.exchange(port, startup, before=(self._SSL_REQUEST, b"S"))
        return answer[:1] == self._AUTHENTICATION


class MariaDb(Program):
    """MariaDB, with an account that requires a certificate."""

    tool, target, user = "mariadbd", "mariadb", _NOBODY

    def start(self, done: ExportResult, server: str, port: int) -> list[str]:
        """Create the system tables."""
        install = ["mariadb-install-db", "--no-defaults", f"--datadir={done.folder / 'data'}"]
        install += ["--auth-root-authentication-method=normal", "--skip-test-db"]
        run(install, self.user)
        return [
            "mariadbd",
            f"--defaults-file={done.folder / server}.cnf",
            f"--datadir={done.folder / 'data'}",
        ]

    def accepts(self, client: Client, port: int) -> bool:
        """Return whether the client of MariaDB can sign in and run a statement."""
        command = ["mariadb", "--no-defaults", "--protocol=tcp", "--host=127.0.0.1", f"--port={port}"]
        command += [
            f"--ssl-ca={client.anchors}",
            f"--ssl-cert={client.certificate}",
            f"--ssl-key={client.key}",
        ]
        return succeeds([*command, "--user=client", "--batch", "--execute=SELECT 1"])


class Mosquitto(Program):
    """Mosquitto, a broker for MQTT."""

    tool, target, user = "mosquitto", "mosquitto", _NOBODY
    _CONNECT = b"\x10\x10\x00\x04MQTT\x04\x02\x00\x3c\x00\x04test"
    _ACCEPTED = b"\x20\x02\x00\x00"

    def start(self, done: ExportResult, server: str, port: int) -> list[str]:
        """Run NAME.conf."""
        return ["mosquitto", "-c", f"{server}.conf"]

    def accepts(self, client: Client, port: int) -> bool:
        """Return whether the broker accepts an MQTT connection."""
        return client.exchange(port, self._CONNECT) == self._ACCEPTED


class Redis(Program):
    """Redis behind stunnel."""

    tool, target = "redis-server", "redis"

    def start(self, done: ExportResult, server: str, port: int) -> list[str]:
        """Run NAME.conf and NAME.stunnel.conf; the port between them is a free one, too."""
        own = str(free_port())
        for path in (done.folder / f"{server}.conf", done.folder / f"{server}.stunnel.conf"):
            path.write_text(path.read_text("utf-8").replace(str(port - 1), own), encoding="utf-8")
        return ["sh", "-c", f"redis-server {server}.conf & exec stunnel {server}.stunnel.conf"]

    def accepts(self, client: Client, port: int) -> bool:
        """Return whether Redis answers a PING."""
        return client.exchange(port, b"PING\r\n") == b"+PONG\r\n"


class Slapd(Program):
    """OpenLDAP."""

    tool = target = "slapd"
    _BIND = bytes.fromhex("300c020101600702010304008000")
    _SUCCESS = bytes.fromhex("300c02010161070a010004000400")

    def start(self, done: ExportResult, server: str, port: int) -> list[str]:
        """Run NAME.conf."""
        return ["slapd", "-d", "0", "-f", f"{server}.conf", "-h", f"ldaps://127.0.0.1:{port}"]

    def accepts(self, client: Client, port: int) -> bool:
        """Return whether the server accepts an anonymous bind over the authenticated connection."""
        return client.exchange(port, self._BIND) == self._SUCCESS


class Dovecot(Program):
    """Dovecot, an IMAP server."""

    tool = target = "dovecot"

    def start(self, done: ExportResult, server: str, port: int) -> list[str]:
        """Run NAME.conf with its sockets and mailboxes in the directory of the export."""
        own = done.folder / "own.conf"
        lines = (
            f"base_dir = {done.folder}/run",
            f"!include {server}.conf",
            "mail_location = maildir:/nonexistent",
        )
        own.write_text("\n".join(lines), encoding="ascii")
        return ["dovecot", "-F", "-c", str(own)]

    def accepts(self, client: Client, port: int) -> bool:
        """Return whether the server accepts a user name and password over the connection."""
        with create_connection(("127.0.0.1", port), timeout=PATIENCE) as connection:
            try:
                with client.context.wrap_socket(connection) as protected, protected.makefile("rwb") as lines:
                    lines.write(b"a LOGIN test test\r\n")
                    lines.flush()
                    answer = next((line for line in lines if line.startswith(b"a ")), b"")
                    return answer.startswith(b"a OK")
            except (ssl.SSLError, ConnectionError):
                return False


class Rsyslog(Program):
    """rsyslog, a receiver of syslog over TLS."""

    tool, target = "rsyslogd", "rsyslog"

    def start(self, done: ExportResult, server: str, port: int) -> list[str]:
        """Run NAME.conf."""
        return ["rsyslogd", "-n", "-C", "-f", str(done.folder / f"{server}.conf"), "-i", f"{server}.pid"]

    def accepts(self, client: Client, port: int) -> bool:
        """Return whether a message reaches the file of messages before the server ends the connection."""
        messages = client.directory / "messages.log"
        with create_connection(("127.0.0.1", port), timeout=PATIENCE) as connection:
            try:
                with client.context.wrap_socket(connection) as protected:
                    protected.sendall(f"<14>1 2026-11-29T04:00:00Z {client.name} test - - - text\n".encode())
                    protected.settimeout(0.1)
                    while not (messages.exists() and f" {client.name} test" in messages.read_text("utf-8")):
                        with suppress(TimeoutError):
                            if not protected.recv(1):
                                return False
                    return True
            except (ssl.SSLError, ConnectionError):
                return False


class RabbitMq(Program):
    """RabbitMQ, an AMQP broker."""

    tool, target = "rabbitmq-server", "rabbitmq"
    _START = b"\x01\x00\x00"

    def start(self, done: ExportResult, server: str, port: int) -> list[str]:
        """Run NAME.config with all other files in the directory, and with a port mapper of its own."""
        own = done.folder / "own"
        own.mkdir()
        environ = {
            "ERL_EPMD_ADDRESS": "127.0.0.1",
            "ERL_EPMD_PORT": free_port(),
            "HOME": own,
            "RABBITMQ_ADVANCED_CONFIG_FILE": done.folder / f"{server}.config",
            "RABBITMQ_CONFIG_FILE": own / "none",
            "RABBITMQ_DIST_PORT": free_port(),
            "RABBITMQ_ENABLED_PLUGINS_FILE": own / "plugins",
            "RABBITMQ_LOGS": "-",
            "RABBITMQ_MNESIA_BASE": own,
            "RABBITMQ_NODENAME": "test@localhost",
            "RABBITMQ_PID_FILE": own / "pid",
            "RABBITMQ_SERVER_ADDITIONAL_ERL_ARGS": "-kernel inet_dist_use_interface {127,0,0,1}",
        }
        settings = [f"{name}={value}" for name, value in environ.items()]
        return ["env", *settings, "sh", "-c", "epmd & exec /usr/lib/rabbitmq/bin/rabbitmq-server"]

    def accepts(self, client: Client, port: int) -> bool:
        """Return whether the broker answers an AMQP header with connection.start."""
        return client.exchange(port, b"AMQP\x00\x00\x09\x01").startswith(self._START)


class FreeRadius(Program):
    """FreeRADIUS, with EAP-TLS."""

    tool, target, ready = "eapol_test", "freeradius", "Ready to process requests"

    def start(self, done: ExportResult, server: str, port: int) -> list[str]:
        """Run NAME.conf."""
        return ["freeradius", "-X", "-d", ".", "-n", server]

    def accepts(self, client: Client, port: int) -> bool:
        """Return whether eapol_test can authenticate."""
        settings = client.directory / "network.conf"
        settings.write_text(
            f'network={{\n key_mgmt=WPA-EAP\n eap=TLS\n identity="test"\n ca_cert="{client.anchors}"\n'
            f' client_cert="{client.certificate}"\n private_key="{client.key}"\n}}\n'
        )
        command = ["eapol_test", "-c", str(settings), "-p", str(port), "-s", "testing123"]
        return succeeds([*command, "-t", str(PATIENCE)])


class OpenVpn(Program):
    """OpenVPN, over TCP; only the server has a network interface."""

    tool = target = "openvpn"
    _OPTIONS = ("--ifconfig-noexec", "--verb", "3")

    def start(self, done: ExportResult, server: str, port: int) -> list[str]:
        """Run server/NAME.ovpn. The interface gets no address."""
        return ["openvpn", "--config", f"server/{server}.ovpn", *self._OPTIONS, "--proto", "tcp-server"]

    def accepts(self, client: Client, port: int) -> bool:
        """Return whether client/NAME.ovpn connects."""
        command = [
            "openvpn",
            "--config",
            f"client/{client.name}.ovpn",
            *self._OPTIONS,
            "--proto",
            "tcp-client",
        ]
        command += ["--dev", "null", "--route-noexec", "--remap-usr1", "SIGTERM"]
        with subprocess.Popen(command, cwd=client.directory, stdout=subprocess.PIPE, text=True) as process:
            connected = any("Initialization Sequence Completed" in line for line in process.stdout or ())
            process.terminate()
        return connected


PROGRAMS: dict[str, Program] = {
    program.target: program
    for program in (
        Nginx(),
        Apache(),
        HaProxy(),
        Caddy(),
        Stunnel(),
        PostgreSql(),
        MariaDb(),
        Mosquitto(),
        Redis(),
        Slapd(),
        Dovecot(),
        Rsyslog(),
        RabbitMq(),
        FreeRadius(),
        OpenVpn(),
        StrongSwan(),
    )
}
