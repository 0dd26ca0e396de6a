"""Apache with mod_md, an ACME client that renews by itself and asks for renewal information (RFC 9773)."""

from __future__ import annotations

import os
import signal
import subprocess
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from cryptography import x509

from tests.clients.conftest import free_port

_MODULES = "/usr/lib/apache2/modules"
_PATIENCE_SECONDS = 300
_CERTIFICATE = "pubcert.secp256r1.pem"
_IS_READY = "AH10059"
"""mod_md has set up a certificate and waits for a restart."""


@dataclass
class ModMd:
    """A running Apache that manages the certificate of one host name."""

    folder: Path
    name: str
    process: subprocess.Popen[bytes]
    activations: int = 0

    @property
    def log(self) -> str:
        """The error log."""
        path = self.folder / "error.log"
        return path.read_text("utf-8", "replace") if path.exists() else ""

    @property
    def active(self) -> Path:
        """The certificate that Apache presents, with its chain; it may not exist yet."""
        return self.folder / "md" / "domains" / self.name / _CERTIFICATE

    @property
    def staged(self) -> Path:
        """A new certificate that Apache presents after the next restart; it may not exist."""
        return self.folder / "md" / "staging" / self.name / _CERTIFICATE

    def wait_for(self, is_true: Callable[[], bool]) -> None:
        """Wait until something is true; AssertionError with the log if it does not happen."""
        ends = time.monotonic() + _PATIENCE_SECONDS
        while not is_true():
            assert time.monotonic() < ends, self.log[-4000:]
            time.sleep(0.2)

    def activate(self) -> x509.Certificate:
        """Wait for a new certificate, restart gracefully, and return it."""
        self.activations += 1
        self.wait_for(lambda: self.staged.exists() and self.log.count(_IS_READY) >= self.activations)
        new = x509.load_pem_x509_certificate(self.staged.read_bytes())
        # apachectl runs Apache as a child.
        os.kill(int((self.folder / "pid").read_text()), signal.SIGUSR1)
        self.wait_for(
            lambda: self.active.exists() and x509.load_pem_x509_certificate(self.active.read_bytes()) == new
        )
        return new


@contextmanager
def mod_md(folder: Path, name: str, url: str, trust: Path, http_port: int) -> Iterator[ModMd]:
    """Run Apache until the block ends. Its user, which is not root, must be able to enter ``folder``."""
    modules = ("mpm_event", "authn_core", "authz_core", "ssl", "watchdog", "md")
    loads = "\n".join(
        f"<IfModule !{one}_module>\nLoadModule {one}_module {_MODULES}/mod_{one}.so\n</IfModule>"
        for one in modules
    )
    user = "User nobody\nGroup nogroup" if os.geteuid() == 0 else ""
    tls_port = free_port()
    (folder / "web").mkdir(exist_ok=True)
    (folder / "httpd.conf").write_text(f"""{loads}
{user}
ServerName {name}
ServerRoot {folder}
DefaultRuntimeDir {folder}
PidFile {folder}/pid
ErrorLog {folder}/error.log
LogLevel warn md:debug
DocumentRoot {folder}/web
Listen 127.0.0.1:{http_port}
Listen 127.0.0.1:{tls_port}
MDStoreDir {folder}/md
MDCertificateAuthority {url}
MDCACertificateFile {trust}
MDCertificateAgreement accepted
MDContactEmail admin@contoso.test
MDPortMap http:{http_port} https:{tls_port}
MDCAChallenges http-01
MDPrivateKeys secp256r1
MDInitialDelay 1s
MDCheckInterval 2s
MDRetryDelay 5s
MDRenewViaARI on
MDomain {name}
<VirtualHost 127.0.0.1:{http_port}>
ServerName {name}
</VirtualHost>
<VirtualHost 127.0.0.1:{tls_port}>
ServerName {name}
SSLEngine on
</VirtualHost>
""")
    command = ("apachectl", "-d", str(folder), "-f", str(folder / "httpd.conf"), "-D", "FOREGROUND")
    process = subprocess.Popen(
        command, stdout=subprocess.DEVNULL, stderr=subprocess.STDOUT, start_new_session=True
    )
    try:
        yield ModMd(folder, name, process)
    finally:
        os.killpg(process.pid, signal.SIGTERM)
        process.wait()
