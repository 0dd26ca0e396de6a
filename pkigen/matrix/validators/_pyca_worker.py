"""The process that ``pyca`` asks: cases as lines of JSON on stdin, answers on stdout (see ``lines``)."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable
from datetime import datetime
from functools import lru_cache
from ipaddress import ip_address
from pathlib import Path
from typing import Any

from cryptography.hazmat.primitives.serialization import (
    Encoding,
    PublicFormat,
    load_pem_private_key,
    pkcs12,
)
from cryptography.x509 import (
    Certificate,
    DNSName,
    IPAddress,
    load_pem_x509_certificate,
    load_pem_x509_certificates,
)
from cryptography.x509.verification import PolicyBuilder, Store

from pkigen.errors import panics_as_errors

Case = dict[str, Any]


def _path(case: Case) -> None:
    """Raise what is wrong with the path."""
    sent = load_pem_x509_certificates(_read(case["certificate"]))
    sent += load_pem_x509_certificates(_read(case["chain"])) if case["chain"] else []
    anchors = [one for path in case["anchors"] for one in load_pem_x509_certificates(_read(path))]
    builder = PolicyBuilder().store(Store(anchors)).time(datetime.fromisoformat(case["at"]))
    builder.build_server_verifier(_subject(case["host"])).verify(sent[0], sent[1:])


def _key(case: Case) -> None:
    """Raise what is wrong with the key file, or that it is another certificate's."""
    key = _private_key(_read(case["key"]), _secret(case))
    _compare(key, load_pem_x509_certificate(_read(case["certificate"])))


@lru_cache(maxsize=16)
def _private_key(data: bytes, secret: bytes | None) -> Any:
    """Return the key in a file. Loading an RSA key checks its primes, and many cases share a key."""
    try:
        return load_pem_private_key(data, secret)
    except TypeError:  # a passphrase that this file does not need
        return load_pem_private_key(data, None)


def _pkcs12(case: Case) -> None:
    """Raise what is wrong with the PKCS#12 file, or that it has no key with its certificate."""
    key, certificate, _ = pkcs12.load_key_and_certificates(_read(case["pkcs12"]), _secret(case))
    if key is None or certificate is None:
        raise ValueError("there is no key with a certificate in it")
    _compare(key, certificate)


def _compare(key: Any, certificate: Certificate) -> None:
    ours, certified = (
        one.public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
        for one in (key, certificate)
    )
    if ours != certified:
        raise ValueError("the public keys of certificate and private key differ")


def _subject(host: str) -> DNSName | IPAddress:
    try:
        return IPAddress(ip_address(host))
    except ValueError:
        return DNSName(host)


def _read(path: str) -> bytes:
    return Path(path).read_bytes()


def _secret(case: Case) -> bytes | None:
    return _read(case["passphrase"]).partition(b"\n")[0] if case["passphrase"] else None


def _verdict(judge: Callable[[Case], None], case: Case) -> dict[str, Any]:
    try:
        with panics_as_errors():
            judge(case)
    except Exception as error:  # noqa: BLE001  # the library's errors have no base of their own
        words = str(error).partition(" (encountered processing")[0]
        return {"accepted": False, "words": words or type(error).__name__}
    return {"accepted": True}


def main() -> None:
    """Answer until stdin ends."""
    for line in sys.stdin:
        case = json.loads(line)
        verdicts = {part: _verdict(judge, case) for part, (judge, needed) in _PARTS.items() if case[needed]}
        print(json.dumps(verdicts), flush=True)


_PARTS: dict[str, tuple[Callable[[Case], None], str]] = {
    "path": (_path, "host"),
    "key": (_key, "key"),
    "pkcs12": (_pkcs12, "pkcs12"),
}
"""How a part is judged, and the field of a case without which it is not: servers are verified by name."""

if __name__ == "__main__":
    main()
