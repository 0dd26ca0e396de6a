"""GnuTLS: its certtool, which reads PEM."""

from __future__ import annotations

import re
import shutil
from base64 import encodebytes
from collections.abc import Sequence
from pathlib import Path
from tempfile import TemporaryDirectory

from pkigen.matrix.fake_time import at_time
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

_TLS_SERVER = "1.3.6.1.5.5.7.3.1"
_KEY = re.compile(r"-----BEGIN PUBLIC KEY-----.*?-----END PUBLIC KEY-----", re.DOTALL)
_HELD_KEY = re.compile(r"-----BEGIN (ENCRYPTED )?PRIVATE KEY-----.*?PRIVATE KEY-----\n", re.DOTALL)
_CERTIFICATE = re.compile(r"-----BEGIN CERTIFICATE-----(.*?)-----END CERTIFICATE-----", re.DOTALL)
_OUTCOME = re.compile(r"^(?:Chain v|V)erification output: (?:Not verified\.)?(.*)$", re.MULTILINE)
_CHATTER = ("Note that", "Use --verify", "Loaded CAs", "Loaded CRLs")


class GnuTLS:
    """``certtool --verify`` with the security profile of GnuTLS programs that set none (low).

    It does not verify CRLs, so each is also checked with ``certtool --verify-crl``; a missing CRL is
    accepted. certtool uses the system time, which faketime sets to the time of the case if it is installed.
    """

    name = "gnutls"
    looks_at: frozenset[Capability] = frozenset(("path", "file", "host", "crl", "key", "pkcs12"))
    comes_with = "gnutls-bin and faketime"

    def version(self) -> str | None:
        """Return, e.g., ``GnuTLS 3.7.9``, or None if certtool is not installed."""
        if shutil.which("certtool") is None:
            return None
        return f"GnuTLS {run('certtool', '--version').out.split()[1]}"

    def judge(self, cases: Sequence[MatrixCase]) -> dict[str, Answer]:
        """Return the answers by case name; OSError if certtool is not installed."""
        return each(self._judge, cases)

    def _judge(self, case: MatrixCase) -> Answer:
        verdicts: dict[Part, PartVerdict] = {}
        with TemporaryDirectory(prefix="pkigen-") as folder:
            _path(case, Path(folder), verdicts)
            if case.key is not None:
                secret = _secret(case)
                verdicts["key"] = _matching(case.certificate, case.key, secret)
            if case.pkcs12 is not None:
                verdicts["pkcs12"] = _pkcs12(case, case.pkcs12, Path(folder))
        return answer(verdicts)


def _path(case: MatrixCase, folder: Path, verdicts: dict[Part, PartVerdict]) -> None:
    """Check path and CRLs together; after a rejection, check the path again without CRLs."""
    # certtool reads all certificates from one file, and would use the one that follows an unreadable one.
    readable = run("certtool", "--certificate-info", "--infile", case.certificate)
    if not readable.succeeded:
        verdicts["path"] = _verdict(readable)
        return
    anchors, lists = folder / "anchors.pem", folder / "lists.pem"
    above = b"" if case.chain is None else case.chain.read_bytes()
    trusted = b"\n".join(path.read_bytes() for path in case.anchors)
    anchors.write_bytes(trusted)
    lists.write_bytes(b"\n".join(_pem(path.read_bytes()) for path in case.crls))
    chain = case.certificate.read_bytes() + b"\n" + above
    command = ["certtool", "--verify", "--verify-profile", "low"]
    command += ["--verify-purpose", _TLS_SERVER, "--load-ca-certificate", str(anchors)]
    if case.host is not None:
        command += ["--verify-hostname", case.host]

    def verdict(*options: str) -> PartVerdict:
        return _verdict(run(*command, *options, given=chain, environ=at_time(case.at)))

    whole = verdict("--load-crl", str(lists)) if case.crls else verdict()
    verdicts["path"] = whole if whole.accepted or not case.crls else verdict()
    if verdicts["path"].accepted and case.crls:
        verdicts["crl"] = _lists(case, above + b"\n" + trusted, folder) if whole.accepted else whole


