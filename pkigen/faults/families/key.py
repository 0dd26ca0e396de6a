"""Public keys that are weak, badly written, or of a kind that servers do not use (4.1.2.7)."""

from __future__ import annotations

from dataclasses import replace

from pkigen.asn1 import der, oids
from pkigen.cases.case import Case, Impossible
from pkigen.faults.registry import fault
from pkigen.keys.kinds import parse_kind
from pkigen.model import Edit, EditOp, Extension

_ALGORITHM, _BITS = (6, 0), (6, 1)
_PARAMETERS = (*_ALGORITHM, 1)
_MODULUS, _EXPONENT = (*_BITS, 0, 0), (*_BITS, 0, 1)

_P256_PRIME = 0xFFFFFFFF00000001000000000000000000000000FFFFFFFFFFFFFFFFFFFFFFFF
_P256_B = 0x5AC635D8AA3A93E7B3EBBD55769886BC651D06B0CC53B0F63BCE3C3E27D2604B
_P256_GENERATOR = (
    "046B17D1F2E12C4247F8BCE6E563A440F277037D812DEB33A0F4A13945D898C296"
    "4FE342E2FE1A7F9B8EE7EB4A7C0F9E162BCE33576B315ECECBB6406837BF51F5"
)
_P256_ORDER = 0xFFFFFFFF00000000FFFFFFFFFFFFFFFFBCE6FAADA7179E84F3B9CAC2FC632551
_PRIME_FIELD = "1.2.840.10045.1.1"


def _explicit_p256() -> bytes:
    """The curve's numbers in the place of its name: SpecifiedECDomain (SEC 1, C.2)."""
    field = der.sequence(der.oid(_PRIME_FIELD), der.integer(_P256_PRIME))
    curve = der.sequence(
        der.octet_string((_P256_PRIME - 3).to_bytes(32, "big")), der.octet_string(_P256_B.to_bytes(32, "big"))
    )
    base = der.octet_string(bytes.fromhex(_P256_GENERATOR))
    return der.sequence(der.integer(1), field, curve, base, der.integer(_P256_ORDER), der.integer(1))


def keyed(case: Case, kind: str) -> Case:
    """A key of a kind; one that cannot encipher keys does not say that it may."""
    case = case.with_key(kind)
    usage = case.extension(oids.KEY_USAGE)
    if parse_kind(kind).family == "rsa" or usage is None or not isinstance(usage.value, bytes):
        return case
    return case.with_extension(replace(usage, value=_without_encipherment(usage)))


def _without_encipherment(usage: Extension) -> bytes:
    assert isinstance(usage.value, bytes)
    bits = der.contents(usage.value)[1:]
    held = [
        name
        for number, name in enumerate(oids.KEY_USAGES)
        if number // 8 < len(bits) and bits[number // 8] & 0x80 >> number % 8
    ]
    return der.named_bits([name for name in held if name != "keyEncipherment"], oids.KEY_USAGES)


def _rsa(case: Case, *edits: Edit) -> Case:
    """An RSA key of 2048 bits with other octets."""
    if parse_kind(case.entity.key).family != "rsa":
        case = keyed(case, "rsa-2048")
    return case.edit(*edits)


def _p256(case: Case, *edits: Edit) -> Case:
    """A P-256 key with other octets."""
    if case.entity.key != "ec-p256":
        case = keyed(case, "ec-p256")
    return case.edit(*edits)


@fault("V", "path", "CABF BR 6.1.5", finds=("key-size", "public-key-2048"))
def key_rsa_512(case: Case) -> Case:
    """Its RSA key has 512 bits.

    Anybody can factor it overnight.
    """
    return keyed(case, "rsa-512")


@fault("V", "path", "CABF BR 6.1.5", finds=("key-size", "public-key-2048"))
def key_rsa_1024_leaf(case: Case) -> Case:
    """Its RSA key has 1024 bits.

    2048 are the least that public CAs certify.
    """
    return keyed(case, "rsa-1024")


@fault("V", "path", "CABF BR 6.1.5", finds=("issuer-key-size",))
def key_rsa_1024_ca(case: Case) -> Case:
    """Its issuing CA's RSA key has 1024 bits.

    Whoever factors it issues whatever they want.
    """
    return case.change_authority(0, lambda entity: replace(entity, key="rsa-1024"))


@fault("P", "lint", "CABF BR 6.1.5", finds=("key-size", "public-key-2048"))
def key_rsa_2047(case: Case) -> Case:
    """Its RSA key has 2047 bits.

    The size must be a multiple of 8; 2048 was meant.
    """
    return keyed(case, "rsa-2047")


