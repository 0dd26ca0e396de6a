"""Files of an entity written wrong on purpose, one function for each way."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Protocol

from pkigen import der
from pkigen.formats import pem, private_keys
from pkigen.formats.file_names import RENAME, file_name
from pkigen.keys.entropy import Entropy
from pkigen.model import Alteration, File, Issued

_DATA, _SIGNED_DATA = "1.2.840.113549.1.7.1", "1.2.840.113549.1.7.2"
_UNKNOWN_PASSPHRASE = b"nobody knows this one"
_GIVEN_PASSPHRASE = b"correct-passphrase"


class Strangers(Protocol):
    """Keys and authorities that have nothing to do with an entity."""

    def key(self, issued: Issued) -> bytes:
        """Another key of the same kind (PKCS#8)."""
        ...

    def authority(self, issued: Issued) -> bytes:
        """The self-signed certificate of another CA (DER)."""
        ...


@dataclass
class Draft:
    """The files of an entity by their roles, on their way to being wrong."""

    issued: Issued
    entropy: Entropy
    strangers: Strangers
    files: dict[str, File]

    def write(self, role: str, data: bytes) -> None:
        """Other octets for a file."""
        self.files[role] = replace(self.files[role], data=data)

    def write_chain(self, certificates: tuple[bytes, ...]) -> None:
        """Another chain, in PEM."""
        self.write("chain", b"".join(map(pem.certificate, certificates)))

    def write_key(self, passphrase: bytes | None, given: bytes | None) -> None:
        """The key under a passphrase, with the one that the uploader is given."""
        assert self.issued.key is not None
        self.write("key", private_keys.pkcs8(self.issued.key, passphrase, self.entropy))
        if given is not None:
            name = file_name(self.issued.entity, "passphrase")
            self.files["passphrase"] = File(name, given + b"\n", secret=True)

    @property
    def chain(self) -> tuple[bytes, ...]:
        """The sound chain."""
        return self.issued.chain or self.issued.certificates[:1]


def alter(draft: Draft, alteration: Alteration) -> None:
    """Make one alteration."""
    if alteration.how == RENAME:
        held = draft.files[alteration.file]
        draft.files[alteration.file] = replace(held, path=file_name(draft.issued.entity, alteration.file))
    else:
        _WAYS[alteration.file, alteration.how](draft, alteration.argument)


def _certificate_der(draft: Draft, _argument: str) -> None:
    draft.write("certificate", draft.issued.certificates[0])


def _certificate_pkcs7(draft: Draft, _argument: str) -> None:
    draft.write("certificate", pem.encode("PKCS7", _pkcs7(draft.issued.certificates[:1])))


def _chain_pkcs7(draft: Draft, _argument: str) -> None:
    draft.write("chain", pem.encode("PKCS7", _pkcs7(draft.chain)))


def _pkcs7(certificates: tuple[bytes, ...]) -> bytes:
    """SignedData without a signature (RFC 2315, 9.1): how certificates are put in a bag."""
    signed = der.sequence(
        der.integer(1),
        der.set_of(),
        der.sequence(der.oid(_DATA)),
        der.explicit(0, *certificates),
        der.set_of(),
    )
    return der.sequence(der.oid(_SIGNED_DATA), der.explicit(0, signed))


def _key_der(draft: Draft, _argument: str) -> None:
    assert draft.issued.key is not None
    draft.write("key", draft.issued.key)


def _key_traditional(draft: Draft, _argument: str) -> None:
    assert draft.issued.key is not None
    draft.write("key", private_keys.traditional(draft.issued.key, None, draft.entropy))


def _key_passphrase(draft: Draft, argument: str) -> None:
    draft.write_key(argument.encode(), argument.encode())


def _key_plain(draft: Draft, _argument: str) -> None:
    draft.write_key(None, None)


def _key_wrong_passphrase(draft: Draft, _argument: str) -> None:
    draft.write_key(_UNKNOWN_PASSPHRASE, _GIVEN_PASSPHRASE)


def _key_no_passphrase(draft: Draft, _argument: str) -> None:
    draft.write_key(_UNKNOWN_PASSPHRASE, None)


def _key_other(draft: Draft, _argument: str) -> None:
    draft.write("key", private_keys.pkcs8(draft.strangers.key(draft.issued), None, draft.entropy))


def _key_unsound(draft: Draft, _argument: str) -> None:
    """Another coefficient of the Chinese remainder theorem (RFC 8017, 3.2): signatures come out wrong."""
    assert draft.issued.key is not None
    version, algorithm, octets, *rest = der.children(draft.issued.key)
    numbers = der.children(der.contents(octets))
    inverse = int.from_bytes(der.contents(numbers[8]), "big")
    numbers[8] = der.integer(inverse ^ 2)
    key = der.sequence(version, algorithm, der.octet_string(der.sequence(*numbers)), *rest)
    draft.write("key", pem.encode("PRIVATE KEY", key))


def _chain_remove(draft: Draft, _argument: str) -> None:
    del draft.files["chain"]


def _chain_other_ca(draft: Draft, _argument: str) -> None:
    draft.write_chain((draft.strangers.authority(draft.issued),))


def _chain_without_issuer(draft: Draft, _argument: str) -> None:
    draft.write_chain(draft.chain[1:])


def _chain_without_root(draft: Draft, _argument: str) -> None:
    draft.write_chain(draft.chain[:-1])


def _chain_with_leaf(draft: Draft, _argument: str) -> None:
    draft.write_chain((draft.issued.certificates[0], *draft.chain))


def _chain_bag_attributes(draft: Draft, _argument: str) -> None:
    """As ``openssl pkcs12`` writes them."""
    text = b"Bag Attributes\n    friendlyName: CA\n"
    draft.write("chain", b"".join(text + pem.certificate(found) for found in draft.chain))


def _chain_reversed(draft: Draft, _argument: str) -> None:
    draft.write_chain(draft.chain[::-1])


_WAYS: dict[tuple[str, str], Callable[[Draft, str], None]] = {
    ("certificate", "der"): _certificate_der,
    ("certificate", "pkcs7"): _certificate_pkcs7,
    ("key", "der"): _key_der,
    ("key", "traditional"): _key_traditional,
    ("key", "passphrase"): _key_passphrase,
    ("key", "plain"): _key_plain,
    ("key", "wrong-passphrase"): _key_wrong_passphrase,
    ("key", "no-passphrase"): _key_no_passphrase,
    ("key", "other-key"): _key_other,
    ("key", "unsound"): _key_unsound,
    ("chain", "remove"): _chain_remove,
    ("chain", "other-ca"): _chain_other_ca,
    ("chain", "without-issuer"): _chain_without_issuer,
    ("chain", "without-root"): _chain_without_root,
    ("chain", "with-leaf"): _chain_with_leaf,
    ("chain", "reversed"): _chain_reversed,
    ("chain", "bag-attributes"): _chain_bag_attributes,
    ("chain", "pkcs7"): _chain_pkcs7,
}
