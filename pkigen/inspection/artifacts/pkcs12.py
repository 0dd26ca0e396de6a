"""PKCS#12 (RFC 7292): every key, certificate and CRL inside."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

from pkigen.asn1 import ber, der
from pkigen.errors import InputError
from pkigen.formats.kdf_budget import KdfBudget
from pkigen.formats.passphrase_encryption import (
    UnsupportedCipher,
    WrongPassphrase,
    decrypt,
    mac_is_valid,
    passphrase_forms,
    protection_name,
)
from pkigen.formats.pem import Block
from pkigen.formats.read import ENCRYPTED
from pkigen.inspection.artifacts.artifact import Artifact, Encoding, Kind, Source
from pkigen.inspection.artifacts.keys import NOT_GIVEN, KeyFile, open_key
from pkigen.inspection.artifacts.objects import parsed
from pkigen.x509 import Malformed
from pkigen.x509.decode import decoder

_WRONG = "the passphrase is wrong, or the file is damaged"
_DATA, _SIGNED = "1.2.840.113549.1.7.1", "1.2.840.113549.1.7.2"
_ENCRYPTED_DATA = "1.2.840.113549.1.7.6"
_BAG = "1.2.840.113549.1.12.10.1."
_KEY, _SHROUDED_KEY, _CERTIFICATE, _CRL, _SECRET, _NESTED = (f"{_BAG}{number}" for number in range(1, 7))
_X509_CERTIFICATE, _X509_CRL = "1.2.840.113549.1.9.22.1", "1.2.840.113549.1.9.23.1"
_FRIENDLY_NAME, _LOCAL_KEY_ID = "1.2.840.113549.1.9.20", "1.2.840.113549.1.9.21"
_MAX_NESTING = 5


@dataclass(frozen=True, slots=True)
class _Bag:
    """A SafeBag; ``value`` is the TLV of its content."""

    kind: str
    value: bytes
    name: str = ""
    key_id: bytes = b""


def read_pkcs12(
    data: bytes, source: Source, passphrases: Sequence[bytes], budget: KdfBudget
) -> Iterator[Artifact]:
    """Yield keys, their certificates, other certificates and CRLs; or the container and why it is closed.

    The empty passphrase is tried as well, because many exports have none.
    """
    source = replace(source, encoding=Encoding.PKCS12, before=b"")
    problem = ""
    for passphrase in (*passphrases, b"", None):
        try:
            opened = _opened(data, passphrase, budget)
            protected = _with_protection(source, data, opened[0])
            yield from _contents(opened, protected, (passphrase, *passphrases), budget)
        except WrongPassphrase:
            problem = problem or (_WRONG if passphrases else NOT_GIVEN)
            continue
        except InputError as error:  # the limit of the budget, or a cipher that is not supported
            problem = problem or str(error)
            break
        except Malformed as error:
            problem = str(error)
            break
        return
    yield Artifact(Kind.PKCS12, source, data, problem=problem)


@decoder("the PKCS#12 structure")
def _opened(data: bytes, passphrase: bytes | None, budget: KdfBudget) -> tuple[list[_Bag], list[str]]:
    """Return the bags of a PFX, and the problems of the parts that cannot be decrypted."""
    _, content, *mac_data = der.children(ber.definite(data))
    safe = _content(content)
    if mac_data:
        forms = [None] if passphrase is None else list(passphrase_forms(passphrase))
        if not any(mac_is_valid(mac_data[0], safe, form, budget) for form in forms):
            raise WrongPassphrase(_WRONG)
    bags, problems = list[_Bag](), list[str]()
    for part in der.children(ber.definite(safe)):
        try:
            bags += _bags(_decrypted(part, passphrase, budget))
        except UnsupportedCipher as error:
            problems.append(str(error))
        except WrongPassphrase:
            if not mac_data:
                raise
            problems.append("a part of it is damaged, or encrypted with another passphrase")
    return bags, problems


def _with_protection(source: Source, data: bytes, bags: Sequence[_Bag]) -> Source:
    """Return the source with the ciphers of the parts and of the keys, and the digest of the MAC."""
    _, content, *mac_data = der.children(ber.definite(data))
    algorithms = [der.children(bag.value)[0] for bag in bags if bag.kind == _SHROUDED_KEY]
    for part in der.children(ber.definite(_content(content))):
        content_type, wrapped = der.children(part)
        if der.dotted(content_type) == _ENCRYPTED_DATA:
            algorithms.append(der.children(der.children(der.children(wrapped)[0])[1])[1])
    mac = protection_name(der.children(der.children(mac_data[0])[0])[0]) if mac_data else ""
    return replace(source, ciphers=tuple(dict.fromkeys(map(protection_name, algorithms))), mac=mac)


def _content(content_info: bytes) -> bytes:
    """Return the bytes in a ContentInfo of type data, or that a signature protects."""
    content_type, wrapped = der.children(content_info)
    (content,) = der.children(wrapped)
    if der.dotted(content_type) == _SIGNED:
        _, _, encapsulated, *_ = der.children(content)
        return _content(encapsulated)
    return der.contents(content)


def _decrypted(content_info: bytes, passphrase: bytes | None, budget: KdfBudget) -> bytes:
    """Return the SafeContents in an element of the AuthenticatedSafe."""
    content_type, wrapped = der.children(content_info)
    oid = der.dotted(content_type)
    if oid == _DATA:
        return _content(content_info)
    if oid != _ENCRYPTED_DATA:
        raise UnsupportedCipher(oid)
    _, algorithm, sealed = der.children(der.children(der.children(wrapped)[0])[1])
    pieces = der.children(sealed) if sealed[0] & 0x20 else [sealed]
    data = b"".join(map(der.contents, pieces))
    for form in [None] if passphrase is None else passphrase_forms(passphrase):
        try:
            plain = decrypt(algorithm, data, form, budget)
            der.children(ber.definite(plain))
        except (WrongPassphrase, ValueError):
            continue
        return plain
    raise WrongPassphrase(_WRONG)


def _bags(safe_contents: bytes, nesting: int = _MAX_NESTING) -> Iterator[_Bag]:
    for bag in der.children(ber.definite(safe_contents)):
        identifier, wrapped, *attributes = der.children(bag)
        kind = der.dotted(identifier)
        (value,) = der.children(wrapped)
        if kind == _NESTED and nesting:
            yield from _bags(value, nesting - 1)
            continue
        values = dict(_attribute(one) for one in der.children(attributes[0])) if attributes else {}
        name = values.get(_FRIENDLY_NAME, b"").decode("utf-16-be", "replace")
        yield _Bag(kind, value, name, values.get(_LOCAL_KEY_ID, b""))


def _attribute(data: bytes) -> tuple[str, bytes]:
    oid, values = der.children(data)
    first = der.children(values)[:1]
    return der.dotted(oid), der.contents(first[0]) if first else b""


def _contents(
    opened: tuple[list[_Bag], list[str]],
    source: Source,
    passphrases: Sequence[bytes | None],
    budget: KdfBudget,
) -> Iterator[Artifact]:
    bags, problems = opened
    keys = [bag for bag in bags if bag.kind in (_KEY, _SHROUDED_KEY)]
    certificates = [bag for bag in bags if bag.kind == _CERTIFICATE]
    ids = {bag.key_id for bag in keys} - {b""}
    certificates.sort(key=lambda bag: bag.key_id not in ids)
    others = [bag for bag in bags if bag.kind not in (_KEY, _SHROUDED_KEY, _CERTIFICATE)]
    for bag in keys:
        key = _key(bag, passphrases, budget)
        yield Artifact(Kind.KEY, source, key.pkcs8 or b"", key, key.problem, bag.name)
    for bag in (*certificates, *others):
        yield _object(bag, source)
    for problem in problems:
        yield Artifact(Kind.PKCS12, source, b"", problem=problem)
    if not bags and not problems:
        yield Artifact(Kind.PKCS12, source, b"", problem="it contains no key and no certificate")


def _key(bag: _Bag, passphrases: Sequence[bytes | None], budget: KdfBudget) -> KeyFile:
    """Open a key; its passphrase can differ from the file's."""
    label = "PRIVATE KEY" if bag.kind == _KEY else ENCRYPTED
    candidates = list(dict.fromkeys(passphrases)) if bag.kind == _SHROUDED_KEY else []
    return replace(open_key(Block(label, bag.value), candidates, budget), format="PKCS#12")


def _object(bag: _Bag, source: Source) -> Artifact:
    kinds = {_CERTIFICATE: (Kind.CERTIFICATE, _X509_CERTIFICATE), _CRL: (Kind.CRL, _X509_CRL)}
    if bag.kind in kinds:
        kind, expected = kinds[bag.kind]
        try:
            identifier, wrapped = der.children(bag.value)
            if der.dotted(identifier) == expected:
                return parsed(kind, der.contents(der.children(wrapped)[0]), source, name=bag.name)
        except (ValueError, IndexError):
            return Artifact(kind, source, bag.value, problem="the bag is malformed", friendly_name=bag.name)
    name = "a secret key or password" if bag.kind == _SECRET else f"a bag of type {bag.kind}"
    problem = f"{name}, which is not supported"
    return Artifact(Kind.SECRET_KEY, source, b"", problem=problem, friendly_name=bag.name)
