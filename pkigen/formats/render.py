"""Issued -> files: what stands in an entity's folder."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from pkigen.formats import pem, private_keys
from pkigen.formats.alterations import FileDraft, UnrelatedKeys, alter
from pkigen.keys.entropy import Entropy
from pkigen.keys.kinds import parse_kind
from pkigen.model import File, Issued


def render(issued: Issued, entropy: Entropy, strangers: UnrelatedKeys) -> tuple[File, ...]:
    """Every file of an entity's folder: certificate, key, chain, cross-certificates, formats.

    Files that a fault alters are wrong in its way; ``strangers`` are for those. ``chain.pem`` of a
    root, and of a self-signed end entity, holds its own certificate.
    """
    entity = issued.entity
    name, output = entity.name, entity.output
    main, *cross = issued.certificates
    files = {"certificate": File(f"{name}.crt", pem.certificate(main))}
    if issued.key is not None:
        traditional = output.key_format == "traditional" and private_keys.has_traditional(
            parse_kind(entity.key).family
        )
        write = private_keys.traditional if traditional else private_keys.pkcs8
        files["key"] = File(f"{name}.key", write(issued.key, output.passphrase, entropy), secret=True)
    files["chain"] = File("chain.pem", b"".join(map(pem.certificate, issued.chain or (main,))))
    for plan, held in zip(entity.certificates[1:], cross, strict=True):
        issuer = plan.issuer_id.partition("/")[2]
        files[plan.issuer_id] = File(f"{name}.cross-{issuer}.crt", pem.certificate(held))
    for asked in output.formats:
        try:
            files[asked] = _WRITERS[asked](issued, entropy)
        except ValueError:
            if entity.fault is None:
                raise  # else the format cannot hold what is wrong
    for alteration in output.alterations:
        alter(FileDraft(issued, entropy, strangers, files), alteration)
    return tuple(files.values())


def _below_the_root(issued: Issued) -> bytes:
    """The certificate and its intermediates; the root stays out, since peers have or refuse it."""
    return b"".join(map(pem.certificate, (issued.certificates[0], *issued.chain[:-1])))


def _fullchain(issued: Issued, _entropy: Entropy) -> File:
    return File("fullchain.pem", _below_the_root(issued))


def _bundle(issued: Issued, entropy: Entropy) -> File:
    key = private_keys.pkcs8(_key(issued), issued.entity.output.passphrase, entropy)
    return File(f"{issued.entity.name}.bundle.pem", key + _below_the_root(issued), secret=True)


def _der(issued: Issued, _entropy: Entropy) -> File:
    return File(f"{issued.entity.name}.der", issued.certificates[0])


def _key_der(issued: Issued, entropy: Entropy) -> File:
    data = private_keys.pkcs8_der(_key(issued), issued.entity.output.passphrase, entropy)
    return File(f"{issued.entity.name}.key.der", data, secret=True)


def _key_traditional(issued: Issued, entropy: Entropy) -> File:
    data = private_keys.traditional(_key(issued), issued.entity.output.passphrase, entropy)
    return File(f"{issued.entity.name}.traditional.key", data, secret=True)


def _pkcs12(issued: Issued, _entropy: Entropy) -> File:
    from pkigen.formats import pkcs12

    return File(f"{issued.entity.name}.p12", pkcs12.key_store(issued), secret=True)


def _pkcs12_legacy(issued: Issued, _entropy: Entropy) -> File:
    from pkigen.formats import pkcs12

    data = pkcs12.key_store(issued, legacy=True)
    return File(f"{issued.entity.name}.legacy.p12", data, secret=True)


def _truststore(issued: Issued, _entropy: Entropy) -> File:
    from pkigen.formats import pkcs12

    anchor = (issued.chain or issued.certificates[:1])[-1]
    output = issued.entity.output
    return File("truststore.p12", pkcs12.trust_store([anchor], output.alias, output.pkcs12_passphrase))


def _key(issued: Issued) -> bytes:
    assert issued.key is not None
    return issued.key


_WRITERS: Mapping[str, Callable[[Issued, Entropy], File]] = {
    "fullchain": _fullchain,
    "bundle": _bundle,
    "der": _der,
    "key-der": _key_der,
    "key-traditional": _key_traditional,
    "pkcs12": _pkcs12,
    "pkcs12-legacy": _pkcs12_legacy,
    "truststore": _truststore,
}
