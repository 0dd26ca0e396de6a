"""The first messages of CMP transactions, as `openssl cmp` writes them."""

from __future__ import annotations

from pathlib import Path

from tests import tools
from tests.clients.conftest import run_any


def device_key(directory: Path) -> Path:
    """Return the file with a new key of a device."""
    path = directory / "device.key"
    tools.run("openssl", "ecparam", "-name", "prime256v1", "-genkey", "-noout", "-out", path)
    return path


def first_message(key: Path, command: str, *options: str | Path) -> bytes:
    """Let `openssl cmp` write the first message of a command; the response is a file that it cannot read."""
    path = key.with_name("message.der")
    request = ("-newkey", key, "-subject", "/CN=a.contoso.test") if command in ("ir", "cr") else ()
    path.unlink(missing_ok=True)
    files = ("-rspin", key, "-reqout", path, "-certout", key.with_name("none"))
    arguments = ("cmp", "-batch", "-cmd", command, "-server", "127.0.0.1:1", *files, *request, *options)
    run_any("openssl", *arguments)
    if (
        not path.exists()
    ):  # without a proof, OpenSSL 3.5 requests a key from the server, and writes it to a file
        run_any("openssl", *arguments, "-newkeyout", key.with_name("new.key"))
    return path.read_bytes()
