"""Alerts go to a real HTTPS server, and not while its certificate is revoked."""

from __future__ import annotations

import http.server
import json
import ssl
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from queue import SimpleQueue
from typing import Any

from pkigen.environment.environment import Case, open_environment
from pkigen.lab.connections.connection import ConnectionState
from tests.lab.labs import SECONDS, built, document, up


class _Taking(http.server.BaseHTTPRequestHandler):
    received: SimpleQueue[Any]

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["Content-Length"]))
        self.received.put((self.path, self.headers["Host"], self.headers["Content-Type"], json.loads(body)))
        self.send_response(200)
        self.send_header("Content-Length", "0")
        self.end_headers()

    def log_message(self, *_: Any) -> None:
        pass


@contextmanager
def _receiver(case: Case, scratch: Path, received: SimpleQueue[Any]) -> Iterator[int]:
    """The port of a receiver that presents a certificate."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    # The root goes along, which no client minds.
    pem = scratch / "webhook.pem"
    pem.write_bytes(case.certificate.read_bytes() + case.chain.read_bytes())
    context.load_cert_chain(pem, case.key)
    handler = type("_Taking", (_Taking,), {"received": received})
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        server.socket = context.wrap_socket(server.socket, server_side=True, do_handshake_on_connect=False)
        thread = threading.Thread(target=server.serve_forever, args=(0.05,))
        thread.start()
        try:
            yield server.server_address[1]
        finally:
            server.shutdown()
            thread.join()


def test_a_revoked_receiver_gets_every_alert_once_after_its_renewal(tmp_path: Path) -> None:
    profile = document(1)
    folder, received = built(profile, tmp_path), SimpleQueue[Any]()
    with _receiver(open_environment(folder)["siem"], tmp_path, received) as port:
        rule = {"name": "soar", "to": "webhook", "certificate": "siem", "address": f"127.0.0.1:{port}"}
        profile["lab"]["forwarding"] = [rule]
        with up(folder, profile) as lab:
            connection = lab.connection("console:soar")
            connection.check()  # after the first attempt, which has the CRL from before the revocation
            lab.revoke("soar")
            first, second = (lab.raise_alert("console", title) for title in ("first", "second"))
            halted = connection.check()
            assert halted.state is ConnectionState.HALTED
            assert [cause.certificate for cause in halted.causes] == ["siem.contoso.test"]
            assert received.empty()
            lab.unrevoke("soar")
            assert connection.check().state is ConnectionState.CONNECTED
            assert connection.check().state is ConnectionState.CONNECTED
    path, host, kind, body = received.get(timeout=SECONDS)
    assert (path, host, kind) == ("/", f"siem.contoso.test:{port}", "application/json")
    assert body == {"alerts": [first.as_json(), second.as_json()]}
    assert received.empty()
