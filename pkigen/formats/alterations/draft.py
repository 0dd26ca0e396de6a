"""What alterations are made to: an entity's files by their roles."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import Protocol

from pkigen.formats import pem, private_keys
from pkigen.formats.names import file_name
from pkigen.keys.entropy import Entropy
from pkigen.model import File, Issued


class UnrelatedKeys(Protocol):
    """Keys and authorities that have nothing to do with an entity."""

    def key(self, kind: str) -> bytes:
        """Another key, of a kind (PKCS#8)."""
        ...

    def authority(self, issued: Issued) -> bytes:
        """The self-signed certificate of another CA (DER)."""
        ...


@dataclass
class FileDraft:
    """The files of an entity by their roles, on their way to being wrong."""

    issued: Issued
    entropy: Entropy
    strangers: UnrelatedKeys
    files: dict[str, File] = field(repr=False)

    def write(self, role: str, data: bytes) -> None:
        """Other octets for a file."""
        self.files[role] = replace(self.files[role], data=data)

    def write_chain(self, certificates: tuple[bytes, ...]) -> None:
        """Another chain, in PEM."""
        self.write("chain", b"".join(map(pem.certificate, certificates)))

    def write_key(self, passphrase: bytes | None) -> None:
        """The key under a passphrase, or as it is."""
        self.write("key", private_keys.pkcs8(self.key, passphrase, self.entropy))

    def give(self, passphrase: bytes) -> None:
        """A file with the passphrase that the uploader is given."""
        name = file_name(self.issued.entity, "passphrase")
        self.files["passphrase"] = File(name, passphrase + b"\n", secret=True)

    @property
    def certificate(self) -> bytes:
        """The certificate (DER)."""
        return self.issued.certificates[0]

    @property
    def key(self) -> bytes:
        """The sound key (PKCS#8)."""
        assert self.issued.key is not None
        return self.issued.key

    @property
    def chain(self) -> tuple[bytes, ...]:
        """The sound chain."""
        return self.issued.chain or self.issued.certificates[:1]
