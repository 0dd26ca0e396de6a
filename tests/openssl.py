"""The openssl command line as a judge of environments."""

from __future__ import annotations

import json
import subprocess
from dataclasses import dataclass
from pathlib import Path
from typing import Any


def with_new_names(text: str) -> str:
    """Return output of openssl with names as OpenSSL 3.2 and later write them: ``CN=a``, not ``CN = a``."""
    return text.replace(" = ", "=")


@dataclass(frozen=True, slots=True)
class Judge:
    """Verifies what an environment's manifest lists, with nothing but its files."""

    folder: Path

    @property
    def manifest(self) -> dict[str, Any]:
        loaded: dict[str, Any] = json.loads((self.folder / "manifest.json").read_text())
        return loaded

    def verify(self, case: dict[str, Any], *options: str, at: int | None = None) -> str:
        """What ``openssl verify`` says of a case: an empty text when it accepts it.

        Chain, host name, purpose and the CRL of every issuer of the path are checked; ``options`` can
        ask for more.
        """
        trust = self.folder / "trust.pem"
        if case["issuer"] is None:
            trust = self.folder / case["files"]["certificate"]
        command = ["openssl", "verify", *options, "-purpose", self._purpose(case), "-CAfile", str(trust)]
        if case["path"]:
            command += ["-untrusted", str(self.folder / case["files"]["chain"]), "-crl_check_all"]
            command += ["-CRLfile", str(self._crls(case))]
        host = next(iter(case["hosts"]), None)
        if host is not None and not host.startswith("*"):
            command += ["-verify_ip" if _is_address(host) else "-verify_hostname", host]
        if at is not None:
            command += ["-attime", str(at)]
        command.append(str(self.folder / case["files"]["certificate"]))
        done = subprocess.run(command, capture_output=True, text=True, check=False)
        return "" if done.returncode == 0 else done.stdout + done.stderr

    def key_matches(self, entity: dict[str, Any], passphrase: str | None = None) -> bool:
        """Whether the public key of NAME.key is the one that NAME.crt certifies."""
        files = entity["files"]
        secret = ["-passin", f"pass:{passphrase or ''}"]
        key = _run("openssl", "pkey", "-pubout", *secret, "-in", str(self.folder / files["key"]))
        content = _run("openssl", "x509", "-noout", "-pubkey", "-in", str(self.folder / files["certificate"]))
        return bool(key) and key == content

    def _purpose(self, case: dict[str, Any]) -> str:
        """The purpose that the certificate is for: a server's, unless it is for clients or email alone."""
        path = str(self.folder / case["files"]["certificate"])
        usage = _run("openssl", "x509", "-noout", "-ext", "extendedKeyUsage", "-in", path)
        if "Server Authentication" in usage:
            return "sslserver"
        if "E-mail Protection" in usage:
            return "smimesign"
        return "sslclient" if "Client Authentication" in usage else "sslserver"

    def _crls(self, case: dict[str, Any]) -> Path:
        """All CRLs of the case's path that there are, in one file."""
        paths = (self.folder / "authorities" / name / f"{name}.crl" for name in case["path"])
        result = b"".join(path.read_bytes() for path in paths if path.is_file())
        path = self.folder / ".pkigen" / f"judged-{case['issuer']}.pem"
        path.write_bytes(result)
        return path


def _is_address(host: str) -> bool:
    return ":" in host or host.replace(".", "").isdecimal()


def _run(*command: str) -> str:
    return subprocess.run(command, capture_output=True, text=True, check=False).stdout
