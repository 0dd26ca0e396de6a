"""The process that ``openssl-current`` asks: cases as lines of JSON on stdin, answers on stdout.

The TLS client receives the first messages of a TLS 1.2 server, up to its certificates. It validates them
before it needs anything that the server signs, so that no private key is necessary.
"""

from __future__ import annotations

import base64
import json
import re
import sys
from collections.abc import Callable
from datetime import datetime
from functools import partial
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from OpenSSL import SSL, crypto

Case = dict[str, Any]

_PEM = re.compile(rb"-----BEGIN (?:X509 |TRUSTED )?CERTIFICATE-----(.*?)-----END", re.DOTALL)
_SERVER_HELLO = bytes.fromhex("0303") + b"\x55" * 32 + bytes.fromhex("00c02f000005ff01000100")
"""TLS 1.2, random bytes, no session ID, TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256, secure renegotiation."""
_RECORD = 16_000
_UNKNOWN_TYPE = "unknown certificate type"
"""Error for a certificate that OpenSSL has read, but whose key no cipher suite uses."""
_AFTER_VALIDATION = ("wrong certificate type", _UNKNOWN_TYPE)
"""Errors that follow the validation: TLS 1.2 has no cipher suite for the server's key."""


def _path(case: Case, folder: Path, *, crls: bool = False) -> None:
    """Raise what is wrong with the files and the path, and with its CRLs if ``crls``."""
    SSL.Context(SSL.TLS_SERVER_METHOD).use_certificate_chain_file(case["certificate"])
    if case["chain"]:
        _read_chain(case["chain"])
    context = SSL.Context(SSL.TLS_CLIENT_METHOD)
    context.set_max_proto_version(SSL.TLS1_2_VERSION)
    store = context.get_cert_store()
    assert store is not None
    for path in case["anchors"]:
        store.load_locations(path)
    if crls and case["crls"]:
        (folder / "crls.pem").write_bytes(b"".join(_crl_as_pem(path) for path in case["crls"]))
        store.load_locations(folder / "crls.pem")
    if crls:
        store.set_flags(crypto.X509StoreFlags.CRL_CHECK | crypto.X509StoreFlags.CRL_CHECK_ALL)
    if case["partial_chain"]:
        store.set_flags(crypto.X509StoreFlags.PARTIAL_CHAIN)
    store.set_time(datetime.fromisoformat(case["at"]))
    _validate(context, _certificates(case["certificate"]) + _certificates(case["chain"]))


def _read_chain(path: str) -> None:
    """Raise what is wrong with a chain file; the keys in it need not be usable in TLS."""
    try:
        SSL.Context(SSL.TLS_SERVER_METHOD).use_certificate_chain_file(path)
    except SSL.Error as error:
        if error.args[0][-1][-1] != _UNKNOWN_TYPE:
            raise


def _validate(context: SSL.Context, sent: list[bytes]) -> None:
    """Raise the reason why a client rejects the certificates of a server."""
    reported: list[str] = []

    def report(_: SSL.Connection, __: crypto.X509, code: int, depth: int, accepted: int) -> bool:
        if not accepted:
            reported.append(f"error {code} at depth {depth}")
        return bool(accepted)

    context.set_verify(SSL.VERIFY_PEER, report)
    client = SSL.Connection(context, None)
    client.set_connect_state()
    entries = b"".join(_vector(one) for one in sent)
    messages = b"\x02" + _vector(_SERVER_HELLO) + b"\x0b" + _vector(_vector(entries))
    for start in range(0, len(messages), _RECORD):
        part = messages[start : start + _RECORD]
        client.bio_write(b"\x16\x03\x03" + len(part).to_bytes(2, "big") + part)
    try:
        client.do_handshake()
    except SSL.WantReadError:
        return
    except SSL.Error as error:
        if not reported and error.args[0][-1][-1] in _AFTER_VALIDATION:
            return
        raise ValueError("; ".join([error.args[0][-1][-1], *reported])) from error


def _vector(data: bytes) -> bytes:
    return len(data).to_bytes(3, "big") + data


def _certificates(path: str | None) -> list[bytes]:
    blocks = _PEM.findall(Path(path).read_bytes()) if path else []
    return [base64.b64decode(block) for block in blocks]


def _crl_as_pem(path: str) -> bytes:
    encoded = base64.encodebytes(Path(path).read_bytes())
    return b"-----BEGIN X509 CRL-----\n" + encoded + b"-----END X509 CRL-----\n"


def _key(case: Case) -> None:
    """Raise what is wrong with the key file, or that it is of another certificate."""
    secret = Path(case["passphrase"]).read_bytes().partition(b"\n")[0] if case["passphrase"] else b""
    context = SSL.Context(SSL.TLS_SERVER_METHOD)
    context.set_passwd_cb(lambda *_: secret)
    context.use_certificate_chain_file(case["certificate"])
    context.use_privatekey_file(case["key"])
    context.check_privatekey()


def _verdict(judge: Callable[[], None]) -> dict[str, Any]:
    try:
        judge()
    except (SSL.Error, crypto.Error) as error:
        queue = error.args[0] if error.args else ()
        return {"accepted": False, "words": queue[-1][-1] if queue else type(error).__name__}
    except ValueError as error:
        return {"accepted": False, "words": str(error)}
    return {"accepted": True}


def _verdicts(case: Case, folder: Path) -> dict[str, Any]:
    verdicts = {"path": _verdict(partial(_path, case, folder))}
    if verdicts["path"]["accepted"]:
        verdicts["crl"] = _verdict(partial(_path, case, folder, crls=True))
    if case["key"]:
        verdicts["key"] = _verdict(partial(_key, case))
    return verdicts


def main() -> None:
    """Answer until stdin ends."""
    with TemporaryDirectory(prefix="pkigen-") as directory:
        for line in sys.stdin:
            print(json.dumps(_verdicts(json.loads(line), Path(directory))), flush=True)


if __name__ == "__main__":
    main()
