"""Renders the files of an issued entity's directory."""

from __future__ import annotations

from functools import lru_cache
from typing import TYPE_CHECKING

from pkigen.formats import pem, private_keys
from pkigen.formats.names import ROLES
from pkigen.formats.output_formats import format_called
from pkigen.keys.entropy import Entropy
from pkigen.keys.kinds import parse_kind
from pkigen.model import ISSUED_CHAIN, STANDARD_FILES, File, Issued

if TYPE_CHECKING:
    from pkigen.formats.alterations import UnrelatedKeys


@lru_cache(maxsize=1)
def _pkcs8_of_shared_key(key: bytes, passphrase: bytes | None, entropy: Entropy) -> bytes:
    """Return the file of a key that several entities share, the same for all: to encrypt it takes long."""
    return private_keys.pkcs8(key, passphrase, entropy)


@lru_cache(maxsize=64)
def _chain(certificates: tuple[bytes, ...]) -> bytes:
    """Return a chain as PEM; cached, since many entities have the same."""
    return b"".join(map(pem.certificate, certificates))


def render(issued: Issued, entropy: Entropy, unrelated: UnrelatedKeys) -> tuple[File, ...]:
    """Return the files of an entity's directory: certificate, key, chain, cross-certificates, output formats.

    ``chain.pem`` of a root, and of a self-signed end entity, contains its own certificate. Cases with a fault
    have all files. ``unrelated`` supplies the keys and CAs that faulty files contain in place of the entity's
    own.
    """
    entity = issued.entity
    name, output = entity.name, entity.output
    main, *cross = issued.certificates
    requested = output.files if entity.fault is None else STANDARD_FILES
    files = {"certificate": File(f"{name}.crt", pem.certificate(main))}
    if issued.key is not None and "key" in requested:
        traditional = output.key_format == "traditional" and private_keys.has_traditional(
            parse_kind(entity.key).family
        )
        pkcs8 = _pkcs8_of_shared_key if entity.key_of else private_keys.pkcs8
        write = private_keys.traditional if traditional else pkcs8
        files["key"] = File(f"{name}.key", write(issued.key, output.passphrase, entropy), secret=True)
    if "chain" in requested:
        files["chain"] = File("chain.pem", _chain(issued.chain) if issued.chain else pem.certificate(main))
    if ISSUED_CHAIN in requested:
        files[ISSUED_CHAIN] = File(ROLES[ISSUED_CHAIN], _chain((main, *issued.chain)))
    for plan, certificate in zip(entity.certificates[1:], cross, strict=True):
        issuer = plan.issuer_id.partition("/")[2]
        files[plan.issuer_id] = File(f"{name}.cross-{issuer}.crt", pem.certificate(certificate))
    for format_name in output.formats:
        try:
            files[format_name] = format_called(format_name).render(issued, entropy)
        except ValueError:
            # A format may be unable to hold what a fault makes wrong; then the case lacks that file.
            if entity.fault is None:
                raise
    for alteration in output.alterations:
        from pkigen.formats.alterations import FileDraft, alter

        alter(FileDraft(issued, entropy, unrelated, files), alteration)
    return tuple(files.values())
