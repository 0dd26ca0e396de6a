"""Authorities by openssl's own ``ca``: third parties' certificates and CRLs, at times that are set."""

from __future__ import annotations

import re
import subprocess
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from pkigen.inspection.artifacts import read_path
from pkigen.x509 import Certificate, CertificateList
from tests.tools import run

NOW = datetime(2026, 6, 1, 12, tzinfo=UTC)
CA = "basicConstraints=critical,CA:TRUE\nkeyUsage=critical,keyCertSign,cRLSign\n"
SERVER = "keyUsage=digitalSignature\nextendedKeyUsage=serverAuth\n"
_KEY = ("-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes")
_CONFIG = """\
[ca]
default_ca = d
[d]
database = {directory}/index.txt
new_certs_dir = {directory}
rand_serial = yes
default_md = sha256
policy = p
unique_subject = no
crl_extensions = c
copy_extensions = none
[p]
commonName = supplied
[c]
authorityKeyIdentifier = keyid
[x]
{extensions}
"""
_ERROR = re.compile(r"^error (\d+) at (-?\d+) depth lookup", re.MULTILINE)


@dataclass(frozen=True)
class Authority:
    """The directory of a CA: ca.key, ca.crt, and the certificates that it issues, by name."""

    folder: Path

    @property
    def certificate(self) -> Path:
        return self.folder / "ca.crt"

    def issue(
        self,
        name: str,
        extensions: str = SERVER,
        *,
        start: str = "20250101000000Z",
        end: str = "20350101000000Z",
        common_name: str | None = None,
    ) -> Path:
        """A certificate with a key of its own."""
        request, key = self.folder / f"{name}.csr", self.folder / f"{name}.key"
        subject = f"/CN={common_name or f'{name}.test'}"
        run("openssl", "req", "-new", *_KEY, "-keyout", key, "-out", request, "-subj", subject)
        return self.sign(request, self.folder / f"{name}.crt", extensions, start, end)

    def subordinate(
        self,
        name: str,
        extensions: str = CA,
        *,
        start: str = "20250101000000Z",
        end: str = "20350101000000Z",
        common_name: str | None = None,
    ) -> Authority:
        """An authority below this one."""
        below = _new(self.folder.parent / name, common_name or name)
        self.sign(below.folder / "ca.csr", below.certificate, extensions, start, end)
        return below

    def cross_sign(self, other: Authority, name: str, end: str = "20350101000000Z") -> Path:
        """A certificate by this authority for the name and the key of another."""
        request, out = other.folder / "ca.csr", self.folder / f"{name}.crt"
        return self.sign(request, out, CA, "20250101000000Z", end)

    def revoke(self, certificate: Path, reason: str = "keyCompromise") -> None:
        self._ca("", "-revoke", certificate, "-crl_reason", reason)

    def crl(self, name: str = "ca", start: str = "20260501000000Z", end: str = "20260701000000Z") -> Path:
        """A CRL of what is revoked so far."""
        out = self.folder / f"{name}.crl"
        self._ca("", "-gencrl", "-crl_lastupdate", start, "-crl_nextupdate", end, "-out", out)
        return out

    def sign(self, request: Path, out: Path, extensions: str, start: str, end: str, *how: str) -> Path:
        """A certificate for a request."""
        names = ("-in", request, "-out", out, "-startdate", start, "-enddate", end)
        self._ca(extensions, "-batch", "-notext", "-extensions", "x", *names, *how)
        return out

    def _ca(self, extensions: str, *arguments: str | Path) -> None:
        config = self.folder / "ca.cnf"
        # An authority key identifier is what third parties' certificates have.
        common = "subjectKeyIdentifier=hash\nauthorityKeyIdentifier=keyid\n" if extensions else ""
        config.write_text(_CONFIG.format(directory=self.folder, extensions=extensions + common))
        own: tuple[str | Path, ...] = ("-keyfile", self.folder / "ca.key")
        if "-selfsign" not in arguments:
            own = (*own, "-cert", self.certificate)
        run("openssl", "ca", "-config", config, *own, *arguments)


def root(
    folder: Path,
    name: str,
    extensions: str = CA,
    end: str = "20400101000000Z",
    common_name: str | None = None,
) -> Authority:
    """An authority of its own."""
    made = _new(folder / name, common_name or name)
    made.sign(made.folder / "ca.csr", made.certificate, extensions, "20200101000000Z", end, "-selfsign")
    return made


def _new(folder: Path, common_name: str) -> Authority:
    folder.mkdir()
    (folder / "index.txt").touch()
    subject = f"/CN={common_name}"
    request, key = folder / "ca.csr", folder / "ca.key"
    run("openssl", "req", "-new", *_KEY, "-keyout", key, "-out", request, "-subj", subject)
    return Authority(folder)


@dataclass(frozen=True)
class Files:
    """What a verification is about."""

    leaf: Path
    chain: tuple[Path, ...] = ()
    trust: tuple[Path, ...] = ()
    crls: tuple[Path, ...] | None = None
    at: datetime = NOW
    host: str | None = None
    purpose: str = "any"
    partial: bool = False


def by_openssl(files: Files) -> set[tuple[int, int]]:
    """(error, depth) of all that ``openssl verify`` has against it; empty when it accepts."""
    command: list[str | Path] = ["openssl", "verify", "-attime", str(int(files.at.timestamp()))]
    for path in files.trust:
        command += ["-CAfile" if len(files.trust) == 1 else "-trusted", path]
    for path in files.chain:
        command += ["-untrusted", path]
    if files.crls is not None:
        command.append("-crl_check_all")
        for path in files.crls:
            command += ["-CRLfile", path]
    if files.host is not None:
        command += ["-verify_ip" if re.fullmatch(r"[\d.]+|.*:.*", files.host) else "-verify_hostname"]
        command.append(files.host)
    if files.purpose != "any":
        command += ["-purpose", f"ssl{files.purpose}"]
    if files.partial:
        command.append("-partial_chain")
    command += ["-no-CApath", "-no-CAstore", *(() if files.trust else ("-no-CAfile",)), files.leaf]
    done = subprocess.run(list(map(str, command)), capture_output=True, text=True, check=False)
    reported = {(int(code), int(depth)) for code, depth in _ERROR.findall(done.stderr)}
    assert bool(reported) == bool(done.returncode), done.stderr
    return reported


def certificates(*paths: Path) -> list[Certificate]:
    return [a.certificate for path in paths for a in read_path(path) if a.certificate is not None]


def crls(*paths: Path) -> list[CertificateList]:
    return [a.crl for path in paths for a in read_path(path) if a.crl is not None]
