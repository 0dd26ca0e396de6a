"""The process that ``pyhanko`` asks: cases as lines of JSON on stdin, answers on stdout."""

from __future__ import annotations

import asyncio
import json
import logging
import sys
from datetime import datetime, timedelta
from importlib import import_module
from pathlib import Path
from typing import Any


class _Judge:
    """The modules of the validator and of its parsers; their import takes most of the time of a case."""

    def __init__(self) -> None:
        self._validator = import_module("pyhanko_certvalidator")
        self._pem = import_module("asn1crypto.pem")
        self._x509 = import_module("asn1crypto.x509")

    def path(self, case: dict[str, Any], mode: str) -> None:
        """Raise what is wrong with the path, and with its CRLs if ``mode`` requires them."""
        leaf, *beside = self._certificates(case["certificate"])
        chain = self._certificates(case["chain"]) if case["chain"] else []
        context = self._validator.ValidationContext(
            trust_roots=[one for path in case["anchors"] for one in self._certificates(path)],
            moment=datetime.fromisoformat(case["at"]),
            time_tolerance=timedelta(0),  # one second by default
            crls=[Path(path).read_bytes() for path in case["crls"]] if mode == "require" else [],
            revocation_mode=mode,
            allow_fetching=False,
        )
        validator = self._validator.CertificateValidator(leaf, [*beside, *chain], validation_context=context)
        usage = validator.async_validate_usage(
            key_usage=set(), extended_key_usage={"server_auth"}, extended_optional=True
        )
        asyncio.run(usage)

    def _certificates(self, path: str) -> list[Any]:
        data = Path(path).read_bytes()
        blocks = list(self._pem.unarmor(data, multiple=True))
        return [
            self._x509.Certificate.load(der, strict=True) for name, _, der in blocks if name == "CERTIFICATE"
        ]


def main() -> None:
    """Answer until stdin ends."""
    logging.disable()
    judge = _Judge()
    for line in sys.stdin:
        case = json.loads(line)
        verdicts = {"path": _verdict(judge, case, "none")}
        if verdicts["path"]["accepted"]:
            verdicts["crl"] = _verdict(judge, case, "require")
        print(json.dumps(verdicts), flush=True)


def _verdict(judge: _Judge, case: dict[str, Any], mode: str) -> dict[str, Any]:
    try:
        judge.path(case, mode)
    except Exception as error:  # noqa: BLE001  the parsers' errors have no base of their own
        return {"accepted": False, "words": f"{error}" or type(error).__name__}
    return {"accepted": True}


if __name__ == "__main__":
    main()
