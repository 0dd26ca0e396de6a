"""Writes Java key stores (JKS) with Java's keytool, from PKCS#12."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path
from tempfile import TemporaryDirectory

from pkigen.errors import EnvironmentFailure, InputError

QUICK_START = ("-J-XX:TieredStopAtLevel=1", "-J-XX:+UseSerialGC", "-J-XX:+IgnoreUnrecognizedVMOptions")
"""Options with which keytool takes half the time: it ends before optimized code is of use."""
_SECONDS = 60
_MIN_CHARACTERS = 6


def java_key_store(pkcs12: bytes, passphrase: bytes) -> bytes:
    """Return the JKS file with the entries of a PKCS#12 file, under the same passphrase.

    InputError if keytool is not installed, or for a passphrase that it refuses.
    """
    if not passphrase.isascii() or len(passphrase) < _MIN_CHARACTERS:
        raise InputError(f"keytool requires a passphrase of at least {_MIN_CHARACTERS} ASCII characters")
    program = shutil.which("keytool")
    if program is None:
        raise InputError(
            "JKS is written by Java's keytool, which is not installed. Install a JDK, or write PKCS#12: Java "
            "reads it as well (--to p12)"
        )
    with TemporaryDirectory(prefix="pkigen-") as name:
        directory = Path(name)
        source, target, secret = (directory / file for file in ("source.p12", "target.jks", "passphrase"))
        source.write_bytes(pkcs12)
        secret.write_bytes(passphrase + b"\n")
        options = {
            "-srckeystore": source,
            "-srcstoretype": "PKCS12",
            "-srcstorepass:file": secret,
            "-destkeystore": target,
            "-deststoretype": "JKS",
            "-deststorepass:file": secret,
        }
        arguments = [str(part) for pair in options.items() for part in pair]
        try:
            result = subprocess.run(  # the program is Java's keytool
                [program, *QUICK_START, "-importkeystore", "-noprompt", *arguments],
                stdin=subprocess.DEVNULL,
                capture_output=True,
                timeout=_SECONDS,
                check=False,
            )
        except (OSError, subprocess.TimeoutExpired) as error:
            raise EnvironmentFailure(f"{program} did not write the JKS file: {error}") from error
        if result.returncode or not target.exists():
            lines = (result.stdout + result.stderr).decode("utf-8", "replace").splitlines()
            reason = next((line for line in lines if "error" in line.lower()), "no reason given")
            raise EnvironmentFailure(f"{program} did not write the JKS file: {reason[:200]}")
        return target.read_bytes()
