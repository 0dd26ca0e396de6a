"""The files of an entity before they are written, which alterations change."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import Protocol

from pkigen.formats import pem, private_keys
from pkigen.formats.names import file_name
from pkigen.keys.entropy import Entropy
from pkigen.model import File, Issued


class UnrelatedKeys(Protocol):
    """Supplies keys and CA certificates that are unrelated to an entity."""

    def key(self, kind: str) -> bytes:
        """Return an unrelated key of a kind (PKCS#8)."""
        ...

    def authority(self, issued: Issued) -> bytes:
        """Return the self-signed certificate of an unrelated CA (DER)."""
        ...

    def crl(self, issued: Issued) -> bytes:
        """Return an empty CRL of an unrelated CA (DER)."""
        ...


@dataclass
class FileDraft:
    """The files of an entity by role, and what alterations need."""

    issued: Issued
    entropy: Entropy
    unrelated: UnrelatedKeys
    files: dict[str, File] = field(repr=False)

    def write(self, role: str, data: bytes) -> None:
        """Replace the contents of a file."""
        self.files[role] = replace(self.files[role], data=data)

    def write_chain(self, certificates: tuple[bytes, ...]) -> None:
        """Replace the chain file by certificates in PEM."""
        self.write("chain", b"".join(map(pem.certificate, certificates)))

    def write_key(self, passphrase: bytes | None) -> None:
        """Replace the key file by the entity's key, encrypted if ``passphrase`` is set."""
        self.write("key", private_keys.pkcs8(self.key, passphrase, self.entropy))

    def add_passphrase_file(self, passphrase: bytes) -> None:
        """Add NAME.passphrase, which contains the passphrase for the upload."""
        name = file_name(self.issued.entity, "passphrase")
        self.files["passphrase"] = File(name, passphrase + b"\n", secret=True)

    @property
    def certificate(self) -> bytes:
        """The entity's certificate (DER)."""
        return self.issued.certificates[0]

    @property
    def key(self) -> bytes:
        """The entity's key (PKCS#8)."""
        assert self.issued.key is not None
        return self.issued.key

    @property
    def chain(self) -> tuple[bytes, ...]:
        """The entity's chain (DER)."""
        return self.issued.chain or self.issued.certificates[:1]