@fault("V", "lint", "CABF BR 6.1.6", finds=("rsa-exponent", "key-matches"))
def key_rsa_e1(case: Case) -> Case:
    """Its RSA exponent is 1.

    What is encrypted to it is not encrypted. The key file holds the key with the usual exponent.
    """
    return _rsa(case, Edit(_EXPONENT, EditOp.REPLACE, der.integer(1)))


@fault("P", "lint", "CABF BR 6.1.6", finds=("rsa-exponent",))
def key_rsa_e3(case: Case) -> Case:
    """Its RSA exponent is 3.

    Sloppy signature checks can be cheated with so small an exponent.
    """
    return keyed(case, "rsa-2048-e3")


@fault("V", "lint", "CABF BR 6.1.6", finds=("rsa-exponent", "key-matches"))
def key_rsa_e_even(case: Case) -> Case:
    """Its RSA exponent is even.

    No private key belongs to it. The key file holds the key with the usual exponent.
    """
    return _rsa(case, Edit(_EXPONENT, EditOp.REPLACE, der.integer(65536)))


@fault("V", "parse", "CABF BR 6.1.6")
def key_rsa_e_huge(case: Case) -> Case:
    """Its RSA exponent has 300 bits.

    Libraries that keep it in a machine word refuse it.
    """
    return keyed(case, "rsa-2048-e300bits")


@fault("V", "lint", "CABF BR 6.1.6", finds=("key-matches",))
def key_rsa_n_even(case: Case) -> Case:
    """Its RSA modulus is even.

    It is not the product of two large primes. The key file holds the key that it was made from.
    """
    return _rsa(case, Edit(_MODULUS, EditOp.FLIP_LAST_BIT))


@fault(
    "V",
    "parse",
    "RFC 8017 A.1.1",
    finds=("path:other", "path-valid", "key-size", "key-matches", "public-key-2048", "chain-of-trust"),
)
def key_rsa_n_negative(case: Case) -> Case:
    """Its RSA modulus is negative.

    The octet that keeps the number positive is missing.
    """
    return _rsa(case, Edit(_MODULUS, EditOp.DROP_FIRST_BYTE))


@fault("V", "lint", "CABF BR 6.1.1.3")
def key_rsa_weak_factors(case: Case) -> Case:
    """The two primes of its RSA key are neighbours.

    Fermat's method of 1643 finds them at once.
    """
    return keyed(case, "rsa-2048-close-primes")


@fault("P", "lint", "CABF BR 6.1.1.3")
def key_rsa_roca(case: Case) -> Case:
    """Its RSA key has the shape of CVE-2017-15361 (ROCA).

    Smart cards and TPMs made such keys; they can be factored.
    """
    return keyed(case, "rsa-2048-roca")


@fault("P", "lint", "CABF BR 6.1.1.3")
def key_rsa_shared_factor(case: Case) -> Case:
    """Its RSA key shares a prime with that of another certificate.

    Whoever has both public keys has both private ones. The other certificate is beside it.
    """
    case = keyed(case, "rsa-2048-shared-prime")
    return replace(case, entity=replace(case.entity, key_of="")).with_twin()


@fault("V", "parse", "RFC 3279 2.3.1", finds=("key-matches",))
def key_spki_missing_null(case: Case) -> Case:
    """The algorithm of its RSA key has no parameters.

    They must be NULL.
    """
    return _rsa(case, Edit(_PARAMETERS, EditOp.REMOVE))


@fault(
    "V",
    "parse",
    "4.1.2.7",
    finds=(
        "path:other",
        "path-valid",
        "key-family",
        "key-size",
        "rsa-exponent",
        "key-matches",
        "public-key-rsa",
        "public-key-2048",
        "public-key-size",
        "public-key-4096-slow",
        "chain-of-trust",
    ),
)
def key_spki_garbage(case: Case) -> Case:
    """Its public key is junk.

    The bits hold no key of the algorithm that they name.
    """
    return case.edit(Edit(_BITS, EditOp.REPLACE, der.bit_string(bytes.fromhex("deadbeef"))))


@fault(
    "V",
    "parse",
    "4.1.2.7",
    finds=("path:other", "path-valid", "key-family", "key-matches", "public-key-rsa", "chain-of-trust"),
)
def key_spki_unknown_alg(case: Case) -> Case:
    """Its public key is of an algorithm that nobody knows.

    A path can be validated; no handshake can be made with it.
    """
    return case.edit(Edit((*_ALGORITHM, 0), EditOp.REPLACE, der.oid("1.2.3.4.5")))


@fault("V", "path", "CABF BR 6.1.5", finds=("key-size", "public-key-rsa"))
def key_ec_p192(case: Case) -> Case:
    """Its key is on the curve P-192.

    The curve is weak, and many libraries have forgotten it.
    """
    return keyed(case, "ec-p192")


