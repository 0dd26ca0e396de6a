"""A container that builds a profile and serves it, for tests with the package ``testcontainers``.

    with PkigenContainer("tests/pki.yaml") as pki:
        context = ssl.create_default_context(cadata=pki.trust.decode())
        socket.create_connection(pki.tls_address)

The image is that of the Dockerfile. Tests that can install pkigen need no container: see the pytest plugin.
"""

from __future__ import annotations

import time
from pathlib import Path
from typing import Any
from urllib.error import URLError
from urllib.request import ProxyHandler, build_opener

from testcontainers.core.container import DockerContainer

HTTP_PORT, TLS_PORT = 8080, 8443
"""The ports in the container."""

_SCRIPT = (
    f'pkigen build "$0" && exec pkigen serve out/* --host 0.0.0.0 --port {HTTP_PORT} --tls-port {TLS_PORT}'
)
_READ = 'cat out/*/"$0"'


class PkigenContainer(DockerContainer):
    """Serves the environment of a profile: CRLs and OCSP over HTTP, and each certificate over TLS.

    ``profile`` is a file, whose directory is mounted, or the name of a shipped profile. ``http_port`` is the
    port of this machine that the profile's ``base_url`` contains: clients find the CRLs there.
    """

    def __init__(
        self, profile: str | Path = "minimal", *, image: str = "pkigen", http_port: int = 8080, **options: Any
    ) -> None:
        super().__init__(image, **options)
        path = Path(profile)
        source = str(profile)
        if path.is_file():
            self.with_volume_mapping(str(path.resolve().parent), "/profile", "ro")
            source = f"/profile/{path.name}"
        self.with_bind_ports(HTTP_PORT, http_port)
        self.with_exposed_ports(TLS_PORT)
        self.with_kwargs(entrypoint=["sh", "-c", _SCRIPT])
        self.with_command([source])

    def start(self, patience: float = 60) -> PkigenContainer:
        """Start the container, and wait until it serves; TimeoutError after ``patience`` seconds."""
        super().start()
        end = time.monotonic() + patience
        open_url = build_opener(ProxyHandler({})).open
        while True:
            try:
                with open_url(f"{self.url}/healthz", timeout=2):
                    return self
            except (OSError, URLError) as error:
                if time.monotonic() > end:
                    log = b"".join(self.get_logs()).decode(errors="replace")
                    self.stop()
                    raise TimeoutError(f"pkigen does not serve after {patience} s:\n{log}") from error
                time.sleep(0.1)

    @property
    def url(self) -> str:
        """The URL of the CRLs, CA certificates and OCSP, without a slash at the end."""
        return f"http://{self.get_container_host_ip()}:{self.get_exposed_port(HTTP_PORT)}"

    @property
    def tls_address(self) -> tuple[str, int]:
        """Host and port of the TLS endpoints; the server name of a client selects the certificate."""
        return self.get_container_host_ip(), int(self.get_exposed_port(TLS_PORT))

    @property
    def trust(self) -> bytes:
        """The trust anchors (PEM)."""
        return self.read("trust.pem")

    def read(self, path: str) -> bytes:
        """Return a file of the environment, such as ``manifest.json``; FileNotFoundError if there is none."""
        code, output = self.exec(["sh", "-c", _READ, path])
        if code:
            raise FileNotFoundError(path)
        return bytes(output)
