"""OpenSSL's command line as an OCSP client."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from tempfile import TemporaryDirectory
from urllib.parse import urlsplit

from pkigen.matrix.fake_time import at_time
from pkigen.matrix.registry import register
from pkigen.matrix.run_program import Ran, each, run
from pkigen.matrix.validator import (
    Answer,
    Capability,
    MatrixCase,
    PartVerdict,
    answer,
)
from pkigen.matrix.validators.openssl import DEFAULT

_SECONDS = 8
_WARNINGS = ("WARNING: Status times invalid", "Response Verify Failure", "Responder Error")


class OpenSSLOcsp:
    """``openssl ocsp`` about the server's certificate: good, with a signature and times that hold.

    It takes the time from the system: where faketime is installed, that is the time of the case.
    """

    name = "openssl-ocsp"
    looks_at: frozenset[Capability] = frozenset(("ocsp",))
    comes_with = "openssl and faketime"

    def version(self) -> str | None:
        """``OpenSSL 3.0.22``; None when it is not installed."""
        return DEFAULT.version()

    def judge(self, cases: Sequence[MatrixCase]) -> dict[str, Answer]:
        """The answers by the names of cases that have a URL of OCSP and a proxy; OSError without openssl."""
        return each(_judge, cases)


def _judge(case: MatrixCase) -> Answer:
    if case.issuer is None or case.ocsp is None or case.proxy is None:
        return answer({})
    with TemporaryDirectory(prefix="pkigen-") as folder:
        anchors = Path(folder) / "anchors.pem"
        anchors.write_bytes(b"\n".join(path.read_bytes() for path in case.anchors))
        # Given a proxy, openssl ocsp names that as the host that it asks.
        url = urlsplit(case.ocsp)
        command: list[str | Path] = ["openssl", "ocsp", "-issuer", case.issuer, "-cert", case.certificate]
        command += ["-url", f"http://{case.proxy}{url.path}", "-header", f"Host={url.netloc}"]
        command += ["-CAfile", anchors, "-verify_other", case.issuer, "-timeout", str(_SECONDS // 2)]
        environ = {**at_time(case.at, ticking=True), "no_proxy": "*"}
        ran = run(*command, environ=environ, seconds=_SECONDS)
    return answer({"ocsp": _verdict(ran, case)})


def _verdict(ran: Ran, case: MatrixCase) -> PartVerdict:
    """It ends with 0 when the certificate is revoked: what it says counts."""
    if ran.broken:
        return PartVerdict(False, ran.broken)
    lines = (ran.out + "\n" + ran.err).splitlines()
    status = next((line.partition(": ")[2] for line in lines if line.startswith(f"{case.certificate}: ")), "")
    wrong = next((line for line in lines if line.startswith(_WARNINGS)), "")
    if "Response verify OK" in lines and status == "good" and not wrong:
        return PartVerdict(True)
    unsaid = (line for line in lines if line and not line.startswith("Response verify OK"))
    words = wrong or status or next(unsaid, "no reason given")
    queued = next((line.split(":")[5] for line in lines if line.count(":") > 7 and ":error:" in line), "")
    return PartVerdict(False, f"{words} ({queued})" if queued and not status else words)


OPENSSL_OCSP = register(OpenSSLOcsp())
