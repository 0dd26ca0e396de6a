"""HTTP servers that require a client certificate, and stunnel."""

from __future__ import annotations

from pkigen.export import ExportResult
from tests.servers.program import Client, Program


class HttpServer(Program):
    """A server that answers an HTTP request with 200."""

    def accepts(self, client: Client, port: int) -> bool:
        """Return whether the answer is 200: nginx answers 400 to a certificate that it rejects."""
        answer = client.exchange(port, b"GET / HTTP/1.0\r\nHost: server.test\r\n\r\n")
        return answer.split(b" ")[1:2] == [b"200"]


class Nginx(HttpServer):
    """nginx."""

    tool = target = "nginx"

    def start(self, done: ExportResult, server: str, port: int) -> list[str]:
        """Run nginx.conf."""
        return ["nginx", "-p", ".", "-c", "nginx.conf"]


class Apache(HttpServer):
    """Apache HTTP Server."""

    tool, target = "apachectl", "apache"

    def start(self, done: ExportResult, server: str, port: int) -> list[str]:
        """Run httpd.conf."""
        return ["apachectl", "-d", str(done.folder), "-f", "httpd.conf", "-D", "FOREGROUND"]


class HaProxy(HttpServer):
    """HAProxy."""

    tool = target = "haproxy"

    def start(self, done: ExportResult, server: str, port: int) -> list[str]:
        """Run haproxy.cfg."""
        return ["haproxy", "-f", "haproxy.cfg"]


class Caddy(HttpServer):
    """Caddy; a revoked certificate gets the answer 403."""

    tool = target = "caddy"

    def start(self, done: ExportResult, server: str, port: int) -> list[str]:
        """Run Caddyfile, with Caddy's own files in the directory of the export."""
        own = [f"XDG_{name}_HOME={done.folder}" for name in ("CONFIG", "DATA")]
        return ["env", *own, "caddy", "run", "--config", "Caddyfile"]

    def accepts(self, client: Client, port: int) -> bool:
        """Return whether the answer is 200 for the server name of the handshake: none."""
        return client.exchange(port, b"GET / HTTP/1.0\r\n\r\n").split(b" ")[1:2] == [b"200"]


class Stunnel(HttpServer):
    """stunnel, in front of a program that answers with 200."""

    tool = target = "stunnel"

    def start(self, done: ExportResult, server: str, port: int) -> list[str]:
        """Run stunnel.conf with a program instead of the CRL server."""
        answer, settings = done.folder / "answer", done.folder / "stunnel.conf"
        read_request = "while read -r line && [ ${#line} -gt 1 ]; do :; done"
        answer.write_text(f"#!/bin/sh\n{read_request}\necho HTTP/1.0 200 OK\n", encoding="ascii")
        answer.chmod(0o755)
        lines = settings.read_text("utf-8").splitlines()
        own = [f"exec = {answer}" if line.startswith("connect = ") else line for line in lines]
        settings.write_text("\n".join(own), encoding="utf-8")
        return ["stunnel", "stunnel.conf"]
