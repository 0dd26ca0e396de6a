"""A TLS server that requires a client certificate, checks CRLs, and records who connected."""

from __future__ import annotations

import ssl
import threading
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

from cryptography.x509 import load_der_x509_certificate
from cryptography.x509.oid import NameOID


@dataclass
class Visitors:
    """The port of the server, the clients that it accepted, by common name, and the reasons of refusals."""

    port: int = 0
    accepted: Counter[str] = field(default_factory=Counter)
    refused: Counter[str] = field(default_factory=Counter)


class _Handler(BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        self.send_response(200)
        self.send_header("Content-Length", "2")
        self.end_headers()
        self.wfile.write(b"ok")

    def log_message(self, *_: object) -> None:
        """Log nothing."""


@contextmanager
def tls_server(environment: Path, name: str) -> Iterator[Visitors]:
    """Serve with a certificate of an environment on a free port."""
    folder, visitors = environment / "certificates" / name, Visitors()
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH, cafile=environment / "trust.pem")
    context.load_cert_chain(folder / "fullchain.pem", folder / f"{name}.key")
    context.load_verify_locations(environment / "crls.pem")
    context.verify_flags |= ssl.VERIFY_CRL_CHECK_CHAIN
    context.verify_mode = ssl.CERT_REQUIRED

    class Server(ThreadingHTTPServer):
        daemon_threads = True

        def finish_request(self, request: Any, client_address: Any) -> None:
            try:
                with context.wrap_socket(request, server_side=True) as connection:
                    data = connection.getpeercert(binary_form=True) or b""
                    subject = load_der_x509_certificate(data).subject
                    (common_name,) = subject.get_attributes_for_oid(NameOID.COMMON_NAME)
                    visitors.accepted[str(common_name.value)] += 1
                    _Handler(connection, client_address, self)
            except ssl.SSLCertVerificationError as error:
                visitors.refused[error.verify_message] += 1
            except OSError:
                visitors.refused["connection"] += 1

    with Server(("127.0.0.1", 0), _Handler) as server:
        visitors.port = server.server_address[1]
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        try:
            yield visitors
        finally:
            server.shutdown()
            thread.join()
