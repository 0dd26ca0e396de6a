"""Contexts of Python's ssl module for certificates in files and in memory."""

from __future__ import annotations

import ssl
from abc import ABC, abstractmethod
from dataclasses import dataclass, field
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Literal

_END = b"-----END CERTIFICATE-----"


@dataclass(frozen=True, slots=True)
class PemFiles:
    """A certificate, the CA certificates above it including the root, and its key: contents of PEM files.

    ``passphrase`` decrypts the key. ``chain`` is empty for a certificate without CAs.
    """

    certificate: bytes
    chain: bytes
    key: bytes = field(repr=False)
    passphrase: bytes = field(default=b"", repr=False)

    def load_into(self, context: ssl.SSLContext) -> None:
        """Let a context present the certificate and its chain except the root.

        The ssl module reads keys from files only: they are in a private temporary directory meanwhile.
        Raises ssl.SSLError for contents that OpenSSL does not load.
        """
        intermediates = self.chain.split(_END)[:-2]
        with TemporaryDirectory(prefix="pkigen-") as folder:
            presented, key = Path(folder) / "presented.pem", Path(folder) / "key.pem"
            blocks = b"".join(block + _END for block in intermediates)
            presented.write_bytes(self.certificate + b"\n" + blocks)
            key.touch(mode=0o600)
            key.write_bytes(self.key)
            context.load_cert_chain(presented, key, self.passphrase)


class TlsIdentity(ABC):
    """A certificate that a TLS server or client presents, with the trust anchors of its peers."""

    @abstractmethod
    def pem_files(self, passphrase: str = "") -> PemFiles:
        """Return the contents of its files; ``passphrase`` decrypts the key. InputError without a key."""

    @abstractmethod
    def anchors_pem(self) -> str:
        """Return the trust anchors of its peers (PEM); "" if they trust none."""

    def configure(self, context: ssl.SSLContext, passphrase: str = "") -> None:
        """Let a context present the certificate with its intermediates.

        ``passphrase`` decrypts the key if none of the files contains the passphrase. Raises ssl.SSLError for
        files that OpenSSL does not load, and InputError if only the owner has the private key.
        """
        self.pem_files(passphrase).load_into(context)

    def ssl_context(
        self,
        side: Literal["server", "client"] = "server",
        *,
        client_auth: bool = False,
        passphrase: str = "",
    ) -> ssl.SSLContext:
        """Return the context of a server or of a client that presents the certificate.

        A client trusts only the anchors and checks host names. With ``client_auth``, a server requires a
        certificate that one of the anchors issued (mutual TLS). Raises as ``configure``.
        """
        if side == "client":
            context = self.client_context()
        else:
            context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
            if client_auth and self.anchors_pem():
                context.load_verify_locations(cadata=self.anchors_pem())
            context.verify_mode = ssl.CERT_REQUIRED if client_auth else ssl.CERT_NONE
        self.configure(context, passphrase)
        return context

    def client_context(self) -> ssl.SSLContext:
        """Return the context of a client without a certificate.

        It trusts only the anchors, and checks host names.
        """
        anchors = self.anchors_pem()
        if not anchors:
            return ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        return ssl.create_default_context(cadata=anchors)

    def server_context(self, passphrase: str = "") -> ssl.SSLContext:
        """Return the context of a server that presents the certificate with its intermediates.

        ``passphrase`` decrypts the key if none of the files contains the passphrase. Raises ssl.SSLError for
        files that OpenSSL does not load.
        """
        return self.ssl_context("server", passphrase=passphrase)


def server_context(certificate: Path, chain: Path | None, key: Path, passphrase: bytes) -> ssl.SSLContext:
    """Return the context of a server that presents a certificate and its chain except the root.

    ``passphrase`` decrypts the key. Raises ssl.SSLError for files that OpenSSL does not load.
    """
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    files = PemFiles(
        certificate.read_bytes(), chain.read_bytes() if chain else b"", key.read_bytes(), passphrase
    )
    files.load_into(context)
    return context
