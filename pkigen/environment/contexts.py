"""PEM files for Python's own TLS: as a client, and as the server that presents them."""

from __future__ import annotations

import ssl
from collections.abc import Sequence
from pathlib import Path
from tempfile import TemporaryDirectory

_END = b"-----END CERTIFICATE-----"


def client_context(anchors: Sequence[Path]) -> ssl.SSLContext:
    """``ssl.create_default_context`` with these anchors in the place of the system's."""
    trusted = "\n".join(path.read_text("ascii") for path in anchors)
    if not trusted:
        return ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    return ssl.create_default_context(cadata=trusted)


def server_context(certificate: Path, chain: Path | None, key: Path, passphrase: bytes) -> ssl.SSLContext:
    """Presents a certificate with those above it, without the last: the root is for clients to have.

    ``passphrase`` opens a key that is under one. ssl.SSLError for what OpenSSL does not load.
    """
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    above = chain.read_bytes().split(_END)[:-2] if chain else []
    with TemporaryDirectory(prefix="pkigen-") as folder:
        presented = Path(folder) / "presented.pem"
        presented.write_bytes(certificate.read_bytes() + b"\n" + b"".join(block + _END for block in above))
        context.load_cert_chain(presented, key, passphrase)
    return context
