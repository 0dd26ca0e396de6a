"""OpenSSL's command line, as it comes and at its strictest."""

from __future__ import annotations

import re
import shutil
from collections.abc import Sequence
from dataclasses import dataclass
from ipaddress import ip_address
from pathlib import Path
from tempfile import TemporaryDirectory

from pkigen.matrix.registry import register
from pkigen.matrix.run_program import Ran, each, run
from pkigen.matrix.validator import (
    Answer,
    Capability,
    MatrixCase,
    Part,
    PartVerdict,
    answer,
)

_VERIFYING = re.compile(r"^error \d+ at \d+ depth lookup: *(.*)$", re.MULTILINE)
# thread:error:code:library:function:reason:file:line:data
_QUEUED = re.compile(r"^[0-9A-F]+:error:[0-9A-F]+:([^:]*):[^:]*:([^:]*):", re.MULTILINE)
_CheckedKeys = dict[tuple[bytes, bytes], PartVerdict]
"""The verdicts on private keys, by the contents of the key file and of its passphrase file."""
_TO_NOWHERE = ("-nomac", "-keypbe", "NONE", "-certpbe", "NONE", "-passout", "pass:", "-out", "/dev/null")


@dataclass(frozen=True)
class OpenSSL:
    """``openssl verify``, and ``openssl pkcs12`` for keys.

    ``options`` are further ones of verify; with ``checks_keys`` the numbers of a private key have to
    fit each other, beside fitting the certificate.
    """

    name: str
    options: tuple[str, ...] = ()
    checks_keys: bool = False
    looks_at: frozenset[Capability] = frozenset(("path", "file", "host", "crl", "key", "pkcs12"))
    comes_with: str = "openssl"

    def version(self) -> str | None:
        """``OpenSSL 3.0.19``; None when it is not installed."""
        if shutil.which("openssl") is None:
            return None
        return " ".join(run("openssl", "version").out.split()[:2])

    def judge(self, cases: Sequence[MatrixCase]) -> dict[str, Answer]:
        """The answers by the names of cases; OSError when openssl is not installed."""
        checked: _CheckedKeys = {}
        return each(lambda case: self._judge(case, checked), cases)

    def _judge(self, case: MatrixCase, checked: _CheckedKeys) -> Answer:
        verdicts: dict[Part, PartVerdict] = {}
        with TemporaryDirectory(prefix="pkigen-") as folder:
            self._path(case, Path(folder), verdicts)
            if case.key is not None:
                verdicts["key"] = self._key(case, case.key, checked)
            if case.pkcs12 is not None:
                verdicts["pkcs12"] = _pkcs12(case, case.pkcs12, Path(folder))
        return answer(verdicts)

    def _path(self, case: MatrixCase, folder: Path, verdicts: dict[Part, PartVerdict]) -> None:
        """Path and CRLs at once; a refusal is looked into once more, without CRLs."""
        anchors = folder / "anchors.pem"
        anchors.write_bytes(b"\n".join(path.read_bytes() for path in case.anchors))
        command = ["openssl", "verify", "-purpose", "sslserver", "-attime", str(int(case.at.timestamp()))]
        command += ["-no-CApath", "-no-CAstore", "-CAfile", str(anchors), *self.options]
        if case.partial_chain:
            command.append("-partial_chain")
        if case.host is not None:
            command += ["-verify_ip" if _is_address(case.host) else "-verify_hostname", case.host]
        if case.chain is not None:
            command += ["-untrusted", str(case.chain)]
        lists = [word for path in case.crls for word in ("-CRLfile", str(path))]
        whole = _verdict(run(*command, "-crl_check_all", *lists, case.certificate))
        alone = whole if whole.accepted else _verdict(run(*command, case.certificate))
        verdicts["path"] = alone
        if alone.accepted:
            verdicts["crl"] = whole

    def _key(self, case: MatrixCase, key: Path, checked: _CheckedKeys) -> PartVerdict:
        """Whether the key opens and belongs to the certificate: making a PKCS#12 of both finds out.

        Checking the numbers of an RSA key tests its primes; cases that share a key share the verdict.
        """
        opening = _opening(case)
        matched = run(
            *("openssl", "pkcs12", "-export", "-in", case.certificate, "-inkey", key, *opening, *_TO_NOWHERE)
        )
        if not matched.succeeded or not self.checks_keys:
            return _verdict(matched)
        contents = key.read_bytes(), case.passphrase.read_bytes() if case.passphrase else b""
        if contents not in checked:
            checked[contents] = _verdict(run("openssl", "pkey", "-noout", "-check", "-in", key, *opening))
        return checked[contents]


def _pkcs12(case: MatrixCase, path: Path, folder: Path) -> PartVerdict:
    """Whether the file opens, and holds a key with its certificate."""
    contents = folder / "held.pem"
    opened = run("openssl", "pkcs12", "-in", path, "-nodes", "-clcerts", "-out", contents, *_opening(case))
    if not opened.succeeded:
        return _verdict(opened)
    return _verdict(run("openssl", "pkcs12", "-export", "-in", contents, "-passin", "pass:", *_TO_NOWHERE))


def _opening(case: MatrixCase) -> tuple[str, str]:
    return "-passin", "pass:" if case.passphrase is None else f"file:{case.passphrase}"


def _verdict(ran: Ran) -> PartVerdict:
    return PartVerdict(True) if ran.succeeded else PartVerdict(False, _words(ran))


def _words(ran: Ran) -> str:
    """Why a command failed: what verification found, or its first line and the reason in the error queue."""
    match = _VERIFYING.search(ran.err)
    if ran.broken or match:
        return ran.broken or (match[1] if match else "")
    queued, first = _QUEUED.search(ran.err), ran.err.partition("\n")[0]
    if queued is None:
        return first or "no reason given"
    return f"{queued[1]}: {queued[2]}" if _QUEUED.match(first) else f"{first} ({queued[2]})"


def _is_address(host: str) -> bool:
    try:
        ip_address(host)
    except ValueError:
        return False
    return True


DEFAULT = register(OpenSSL("openssl"))
STRICT = register(OpenSSL("openssl-strict", ("-x509_strict", "-auth_level", "2"), checks_keys=True))
