"""The process that ``python-ssl`` asks: cases as lines of JSON on stdin, answers on stdout."""

from __future__ import annotations

import json
import ssl
import sys
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

_OTHER_KEY = frozenset(("KEY_VALUES_MISMATCH", "KEY_TYPE_MISMATCH", "NO_CERTIFICATE_ASSIGNED"))
"""Reasons of a rejection after the certificate file was read."""


def _load(certificates: Path, key: Path, passphrase: bytes) -> str | None:
    """Return the reason why a server cannot load its files; None if it can."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    try:
        # Without a passphrase, OpenSSL would ask at the terminal.
        context.load_cert_chain(certificates, key, password=lambda: passphrase)
    except (ssl.SSLError, ValueError, OSError) as error:
        return getattr(error, "reason", None) or str(error) or type(error).__name__
    return None


def _verdicts(case: dict[str, Any], other: Path) -> dict[str, Any]:
    """Load each file of certificates with a key that fits none, which is rejected last; then with its key."""
    files = [Path(path) for path in (case["certificate"], case["chain"]) if path]
    reasons = (_load(path, other, b"") for path in files)
    verdicts = {"path": _verdict(next((one for one in reasons if one not in _OTHER_KEY), None))}
    if verdicts["path"]["accepted"] and case["key"]:
        secret = Path(case["passphrase"]).read_bytes().partition(b"\n")[0] if case["passphrase"] else b""
        verdicts["key"] = _verdict(_load(files[0], Path(case["key"]), secret))
    return verdicts


def _verdict(reason: str | None) -> dict[str, Any]:
    return {"accepted": True} if reason is None else {"accepted": False, "words": reason}


def main() -> None:
    """Answer until stdin ends."""
    with TemporaryDirectory(prefix="pkigen-") as directory:
        other = Path(directory) / "other.key"
        key = ec.generate_private_key(ec.SECP256R1())
        other.write_bytes(key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()))
        for line in sys.stdin:
            print(json.dumps(_verdicts(json.loads(line), other)), flush=True)


if __name__ == "__main__":
    main()