def _lists(case: MatrixCase, certificates: bytes, folder: Path) -> PartVerdict:
    """Check that each CRL is current and signed by one of the CAs (PEM)."""
    bodies = _CERTIFICATE.findall(certificates.decode("utf-8", "replace"))
    authorities = list(dict.fromkeys("".join(body.split()) for body in bodies))
    for number, path in enumerate(case.crls):
        # The first CRL is usually that of the first CA, and so on.
        verdict = _list(case, path, (*authorities[number:], *authorities[:number]), folder)
        if not verdict.accepted:
            return verdict
    return PartVerdict(True)


def _list(case: MatrixCase, path: Path, authorities: Sequence[str], folder: Path) -> PartVerdict:
    """Return the verdict on one CRL, by the CA (base64) with its issuer name."""
    authority, revoking = folder / "authority.pem", folder / "list.pem"
    revoking.write_bytes(_pem(path.read_bytes()))
    verdict = PartVerdict(False, "no CA has the issuer name of the CRL")
    for body in authorities:
        authority.write_text(f"-----BEGIN CERTIFICATE-----\n{body}\n-----END CERTIFICATE-----\n")
        files = ("--load-ca-certificate", authority, "--infile", revoking)
        verdict = _verdict(run("certtool", "--verify-crl", *files, environ=at_time(case.at)))
        if "issuer is unknown" not in verdict.words:
            break
    return verdict


def _matching(certificate: Path, key: Path, secret: Sequence[str]) -> PartVerdict:
    """Check that a key can be decrypted and matches a certificate."""
    certified = run("certtool", "--pubkey-info", "--load-certificate", certificate)
    if not certified.succeeded:
        return _verdict(certified)
    opened = run("certtool", "--pubkey-info", "--load-privkey", key, *secret)
    if not opened.succeeded:
        return _verdict(opened)
    if _KEY.findall(certified.out) == _KEY.findall(opened.out):
        return PartVerdict(True)
    return PartVerdict(False, "the public keys of certificate and private key differ")


def _pkcs12(case: MatrixCase, path: Path, folder: Path) -> PartVerdict:
    """Check that the file can be decrypted and contains a key with its certificate."""
    secret = _secret(case)
    info = run("certtool", "--p12-info", "--inder", "--infile", path, *secret)
    if not info.succeeded:
        return _verdict(info)
    keys, certificates = _HELD_KEY.search(info.out), _CERTIFICATE.findall(info.out)
    if keys is None or not certificates:
        return PartVerdict(False, "there is no key with a certificate in it")
    key, certificate = folder / "held.key", folder / "held.crt"
    key.write_text(keys[0])
    verdict = PartVerdict(False)
    for body in certificates:
        certificate.write_text(f"-----BEGIN CERTIFICATE-----{body}-----END CERTIFICATE-----\n")
        verdict = _matching(certificate, key, secret)
        if verdict.accepted:
            break
    return verdict


def _secret(case: MatrixCase) -> tuple[str, ...]:
    """Return the option for the passphrase; without one, certtool would prompt."""
    if case.passphrase is None:
        return ("--password", "")
    return ("--password", case.passphrase.read_text("utf-8", "surrogateescape").partition("\n")[0])


def _pem(data: bytes) -> bytes:
    """Convert a CRL to PEM for --load-crl, which does not accept DER."""
    if b"-----BEGIN" in data:
        return data
    return b"-----BEGIN X509 CRL-----\n" + encodebytes(data) + b"-----END X509 CRL-----\n"


def _verdict(ran: Ran) -> PartVerdict:
    if ran.succeeded:
        return PartVerdict(True)
    if ran.broken:
        return PartVerdict(False, ran.broken)
    outcome = _OUTCOME.search(ran.out)
    if outcome:
        return PartVerdict(False, outcome[1])
    lines = [line for line in ran.err.splitlines() if not line.startswith(_CHATTER)]
    return PartVerdict(False, [*lines, "no reason given"][0])


GNUTLS = register(GnuTLS())