@fault("V", "path", "CABF BR 6.1.5", finds=("public-key-rsa",))
def key_ec_secp256k1(case: Case) -> Case:
    """Its key is on the curve secp256k1.

    A sound curve, and not one of the web's or of TLS 1.3's.
    """
    return keyed(case, "ec-secp256k1")


@fault(
    "V",
    "parse",
    "RFC 5480 2.1.1",
    finds=("path:other", "path-valid", "key-size", "key-matches", "public-key-rsa", "chain-of-trust"),
)
def key_ec_explicit_params(case: Case) -> Case:
    """Its elliptic curve is written out, not named.

    It must be named: written parameters have been used to cheat (CVE-2020-0601).
    """
    return _p256(case, Edit(_PARAMETERS, EditOp.REPLACE, _explicit_p256()))


@fault(
    "V",
    "parse",
    "RFC 5480 2.1.1",
    finds=("path:other", "path-valid", "key-size", "key-matches", "public-key-rsa", "chain-of-trust"),
)
def key_ec_null_params(case: Case) -> Case:
    """Its elliptic curve is NULL.

    No curve is named, and none is inherited.
    """
    return _p256(case, Edit(_PARAMETERS, EditOp.REPLACE, der.null()))


@fault(
    "V",
    "parse",
    "RFC 5480 2.2",
    finds=("path:other", "path-valid", "key-matches", "public-key-rsa", "chain-of-trust"),
)
def key_ec_off_curve(case: Case) -> Case:
    """Its elliptic curve point does not lie on the curve.

    Calculating with it can give a private key away.
    """
    return _p256(case, Edit(_BITS, EditOp.FLIP_LAST_BIT))


@fault("V", "parse", "RFC 5480 2.2", finds=("key-matches", "public-key-rsa"))
def key_ec_infinity(case: Case) -> Case:
    """Its elliptic curve point is the one at infinity.

    No private key belongs to it.
    """
    return _p256(case, Edit(_BITS, EditOp.REPLACE, der.bit_string(b"\0")))


@fault("V", "parse", "RFC 5480 2.2", finds=("key-matches", "public-key-rsa"))
def key_ec_compressed(case: Case) -> Case:
    """Its elliptic curve point is compressed.

    Allowed by RFC 5480; not every library reads it.
    """
    return _p256(case, Edit(_BITS, EditOp.COMPRESS_POINT))


@fault("V", "lint", "CABF BR 6.1.5", finds=("key-family", "public-key-rsa"))
def key_dsa(case: Case) -> Case:
    """Its key is a DSA key.

    TLS 1.3 has no use for it.
    """
    return keyed(case, "dsa-2048")


@fault("V", "parse", "RFC 9881 4", finds=("key-family", "public-key-rsa"))
def key_mldsa_leaf(case: Case) -> Case:
    """Its key is an ML-DSA-65 key.

    A sound key that old clients do not know.
    """
    return keyed(case, "ml-dsa-65")


@fault("V", "lint", "RFC 9935 5", finds=("key-family", "public-key-rsa"))
def key_mlkem_digsig_ku(case: Case) -> Case:
    """Its key is an ML-KEM-768 key that is to sign.

    Such a key agrees on secrets and signs nothing; its usage says digitalSignature.
    """
    usage = case.extension(oids.KEY_USAGE)
    if usage is None:
        raise Impossible("the sound certificate has no key usage")
    return keyed(case, "ml-kem-768")


@fault(
    "R",
    "parse",
    "RFC 9881 2",
    finds=("path:other", "path-valid", "key-family", "key-matches", "public-key-rsa", "chain-of-trust"),
)
def key_mldsa_null_params(case: Case) -> Case:
    """The algorithm of its ML-DSA key has NULL for parameters.

    There must be none.
    """
    return keyed(case, "ml-dsa-65").edit(Edit((*_ALGORITHM, 0), EditOp.APPEND, der.null()))


@fault(
    "R",
    "parse",
    "RFC 9881 4",
    finds=("path:other", "path-valid", "key-family", "key-matches", "public-key-rsa", "chain-of-trust"),
)
def key_mldsa_bad_length(case: Case) -> Case:
    """Its ML-DSA key is one octet short.

    A key of this kind has 1952 octets.
    """
    return keyed(case, "ml-dsa-65").edit(Edit(_BITS, EditOp.DROP_LAST_BYTE))


@fault("P", "lint", "CABF BR 6.1.1")
def key_reused_leaf_ca(case: Case) -> Case:
    """Its key is that of its issuing CA.

    Whoever gets hold of the server's key can issue.
    """
    if not case.authorities:
        raise Impossible("no CA is above it")
    issuer = case.authorities[0]
    if issuer.imported is not None:
        raise Impossible(f"the key of '{issuer.name}' is not pkigen's")
    entity = replace(case.entity, key=issuer.key, key_of=issuer.id)
    return replace(case, entity=entity)
