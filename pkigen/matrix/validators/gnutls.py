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
from pkigen.matrix.validator import Answer, MatrixCase, Part, Said, Sight, answer

_TLS_SERVER = "1.3.6.1.5.5.7.3.1"
_KEY = re.compile(r"-----BEGIN PUBLIC KEY-----.*?-----END PUBLIC KEY-----", re.DOTALL)
_HELD_KEY = re.compile(r"-----BEGIN (ENCRYPTED )?PRIVATE KEY-----.*?PRIVATE KEY-----\n", re.DOTALL)
_CERTIFICATE = re.compile(r"-----BEGIN CERTIFICATE-----(.*?)-----END CERTIFICATE-----", re.DOTALL)
_OUTCOME = re.compile(r"^(?:Chain v|V)erification output: (?:Not verified\.)?(.*)$", re.MULTILINE)
_CHATTER = ("Note that", "Use --verify", "Loaded CAs", "Loaded CRLs")


class GnuTLS:
    """``certtool --verify`` with the security profile of GnuTLS programs that set none (low).

    It takes CRLs for granted, so each is put to ``certtool --verify-crl`` as well; none needs to be there.
    certtool takes the time from the system: where faketime is installed, that is the time of the case.
    """

    name = "gnutls"
    looks_at: frozenset[Sight] = frozenset(("path", "file", "host", "crl", "key", "pkcs12"))
    comes_with = "gnutls-bin and faketime"

    def version(self) -> str | None:
        """``GnuTLS 3.7.9``; None when certtool is not installed."""
        if shutil.which("certtool") is None:
            return None
        return f"GnuTLS {run('certtool', '--version').out.split()[1]}"

    def judge(self, cases: Sequence[MatrixCase]) -> dict[str, Answer]:
        """The answers by the names of cases; OSError when certtool is not installed."""
        return each(self._judge, cases)

    def _judge(self, case: MatrixCase) -> Answer:
        said: dict[Part, Said] = {}
        with TemporaryDirectory(prefix="pkigen-") as folder:
            _path(case, Path(folder), said)
            if case.key is not None:
                secret = _secret(case)
                said["key"] = _matching(case.certificate, case.key, secret)
            if case.pkcs12 is not None:
                said["pkcs12"] = _pkcs12(case, case.pkcs12, Path(folder))
        return answer(said)


def _path(case: MatrixCase, folder: Path, said: dict[Part, Said]) -> None:
    """Path and CRLs at once; a refusal is looked into once more, without CRLs."""
    # certtool wants all certificates in one file, where what follows an unreadable one would stand for it.
    readable = run("certtool", "--certificate-info", "--infile", case.certificate)
    if not readable.succeeded:
        said["path"] = _verdict(readable)
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

    def verdict(*options: str) -> Said:
        return _verdict(run(*command, *options, given=chain, environ=at_time(case.at)))

    whole = verdict("--load-crl", str(lists)) if case.crls else verdict()
    said["path"] = whole if whole.accepted or not case.crls else verdict()
    if said["path"].accepted and case.crls:
        said["crl"] = _lists(case, above + b"\n" + trusted, folder) if whole.accepted else whole


def _lists(case: MatrixCase, certificates: bytes, folder: Path) -> Said:
    """Whether each CRL is current and signed by one of the authorities, PEM."""
    found = _CERTIFICATE.findall(certificates.decode("utf-8", "replace"))
    authorities = list(dict.fromkeys("".join(body.split()) for body in found))
    for number, path in enumerate(case.crls):
        # The first list is usually the first authority's, and so on.
        said = _list(case, path, (*authorities[number:], *authorities[:number]), folder)
        if not said.accepted:
            return said
    return Said(True)


def _list(case: MatrixCase, path: Path, authorities: Sequence[str], folder: Path) -> Said:
    """The verdict on one CRL: that of the authority (base64) whose name it has, if there is one."""
    authority, revoking = folder / "authority.pem", folder / "list.pem"
    revoking.write_bytes(_pem(path.read_bytes()))
    said = Said(False, "there is no authority that it could be of")
    for body in authorities:
        authority.write_text(f"-----BEGIN CERTIFICATE-----\n{body}\n-----END CERTIFICATE-----\n")
        files = ("--load-ca-certificate", authority, "--infile", revoking)
        said = _verdict(run("certtool", "--verify-crl", *files, environ=at_time(case.at)))
        if "issuer is unknown" not in said.words:
            break
    return said


def _matching(certificate: Path, key: Path, secret: Sequence[str]) -> Said:
    """Whether a key opens and belongs to a certificate."""
    certified = run("certtool", "--pubkey-info", "--load-certificate", certificate)
    if not certified.succeeded:
        return _verdict(certified)
    opened = run("certtool", "--pubkey-info", "--load-privkey", key, *secret)
    if not opened.succeeded:
        return _verdict(opened)
    if _KEY.findall(certified.out) == _KEY.findall(opened.out):
        return Said(True)
    return Said(False, "the public keys of certificate and private key differ")


def _pkcs12(case: MatrixCase, path: Path, folder: Path) -> Said:
    """Whether the file opens, and holds a key with its certificate."""
    secret = _secret(case)
    info = run("certtool", "--p12-info", "--inder", "--infile", path, *secret)
    if not info.succeeded:
        return _verdict(info)
    keys, certificates = _HELD_KEY.search(info.out), _CERTIFICATE.findall(info.out)
    if keys is None or not certificates:
        return Said(False, "there is no key with a certificate in it")
    key, certificate = folder / "held.key", folder / "held.crt"
    key.write_text(keys[0])
    found = Said(False)
    for body in certificates:
        certificate.write_text(f"-----BEGIN CERTIFICATE-----{body}-----END CERTIFICATE-----\n")
        found = _matching(certificate, key, secret)
        if found.accepted:
            break
    return found


def _secret(case: MatrixCase) -> tuple[str, ...]:
    """The option for the passphrase; an empty one, or it would ask."""
    if case.passphrase is None:
        return ("--password", "")
    return ("--password", case.passphrase.read_text("utf-8", "surrogateescape").partition("\n")[0])


def _pem(data: bytes) -> bytes:
    """A CRL for --load-crl, which takes no DER: the octets as they are, in PEM."""
    if b"-----BEGIN" in data:
        return data
    return b"-----BEGIN X509 CRL-----\n" + encodebytes(data) + b"-----END X509 CRL-----\n"


def _verdict(ran: Ran) -> Said:
    if ran.succeeded:
        return Said(True)
    if ran.broken:
        return Said(False, ran.broken)
    outcome = _OUTCOME.search(ran.out)
    if outcome:
        return Said(False, outcome[1])
    lines = [line for line in ran.err.splitlines() if not line.startswith(_CHATTER)]
    return Said(False, [*lines, "no reason given"][0])


GNUTLS = register(GnuTLS())
