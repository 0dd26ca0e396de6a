"""The process that ``webpki`` asks: cases as lines of JSON on stdin, answers on stdout (see ``lines``)."""

from __future__ import annotations

import base64
import json
import re
import sys
from collections.abc import Iterator
from importlib import import_module
from pathlib import Path
from typing import Any

_CERTIFICATE = re.compile(rb"-----BEGIN CERTIFICATE-----(.*?)-----END CERTIFICATE-----", re.DOTALL)


def _certificates(path: str) -> Iterator[bytes]:
    """DER; what does not decode is left to the validator."""
    for body in _CERTIFICATE.findall(Path(path).read_bytes()):
        yield base64.b64decode(body)


def _judge(verifier: Any, case: dict[str, Any]) -> None:
    """Raise what is wrong with the path."""
    sent = list(_certificates(case["certificate"]))
    if not sent:
        raise ValueError("there is no certificate in the file")
    sent += _certificates(case["chain"]) if case["chain"] else ()
    anchors = [one for path in case["anchors"] for one in _certificates(path)]
    verifier(anchors).verify(sent[0], sent[1:], case["host"], b"")


def main() -> None:
    """Answer until stdin ends."""
    verifier = import_module("qh3._hazmat").ServerVerifier
    for line in sys.stdin:
        case = json.loads(line)
        verdicts: dict[str, Any] = {}
        if case["host"]:
            try:
                _judge(verifier, case)
                verdicts["path"] = {"accepted": True}
            except Exception as error:  # noqa: BLE001  the errors have no base of their own
                verdicts["path"] = {"accepted": False, "words": str(error) or type(error).__name__}
        print(json.dumps(verdicts), flush=True)


if __name__ == "__main__":
    main()
